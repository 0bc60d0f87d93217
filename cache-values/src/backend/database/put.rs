//! Writes: the condition is part of the statement.

use std::collections::HashSet;

use sea_orm::Statement;

use super::{
    super::{Put, StoreError, Stored, When},
    dialect::Dialect,
    inner::Inner,
};
use crate::name::Name;

/// A statement puts no more rows.
const MOST_ROWS: usize = 1000;

/// A statement puts no more bytes, unless a single value is larger.
const MOST_BYTES: usize = 4 << 20;

/// Somebody else made progress each time: with fewer callers than this, nobody gives up.
pub(super) const ATTEMPTS: usize = 1000;

/// What one statement does.
enum Step<'a> {
    /// Rows under one condition, none of which needs a row that is there.
    Insert(When, Vec<&'a Put>),
    /// Rows that take the places of others.
    Replace(Vec<&'a Put>),
    /// A value that is too large: what it would have replaced goes all the same.
    MakeWay(&'a Put),
}

impl Inner {
    pub(super) async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let mut stored = Vec::with_capacity(items.len());
        for step in self.steps(items) {
            match step {
                Step::Insert(When::Always, rows) => {
                    self.primary.execute(self.insert(When::Always, &rows)).await?;
                    stored.extend(rows.iter().map(|_| Stored::Kept));
                }
                Step::Insert(_, rows) if self.dialect == Dialect::MySql => {
                    for row in rows {
                        stored.push(self.insert_or_update(row).await?);
                    }
                }
                Step::Insert(when, rows) => {
                    stored.extend(self.returned(self.insert(when, &rows), &rows).await?);
                }
                Step::Replace(rows) if self.dialect != Dialect::MySql && rows.len() > 1 => {
                    stored.extend(self.returned(self.replace(&rows), &rows).await?);
                }
                Step::Replace(rows) => {
                    for row in rows {
                        let changed = self.primary.execute(self.update(row)).await?.rows_affected();
                        stored.push(kept_if(changed > 0));
                    }
                }
                Step::MakeWay(put) => stored.push(self.refuse(put).await?),
            }
        }
        Ok(stored)
    }

    /// Items in their order. Neighbours of one kind are one statement, unless it would put the same name twice.
    fn steps<'a>(&self, items: &'a [Put]) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let (mut names, mut bytes) = (HashSet::new(), 0);
        for put in items {
            let size = put.bytes.len();
            let is_next = |rows: &[&Put], names: &mut HashSet<_>| {
                rows.len() < MOST_ROWS && bytes + size <= MOST_BYTES && names.insert(&put.name)
            };
            match (put.when, steps.last_mut()) {
                _ if size > self.largest_value => steps.push(Step::MakeWay(put)),
                (When::Unchanged(Some(_)), Some(Step::Replace(rows))) if is_next(rows, &mut names) => {
                    rows.push(put);
                    bytes += size;
                }
                (when, Some(Step::Insert(same, rows))) if *same == when && is_next(rows, &mut names) => {
                    rows.push(put);
                    bytes += size;
                }
                (when, _) => {
                    (names, bytes) = (HashSet::from([&put.name]), size);
                    steps.push(match when {
                        When::Unchanged(Some(_)) => Step::Replace(vec![put]),
                        when => Step::Insert(when, vec![put]),
                    });
                }
            }
        }
        steps
    }

    /// Which rows a statement put: it returns their names.
    async fn returned(&self, statement: Statement, rows: &[&Put]) -> Result<Vec<Stored>, StoreError> {
        let kept = self.primary.rows(statement).await?;
        let kept: Result<HashSet<String>, _> = kept.iter().map(|row| row.try_get("", "name")).collect();
        let kept = kept.map_err(|error| self.primary.translated(error))?;
        Ok(rows.iter().map(|row| kept_if(kept.contains(row.name.as_str()))).collect())
    }

    /// Each of the first two statements decides by itself who is first; refused is only who sees what is in the way.
    async fn insert_or_update(&self, put: &Put) -> Result<Stored, StoreError> {
        for _ in 0..ATTEMPTS {
            for statement in [self.insert_ignore(put), self.update(put)] {
                if self.primary.execute(statement).await?.rows_affected() > 0 {
                    return Ok(Stored::Kept);
                }
            }
            if !self.primary.rows(self.in_the_way(put)).await?.is_empty() {
                return Ok(Stored::Refused);
            }
        }
        Err(too_busy(&put.name))
    }

    async fn refuse(&self, put: &Put) -> Result<Stored, StoreError> {
        let went = self.primary.execute(self.make_way(put)).await?.rows_affected() > 0;
        let is_refused = match put.when {
            When::Always => false,
            When::Unchanged(Some(_)) => !went,
            _ => !went && !self.primary.rows(self.in_the_way(put)).await?.is_empty(),
        };
        Ok(if is_refused { Stored::Refused } else { Stored::TooLarge })
    }
}

fn kept_if(kept: bool) -> Stored {
    if kept { Stored::Kept } else { Stored::Refused }
}

pub(super) fn too_busy(name: &Name) -> StoreError {
    StoreError::Unexpected(format!("{name:?} was changed by others {ATTEMPTS} times in a row"))
}
