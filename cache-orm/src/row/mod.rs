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
mod codec;
mod field;
mod shape;
mod strict;

#[cfg(test)]
mod tests;

pub(crate) use answer::{Row, query_results, rows_would_be_logged, same_json};
pub(crate) use capture::{Unfit, capture, verify};
pub(crate) use codec::{decode, encode};
pub(crate) use shape::Shape;
pub(crate) use strict::explain;
