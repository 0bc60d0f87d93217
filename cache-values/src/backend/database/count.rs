//! Numbers, added to by the database, and times to live.

use std::time::Duration;

use sea_orm::Statement;

use super::{
    super::{Counted, Put, Start, StoreError, Stored, When, is_promise, number},
    dialect::Dialect,
    inner::{Inner, milliseconds},
    put::{ATTEMPTS, too_busy},
};
use crate::name::Name;

impl Inner {
    pub(super) async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        let sql = self.sql("UPDATE ").then(" SET expires = ").then(self.dialect.now()).then(" + ");
        let sql = self.used(sql.with(milliseconds(ttl)).then(", used = "));
        let sql =
            sql.then(" WHERE name = ").with(name.as_str()).then(" AND ").then(self.dialect.occupied(""));
        Ok(self.primary.execute(sql.statement()).await?.rows_affected() > 0)
    }

    /// One statement where there is a number. Otherwise another look tells why there is none, and may find one after all.
    pub(super) async fn count(
        &self,
        name: &Name,
        by: i64,
        start: Option<Start>,
    ) -> Result<Counted, StoreError> {
        for _ in 0..ATTEMPTS {
            if let Some(value) = self.add(name, by).await? {
                return Ok(Counted::Is(value));
            }
            if let Some(Start { value, ttl }) = start {
                let bytes = value.to_string().into();
                let put = Put { name: name.clone(), bytes, ttl, when: When::Vacant };
                if self.put(&[put]).await? == [Stored::Kept] {
                    self.make_room(1).await;
                    return Ok(Counted::Is(value));
                }
            }
            let item = self.get(std::slice::from_ref(name)).await?.items.pop().flatten();
            match item.filter(|item| !is_promise(&item.bytes)) {
                Some(item) => match number(&item.bytes).map(|before| before.checked_add(by)) {
                    Some(Some(_)) => {} // Somebody put it there since.
                    Some(None) => return Ok(Counted::Overflow),
                    None => return Ok(Counted::NoNumber),
                },
                None if start.is_none() => return Ok(Counted::Missing),
                None => {}
            }
        }
        Err(too_busy(name))
    }

    /// The sum, if there is a number to which it can be added.
    async fn add(&self, name: &Name, by: i64) -> Result<Option<i64>, StoreError> {
        let statement = self.addition(name, by);
        if self.dialect == Dialect::MySql {
            let result = self.primary.execute(statement).await?;
            // MySQL has it without a sign.
            return Ok((result.rows_affected() > 0).then(|| result.last_insert_id() as i64));
        }
        let Some(row) = self.primary.rows(statement).await?.pop() else { return Ok(None) };
        let value: Vec<u8> = row.try_get("", "value").map_err(|error| self.primary.translated(error))?;
        Ok(number(&value))
    }

    fn addition(&self, name: &Name, by: i64) -> Statement {
        let there = self.dialect.number();
        // From here to there it does not overflow, and no database has to calculate with more than 64 bits.
        let (least, most) = (i64::MIN - by.min(0), i64::MAX - by.max(0));
        let sql = self.sql("UPDATE ").then(" SET value = ");
        let (before, after) = self.dialect.around_a_sum();
        let sql = sql.then(before).then(there).then(" + ").with(by).then(after).then(", used = ");
        let sql = self.used(sql).then(" WHERE name = ").with(name.as_str()).then(" AND ");
        let sql = sql.then(self.dialect.occupied("")).then(" AND ").then(there);
        let sql = sql.then(" BETWEEN ").with(least).then(" AND ").with(most);
        sql.then(if self.dialect == Dialect::MySql { "" } else { " RETURNING value" }).statement()
    }
}
