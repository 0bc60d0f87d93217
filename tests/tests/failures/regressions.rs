//! Bugs that were found, each named after its cause.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use cache_core::testing::{Call, CountingStore, PausableStore};
use cache_orm::{CachedConnection, MemoryStore, Namespace};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryTrait, Statement, TransactionTrait,
    sea_query::Expr,
};
use tests::{
    Backend, Database, Env, matrix,
    shop::{Shop, category, fenced_cells, hits, price_of, priced, product, store},
};

/// A text of which nobody knows whether it commits.
fn unknown(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SELECT zeroblob(1), randomblob(1), sqlite_source_id()",
        Backend::Postgres => "DO $$ BEGIN NULL; END $$",
        Backend::MySql => "/*! SELECT 1 */",
    }
}

/// A second process whose store calls are recorded.
async fn recorded(env: &Env) -> (CachedConnection, CountingStore) {
    let operations = CountingStore::new(env.store().await);
    (Shop::enter(env, Arc::new(operations.clone())).await, operations)
}

/// Polls a commit at the very moment at which it is woken, in the midst of whatever wakes it.
#[derive(Default)]
struct AtOnce {
    commit: Mutex<Option<BoxFuture<'static, Result<(), DbErr>>>>,
    /// Whether it could be polled.
    polled: Mutex<Option<bool>>,
}

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        let Some(mut commit) = self.commit.lock().expect("nobody panics with it").take() else { return };
        let poll = || commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let polled: std::thread::Result<Poll<_>> = catch_unwind(AssertUnwindSafe(poll));
        *self.polled.lock().expect("nobody panics with it") = Some(polled.is_ok());
        *self.commit.lock().expect("nobody panics with it") = Some(commit);
    }
}

matrix! {
    stores: store;

    async fn a_call_that_was_not_made_gave_back_its_turn_before_its_handle(env: Env) {
        let shop = Shop::open(&env).await;
        let pausable = PausableStore::new(env.store().await);
        let db = Shop::enter(&env, Arc::new(pausable.clone())).await;
        let mut pause = pausable.pause_before(Call::Fence);
        let transaction = db.begin().await.expect("a transaction");
        {
            // Nobody hears what it comes to.
            let mut first = Box::pin(transaction.execute_unprepared("SELECT unheard_of(1)"));
            while pause.reached().now_or_never().is_none() {
                assert!(first.as_mut().now_or_never().is_none());
                tokio::task::yield_now().await;
            }
            let mut second = Box::pin(transaction.execute_unprepared("SELECT 1"));
            assert!(second.as_mut().now_or_never().is_none(), "it waits for the first");
        }
        // Both go on without their caller, and the commit stands in line behind them.
        let at_once = Arc::new(AtOnce::default());
        let mut commit: BoxFuture<'static, _> = Box::pin(transaction.commit());
        let waker = Waker::from(at_once.clone());
        assert!(commit.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        *at_once.commit.lock().expect("nobody panics with it") = Some(commit);
        pause.resume();
        let polled = async || *at_once.polled.lock().expect("nobody panics with it");
        while polled().await.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(polled().await, Some(true), "the commit panicked");
        drop(shop);
    }

    async fn a_savepoint_that_was_refused_ended_the_transaction_unseen(env: Env) on [Postgres, MySql] {
        let shop = Shop::open(&env).await;
        price_of(&shop.db, 1).await;
        shop.db.settled().await;
        let transaction = shop.db.begin().await.expect("a transaction");
        // SeaORM rolls the outer transaction back when the inner one can't begin, and what is sent through the
        // outer one from then on commits by itself.
        let refused = match env.backend() {
            Backend::Postgres => {
                transaction.execute_unprepared("SELECT nothing").await.expect_err("the transaction is aborted");
                transaction.begin().await.map(drop)
            }
            // MySQL sets the mode of a transaction before it begins. (SQLite refuses no savepoint.)
            _ => {
                let read_only = Some(sea_orm::AccessMode::ReadOnly);
                transaction.begin_with_config(None, read_only).await.map(drop)
            }
        };
        assert!(refused.is_err());
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .filter(product::Column::Id.eq(1))
            .exec(&transaction)
            .await
            .expect("the update succeeds");
        transaction.rollback().await.ok();
        shop.db.settled().await;
        assert_eq!(price_of(&shop.db, 1).await, price_of(&shop.plain, 1).await);
    }

    async fn an_alias_to_a_deleted_row_was_never_taken_away(env: Env) {
        let shop = Shop::open(&env).await;
        let by_sku = async || product::Entity::find_by_sku("A-1").one(&shop.db).await.expect("an answer");
        let listed = async || {
            let list = product::Entity::find().filter(product::Column::Sku.is_in(["A-1", "B-2"]));
            list.all(&shop.db).await.expect("an answer").len()
        };
        for _ in 0..2 {
            assert!(by_sku().await.is_some());
            assert_eq!(listed().await, 2);
            shop.db.settled().await;
        }
        product::Entity::delete_by_id(1).exec(&shop.db).await.expect("the delete succeeds");
        product::Entity::delete_by_id(2).exec(&shop.db).await.expect("the delete succeeds");
        shop.db.settled().await;
        for _ in 0..3 {
            assert_eq!(by_sku().await, None);
            assert_eq!(listed().await, 0);
            shop.db.settled().await;
        }
        let before = shop.counts("product").absent_hits;
        assert_eq!(by_sku().await, None);
        assert_eq!(shop.counts("product").absent_hits, before + 1);
    }

    async fn query_one_with_the_text_of_all_filled_the_all_slot_with_one_row(env: Env) {
        let shop = Shop::open(&env).await;
        let all = category::Entity::find().build(shop.db.get_database_backend());
        shop.db.query_one_raw(all.clone()).await.expect("an answer");
        shop.db.settled().await;
        assert_eq!(category::Entity::find().all(&shop.db).await.expect("an answer").len(), 2);
        shop.db.settled().await;
        let first = shop.db.query_one_raw(all).await.expect("an answer").expect("a row");
        assert_eq!(first.try_get::<i32>("", "id").expect("a column"), 1);
    }

    async fn a_passenger_waited_for_a_leader_that_nobody_polled(env: Env) {
        let shop = Shop::open(&env).await;
        let pausable = PausableStore::new(env.store().await);
        let db = Shop::enter(&env, Arc::new(pausable.clone())).await;
        let mut pause = pausable.pause_after(Call::Lease);
        let mut leader = Box::pin(price_of(&db, 1));
        while pause.reached().now_or_never().is_none() {
            assert!(leader.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        assert_eq!(price_of(&db, 1).await, 100);
        pause.resume();
        assert_eq!(leader.await, 100);
        drop(shop);
    }

    async fn calls_waited_for_a_buffered_call_that_nobody_polled(env: Env) {
        let shop = Shop::open(&env).await;
        let mut loads = stream::iter([1, 2, 3]).map(|id| price_of(&shop.db, id)).buffered(3);
        while loads.next().await.is_some() {
            for id in [3, 2] {
                assert_eq!(price_of(&shop.db, id).await, id * 100);
            }
        }
    }

    async fn every_query_waited_for_the_one_that_learned_the_schema(env: Env) {
        let shop = Shop::open(&env).await;
        let db = CachedConnection::new(env.connect().await, MemoryStore::default());
        let mut first = Box::pin(price_of(&db, 1));
        assert!(first.as_mut().now_or_never().is_none(), "the schema is being learned");
        assert_eq!(price_of(&db, 2).await, 200);
        assert_eq!(first.await, 100);
        drop(shop);
    }

    async fn a_transaction_of_many_rows_fenced_each_of_them(env: Env) {
        let shop = Shop::open(&env).await;
        let operations = CountingStore::new(env.store().await);
        let db = CachedConnection::builder(env.connect().await)
            .shared_store(Arc::new(operations.clone()))
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .max_fenced_rows(1000)
            .build()
            .await
            .expect("the cache is ready");
        let transaction = db.begin().await.expect("a transaction");
        for id in 1000..2200 {
            product::Entity::delete_by_id(id).exec(&transaction).await.expect("it succeeds");
        }
        transaction.commit().await.expect("the commit succeeds");
        let cells = fenced_cells(&operations);
        assert!(matches!(cells[..], [cells] if cells < 50), "{cells:?}");
        drop(shop);
    }

    async fn a_transaction_fenced_again_what_it_had_fenced(env: Env) {
        let shop = Shop::open(&env).await;
        let (db, operations) = recorded(&env).await;
        operations.take();
        let transaction = db.begin().await.expect("a transaction");
        transaction.execute_unprepared(unknown(env.backend())).await.expect("it succeeds");
        for id in 1..4 {
            priced(id, 7).update(&transaction).await.expect("the update succeeds");
        }
        transaction.commit().await.expect("the commit succeeds");
        assert!(fenced_cells(&operations).len() <= 1);
        assert_eq!(price_of(&db, 1).await, price_of(&shop.plain, 1).await);
    }

    async fn a_transaction_that_outlived_its_early_fences_committed_without_any(env: Env) {
        let shop = Shop::open(&env).await;
        let pausable = PausableStore::new(env.store().await);
        let db = CachedConnection::builder(env.connect().await)
            .shared_store(Arc::new(pausable.clone()))
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            // Its fences have expired as soon as anybody looks for them.
            .fence_ttl(Duration::from_millis(1))
            .build()
            .await
            .expect("the cache is ready");
        let transaction = db.begin().await.expect("a transaction");
        priced(1, 7).update(&transaction).await.expect("the update succeeds");
        transaction.execute_unprepared(unknown(env.backend())).await.expect("it succeeds");
        while hits(&shop.db, "product") == 0 {
            assert_eq!(price_of(&shop.db, 1).await, 100);
            shop.db.settled().await;
        }
        let mut pause = pausable.pause_before(Call::Release);
        let commit = tokio::spawn(transaction.commit());
        pause.reached().await;
        assert_eq!(price_of(&shop.db, 1).await, 7);
        pause.resume();
        commit.await.expect("no panic").expect("the commit succeeds");
    }

    async fn a_commit_while_a_savepoint_was_open_released_the_fences_of_the_transaction(env: Env) {
        let shop = Shop::open(&env).await;
        let outer = shop.db.begin().await.expect("a transaction");
        let inner = outer.begin().await.expect("a savepoint");
        priced(1, 7).update(&inner).await.expect("the update succeeds");
        // The database counts levels: this one only releases the savepoint.
        outer.commit().await.expect("the savepoint is released");
        for _ in 0..2 {
            price_of(&shop.db, 1).await;
            shop.db.settled().await;
        }
        inner.commit().await.expect("the commit succeeds");
        assert_eq!(price_of(&shop.plain, 1).await, 7);
        assert_eq!(price_of(&shop.db, 1).await, 7);
    }

    async fn a_table_that_was_not_learned_was_not_fenced(env: Env) {
        let shop = Shop::open(&env).await;
        let (db, operations) = recorded(&env).await;
        shop.plain.execute_unprepared("CREATE TABLE newcomer (id INT PRIMARY KEY, n INT)").await.expect("it succeeds");
        operations.take();
        db.execute_unprepared("UPDATE newcomer SET n = 1").await.expect("it succeeds");
        let fenced = operations.take().into_iter().any(|operation| operation.contains("newcomer"));
        assert!(fenced, "another process may have cached it");
    }

    async fn values_that_the_database_refuses_hit(env: Env) {
        let shop = Shop::open(&env).await;
        for _ in 0..2 {
            product::Entity::find_by_id(1).all(&shop.db).await.expect("an answer");
            shop.db.settled().await;
        }
        let backend = shop.db.get_database_backend();
        let sql = product::Entity::find_by_id(1).build(backend).sql;
        let more = Statement::from_sql_and_values(backend, sql, [1.into(), 2.into()]);
        let hits = shop.counts("product").hits;
        drop(shop.db.query_all_raw(more).await);
        assert_eq!(shop.counts("product").hits, hits);
    }

    async fn no_time_to_live_was_too_long(env: Env) {
        let shop = Shop::open(&env).await;
        let db = CachedConnection::builder(env.connect().await).default_ttl(Duration::MAX).build().await;
        let db = db.expect("the cache is ready");
        for _ in 0..3 {
            assert_eq!(category::Entity::find_by_id(1).one(&db).await.expect("an answer").expect("a row").id, 1);
        }
        assert_eq!(db.stats().entities["category"].counts.hits, 2);
        drop(shop);
    }
}

#[tokio::test]
async fn a_refused_namespace_was_not_fenced() {
    let database = Database::create_in_memory().await;
    let plain = database.connect().await;
    for sql in [
        "CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "INSERT INTO category VALUES (1, 'old')",
    ] {
        plain.execute_unprepared(sql).await.expect("it succeeds");
    }
    // A database in memory is another one to each connection that learns it.
    let store = MemoryStore::default();
    let holder = CachedConnection::new(plain.clone(), store.clone());
    holder.ready().await.expect("the first one holds the namespace");
    let refused = CachedConnection::new(plain.clone(), store);
    refused.ready().await.expect_err("the namespace is taken");
    for _ in 0..2 {
        category::Entity::find_by_id(1).one(&holder).await.expect("an answer");
    }
    let row = category::ActiveModel { id: Unchanged(1), name: Set("new".into()) };
    row.update(&refused).await.expect("the update succeeds");
    let seen = category::Entity::find_by_id(1).one(&holder).await.expect("an answer").expect("a row");
    assert_eq!(seen.name, "new");
}

mod on_one_database {
    use super::*;
    use tests::{StoreKind, run};

    #[tokio::test]
    async fn an_update_of_sqlites_rowid_was_taken_for_one_of_another_column() {
        run(Backend::Sqlite, StoreKind::Memory, store, async |env: Env| {
            let shop = Shop::open(&env).await;
            let find = || product::Entity::find_by_id(77);
            for _ in 0..2 {
                assert_eq!(find().one(&shop.db).await, Ok(None));
            }
            let moved = Statement::from_sql_and_values(
                shop.db.get_database_backend(),
                "UPDATE product SET rowid = 77 WHERE id = ?",
                [3.into()],
            );
            shop.db.execute_raw(moved).await.expect("the update succeeds");
            assert!(find().one(&shop.db).await.expect("an answer").is_some());
        })
        .await;
    }

    #[tokio::test]
    async fn set_local_of_mysql_was_taken_for_local() {
        run(Backend::MySql, StoreKind::Memory, store, async |env: Env| {
            let shop = Shop::open(&env).await;
            let one = env
                .database
                .connect_with(|options| {
                    options.max_connections(1);
                })
                .await;
            let db = CachedConnection::builder(one).build().await.expect("the cache is ready");
            let transaction = db.begin().await.expect("a transaction");
            transaction.execute_unprepared("SET LOCAL autocommit = 0").await.expect("it succeeds");
            transaction.commit().await.expect("the commit succeeds");
            // From here on, writes of this connection don't commit by themselves.
            let hits = db.stats().entities["product"].counts.hits;
            for _ in 0..3 {
                price_of(&db, 1).await;
            }
            assert_eq!(db.stats().entities["product"].counts.hits, hits);
            drop(shop);
        })
        .await;
    }

    #[tokio::test]
    async fn a_pool_at_read_uncommitted_filled_what_was_not_committed() {
        run(Backend::MySql, StoreKind::Memory, store, async |env: Env| {
            let shop = Shop::open(&env).await;
            let one = env
                .database
                .connect_with(|options| {
                    options.max_connections(1);
                })
                .await;
            one.execute_unprepared("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
                .await
                .expect("it succeeds");
            let db = CachedConnection::builder(one).build().await.expect("the cache is ready");
            for _ in 0..3 {
                price_of(&db, 1).await;
            }
            assert_eq!(db.stats().entities["product"].counts.fills, 0);
            drop(shop);
        })
        .await;
    }

    #[tokio::test]
    async fn ddl_of_a_dropped_transaction_was_not_learned() {
        run(Backend::MySql, StoreKind::Memory, store, async |env: Env| {
            let shop = Shop::open(&env).await;
            let (db, operations) = recorded(&env).await;
            let transaction = db.begin().await.expect("a transaction");
            let trigger =
                "CREATE TRIGGER t AFTER UPDATE ON category FOR EACH ROW UPDATE product SET price = 7";
            transaction.execute_unprepared(trigger).await.expect("it succeeds, and commits");
            drop(transaction);
            operations.take();
            let row = category::ActiveModel { id: Unchanged(1), name: Set("new".into()) };
            row.update(&db).await.expect("the update succeeds");
            let fenced = operations
                .take()
                .into_iter()
                .any(|operation| operation.starts_with("fence ") && operation.contains(".product."));
            assert!(fenced, "the trigger changes products");
            drop(shop);
        })
        .await;
    }
}
