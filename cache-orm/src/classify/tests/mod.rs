//! Each test is named by what its cases show; a case that fails prints its text.

mod garbage;
mod hidden;
mod keywords;
mod lexing;
mod raw;
mod remembered;
mod rendered;
mod returning;
mod shown;
mod temporary;
mod writes;

use sea_orm::{
    DatabaseBackend::{MySql, Postgres, Sqlite},
    DbBackend,
};

use super::{Class, ReadClass, WriteKind, classify};

const EVERY: [DbBackend; 3] = [Postgres, MySql, Sqlite];

/// A class on one line: `read`, `delete t(id=0)`, `insert a; upsert b`.
fn shown(class: &Class) -> String {
    match class {
        Class::Read(ReadClass::Select) => "read".into(),
        Class::Read(ReadClass::Locking) => "locking".into(),
        Class::Read(ReadClass::Other) => "other".into(),
        Class::Commits => "commits".into(),
        Class::Schema => "schema".into(),
        Class::Session => "session".into(),
        Class::Unknown => "unknown".into(),
        Class::UnknownSchema => "unknown schema".into(),
        Class::Write(writes) => {
            let writes = writes.iter().map(|write| {
                let kind = match &write.kind {
                    WriteKind::Insert => "insert".into(),
                    WriteKind::Upsert { .. } => "upsert".into(),
                    WriteKind::Update { assigned } => format!("update[{}]", assigned.join(" ")),
                    WriteKind::Delete => "delete".into(),
                    WriteKind::Truncate { cascade: false } => "truncate".into(),
                    WriteKind::Truncate { cascade: true } => "truncate cascade".into(),
                };
                let keys: Vec<_> =
                    write.keys.iter().map(|key| format!("{}={}", key.column, key.parameter)).collect();
                match keys.as_slice() {
                    [] => format!("{kind} {}", write.table.name),
                    keys => format!("{kind} {}({})", write.table.name, keys.join(" ")),
                }
            });
            writes.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Checks each text and its class on each backend.
#[track_caller]
fn check(backends: &[DbBackend], cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for backend in backends {
        for (text, expected) in cases {
            let found = shown(&classify(text, *backend));
            if found != *expected {
                wrong.push(format!("{backend:?}: {text}\n    expected {expected}\n    found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The same where every text has one class.
#[track_caller]
fn check_all(backends: &[DbBackend], expected: &str, texts: &[&str]) {
    let cases: Vec<_> = texts.iter().map(|text| (*text, expected)).collect();
    check(backends, &cases);
}

#[test]
fn what_ends_with_its_transaction() {
    for sql in [
        "SAVEPOINT a",
        "release savepoint a",
        "ROLLBACK TO a",
        "SET LOCAL role = x",
        "set transaction read only",
        "/* a comment */ SAVEPOINT a;",
    ] {
        assert!(super::ends_with_transaction(sql, Postgres), "{sql}");
    }
    for sql in [
        "SET role x",
        "ROLLBACK",
        "COMMIT",
        "SET LOCAL a = 1; COMMIT",
        "SET LOCAL a = 1; RESET x",
        "RESET ALL",
    ] {
        assert!(!super::ends_with_transaction(sql, Postgres), "{sql}");
    }
    for sql in ["SET LOCAL autocommit = 0", "SAVEPOINT a /*! */"] {
        assert!(!super::ends_with_transaction(sql, MySql), "{sql}");
    }
}

#[test]
fn settings_that_may_change_what_a_name_means() {
    for sql in [
        "SET LOCAL search_path TO other",
        "set local search_path=other",
        "SET LOCAL \"search_path\" = other",
        "SET LOCAL\"search_path\"=other",
        "/* a comment */ SET/**/LOCAL -- another\n search_path = \"a.b\"",
        "SET LOCAL SCHEMA 'other'",
        "SET LOCAL ROLE somebody",
        "SET LOCAL SESSION AUTHORIZATION somebody",
        "SET LOCAL standard_conforming_strings = off",
        "SET LOCAL",
    ] {
        assert!(super::renames(sql, Postgres), "{sql}");
    }
    for sql in [
        "SET LOCAL lock_timeout = '2s'",
        "SET LOCAL statement_timeout=0",
        "SET LOCAL app.tenant = 'search_path'",
        "SET LOCAL \"app.tenant\" = 'search_path'",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SAVEPOINT search_path",
        "ROLLBACK TO SAVEPOINT a",
        "RELEASE a",
    ] {
        assert!(!super::renames(sql, Postgres), "{sql}");
    }
}
