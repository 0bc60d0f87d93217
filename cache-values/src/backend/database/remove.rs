//! Removals, which tell what they took.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::{super::StoreError, dialect::Dialect, get::MOST_NAMES, inner::Inner, sql::Sql};
use crate::name::Name;

impl Inner {
    pub(super) async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let mut names: Vec<&Name> = names.iter().collect();
        let asked = names.clone();
        // In order, so that two that remove the same ones don't wait for each other in a circle.
        names.sort_unstable();
        names.dedup();
        let mut taken = HashMap::new();
        for names in names.chunks(MOST_NAMES) {
            match (self.dialect, names) {
                (Dialect::MySql, [name]) => {
                    taken.insert(name.as_str().to_owned(), self.remove_one(name).await?);
                }
                (Dialect::MySql, names) => taken.extend(self.remove_locked(names).await?),
                (_, names) => {
                    let returning = format!(" RETURNING name, {} AS was_taken", self.was_taken());
                    let delete = self.among(self.sql("DELETE FROM "), names).then(returning).statement();
                    let rows = self.primary.rows(delete).await?;
                    taken.extend(read(&rows).map_err(|error| self.primary.translated(error))?);
                }
            }
        }
        // Whoever names it twice took it once.
        Ok(asked.into_iter().map(|name| taken.remove(name.as_str()).unwrap_or(false)).collect())
    }

    /// Whoever takes a value takes nothing that comes after it; what is over, or a promise, goes second.
    async fn remove_one(&self, name: &Name) -> Result<bool, StoreError> {
        let delete = || self.sql("DELETE FROM ").then(" WHERE name = ").with(name.as_str()).then(" AND ");
        let value = delete().then(self.dialect.occupied("")).statement();
        if self.primary.execute(value).await?.rows_affected() > 0 {
            return Ok(true);
        }
        self.primary.execute(delete().then(self.dialect.vacant("")).statement()).await?;
        Ok(false)
    }

    /// Looks at the rows before they go, and holds them meanwhile.
    async fn remove_locked(&self, names: &[&Name]) -> Result<Vec<(String, bool)>, StoreError> {
        let mut attempt = 0;
        loop {
            match self.try_remove_locked(names).await {
                Err(error) => self.primary.pause(error, &mut attempt).await?,
                Ok(taken) => return Ok(taken),
            }
        }
    }

    async fn try_remove_locked(&self, names: &[&Name]) -> Result<Vec<(String, bool)>, DbErr> {
        let transaction = self.primary.begin().await?;
        let select = self.sql(&format!("SELECT name, {} AS was_taken FROM ", self.was_taken()));
        let select = self.among(select, names).then(" FOR UPDATE").statement();
        let taken = read(&transaction.query_all_raw(select).await?)?;
        if !taken.is_empty() {
            let delete = self.sql("DELETE FROM ").then(" WHERE name IN ");
            let delete = delete.with_list(taken.iter().map(|(name, _)| name.as_str())).statement();
            transaction.execute_raw(delete).await?;
        }
        transaction.commit().await?;
        Ok(taken)
    }

    fn was_taken(&self) -> String {
        let whole = if self.dialect == Dialect::MySql { "SIGNED" } else { "BIGINT" };
        format!("CAST(CASE WHEN {} THEN 1 ELSE 0 END AS {whole})", self.dialect.occupied(""))
    }

    fn among(&self, sql: Sql, names: &[&Name]) -> Sql {
        sql.then(" WHERE name IN ").with_list(names.iter().map(|name| name.as_str()))
    }
}

fn read(rows: &[QueryResult]) -> Result<Vec<(String, bool)>, DbErr> {
    let row = |row: &QueryResult| Ok((row.try_get("", "name")?, row.try_get::<i64>("", "was_taken")? != 0));
    rows.iter().map(row).collect()
}
