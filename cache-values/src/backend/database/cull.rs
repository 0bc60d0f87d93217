//! Making room, and noting what is used.

use super::{super::StoreError, dialect::Dialect, get::MINUTE, inner::Inner, room::Limit, sql::Sql};

/// A sweep removes no more rows in one statement: others wait for them.
const BATCH: u64 = 1000;

impl Inner {
    /// Pays what these puts owe. They are done: an error is only told to who listens.
    pub(super) async fn make_room(&self, puts: usize) {
        if let Err(error) = self.cull(puts).await {
            tracing::warn!(table = self.table, %error, "no room was made");
        }
    }

    async fn cull(&self, puts: usize) -> Result<(), StoreError> {
        let Some(due) = self.room.after(puts) else { return Ok(()) };
        self.remove_expired(due.expired).await?;
        let Some(limit) = self.room.limit() else { return Ok(()) };
        for _ in 0..due.parts {
            self.cull_part(limit).await?;
        }
        Ok(())
    }

    async fn cull_part(&self, limit: Limit) -> Result<(), StoreError> {
        let (hashes, most) = self.room.next(limit);
        let part = |sql: Sql| {
            sql.then(" WHERE hash BETWEEN ").with(*hashes.start()).then(" AND ").with(*hashes.end())
        };
        let count = part(self.sql("SELECT COUNT(*) AS there FROM ")).statement();
        let Some(row) = self.primary.rows(count).await?.pop() else { return Ok(()) };
        let there: i64 = row.try_get("", "there").map_err(|error| self.primary.translated(error))?;
        let surplus = limit.surplus(there as u64, most);
        if surplus > 0 {
            let order = format!("CASE WHEN {} THEN 0 ELSE 1 END, used", self.dialect.expired(""));
            self.delete_first(part, &order, surplus).await?;
        }
        Ok(())
    }

    async fn remove_expired(&self, most: u64) -> Result<u64, StoreError> {
        // A query of its own, which is asked once: otherwise PostgreSQL would not use the index.
        let expired = format!(" WHERE expires < (SELECT {})", self.dialect.now());
        self.delete_first(|sql| sql.then(&expired), "expires", most).await
    }

    /// Removes the first rows in this order that meet the condition.
    async fn delete_first(
        &self,
        condition: impl Fn(Sql) -> Sql,
        order: &str,
        most: u64,
    ) -> Result<u64, StoreError> {
        let first = |sql: Sql| condition(sql).then(format!(" ORDER BY {order} LIMIT ")).with(most as i64);
        let delete = self.sql("DELETE FROM ");
        let delete = match self.dialect {
            Dialect::MySql => first(delete),
            // By where they are: no other row is read, and one that was put anew meanwhile stays.
            Dialect::Postgres => {
                let found = delete.then(" WHERE ctid = ANY(ARRAY(SELECT ctid FROM ").then(&self.table);
                first(found).then("))")
            }
            Dialect::Sqlite => {
                let found = delete.then(" WHERE rowid IN (SELECT rowid FROM ").then(&self.table);
                first(found).then(")")
            }
        };
        Ok(self.primary.execute(delete.statement()).await?.rows_affected())
    }

    /// In small statements.
    pub(super) async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let batch = self.remove_expired(BATCH).await?;
            removed += batch;
            if batch < BATCH {
                break;
            }
        }
        // No character of a name comes after this one.
        let end = format!("{stem}\x7f");
        loop {
            let begins =
                |sql: Sql| sql.then(" WHERE name BETWEEN ").with(stem).then(" AND ").with(end.as_str());
            let batch = self.delete_first(begins, "name", BATCH).await?;
            removed += batch;
            if batch < BATCH {
                return Ok(removed);
            }
        }
    }

    /// Notes that these were used, as long as nobody else has done so within a minute.
    pub(super) async fn note_use(&self, names: &[String]) -> Result<(), StoreError> {
        let sql = self.used(self.sql("UPDATE ").then(" SET used = ")).then(" WHERE name IN ");
        let sql = sql.with_list(names.iter().map(String::as_str)).then(" AND used < ");
        let sql = sql.then(self.dialect.now()).then(" * 1000 - ").with(MINUTE);
        self.primary.execute(sql.statement()).await.map(|_| ())
    }
}
