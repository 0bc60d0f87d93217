//! What SQLite alone does with values: a column holds any type, a database has an encoding, and connections that
//! share a cache may read what is not committed.

use cache_orm::{CachedConnection, MemoryStore};
use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, DatabaseConnection, EntityTrait, Order, QueryFilter,
    QueryOrder, Statement, TransactionTrait, prelude::Uuid, sea_query::Expr,
};
use tests::{Backend, Database, unique_name};

mod blob {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "blob_key")]
    #[cacheable(model_only)]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Vec<u8>,
        #[sea_orm(unique)]
        pub(crate) sku: String,
        pub(crate) n: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod uuid {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "uuid_key")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        #[sea_orm(unique)]
        pub(crate) sku: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod text {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "text_key")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: String,
        pub(crate) n: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(blob::Entity, uuid::Entity, text::Entity);

async fn run(db: &impl ConnectionTrait, sql: &str) {
    db.execute_unprepared(sql).await.expect("the statement is right");
}

/// A database with these rows in a table whose key is a blob, and a cached connection.
async fn blobs(rows: &str) -> (Database, DatabaseConnection, CachedConnection) {
    let database = Database::create(Backend::Sqlite).await;
    let plain = database.connect().await;
    run(&plain, "CREATE TABLE blob_key (id blob PRIMARY KEY, sku text NOT NULL UNIQUE, n int NOT NULL)")
        .await;
    run(&plain, rows).await;
    let db = CachedConnection::new(database.connect().await, MemoryStore::default());
    (database, plain, db)
}

/// Reads by every key until whatever may be cached is.
async fn warm(db: &CachedConnection) {
    for _ in 0..3 {
        for sku in ["s1", "s2"] {
            blob::Entity::find().filter(blob::Column::Sku.eq(sku)).one(db).await.expect("an answer");
            db.settled().await;
        }
        let list = blob::Entity::find().filter(blob::Column::Sku.is_in(["s1", "s2"]));
        list.all(db).await.expect("an answer");
        db.settled().await;
    }
}

#[tokio::test]
async fn a_text_in_a_blob_key_is_another_value() {
    for rows in [
        "INSERT INTO blob_key VALUES ('abc', 's1', 1)",
        "INSERT INTO blob_key VALUES ('abc', 's1', 1), (x'616263', 's2', 2)",
    ] {
        let (_database, plain, db) = blobs(rows).await;
        warm(&db).await;
        let asked = || blob::Entity::find_by_id(b"abc".to_vec());
        let direct = asked().one(&plain).await.expect("an answer");
        assert_eq!(asked().one(&db).await.expect("an answer"), direct, "{rows}");
        let listed = blob::Entity::find().filter(blob::Column::Id.is_in([b"abc".to_vec(), b"d".to_vec()]));
        assert_eq!(
            listed.all(&db).await.expect("an answer"),
            direct.into_iter().collect::<Vec<_>>(),
            "{rows}"
        );
    }
}

#[tokio::test]
async fn a_write_of_a_text_in_a_blob_key_is_seen() {
    let (_database, plain, db) =
        blobs("INSERT INTO blob_key VALUES ('abc', 's1', 1), (x'616263', 's2', 2)").await;
    for text in
        ["UPDATE blob_key SET n = 3 WHERE sku = ?", "UPDATE blob_key SET n = 4 WHERE sku = ? RETURNING *"]
    {
        for sku in ["s1", "s2"] {
            warm(&db).await;
            let update = Statement::from_sql_and_values(db.get_database_backend(), text, [sku.into()]);
            db.query_all_raw(update).await.expect("the update succeeds");
            db.settled().await;
            let row = || blob::Entity::find().filter(blob::Column::Sku.eq(sku));
            assert_eq!(row().one(&db).await.expect("an answer"), row().one(&plain).await.expect("an answer"));
        }
    }
}

#[tokio::test]
async fn sixteen_letters_in_a_uuid_key_are_no_uuid() {
    let database = Database::create(Backend::Sqlite).await;
    let plain = database.connect().await;
    run(&plain, "CREATE TABLE uuid_key (id uuid_text PRIMARY KEY, sku text NOT NULL UNIQUE)").await;
    run(&plain, "INSERT INTO uuid_key VALUES ('abcdefghijklmnop', 's1')").await;
    let db = CachedConnection::new(database.connect().await, MemoryStore::default());
    for _ in 0..3 {
        let found = uuid::Entity::find().filter(uuid::Column::Sku.eq("s1")).one(&db).await;
        assert!(found.expect("an answer").is_some());
        db.settled().await;
    }
    let asked = || uuid::Entity::find_by_id(Uuid::from_bytes(*b"abcdefghijklmnop"));
    assert_eq!(asked().one(&plain).await.expect("an answer"), None);
    assert_eq!(asked().one(&db).await.expect("an answer"), None);
}

#[tokio::test]
async fn a_list_has_the_order_of_the_databases_encoding() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let database = Database::create(Backend::Sqlite).await;
        let connect = || async {
            let mut options = ConnectOptions::new(database.url());
            let pragma = format!("'{encoding}'");
            options
                .sqlx_logging(false)
                .map_sqlx_sqlite_opts(move |sqlite| sqlite.pragma("encoding", pragma.clone()));
            sea_orm::Database::connect(options).await.expect("the database answers")
        };
        let plain = connect().await;
        run(&plain, "CREATE TABLE text_key (id text PRIMARY KEY, n int NOT NULL)").await;
        // Little-endian, the second is the first; big-endian, the last comes before the third.
        run(
            &plain,
            "INSERT INTO text_key VALUES ('a', 1), ('\u{100}', 2), ('\u{ffee}', 3), ('\u{10000}', 4)",
        )
        .await;
        let db = CachedConnection::new(connect().await, MemoryStore::default());
        for order in [Order::Asc, Order::Desc] {
            let list = || {
                text::Entity::find()
                    .filter(text::Column::Id.is_in(["a", "\u{100}", "\u{ffee}", "\u{10000}"]))
                    .order_by(text::Column::Id, order.clone())
            };
            let direct = list().all(&plain).await.expect("an answer");
            for _ in 0..2 {
                assert_eq!(list().all(&db).await.expect("an answer"), direct, "{encoding}");
                db.settled().await;
            }
        }
        let counts = &db.stats().entities["text_key"].counts;
        assert_eq!(counts.hits > 0, encoding == "UTF-8", "{encoding}");
    }
}

#[tokio::test]
async fn dirty_reads_of_a_shared_cache_are_not_cached() {
    let url = format!("sqlite:file:{}?mode=memory&cache=shared", unique_name());
    let connect = || async {
        let mut options = ConnectOptions::new(&url);
        options
            .max_connections(3)
            .min_connections(3)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|sqlite| sqlite.shared_cache(true).pragma("read_uncommitted", "1"));
        sea_orm::Database::connect(options).await.expect("the database answers")
    };
    let plain = connect().await;
    run(&plain, "CREATE TABLE text_key (id text PRIMARY KEY, n int NOT NULL)").await;
    run(&plain, "INSERT INTO text_key VALUES ('a', 1)").await;
    let db = CachedConnection::new(connect().await, MemoryStore::default());
    let n = |db: CachedConnection| async move {
        let found = text::Entity::find_by_id("a").one(&db).await;
        found.expect("an answer").map(|row| row.n)
    };
    let transaction = db.begin().await.expect("a transaction");
    text::Entity::update_many()
        .col_expr(text::Column::N, Expr::value(9))
        .filter(text::Column::Id.eq("a"))
        .exec(&transaction)
        .await
        .expect("the update succeeds");
    for _ in 0..2 {
        assert_eq!(n(db.clone()).await, Some(9), "reads are dirty here");
        db.settled().await;
    }
    transaction.rollback().await.expect("it rolls back");
    assert_eq!(n(db.clone()).await, Some(1));
    assert_eq!(db.stats().entities["text_key"].counts.hits, 0);
}
