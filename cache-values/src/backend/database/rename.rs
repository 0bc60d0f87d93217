//! Moves, over whatever is there.

use sea_orm::{ConnectionTrait, DbErr};

use super::{super::StoreError, dialect::Dialect, inner::Inner, room::hash};
use crate::name::Name;

impl Inner {
    pub(super) async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        if from == to {
            let look = self.sql("SELECT name FROM ").then(" WHERE name = ").with(from.as_str()).then(" AND ");
            return Ok(!self
                .primary
                .rows(look.then(self.dialect.occupied("")).statement())
                .await?
                .is_empty());
        }
        let sql = match self.dialect {
            Dialect::MySql => return self.rename_locked(from, to).await,
            Dialect::Sqlite => {
                let sql = self.sql("UPDATE OR REPLACE ").then(" SET name = ").with(to.as_str());
                let sql = sql.then(", hash = ").with(hash(to)).then(" WHERE name = ").with(from.as_str());
                sql.then(" AND ").then(self.dialect.occupied(""))
            }
            Dialect::Postgres => {
                let sql = self.sql("WITH moved AS (DELETE FROM ").then(" WHERE name = ").with(from.as_str());
                let sql = sql.then(" AND ").then(self.dialect.occupied(""));
                let sql = sql.then(" RETURNING expires, used, value) INSERT INTO ").then(&self.table);
                let sql =
                    sql.then(" (name, hash, expires, used, value) SELECT ").with(to.as_str()).then(", ");
                let sql = sql
                    .with(hash(to))
                    .then(", expires, used, value FROM moved ON CONFLICT (name) DO UPDATE SET ");
                sql.then("expires = excluded.expires, used = excluded.used, value = excluded.value")
            }
        };
        Ok(self.primary.execute(sql.statement()).await?.rows_affected() > 0)
    }

    /// MySQL has neither of the two. The row is held first, and what was there goes only if there is one.
    async fn rename_locked(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        let mut attempt = 0;
        loop {
            match self.try_rename_locked(from, to).await {
                Err(error) => self.primary.pause(error, &mut attempt).await?,
                Ok(moved) => return Ok(moved),
            }
        }
    }

    async fn try_rename_locked(&self, from: &Name, to: &Name) -> Result<bool, DbErr> {
        let hold = self.sql("SELECT name FROM ").then(" WHERE name = ").with(from.as_str()).then(" AND ");
        let hold = hold.then(self.dialect.occupied("")).then(" FOR UPDATE").statement();
        let transaction = self.primary.begin().await?;
        if transaction.query_one_raw(hold).await?.is_none() {
            transaction.rollback().await?;
            return Ok(false);
        }
        let delete = self.sql("DELETE FROM ").then(" WHERE name = ").with(to.as_str()).statement();
        transaction.execute_raw(delete).await?;
        let sql = self.sql("UPDATE ").then(" SET name = ").with(to.as_str()).then(", hash = ").with(hash(to));
        transaction.execute_raw(sql.then(" WHERE name = ").with(from.as_str()).statement()).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
