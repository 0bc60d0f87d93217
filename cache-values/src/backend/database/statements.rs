//! The statements that put a row.

use sea_orm::Statement;

use super::{
    super::{Put, Version, When},
    dialect::Dialect,
    inner::{Inner, milliseconds},
    room::hash,
    sql::Sql,
};

const COLUMNS: &str = " (name, hash, expires, used, value) VALUES ";

impl Inner {
    /// Puts rows, of which those that are there already go if `when` allows. Returns the names of what was put, unless all is.
    pub(super) fn insert(&self, when: When, rows: &[&Put]) -> Statement {
        // In the order of their names, so that two that put the same ones don't wait for each other in a circle.
        let mut rows = rows.to_vec();
        rows.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let there = if self.dialect == Dialect::MySql { "" } else { " AS there" };
        let mut sql = self.sql("INSERT INTO ").then(there).then(COLUMNS);
        for (at, put) in rows.into_iter().enumerate() {
            sql = self.values(sql.then(if at == 0 { "" } else { ", " }), put);
        }
        if self.dialect == Dialect::MySql {
            let update = "expires = VALUES(expires), used = VALUES(used), value = VALUES(value)";
            return sql.then(" ON DUPLICATE KEY UPDATE ").then(update).statement();
        }
        let update = "expires = excluded.expires, used = excluded.used, value = excluded.value";
        let sql = sql.then(" ON CONFLICT (name) DO UPDATE SET ").then(update);
        if when == When::Always {
            return sql.statement();
        }
        self.if_holds(sql.then(" WHERE "), when, "there.").then(" RETURNING name").statement()
    }

    /// Puts a row unless there is one, whatever is in it.
    pub(super) fn insert_ignore(&self, put: &Put) -> Statement {
        self.values(self.sql("INSERT IGNORE INTO ").then(COLUMNS), put).statement()
    }

    /// Changes a row that is there, if `when` allows.
    pub(super) fn update(&self, put: &Put) -> Statement {
        let sql = self.sql("UPDATE ").then(" SET expires = ").then(self.dialect.now()).then(" + ");
        let sql = self.used(sql.with(milliseconds(put.ttl)).then(", used = "));
        let sql = sql.then(", value = ").with(put.bytes.to_vec());
        let sql = sql.then(" WHERE name = ").with(put.name.as_str()).then(" AND ");
        self.if_holds(sql, put.when, "").statement()
    }

    /// Changes rows that are there, each if it is of the version seen. Returns the names of what was changed. (Not for MySQL.)
    pub(super) fn replace(&self, rows: &[&Put]) -> Statement {
        let mut sql = Sql::new(self.dialect, "WITH given (wanted, seen, ttl, bytes) AS (VALUES ");
        for (at, put) in rows.iter().enumerate() {
            let seen =
                if let When::Unchanged(Some(version)) = put.when { hex(version) } else { String::new() };
            sql = sql.then(if at == 0 { "(" } else { ", (" }).with(put.name.as_str()).then(", ").with(seen);
            sql = sql.then(", ").with(milliseconds(put.ttl)).then(", ").with(put.bytes.to_vec()).then(")");
        }
        let sql = sql.then(") UPDATE ").then(&self.table).then(" SET value = bytes, expires = ");
        let sql = self.used(sql.then(self.dialect.now()).then(" + ttl, used = "));
        let sql = sql.then(" FROM given WHERE name = wanted AND ").then(self.dialect.live(""));
        sql.then(format!(" AND {} = seen RETURNING name", self.dialect.version())).statement()
    }

    /// Removes a row that is there, if `when` allows.
    pub(super) fn make_way(&self, put: &Put) -> Statement {
        let sql = self.sql("DELETE FROM ").then(" WHERE name = ").with(put.name.as_str()).then(" AND ");
        self.if_holds(sql, put.when, "").statement()
    }

    /// Finds a row that is there and that `when` does not allow to go.
    pub(super) fn in_the_way(&self, put: &Put) -> Statement {
        let sql = self.sql("SELECT name FROM ").then(" WHERE name = ").with(put.name.as_str());
        self.if_holds(sql.then(" AND NOT "), put.when, "").statement()
    }

    /// The condition, for a row that is there.
    fn if_holds(&self, sql: Sql, when: When, row: &str) -> Sql {
        match when {
            When::Always => sql.then("(1 = 1)"),
            When::Vacant => sql.then(self.dialect.vacant(row)),
            When::Unchanged(None) => sql.then(self.dialect.expired(row)),
            When::Unchanged(Some(version)) => {
                let sql = sql.then(format!("({} AND {} = ", self.dialect.live(row), self.dialect.version()));
                sql.with(hex(version)).then(")")
            }
        }
    }

    fn values(&self, sql: Sql, put: &Put) -> Sql {
        let sql = sql.then("(").with(put.name.as_str()).then(", ").with(hash(&put.name)).then(", ");
        let sql = sql.then(self.dialect.now()).then(" + ").with(milliseconds(put.ttl)).then(", ");
        self.used(sql).then(", ").with(put.bytes.to_vec()).then(")")
    }
}

/// As [`Dialect::version`] has it.
fn hex(version: Version) -> String {
    format!("{:032x}", version.0)
}
