//! What a parser of the field says about the same texts: a second opinion on the tables that are written.

use proptest::{prelude::*, sample::select};
use sqlparser::{
    ast::{FromTable, Statement as Parsed, TableFactor, TableObject},
    dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect},
    parser::Parser,
};

use super::*;

const PARTS: &[&[&str]] = &[
    &["", "WITH x AS (SELECT 1) ", "EXPLAIN ", "SELECT 1; ", "/* ; */ "],
    &[
        "DELETE FROM t",
        "UPDATE t SET a = 1",
        "INSERT INTO t (a) VALUES (1)",
        "INSERT INTO t SELECT 1",
        "SELECT a FROM t",
        "DELETE FROM s.t AS y",
        "UPDATE t AS y SET a = $1, b = 'it''s'",
        "INSERT INTO \"t\" DEFAULT VALUES",
        "INSERT INTO t VALUES (';')",
        "TRUNCATE TABLE t",
        "DROP TABLE t",
        "CREATE TABLE u AS SELECT 1",
        "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE",
        "REPLACE INTO t VALUES (1)",
    ],
    &[
        "",
        " WHERE a = 1",
        " WHERE a IN (SELECT b FROM u) AND id = $2",
        " ON CONFLICT DO NOTHING",
        " ON CONFLICT (a) DO UPDATE SET a = 2",
    ],
    &[
        "",
        " RETURNING a, lower(b)",
        " RETURNING *",
        " -- x",
        " FOR UPDATE",
        " LIMIT 1",
    ],
    &["", ";", "; DELETE FROM v", "; SELECT 1"],
];

/// The tables that the parser says are written; `None` for what it does not tell.
fn written(statement: &Parsed) -> Option<Vec<String>> {
    let last = |name: &sqlparser::ast::ObjectName| {
        name.0
            .last()
            .and_then(|part| part.as_ident())
            .map(|ident| ident.value.to_lowercase())
    };
    let of = |factor: &TableFactor| match factor {
        TableFactor::Table { name, .. } => last(name),
        _ => None,
    };
    let one = match statement {
        Parsed::Insert(insert) => match &insert.table {
            TableObject::TableName(name) => last(name),
            _ => None,
        },
        Parsed::Update(update) => of(&update.table.relation),
        Parsed::Delete(delete) => match &delete.from {
            FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from) => of(&from.first()?.relation),
        },
        Parsed::Query(_) | Parsed::Explain { analyze: false, .. } => return Some(Vec::new()),
        _ => None,
    };
    one.map(|table| vec![table])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_parser_finds_no_other_write(
        parts in (select(PARTS[0]), select(PARTS[1]), select(PARTS[2]), select(PARTS[3]), select(PARTS[4])),
        backend in select(EVERY.to_vec()),
    ) {
        let text = [parts.0, parts.1, parts.2, parts.3, parts.4].concat();
        let dialect: &dyn Dialect = match backend {
            MySql => &MySqlDialect {},
            Postgres => &PostgreSqlDialect {},
            _ => &SQLiteDialect {},
        };
        let Ok(statements) = Parser::parse_sql(dialect, &text) else { return Ok(()) };
        let class = classify(&text, backend);
        let found: Vec<_> = match &class {
            Class::Read(_) => Vec::new(),
            Class::Write(writes) => writes.iter().map(|write| &write.table).collect(),
            Class::Schema | Class::Session | Class::Unknown => return Ok(()),
        };
        for statement in &statements {
            let tables = written(statement);
            prop_assert!(tables.is_some(), "{} is {:?}, but {:?}", text, class, statement);
            for table in tables.unwrap_or_default() {
                prop_assert!(found.contains(&&table), "{} is {:?}, but writes {}", text, class, table);
            }
        }
    }
}
