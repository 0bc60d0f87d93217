//! The question to the database, for a read that the cache does not answer.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value, Values};

use crate::{context::Context, read::options::QueryMethod};

/// What to ask the database if the cache has no answer.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q> {
    pub(crate) sql: &'q str,
    pub(crate) values: &'q [Value],
    pub(crate) method: QueryMethod,
}

impl<'q> Query<'q> {
    pub(super) fn of(statement: &'q Statement, method: QueryMethod) -> Self {
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
        Query { sql: &statement.sql, values, method }
    }

    pub(super) fn statement(&self, shared: &Context) -> Statement {
        let values = Some(Values(self.values.to_vec()));
        Statement { sql: self.sql.to_owned(), values, db_backend: shared.backend }
    }

    pub(super) async fn load(&self, shared: &Context) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.statement(shared);
        match self.method {
            QueryMethod::One => Ok(shared.db.query_one_raw(statement).await?.into_iter().collect()),
            QueryMethod::All => shared.db.query_all_raw(statement).await,
        }
    }
}
