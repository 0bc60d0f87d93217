//! Which writes tell their rows, and where.

use proptest::{prelude::*, sample::select};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, Iterable, QueryFilter, QueryTrait,
    sea_query::{Expr, OnConflict, Query},
};

use super::{super::ReturnedColumns, *};

const BOTH: [DbBackend; 2] = [Postgres, Sqlite];

#[expect(unreachable_pub, reason = "the derives make public items")]
mod offer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "Offer", schema_name = "sales")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub country: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub product: i32,
        pub price: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// `no`, `append`, `all`, or positions and columns: `0=id 2=a`.
fn told(text: &str, backend: DbBackend) -> String {
    let Class::Write(writes) = classify(text, backend) else { return "no write".into() };
    let [write] = writes.as_slice() else { return "several writes".into() };
    match &write.returning {
        None => "no".into(),
        Some(returning) => {
            let schema = write.table.schema.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
            let columns = match &returning.columns {
                ReturnedColumns::None => "append".into(),
                ReturnedColumns::All => "all".into(),
                ReturnedColumns::At(columns) => {
                    columns.iter().map(|(at, name)| format!("{at}={name}")).collect::<Vec<_>>().join(" ")
                }
            };
            format!("{schema}{columns}")
        }
    }
}

#[track_caller]
fn check_told(backends: &[DbBackend], expected: &str, texts: &[&str]) {
    for backend in backends {
        for text in texts {
            assert_eq!(told(text, *backend), expected, "{backend:?}: {text}");
        }
    }
}

#[test]
fn a_clause_is_appended_to_one_plain_write_of_one_table() {
    check_told(
        &BOTH,
        "append",
        &[
            "UPDATE t SET a = 1 WHERE b > 2",
            "update \"T\" set a = 1, b = (SELECT c FROM u ORDER BY d LIMIT 1) where b in (select 1 from v)",
            "DELETE FROM t WHERE a = 'RETURNING'",
            "DELETE FROM t /* LIMIT */ WHERE \"order\" = 1 \n\t ",
            "INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
            "INSERT INTO t SELECT a FROM u WHERE true ORDER BY a LIMIT 3 ON CONFLICT (a) DO UPDATE SET b = 1 WHERE t.b = 2",
        ],
    );
    check_told(&BOTH, "s: append", &["UPDATE s.t SET a = 1 WHERE b = 2", "DELETE FROM \"S\".t WHERE b = 2"]);
}

#[test]
fn what_is_not_plain_tells_nothing() {
    check_told(
        &BOTH,
        "no",
        &[
            // No condition: every row.
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "UPDATE t SET a = (SELECT 1 WHERE true)",
            // Only adds rows.
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
            // What is appended would be part of the comment, or of another statement.
            "UPDATE t SET a = 1 WHERE b = 2 -- c",
            "UPDATE t SET a = 1 WHERE b = 2 /* c */",
            "UPDATE t SET a = 1 WHERE b = 2;",
            ";UPDATE t SET a = 1 WHERE b = 2",
            // Other tables, other names, other rows.
            "UPDATE t AS x SET a = 1 WHERE b = 2",
            "UPDATE t x SET a = 1 WHERE b = 2",
            "UPDATE t SET a = u.a FROM u WHERE t.b = u.b",
            "DELETE FROM t AS x WHERE b = 2",
            "INSERT INTO t AS x VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1",
            "UPDATE t SET a = 1 WHERE b = 2 ORDER BY c",
            "UPDATE t SET a = 1 WHERE b = 2 LIMIT 3",
            "UPDATE x.s.t SET a = 1 WHERE b = 2",
            // A write below a WITH.
            "WITH x AS (SELECT 1) UPDATE t SET a = 1 WHERE b = 2",
            "WITH x AS (SELECT 1) DELETE FROM t WHERE b = 2 RETURNING id",
        ],
    );
    check_told(
        &[Postgres],
        "no",
        &["DELETE FROM t USING u WHERE t.a = u.a", "UPDATE ONLY t SET a = 1 WHERE b = 2"],
    );
    check_told(
        &[Sqlite],
        "no",
        &[
            "REPLACE INTO t VALUES (1)",
            "INSERT OR REPLACE INTO t VALUES (1)",
            // Keeps what was written before the failure.
            "UPDATE OR FAIL t SET a = 1 WHERE b = 2",
            "UPDATE OR IGNORE t SET a = 1 WHERE b = 2",
            "UPDATE OR REPLACE t SET a = 1 WHERE b = 2",
        ],
    );
    check_told(
        &[Postgres],
        "several writes",
        &["WITH x AS (DELETE FROM u RETURNING a) DELETE FROM t WHERE b = 2"],
    );
    check_told(&[MySql], "no", &["UPDATE t SET a = 1 WHERE b = 2", "DELETE FROM t WHERE b = 2"]);
}

#[test]
fn returned_columns_are_known_by_their_positions() {
    for (list, expected) in [
        ("id", "0=id"),
        ("\"id\", a, \"T\".\"B\"", "0=id 1=a 2=b"),
        // Whatever the caller calls it.
        ("a AS id, id AS a, b id", ""),
        ("CAST(\"a\" AS \"text\"), id", "1=id"),
        ("lower(a), count(*), (b, c), id", "3=id"),
        ("id + 1, -id, a * b, u.id, id", "4=id"),
        ("1, 'id', $1, id", "3=id"),
        ("user, current_user, null, true, id", "4=id"),
        ("\"user\", t.user", "0=user 1=user"),
        // From here on, nobody knows which position is whose.
        ("id, *, a", "0=id"),
        ("t.*, id", ""),
        ("id, (a).*, b", "0=id"),
        ("*", "all"),
    ] {
        for head in ["UPDATE t SET x = 1 WHERE y = 2", "DELETE FROM t WHERE y = 2"] {
            let text = format!("{head} RETURNING {list}");
            assert_eq!(told(&text, Postgres), expected, "{text}");
        }
    }
    // Other names for the rows before and after the change (Postgres 18).
    check_told(&[Postgres], "no write", &["UPDATE t SET x = 1 WHERE y = 2 RETURNING WITH (OLD AS t) t.id"]);
    check_told(
        &[Sqlite],
        "1=id",
        &["INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 RETURNING a AS x, `id`"],
    );
}

#[test]
fn what_sea_orm_sends_is_understood() {
    use offer::{ActiveModel, Column, Entity};
    let row = || ActiveModel { country: Set("x".into()), product: Set(1), price: Set(2) };
    let update = || Entity::update_many().col_expr(Column::Price, Expr::value(1)).filter(Column::Price.gt(2));
    let delete = || Entity::delete_many().filter(Column::Price.eq(2));
    let upsert = || {
        let on = [Column::Country, Column::Product];
        Entity::insert(row()).on_conflict(OnConflict::columns(on).update_column(Column::Price).to_owned())
    };
    let whole = "sales: 0=country 1=product 2=price";
    for backend in BOTH {
        // SQLite knows no schemas of that kind, but the text is read all the same.
        let all = || Query::returning().columns(Column::iter());
        let keys = || Query::returning().columns([Column::Country, Column::Product]);
        for (statement, expected) in [
            (update().build(backend), "sales: append"),
            (delete().build(backend), "sales: append"),
            (upsert().build(backend), "sales: append"),
            (backend.build(update().into_query().returning(all())), whole),
            (backend.build(delete().into_query().returning(all())), whole),
            (backend.build(upsert().into_query().returning(keys())), "sales: 0=country 1=product"),
            (backend.build(delete().into_query().returning_all()), "sales: all"),
        ] {
            assert_eq!(told(&statement.sql, backend), expected, "{}", statement.sql);
        }
    }
}

#[test]
fn what_an_upsert_assigns_is_known() {
    let assigned = |text: &str, backend| match classify(text, backend) {
        Class::Write(writes) => match &writes[0].kind {
            WriteKind::Upsert { assigned } => assigned.as_ref().map(|columns| columns.join(" ")),
            _ => panic!("{text} is no upsert"),
        },
        _ => panic!("{text} is no write"),
    };
    for (text, expected) in [
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b, \"C\" = 2", "b c"),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET (b, c) = (1, 2) WHERE d = 3", "b c"),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 ON CONFLICT (c) DO UPDATE SET d = 2",
            "b d",
        ),
    ] {
        assert_eq!(assigned(text, Sqlite).as_deref(), Some(expected), "{text}");
    }
    assert_eq!(assigned("REPLACE INTO t VALUES (1)", Sqlite), None);
    assert_eq!(assigned("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2", MySql), None);
}

/// As many brackets are closed as are opened, and one is open at the end all the same.
#[test]
fn nothing_is_appended_into_an_open_bracket() {
    check_told(&[Postgres], "no", &["UPDATE t SET a = 1 WHERE b ] [", "UPDATE t SET a = 1 WHERE b = c[1"]);
    check_told(&[Postgres], "append", &["UPDATE t SET a = 1 WHERE b = c[1] OR d[2] = 3"]);
}

proptest! {
    /// What is appended to a text that says so is a clause of its one statement: the text is then a write of the
    /// same kind that returns those columns, and nothing else about it changes.
    #[test]
    fn what_is_appended_is_understood(
        pieces in proptest::collection::vec(
            select(vec![
                "UPDATE", "DELETE", "FROM", "INSERT", "INTO", "t", "s.t", "SET", "a = 1", ",", "b = 'x'", "WHERE",
                "c > 2", "AND", "(", ")", "SELECT 1", "ON CONFLICT (a)", "DO UPDATE", "VALUES (1)", ";", "--", "/*",
                "*/", "\n", "'", "\"", "`", "[", "]", "$$", "LIMIT 1", "RETURNING", "id", "AS x", "$1", "E'",
            ]),
            0..14,
        ),
        start in select(vec!["", "UPDATE t SET a = 1 WHERE b", "DELETE FROM t WHERE b", "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1"]),
        backend in select(BOTH.to_vec()),
    ) {
        let text = format!("{start} {}", pieces.join(" "));
        if told(&text, backend).ends_with("append") {
            let more = format!("{text}\nRETURNING \"id\", x");
            prop_assert_eq!(shown(&classify(&more, backend)), shown(&classify(&text, backend)), "{}", &more);
            prop_assert!(told(&more, backend).ends_with("0=id 1=x"), "{} tells {}", &more, told(&more, backend));
        }
    }

    #[test]
    fn any_text_may_be_asked(text in any::<String>(), backend in select(EVERY.to_vec())) {
        told(&text, backend);
    }
}
