//! Says once that a table is read by key or written, but no entity is registered for it.

use std::sync::atomic::Ordering;

use crate::context::Context;

/// So many unrecognised reads are looked at: the notice is for a program that starts, not for one that runs.
const INSPECTED: usize = 1000;

impl Context {
    /// Looks at a read that was not recognised.
    pub(crate) fn warn_unregistered_read(&self, sql: &str) {
        if self.inspected.load(Ordering::Relaxed) < INSPECTED {
            self.inspected.fetch_add(1, Ordering::Relaxed);
            if let Some(table) = table_read_by_key(sql) {
                self.warn_unregistered(&table);
            }
        }
    }

    /// Looks at a table that is read by key, or written.
    pub(crate) fn warn_unregistered(&self, table: &str) {
        if !self.registry.names(table) && self.is_news(&format!("unregistered: {table}")) {
            tracing::info!(
                table,
                "this table is used, but no entity is registered for it. If its rows should be cached, here or by \
                 another process that shares the store, derive `Cacheable` on its model; if it does, its crate is \
                 not linked: name the model with `CachedConnection::builder(db).register::<Model>()`"
            );
        }
    }
}

/// The table of a SELECT as SeaORM renders one by a single key column.
fn table_read_by_key(sql: &str) -> Option<String> {
    let (_, from) = sql.split_once(" FROM ")?;
    let quote = from.chars().next().filter(|first| matches!(first, '"' | '`'))?;
    let (table, rest) = from[1..].split_once(quote)?;
    let condition = rest.strip_prefix(" WHERE ")?.strip_prefix(&format!("{quote}{table}{quote}."))?;
    let (_, value) = condition.split_once(" = ")?;
    let value = value.split(" LIMIT ").next()?;
    matches!(value, "$1" | "?").then(|| table.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_by_one_key_column_tell_their_table() {
        for sql in [
            r#"SELECT "A"."id" FROM "A" WHERE "A"."id" = $1 LIMIT $2"#,
            "SELECT `A`.`id` FROM `A` WHERE `A`.`id` = ?",
        ] {
            assert_eq!(table_read_by_key(sql).as_deref(), Some("a"), "{sql}");
        }
        for sql in [
            r#"SELECT "a"."id" FROM "a""#,
            r#"SELECT "a"."id" FROM "a" WHERE "a"."id" = $1 AND "a"."b" = $2"#,
            r#"SELECT "a"."id" FROM "a" INNER JOIN "b" ON "b"."id" = "a"."id" WHERE "b"."id" = $1"#,
            "SELECT 1",
        ] {
            assert_eq!(table_read_by_key(sql), None, "{sql}");
        }
    }
}
