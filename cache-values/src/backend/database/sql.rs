//! The text of a statement and its parameters, written side by side.

use sea_orm::{Statement, Value};

use super::dialect::Dialect;

/// A statement that is being written.
pub(super) struct Sql {
    dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(dialect: Dialect, text: impl Into<String>) -> Self {
        Sql { dialect, text: text.into(), values: Vec::new() }
    }

    /// Goes on with text.
    pub(super) fn then(mut self, text: impl AsRef<str>) -> Self {
        self.text.push_str(text.as_ref());
        self
    }

    /// Goes on with a parameter.
    pub(super) fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        match self.dialect {
            Dialect::Postgres => self.text.push_str(&format!("${}", self.values.len())),
            Dialect::MySql | Dialect::Sqlite => self.text.push('?'),
        }
        self
    }

    /// Goes on with a list of parameters between parentheses, as `IN` takes it. The last is repeated until they are as many as a
    /// power of two: there are few different texts then, and the database remembers how it executes each.
    pub(super) fn with_list<'a>(mut self, values: impl ExactSizeIterator<Item = &'a str> + Clone) -> Self {
        let length = values.len().next_power_of_two();
        let last = values.clone().last().into_iter().cycle();
        for (at, value) in values.chain(last).take(length).enumerate() {
            self = self.then(if at == 0 { "(" } else { ", " }).with(value);
        }
        self.then(")")
    }

    pub(super) fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.dialect.into(), self.text, self.values)
    }
}
