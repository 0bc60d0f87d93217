//! Rows of an entity as the cache keeps them: model values ⇄ bytes ⇄ `QueryResult`.
//!
//! - In: [`capture`] takes the values of a model that the database has just given, and keeps them only if
//!   the model comes back from them equal.
//! - Out: [`query_results`] gives rows to SeaORM as a connection would.
//! - A remote store keeps what [`encode`] writes. What it returns is hostile until [`verify`] has decoded it
//!   through the model's own types.
//!
//! # Strictness
//!
//! SeaORM reads the wrong kind of value as "null", and an `Option` field then silently becomes `None`. So
//! neither `capture` nor `verify` trusts a decode that succeeds: both take the values of the decoded model
//! again and demand what they put in.
//!
//! # What a cached row can't do
//!
//! It answers `.one` and `.all` as the database does. `.into_json` and `.into_tuple` send the same statement but read a
//! cached row in ways of their own: the one quotes dates, turns decimals into floats, and panics on bytes that are not
//! UTF-8; the other takes the columns in alphabetical order. For which of them the rows of an entity are right all the
//! same is a promise of the entity ([`Decoders`](crate::decoders::Decoders)); [`same_json`] finds out whether a row
//! keeps the first, and in builds with debug assertions rows are strict: what is not promised fails.

mod answer;
mod calendar;
mod capture;
mod cell;
mod codec;
mod shape;
mod strict;

#[cfg(test)]
mod tests;

pub(crate) use answer::{query_results, rows_would_be_logged, same_json};
pub(crate) use capture::{Unfit, capture, verify};
pub(crate) use codec::{decode, encode};
pub(crate) use shape::Shape;
pub(crate) use strict::explain;

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

use sea_orm::{FromQueryResult, QueryResult, Value};

/// One row of an entity. Never shows its values in `Debug`.
pub(crate) struct Row {
    values: Box<[Value]>,
    /// What SeaORM reads, built once: copying it costs a hit half of what building it does.
    answer: QueryResult,
    /// The model, once somebody asked for it as such.
    model: OnceLock<Arc<dyn Any + Send + Sync>>,
    weight: usize,
}

impl Row {
    /// A row of the shape's columns, in the shape's order. Private to this module: a row leaves it only after
    /// `capture` or `verify` has looked at it. `None` under the condition of [`query_results`].
    fn new(shape: &Shape, values: Vec<Value>) -> Option<Self> {
        // The model holds about what the values hold.
        let values_weight = values.len() * size_of::<Value>();
        let weight = size_of::<Row>() + 2 * values_weight + shape.weight(&values);
        let answer = answer::query_result(shape.answer(&values))?;
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
