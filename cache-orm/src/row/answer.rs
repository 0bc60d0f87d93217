//! Rows as SeaORM takes them from a connection.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use sea_orm::{
    DbBackend, FromQueryResult, JsonValue, MockDatabase, MockDatabaseTrait, MockRow, QueryResult, Statement,
};
use tracing::{
    dispatcher::{self, Dispatch},
    level_filters::LevelFilter,
    subscriber::NoSubscriber,
};

use super::Row;

/// The rows as the result of a query. `None` while that would show them to a logger (see [`rows_would_be_logged`]): the
/// caller asks the database instead.
pub(crate) fn query_results(rows: &[Arc<Row>]) -> Option<Vec<QueryResult>> {
    results(rows.iter().filter_map(|row| row.answer.try_as_mock_row()).cloned())
}

/// One row as the result of a query, under the same condition.
pub(super) fn query_result(row: MockRow) -> Option<QueryResult> {
    results([row])?.pop()
}

/// A mock database is the only public way to a `QueryResult`. SeaORM traces its calls with everything it
/// holds, the rows included, so nobody may be listening.
fn results(rows: impl IntoIterator<Item = MockRow>) -> Option<Vec<QueryResult>> {
    if rows_would_be_logged() {
        return None;
    }
    let results = || {
        // Neither the backend nor the statement has a part in what comes back.
        let mut mock = MockDatabase::new(DbBackend::Sqlite).append_query_results([rows]);
        mock.query(0, Statement::from_string(DbBackend::Sqlite, String::new())).ok()
    };
    if LevelFilter::current() < LevelFilter::TRACE {
        results()
    } else {
        dispatcher::with_default(&Dispatch::none(), results)
    }
}

/// True if `into_json` sees the same in a cached row as in the row that the database gave.
pub(crate) fn same_json(row: &Row, given: &QueryResult) -> bool {
    // SeaORM `unwrap`s where it shows a cached row's bytes as text.
    let json = |row: &QueryResult| {
        let decoded = catch_unwind(AssertUnwindSafe(|| JsonValue::from_query_result(row, "").ok()));
        decoded.ok().flatten()
    };
    json(given).is_some_and(|given| json(&row.answer) == Some(given))
}

/// True if `tracing` hands trace-level spans to the `log` crate, as it does for a program that has a logger
/// but no subscriber. A silent subscriber of our own would stop that for the rest of the process and for
/// everybody, so the cache steps aside instead.
pub(crate) fn rows_would_be_logged() -> bool {
    log::max_level().min(log::STATIC_MAX_LEVEL) == log::LevelFilter::Trace
        && dispatcher::get_default(|current| current.is::<NoSubscriber>())
}
