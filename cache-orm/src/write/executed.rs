//! What a write that ran with RETURNING answers to its caller.

use sea_orm::{DbErr, ExecResult, MockDatabase, MockDatabaseTrait, MockExecResult, QueryResult, Statement};

use crate::dialect::MOCKED;

/// The result of a statement, in whatever form it may be wanted.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    /// The rows, if the caller's own text returns any.
    pub(crate) rows: Vec<QueryResult>,
    /// How many rows were affected.
    pub(crate) affected: u64,
    /// Where the database tells it.
    pub(crate) last_insert_id: u64,
}

impl Executed {
    /// What executing the statement would have given.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn into_exec_result(self) -> Result<ExecResult, DbErr> {
        let result = MockExecResult { last_insert_id: self.last_insert_id, rows_affected: self.affected };
        // The only public way to an `ExecResult`. SeaORM traces the call, with these two numbers.
        let mut mock = MockDatabase::new(MOCKED).append_exec_results([result]);
        mock.execute(0, Statement::from_string(MOCKED, String::new()))
    }
}
