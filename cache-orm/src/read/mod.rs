//! Reads that are answered from the cache: lookup → hit, or lease → load → fill.
//!
//! ```text
//! options   what a connection wants of its reads
//! plan      which reads may be answered, and by which key
//! get       by one key: the journey
//! found     ↳ what a slot turned out to hold
//! load      ↳ after a miss: lease or join, load, fill
//! alias     ↳ by unique key: an alias leads to the slot
//! list      by a list of keys: many slots, one load for all that miss, one snapshot
//! to_one    the row that another row refers to: two slots, one snapshot
//! rows      rows as the cache keeps them
//! checksum  before the rows that a remote store keeps
//! query     the question to the database
//! explain   which cells a read would look into
//! ```

mod alias;
mod checksum;
mod explain;
mod found;
mod get;
mod list;
mod load;
mod options;
mod plan;
mod query;
mod rows;
mod to_one;

use std::sync::Arc;

use sea_orm::{DbErr, QueryResult, Statement};

use crate::{
    classify::reason::BypassReason,
    context::Context,
    decoders::Decoders,
    registry::{Entity, Recognised},
    row, spans, write,
};

pub(crate) use self::{
    found::Answer,
    options::{Mode, Options, QueryMethod},
    plan::{Read, ReadContext},
    query::Query,
};

/// Answers one recognised read.
///
/// # Errors
/// The database's own.
///
/// # Cancel safety
/// Dropped anywhere, a lease that was granted is given back, and nothing wrong is stored.
pub(crate) async fn answer(
    shared: &Arc<Context>,
    options: Options,
    recognised: Recognised<'_>,
    statement: Statement,
    method: QueryMethod,
) -> Result<Vec<QueryResult>, DbErr> {
    let eligibility = shared.eligibility().await;
    let query = Query::of(&statement, method);
    let context = ReadContext { shared, eligibility: &eligibility, options };
    let answered = context.answer(&recognised, &query);
    spans::read(&recognised.entity().label, answered).await
}

impl<'r> ReadContext<'r> {
    async fn answer(
        &self,
        recognised: &'r Recognised<'r>,
        query: &Query<'r>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let attempt = match recognised {
            Recognised::One(shape) => match self.plan(shape, query) {
                Ok((read, key)) => read.get(&key, query).await.map(Answer::into_rows),
                Err(reason) => return self.bypass(&shape.entity, reason, query).await,
            },
            Recognised::List(list) => match self.plan_list(list, query) {
                Ok((read, parts)) => read.by_list(list, parts, query).await,
                Err(reason) => return self.bypass(&list.shape.entity, reason, query).await,
            },
            Recognised::ToOne(shape) => match self.plan_to_one(shape, query) {
                Ok(to_one) => Ok(to_one.follow().await),
                Err(reason) => return self.bypass(&shape.target, reason, query).await,
            },
        };
        let rows = match attempt? {
            Some(rows) => rows,
            None => query.load(self.shared).await?,
        };
        Ok(self.as_cached(recognised.entity(), rows))
    }

    /// In builds with debug assertions, the rows as hits would give them, also where they were loaded: a decoder for
    /// whom a cached row is wrong fails the first time, and not in production the second.
    fn as_cached(&self, entity: &Entity, rows: Vec<QueryResult>) -> Vec<QueryResult> {
        if !entity.shape.is_strict() {
            return rows;
        }
        if entity.policy.decoders != Decoders::Json {
            row::explain(entity.type_name);
        }
        rows.into_iter().map(|row| rows::as_cached(self, entity, row)).collect()
    }

    async fn bypass(
        &self,
        entity: &Entity,
        reason: BypassReason,
        query: &Query<'_>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        entity.count_bypass(reason);
        let rows = match self.shared.writing(query.sql) {
            Some(class) => write::query(self.shared, &class, query.statement(self.shared)).await?,
            None => query.load(self.shared).await?,
        };
        if self.eligibility.is_worth_refreshing(entity) {
            self.shared.forget();
        }
        Ok(rows)
    }
}
