//! Tables that are not any more what was learned of them: no statement fails because of what was appended to it.

use cache_orm::{CachedConnection, MemoryStore, Namespace};
use sea_orm::{ConnectionTrait, DbErr, ExecResult, TransactionSession, TransactionTrait};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, store},
};

use super::products::{assert_coherent, count, price, raw, restock, warm, warm_shop};

const UPDATE: &str = "UPDATE product SET price = 7 WHERE price > 100";

/// Sends statements in a transaction and undoes it: what each gave.
async fn undone<C: TransactionTrait>(db: &C, backend: Backend, texts: &[&str]) -> Vec<Result<u64, DbErr>> {
    let transaction = db.begin().await.expect("a transaction");
    let mut results = Vec::new();
    for text in texts {
        let result: Result<ExecResult, DbErr> = transaction.execute_raw(raw(backend, text)).await;
        results.push(count(result));
    }
    drop(transaction);
    results
}

matrix! {
    stores: store;

    async fn a_statement_after_ddl_in_its_transaction(env: Env) on [Sqlite, Postgres] {
        // (Its DDL commits.)
        let shop = warm_shop(&env).await;
        let renamed: &[&str] = &["ALTER TABLE product RENAME COLUMN id TO nr", UPDATE];
        let elsewhere: &[&str] = &["SET LOCAL search_path TO elsewhere", UPDATE];
        let hidden: &[&str] = &["CREATE TEMPORARY TABLE product (a int, price int)", UPDATE];
        if env.backend() == Backend::Postgres {
            let schema = "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.product (nr int, price int)";
            shop.plain.execute_unprepared(schema).await.expect("it succeeds");
        }
        for texts in [renamed, hidden, elsewhere] {
            if texts == elsewhere && env.backend() == Backend::Sqlite {
                continue;
            }
            let expected = undone(&shop.plain, env.backend(), texts).await;
            assert!(expected.iter().all(Result::is_ok), "{expected:?}");
            let found = undone(&shop.db, env.backend(), texts).await;
            assert!(found[0].is_ok(), "{found:?}");
            // (What SQLite says of DDL is about the statement before.)
            assert_eq!(found[1], expected[1], "{texts:?}");
        }
        assert_coherent(&shop).await;
    }

    /// What a name means is not known then, so such a write invalidates everything.
    async fn a_write_under_another_search_path_invalidates_everything(env: Env) on [Postgres] {
        let shop = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        for text in ["SET LOCAL search_path TO nowhere, public", UPDATE] {
            transaction.execute_raw(raw(env.backend(), text)).await.expect("it succeeds");
        }
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(price(&shop.db, 6).await, Some(7));
        assert_coherent(&shop).await;
        // A time-out says nothing about names.
        restock(&shop).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        for text in ["SET LOCAL lock_timeout = '5s'", "UPDATE product SET price = 8 WHERE price > 500"] {
            transaction.execute_raw(raw(env.backend(), text)).await.expect("it succeeds");
        }
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(crate::bulk::products::cached(&shop.db).await, [1, 2, 3, 4, 5]);
    }

    async fn a_statement_after_ddl_made_elsewhere(env: Env) {
        let shop = warm_shop(&env).await;
        let rename = "ALTER TABLE product RENAME COLUMN id TO nr";
        shop.plain.execute_unprepared(rename).await.expect("it succeeds");
        assert_eq!(count(shop.db.execute_raw(raw(env.backend(), UPDATE)).await), Ok(5));
        let rows = shop.db.query_all_raw(raw(env.backend(), "UPDATE product SET price = 8 WHERE price = 7")).await;
        assert_eq!(rows.expect("it succeeds").len(), 0);
        let back = "ALTER TABLE product RENAME COLUMN nr TO id";
        // (A connection of SQLite's that has not looked since would not find the new name.)
        shop.db.execute_unprepared(back).await.expect("it succeeds");
        shop.db.invalidate_all().await.expect("the store answers");
        assert_eq!(price(&shop.db, 6).await, Some(8));
        assert_coherent(&shop).await;
    }

    async fn a_statement_in_a_transaction_after_ddl_made_elsewhere(env: Env) on [Sqlite, Postgres] {
        let shop = warm_shop(&env).await;
        let rename = "ALTER TABLE product RENAME COLUMN id TO nr";
        shop.plain.execute_unprepared(rename).await.expect("it succeeds");
        let first = undone(&shop.db, env.backend(), &[UPDATE]).await;
        if env.backend() == Backend::Sqlite {
            assert_eq!(first, [Ok(5)]);
        } else {
            // An error ends a transaction of Postgres, so there is no second try; the next transaction knows.
            assert!(first[0].as_ref().is_err_and(|error| error.to_string().contains("\"id\"")), "{first:?}");
        }
        assert_eq!(undone(&shop.db, env.backend(), &[UPDATE]).await, [Ok(5)]);
    }

    async fn a_statement_after_a_privilege_was_revoked(env: Env) on [Postgres] {
        let shop = warm_shop(&env).await;
        let role = format!("writer_{}", env.namespace.replace('-', "_"));
        for text in [
            format!("CREATE ROLE {role} LOGIN"),
            format!("GRANT UPDATE, SELECT ON product TO {role}"),
        ] {
            shop.plain.execute_unprepared(&text).await.expect("it succeeds");
        }
        let writer = env.database.connect_with(|options| {
            options.map_sqlx_postgres_opts({
                let role = role.clone();
                move |connection| connection.username(&role)
            });
        });
        let db = CachedConnection::builder(writer.await)
            .shared_store(env.store().await)
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .build()
            .await
            .expect("the cache is ready");
        // The new role was a change around the library: everything was invalidated.
        warm(&shop.db).await;
        assert_eq!(crate::bulk::products::cached(&shop.db).await, crate::bulk::products::ALL);
        for text in [
            format!("REVOKE SELECT ON product FROM {role}"),
            format!("GRANT SELECT (price) ON product TO {role}"),
        ] {
            shop.plain.execute_unprepared(&text).await.expect("it succeeds");
        }
        assert_eq!(count(db.execute_raw(raw(env.backend(), UPDATE)).await), Ok(5));
        assert_coherent(&shop).await;
        db.close().await.expect("it closes");
        for text in [format!("DROP OWNED BY {role}"), format!("DROP ROLE {role}")] {
            shop.plain.execute_unprepared(&text).await.expect("it succeeds");
        }
    }

    /// A statement that is wrong in itself is tried twice, and that is all.
    async fn a_wrong_statement_invalidates_nothing(env: Env) {
        let shop = warm_shop(&env).await;
        let wrong = "UPDATE product SET price = 7 WHERE no_such_column > 100";
        let plain = count(shop.plain.execute_raw(raw(env.backend(), wrong)).await).expect_err("no such column");
        let error = count(shop.db.execute_raw(raw(env.backend(), wrong)).await).expect_err("no such column");
        assert_eq!(format!("{error:?}"), format!("{plain:?}"));
        if env.backend() != Backend::MySql {
            assert_eq!(crate::bulk::products::cached(&shop.db).await, crate::bulk::products::ALL);
        }
    }

    /// Nobody waits for the schema to begin: a transaction that writes meanwhile invalidates what it can reach at
    /// worst.
    async fn a_transaction_that_begins_before_the_schema_is_known(env: Env) {
        let shop: Shop = warm_shop(&env).await;
        let one = env.database.connect_with(|options| { options.max_connections(1); }).await;
        let db = CachedConnection::builder(one)
            .shared_store(env.store().await)
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .store_time_out(std::time::Duration::from_secs(60))
            .build_lazily()
            .expect("it has a namespace");
        let transaction = db.begin().await.expect("a transaction");
        assert_eq!(count(transaction.execute_raw(raw(env.backend(), UPDATE)).await), Ok(5));
        warm(&shop.db).await;
        transaction.rollback().await.expect("the rollback succeeds");
        let transaction = db.begin().await.expect("a transaction");
        assert_eq!(count(transaction.execute_raw(raw(env.backend(), UPDATE)).await), Ok(5));
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(price(&shop.db, 6).await, Some(7));
        assert_coherent(&shop).await;
    }

    /// On Postgres, what has failed commits as nothing, and can't be asked for the schema before.
    async fn a_transaction_that_failed_before_the_schema_was_known_ends_as_without_a_cache(env: Env) {
        let shop: Shop = warm_shop(&env).await;
        let mut ends = Vec::new();
        for cached in [false, true] {
            let one = env.database.connect_with(|options| { options.max_connections(1); }).await;
            let db = CachedConnection::builder(one)
                .shared_store(env.store().await)
                .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
                .build_lazily()
                .expect("it has a namespace");
            ends.push(if cached { write_and_fail(&db, &env).await } else { write_and_fail(db.inner(), &env).await });
        }
        assert_eq!(ends[1], ends[0]);
        assert_coherent(&shop).await;
    }
}

/// How a transaction ends of which a statement has failed.
async fn write_and_fail<C: TransactionTrait>(db: &C, env: &Env) -> Result<(), DbErr>
where
    C::Transaction: ConnectionTrait + TransactionSession,
{
    let transaction = db.begin().await.expect("a transaction");
    transaction.execute_raw(raw(env.backend(), UPDATE)).await.expect("the update succeeds");
    transaction.execute_unprepared("SELECT nothing FROM nowhere").await.expect_err("there is no such table");
    transaction.commit().await
}

/// A pool with one connection gives it to whoever asked first. (SeaORM's `connection_ping_closed`.)
async fn begins_in_order(backend: Backend) {
    let database = tests::Database::create(backend).await;
    let db = database
        .connect_with(|options| {
            options.max_connections(1);
        })
        .await;
    let db = CachedConnection::new(db, MemoryStore::default());
    let order = std::sync::Mutex::new(Vec::new());
    let begin = async |number: i32| {
        let transaction = db.begin().await.expect("a transaction");
        order.lock().expect("nobody panics").push(number);
        // Time enough to overtake.
        transaction.execute_unprepared("SELECT 1").await.expect("it succeeds");
        transaction.rollback().await.expect("the rollback succeeds");
    };
    tokio::join!(begin(1), begin(2), begin(3));
    assert_eq!(order.into_inner().expect("nobody panics"), [1, 2, 3]);
    database.close().await.expect("it can be removed");
}

#[tokio::test]
async fn transactions_begin_in_the_order_in_which_they_ask_sqlite() {
    begins_in_order(Backend::Sqlite).await;
}

#[tokio::test]
async fn transactions_begin_in_the_order_in_which_they_ask_postgres() {
    begins_in_order(Backend::Postgres).await;
}

#[tokio::test]
async fn transactions_begin_in_the_order_in_which_they_ask_my_sql() {
    begins_in_order(Backend::MySql).await;
}
