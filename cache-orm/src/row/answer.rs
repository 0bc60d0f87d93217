//! A row as the cache keeps it, and as SeaORM takes it from a connection.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};

use sea_orm::{
    FromQueryResult, JsonValue, MockDatabase, MockDatabaseTrait, MockRow, QueryResult, Statement, Value,
};
use tracing::{
    dispatcher::{self, Dispatch},
    level_filters::LevelFilter,
    subscriber::NoSubscriber,
};

use super::Shape;
use crate::dialect::MOCKED;

/// One row of an entity. Never shows its values in `Debug`.
pub(crate) struct Row {
    pub(super) values: Box<[Value]>,
    /// What SeaORM reads, built once: copying it costs a hit half of what building it does.
    pub(super) answer: QueryResult,
    /// The model, once somebody asked for it as such.
    model: OnceLock<Arc<dyn Any + Send + Sync>>,
    weight: usize,
}

impl Row {
    /// A row of the shape's columns, in the shape's order. Private to this module: a row leaves it only after
    /// `capture` or `verify` has looked at it. `None` under the condition of [`query_results`].
    pub(super) fn new(shape: &Shape, values: Vec<Value>) -> Option<Self> {
        // The model holds about what the values hold.
        let values_weight = values.len() * size_of::<Value>();
        let weight = size_of::<Row>() + 2 * values_weight + shape.weight(&values);
        let answer = query_result(shape.answer(&values))?;
        Some(Row { answer, model: OnceLock::new(), values: values.into(), weight })
    }

    /// The row as its model, decoded once. `None` if the row is not of this model.
    pub(crate) fn model<M>(&self) -> Option<Arc<M>>
    where
        M: FromQueryResult + Send + Sync + 'static,
    {
        if let Some(model) = self.model.get() {
            return model.clone().downcast().ok();
        }
        let model = Arc::new(M::from_query_result(&self.answer, "").ok()?);
        self.model.get_or_init(|| model).clone().downcast().ok()
    }

    /// The values in the order of the entity's columns.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// About how many bytes the row takes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} columns)", self.values.len())
    }
}

/// The rows as the result of a query. `None` while that would show them to a logger (see [`rows_would_be_logged`]): the
/// caller asks the database instead.
pub(crate) fn query_results(rows: &[Arc<Row>]) -> Option<Vec<QueryResult>> {
    results(rows.iter().filter_map(|row| row.answer.try_as_mock_row()).cloned())
}

/// One row as the result of a query, under the same condition.
fn query_result(row: MockRow) -> Option<QueryResult> {
    results([row])?.pop()
}

/// A mock database is the only public way to a `QueryResult`. SeaORM traces its calls with everything it
/// holds, the rows included, so nobody may be listening.
fn results(rows: impl IntoIterator<Item = MockRow>) -> Option<Vec<QueryResult>> {
    if rows_would_be_logged() {
        return None;
    }
    let results = || {
        // The statement has no part in what comes back.
        let mut mock = MockDatabase::new(MOCKED).append_query_results([rows]);
        mock.query(0, Statement::from_string(MOCKED, String::new())).ok()
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
