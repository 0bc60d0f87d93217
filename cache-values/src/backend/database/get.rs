//! Reads: one query for any number of names.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use sea_orm::{DbErr, QueryResult, Statement};

use super::{
    super::{Item, Left, StoreError},
    inner::Inner,
    session::Session,
};
use crate::name::Name;

/// A query asks for no more names: fewer than any database's limit of parameters (SQLite's is 32766), and a power of two.
pub(super) const MOST_NAMES: usize = 16_384;

/// An entry's last use is written down again after so many microseconds.
pub(super) const MINUTE: i64 = 60_000_000;

/// What a read found.
pub(super) struct Got {
    pub(super) items: Vec<Option<Item>>,
    /// Names of entries whose last use was written down long ago.
    pub(super) stale: Vec<String>,
}

struct Row {
    name: String,
    item: Item,
    is_stale: bool,
}

impl Inner {
    pub(super) async fn get(&self, names: &[Name]) -> Result<Got, StoreError> {
        let (cells, values): (Vec<&Name>, Vec<&Name>) = names.iter().partition(|name| name.is_cell());
        let mut rows = match &self.replica {
            Some(replica) => {
                let (mut cells, mut values) = futures_util::future::try_join(
                    self.rows(&self.primary, &cells),
                    self.rows(replica, &values),
                )
                .await?;
                cells.append(&mut values);
                cells
            }
            None => self.rows(&self.primary, &names.iter().collect::<Vec<_>>()).await?,
        };
        let mut stale = Vec::new();
        if self.room.limit().is_some() {
            stale.extend(rows.iter().filter(|row| row.is_stale).map(|row| row.name.clone()));
        }
        let found: HashMap<String, Item> = rows.drain(..).map(|row| (row.name, row.item)).collect();
        Ok(Got { items: names.iter().map(|name| found.get(name.as_str()).cloned()).collect(), stale })
    }

    async fn rows(&self, session: &Session, names: &[&Name]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::with_capacity(names.len());
        for names in names.chunks(MOST_NAMES) {
            for row in session.rows(self.select(names)).await? {
                rows.push(read(&row).map_err(|error| session.translated(error))?);
            }
        }
        Ok(rows)
    }

    fn select(&self, names: &[&Name]) -> Statement {
        let now = self.dialect.now();
        self.sql(&format!("SELECT name, value, hash, expires, used, {now} AS now FROM "))
            .then(" WHERE name IN ")
            .with_list(names.iter().map(|name| name.as_str()))
            .then(format!(" AND {}", self.dialect.live("")))
            .statement()
    }
}

fn read(row: &QueryResult) -> Result<Row, DbErr> {
    let now: i64 = row.try_get("", "now")?;
    let left = match row.try_get::<Option<i64>>("", "expires")? {
        // It lives through its last millisecond.
        Some(expires) => Left::For(Duration::from_millis((expires - now).max(1) as u64)),
        None => Left::Forever,
    };
    let value: Vec<u8> = row.try_get("", "value")?;
    let is_cell = row.try_get::<Option<i32>>("", "hash")?.is_none();
    Ok(Row {
        name: row.try_get("", "name")?,
        item: Item::new(Bytes::from(value), left),
        is_stale: !is_cell && now * 1000 - row.try_get::<i64>("", "used")? > MINUTE,
    })
}
