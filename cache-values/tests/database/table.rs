//! The table, and what it is made by.

use cache_values::backend::{
    Backend,
    database::{DatabaseBackend, DatabaseError, Table},
};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tests::{Database, backends};

use super::{Place, get, name, set};

#[tokio::test]
async fn a_dry_run_shows_every_statement() {
    let table = Table::new("shop.cache_entries").expect("a name");
    let texts = |kind| -> Vec<String> {
        table.statements(kind).expect("a known kind").into_iter().map(|statement| statement.sql).collect()
    };
    assert_eq!(
        texts(DbBackend::Postgres),
        [
            "CREATE TABLE IF NOT EXISTS \"shop\".\"cache_entries\" (name VARCHAR(250) COLLATE \"C\" NOT NULL PRIMARY KEY, \
             hash INTEGER, expires BIGINT, used BIGINT NOT NULL, value BYTEA NOT NULL)",
            "CREATE INDEX IF NOT EXISTS \"cache_entries_hash\" ON \"shop\".\"cache_entries\" (hash)",
            "CREATE INDEX IF NOT EXISTS \"cache_entries_expires\" ON \"shop\".\"cache_entries\" (expires)",
        ]
    );
    assert_eq!(
        texts(DbBackend::MySql),
        [
            "CREATE TABLE IF NOT EXISTS `shop`.`cache_entries` (name VARCHAR(250) CHARACTER SET ascii COLLATE ascii_bin \
          NOT NULL PRIMARY KEY, hash INTEGER, expires BIGINT, used BIGINT NOT NULL, value LONGBLOB NOT NULL, \
          INDEX (hash), INDEX (expires)) ENGINE=InnoDB"
        ]
    );
    assert_eq!(
        texts(DbBackend::Sqlite)[1],
        "CREATE INDEX IF NOT EXISTS \"shop\".\"cache_entries_hash\" ON \"cache_entries\" (hash)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_create_it_and_again() {
    for kind in backends() {
        let database = Database::create(kind).await;
        let db = database.connect().await;
        let create = |at: usize| {
            let (db, table) = (db.clone(), Table::new(format!("entries{}", at % 2)).expect("a name"));
            tokio::spawn(async move { table.create(&db).await })
        };
        for created in join_all((0..16).map(create)).await {
            created.expect("no panic").unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        }
        database.close().await.expect("it can be removed");
    }
}

#[tokio::test]
async fn any_name_is_quoted_and_schemas_are_told_apart() {
    for kind in backends() {
        let database = Database::create(kind).await;
        let db = database.connect().await;
        let (schema, other) = match kind {
            tests::Backend::Sqlite => ("main".to_owned(), None),
            tests::Backend::Postgres => ("ta\"rget".to_owned(), Some("CREATE SCHEMA \"ta\"\"rget\"")),
            tests::Backend::MySql => (database.url().rsplit('/').next().expect("a path").to_owned(), None),
        };
        if let Some(create) = other {
            db.execute_unprepared(create).await.expect("a new schema");
        }
        for text in [format!("{schema}.select"), "Us\"e`r 'ä'; DROP TABLE x; --".to_owned()] {
            let table = Table::new(&text).expect("a name");
            table.create(&db).await.expect("a new table");
            let backend = DatabaseBackend::new(db.clone(), &table).expect("a known kind").with_entries(1, 3);
            for round in 0..3 {
                set(&backend, round, b"7").await;
            }
            assert_eq!(get(&backend, 2).await.expect("the last one is kept").bytes, "7", "{kind:?}");
            backend.sweep("2").await.expect("it answers");
            assert!(get(&backend, 2).await.is_none());
        }
        database.close().await.expect("it can be removed");
    }
}

#[test]
fn what_can_be_no_table_is_refused_in_words() {
    for text in ["", ".", "a.", ".a", "a.b.c", "nul\0", &"long".repeat(13)] {
        let error = Table::new(text).expect_err("no table");
        assert!(matches!(error, DatabaseError::InvalidTable { .. }));
        assert!(error.to_string().contains("give `table` or `schema.table`"), "{error}");
        assert!(text.parse::<Table>().is_err());
    }
}

#[tokio::test]
async fn without_the_table_every_call_names_the_remedy() {
    for kind in backends() {
        let place = Place::new(kind).await;
        place.execute("DROP TABLE cache_entries").await;
        let backend = place.backend().await;
        let (here, there) = (name("a"), name("b"));
        let put = super::put("a", b"1", cache_values::backend::When::Always);
        let errors = [
            backend.get(std::slice::from_ref(&here), false).await.err(),
            backend.put(&[put]).await.err(),
            backend.remove(std::slice::from_ref(&here)).await.err(),
            backend.remove(&[here.clone(), there.clone()]).await.err(),
            backend.touch(&here, None).await.err(),
            backend.count(&here, 1, None).await.err(),
            backend.rename(&here, &there).await.err(),
            backend.sweep("a").await.err(),
        ];
        for error in errors {
            let error = error.expect("there is no table").to_string();
            assert!(error.contains("cache_entries") && error.contains("Table::create"), "{kind:?}: {error}");
            assert!(error.contains("createcachetable"));
        }
        place.close().await;
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Table::new("cache_entries").expect("a name")),
            Box::new(Table::new("others").expect("a name")),
        ]
    }
}

#[tokio::test]
async fn it_is_a_migration() {
    for kind in backends() {
        let database = Database::create(kind).await;
        let db = database.connect().await;
        Migrator::up(&db, None).await.expect("two tables");
        Migrator::up(&db, None).await.expect("nothing to do");
        let table = Table::new("others").expect("a name");
        let backend = DatabaseBackend::new(db.clone(), &table).expect("a known kind");
        set(&backend, "a", b"1").await;
        Migrator::down(&db, Some(1)).await.expect("it is there");
        backend.get(&[name("a")], false).await.expect_err("the table is gone");
        Migrator::down(&db, None).await.expect("the other is there");
        database.close().await.expect("it can be removed");
    }
}

#[tokio::test]
async fn debug_shows_no_password() {
    let place = Place::new(tests::Backend::Sqlite).await;
    let shown = format!("{:?}", place.backend().await.with_entries(5, 3));
    assert!(
        shown.starts_with("DatabaseBackend { database: Sqlite, table: \"\\\"cache_entries\\\"\""),
        "{shown}"
    );
    assert!(!shown.contains("://") && !shown.contains("Pool"), "{shown}");
}
