//! Others in the way, servers that are gone, values that are too large, rows that nobody understands.

use std::time::Duration;

use cache_values::backend::{
    Backend, Counted, Start, StoreError, Stored, Version, When,
    database::{DatabaseBackend, Table},
};
use sea_orm::{ConnectOptions, ConnectionTrait, TransactionTrait};
use tests::{Database, backends};

use super::{Place, get, name, put, set};

#[tokio::test]
async fn it_takes_no_part_in_the_applications_transaction() {
    for kind in backends() {
        let place = Place::new(kind).await;
        place.execute("CREATE TABLE orders (id INT)").await;
        let backend = DatabaseBackend::new(place.db.clone(), &place.table).expect("a known kind");
        set(&backend, "a", b"1").await;
        let transaction = place.db.begin().await.expect("a transaction");
        if kind != tests::Backend::Sqlite {
            // There, one transaction at a time may write.
            transaction.execute_unprepared("INSERT INTO orders VALUES (1)").await.expect("a row");
        }
        set(&backend, "a", b"2").await;
        transaction.rollback().await.expect("it was open");
        assert_eq!(get(&backend, "a").await.expect("it was put").bytes, "2");
        place.close().await;
    }
}

#[tokio::test]
async fn a_locked_database_is_an_error_and_no_hang() {
    let place = Place::new(tests::Backend::Sqlite).await;
    let db = place
        .database
        .connect_with(|options| {
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::ZERO));
        })
        .await;
    let backend = DatabaseBackend::new(db, &place.table).expect("SQLite");
    set(&backend, "a", b"1").await;
    let writer = place.db.begin().await.expect("a transaction");
    writer.execute_unprepared("UPDATE cache_entries SET used = 1").await.expect("a row");
    let error = backend.put(&[put("a", b"2", When::Always)]).await.expect_err("somebody else writes");
    assert!(error.to_string().contains("locked"), "{error}");
    assert_eq!(get(&backend, "a").await.expect("reads go on").bytes, "1");
    writer.commit().await.expect("it was open");
    set(&backend, "a", b"2").await;
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_it_locked_comes_back() {
    let place = Place::new(tests::Backend::Sqlite).await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let at_once = |options: &mut ConnectOptions| {
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::ZERO));
        };
        let backend = DatabaseBackend::new(place.database.connect_with(at_once).await, &place.table);
        let backend = backend.expect("SQLite");
        tasks.push(tokio::spawn(async move {
            let start = Some(Start { value: 1, ttl: None });
            for _ in 0..100 {
                backend.count(&name("sum"), 1, start).await.expect("nobody has it for long");
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(get(&place.backend().await, "sum").await.expect("it was counted").bytes, "300");
    place.close().await;
}

#[tokio::test]
async fn what_is_too_large_leaves_nothing_old() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await.with_largest_value(10);
        let large = &[7; 11];
        let unchanged = |bytes: &[u8]| When::Unchanged(Some(Version::of(bytes)));
        for (before, when, stored) in [
            (None, When::Always, Stored::TooLarge),
            (Some(&b"1"[..]), When::Always, Stored::TooLarge),
            (Some(b"1"), When::Vacant, Stored::Refused),
            (Some(b"\xc0"), When::Vacant, Stored::TooLarge),
            (Some(b"\xc0"), When::Unchanged(None), Stored::Refused),
            (None, When::Unchanged(None), Stored::TooLarge),
            (Some(b"1"), unchanged(b"1"), Stored::TooLarge),
            (Some(b"1"), unchanged(b"2"), Stored::Refused),
            (None, unchanged(b"2"), Stored::Refused),
        ] {
            backend.remove(&[name("a")]).await.expect("it answers");
            if let Some(before) = before {
                set(&backend, "a", before).await;
            }
            let puts = [put("b", b"1", When::Always), put("a", large, when), put("c", b"1", When::Always)];
            let answer = backend.put(&puts).await.expect("it answers");
            assert_eq!(answer, [Stored::Kept, stored, Stored::Kept], "{kind:?}: {before:?}, {when:?}");
            let after = get(&backend, "a").await.map(|item| item.bytes);
            let left = if stored == Stored::Refused { before } else { None };
            assert_eq!(after.as_deref(), left, "{kind:?}: {when:?}");
        }
        place.close().await;
    }
}

#[tokio::test]
async fn values_of_several_megabytes_pass() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let bytes: Vec<u8> =
            (0..6 << 20).map(|at: u32| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let puts = [put("a", &bytes, When::Always), put("b", &bytes, When::Vacant)];
        assert_eq!(backend.put(&puts).await.expect("it answers"), [Stored::Kept; 2]);
        for text in ["a", "b"] {
            assert!(get(&backend, text).await.expect("it was put").bytes == bytes, "{kind:?}");
        }
        place.close().await;
    }
}

#[tokio::test]
async fn rows_of_others_are_no_trouble() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let empty = if kind == tests::Backend::Postgres { "''::bytea" } else { "x''" };
        place
            .execute(&format!(
                "INSERT INTO cache_entries (name, hash, expires, used, value) VALUES ('a', -1, -5, -7, {empty}), \
                 ('b', NULL, NULL, 9000000000000000000, {empty}), ('c', 5, 9000000000000000000, 0, {empty})"
            ))
            .await;
        let bounded = place.backend().await.with_entries(2, 3);
        assert!(get(&bounded, "a").await.is_none(), "{kind:?}");
        assert!(get(&bounded, "b").await.expect("it is there").bytes.is_empty());
        assert!(get(&bounded, "c").await.expect("it is there").bytes.is_empty());
        bounded.settled().await;
        assert_eq!(backend.count(&name("b"), 1, None).await.expect("it answers"), Counted::NoNumber);
        assert!(backend.touch(&name("c"), None).await.expect("it answers"));
        assert_eq!(
            backend.remove(&["a", "b", "c"].map(name)).await.expect("it answers"),
            [false, true, true]
        );
        place.close().await;
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error() {
    for kind in [tests::Backend::Postgres, tests::Backend::MySql] {
        let database = Database::create(kind).await;
        let quick = |options: &mut ConnectOptions| {
            options.acquire_timeout(Duration::from_secs(1)).connect_timeout(Duration::from_secs(1));
        };
        let db = database.connect_with(quick).await;
        let table = Table::new("cache_entries").expect("a name");
        table.create(&db).await.expect("a new table");
        let backend = DatabaseBackend::new(db, &table).expect("a known kind");
        set(&backend, "a", b"1").await;
        database.close().await.expect("it can be removed");
        for _ in 0..2 {
            let error = backend.get(&[name("a")], true).await.expect_err("nobody is there");
            assert!(matches!(error, StoreError::Unreachable(_) | StoreError::Unexpected(_)), "{error}");
            assert!(!error.to_string().contains("://"), "{error}");
        }
        backend.put(&[put("a", b"1", When::Vacant)]).await.expect_err("nobody is there");
        backend.close().await;
        backend.get(&[name("a")], true).await.expect_err("it is closed");
    }
}
