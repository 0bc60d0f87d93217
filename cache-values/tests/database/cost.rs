//! What a call costs: statements, and what they read.

use std::{sync::Mutex, time::Duration};

use cache_values::{
    backend::{Backend, Start, Stored, Version, When},
    name::Name,
};
use sea_orm::{ConnectionTrait, Statement};
use tests::backends;

use super::{Place, name, put};

/// The first words of statements, without those that every sixteenth put owes.
fn verbs(heard: &Mutex<Vec<Statement>>) -> Vec<String> {
    let statements = std::mem::take(&mut *heard.lock().expect("no panic"));
    let texts = statements.into_iter().map(|statement| statement.sql);
    let texts: Vec<String> = texts.filter(|text| !text.contains("ORDER BY expires")).collect();
    texts.iter().map(|text| text.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_call_is_one_statement() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let (backend, heard) = place.overheard().await;
        let my = kind == tests::Backend::MySql;
        let names: Vec<Name> = (0..500).map(name).collect();

        backend.get(&names, true).await.expect("it answers");
        assert_eq!(verbs(&heard), ["SELECT"]);

        let puts: Vec<_> = (0..500).map(|at| put(at, b"1", When::Always)).collect();
        backend.put(&puts).await.expect("it answers");
        assert_eq!(verbs(&heard), ["INSERT"]);

        let vacant: Vec<_> = (498..502).map(|at| put(at, b"1", When::Vacant)).collect();
        backend.put(&vacant[..1]).await.expect("it answers");
        assert_eq!(verbs(&heard), if my { vec!["INSERT", "UPDATE", "SELECT"] } else { vec!["INSERT"] });
        if !my {
            backend.put(&vacant).await.expect("it answers");
            assert_eq!(verbs(&heard), ["INSERT"]);
        }
        let unchanged = put(7, b"8", When::Unchanged(Some(Version::of(b"1"))));
        backend.put(&[unchanged]).await.expect("it answers");
        assert_eq!(verbs(&heard), ["UPDATE"]);

        let since =
            |at: usize| put(at, b"9", When::Unchanged(Some(Version::of(if at == 9 { b"2" } else { b"1" }))));
        let many: Vec<_> = (8..11).map(since).collect();
        let stored = backend.put(&many).await.expect("it answers");
        assert_eq!(stored, [Stored::Kept, Stored::Refused, Stored::Kept]);
        assert_eq!(verbs(&heard), if my { vec!["UPDATE"; 3] } else { vec!["WITH"] });

        backend.touch(&name(7), None).await.expect("it answers");
        assert_eq!(verbs(&heard), ["UPDATE"]);
        backend.count(&name(7), 1, None).await.expect("it answers");
        assert_eq!(verbs(&heard), ["UPDATE"]);
        backend.count(&name("new"), 1, Some(Start { value: 1, ttl: None })).await.expect("it answers");
        assert_eq!(verbs(&heard), ["UPDATE", "INSERT"]);
        backend.rename(&name(7), &name(8)).await.expect("it answers");
        let moved = ["SELECT", "DELETE", "UPDATE"];
        match kind {
            tests::Backend::MySql => assert_eq!(verbs(&heard), moved),
            tests::Backend::Postgres => assert_eq!(verbs(&heard), ["WITH"]),
            tests::Backend::Sqlite => assert_eq!(verbs(&heard), ["UPDATE"]),
        }
        backend.remove(&[name(8)]).await.expect("it answers");
        assert_eq!(verbs(&heard), ["DELETE"]);
        backend.remove(&names).await.expect("it answers");
        assert_eq!(verbs(&heard), if my { vec!["SELECT", "DELETE"] } else { vec!["DELETE"] });
        place.close().await;
    }
}

/// How many statements a thousand puts into a full cache take, and how many rows are there afterwards.
async fn a_thousand_puts(kind: tests::Backend, entries: usize) -> (usize, i64) {
    let place = Place::new(kind).await;
    let (backend, heard) = place.overheard().await;
    let fill: Vec<_> = (0..entries).map(|at| put(format!("fill{at}"), b"1", When::Always)).collect();
    backend.put(&fill).await.expect("it answers");
    let backend = backend.with_entries(entries, 3);
    heard.lock().expect("no panic").clear();
    for at in 0..1000 {
        backend.put(&[put(at, b"1", When::Always)]).await.expect("it answers");
    }
    let statements = std::mem::take(&mut *heard.lock().expect("no panic"));
    // The one count there is reads a part of the index.
    let mut counts = statements.iter().map(|statement| &statement.sql).filter(|text| text.contains("COUNT"));
    assert!(counts.all(|text| text.contains("WHERE hash BETWEEN")));
    let rows = place.rows().await;
    place.close().await;
    (statements.len(), rows)
}

#[tokio::test]
async fn a_put_costs_as_much_in_a_large_table_as_in_a_small_one() {
    for kind in backends() {
        let (small, _) = a_thousand_puts(kind, 300).await;
        let (large, rows) = a_thousand_puts(kind, 20_000).await;
        // Every sixteenth put, or so: one that removes what is over, one that counts, perhaps one that makes room.
        assert!((1000..1340).contains(&small), "{kind:?}: {small}");
        assert!((1000..1200).contains(&large), "{kind:?}: {large}");
        assert!(rows <= 21_250, "{kind:?}: {rows}");
    }
}

/// How the database goes about it, in its own words.
async fn plan(place: &Place, mut statement: Statement) -> String {
    let is_sqlite = place.database.backend() == tests::Backend::Sqlite;
    statement.sql.insert_str(0, if is_sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " });
    let mut words = String::new();
    for row in place.db.query_all_raw(statement).await.expect("a plan") {
        for column in row.column_names() {
            words += &row.try_get::<Option<String>>("", &column).ok().flatten().unwrap_or_default();
            words += " ";
        }
    }
    words
}

#[tokio::test]
async fn every_statement_reads_an_index() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let (backend, heard) = place.overheard().await;
        let fill: Vec<_> = (0..20_000).map(|at| put(at, &[7; 100], When::Always)).collect();
        backend.put(&fill).await.expect("it answers");
        place.execute("UPDATE cache_entries SET expires = hash + 4000000000000 WHERE hash % 2 = 0").await;
        place
            .execute(if kind == tests::Backend::MySql { "ANALYZE TABLE cache_entries" } else { "ANALYZE" })
            .await;
        let backend = backend.with_entries(10_000, 3);
        heard.lock().expect("no panic").clear();
        for at in 0..40 {
            backend.put(&[put(at, b"1", When::Always)]).await.expect("it answers");
        }
        backend.touch(&name(1), Some(Duration::from_secs(60))).await.expect("it answers");
        backend.count(&name(1), 1, None).await.expect("it answers");
        backend.get(&[name(1), name(2)], true).await.expect("it answers");
        backend.remove(&[name(1)]).await.expect("it answers");
        backend.sweep("stem").await.expect("it answers");
        let mut statements = std::mem::take(&mut *heard.lock().expect("no panic"));
        statements.retain(|statement| !statement.sql.starts_with("INSERT"));
        statements.sort_by(|one, other| one.sql.cmp(&other.sql));
        statements.dedup_by(|one, other| one.sql == other.sql);
        assert!(statements.iter().any(|statement| statement.sql.contains("COUNT")), "{statements:?}");
        for statement in statements {
            let text = statement.sql.clone();
            let plan = plan(&place, statement).await;
            assert!(!plan.is_empty(), "{text}");
            let scans = match kind {
                tests::Backend::Sqlite => plan.contains("SCAN cache_entries"),
                tests::Backend::Postgres => plan.contains("Seq Scan"),
                tests::Backend::MySql => plan.contains(" ALL "),
            };
            assert!(!scans, "{kind:?} reads the whole table: {text}: {plan}");
        }
        place.close().await;
    }
}
