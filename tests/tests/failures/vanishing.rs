//! Callers that vanish: whatever they had begun ends, and leaves no old row and no connection in disorder.

use std::{sync::Arc, time::Duration};

use cache_core::testing::{Call, CountingStore};
use cache_orm::{CachedConnection, CachedEntity, Store};
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectOptions, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};
use tests::{
    Backend, Env, Proxy, Sweep, matrix,
    shop::{Shop, price, priced, product, store},
    vanish_after,
};

use super::races::Two;

/// A table whose keys may be spelled in several ways: what is not found is asked for in a transaction.
#[allow(unreachable_pub, reason = "the derive asks for it")]
mod named {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "named")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub amount: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(named::Entity);

const NAMED: &[&str] = &["CREATE TABLE named (name VARCHAR(20) NOT NULL PRIMARY KEY, amount INT NOT NULL)"];
const NAMED_ON_POSTGRES: &[&str] = &[
    "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "CREATE TABLE named (name VARCHAR(20) COLLATE loose NOT NULL PRIMARY KEY, amount INT NOT NULL)",
];

matrix! {
    stores: store;

    /// Every await is a place where the caller may vanish.
    async fn a_dropped_write_leaves_no_old_row(env: Env) {
        let mut sweep = Sweep::open(&env, "update by key").await;
        while sweep.goes_on().await {
            let (db, new) = (sweep.shop.db.clone(), sweep.price());
            sweep.vanish(async { priced(1, new).update(&db).await.expect("the update succeeds") }).await;
            sweep.check().await;
        }
        sweep.finish();
    }

    /// A driver counts a transaction once it is told that it has begun.
    async fn a_dropped_transaction_leaves_its_connection_in_order(env: Env) {
        let mut sweep = Sweep::open(&env, "begin, update, commit").await;
        while sweep.goes_on().await {
            let (db, new) = (sweep.shop.db.clone(), sweep.price());
            let call = async {
                let transaction = db.begin().await.expect("a transaction");
                priced(1, new).update(&transaction).await.expect("the update succeeds");
                transaction.commit().await.expect("the commit succeeds");
            };
            sweep.vanish(call).await;
            sweep.check().await;
        }
        sweep.finish();
    }

    /// sqlx undoes the whole transaction if a savepoint is given up while it is opened: what was written is lost, and
    /// what follows commits by itself.
    async fn a_dropped_savepoint_leaves_its_transaction_as_it_was(env: Env) {
        let mut sweep = Sweep::open(&env, "savepoint, update, release").await;
        while sweep.goes_on().await {
            let (db, new) = (sweep.shop.db.clone(), sweep.price());
            let outer = db.begin().await.expect("a transaction");
            priced(1, new).update(&outer).await.expect("the update succeeds");
            let call = async {
                let savepoint = outer.begin().await.expect("a savepoint");
                priced(3, new).update(&savepoint).await.expect("the update succeeds");
                savepoint.commit().await.expect("the savepoint is kept");
            };
            sweep.vanish(call).await;
            priced(2, new).update(&outer).await.expect("the update succeeds");
            assert_ne!(price(&sweep.shop.plain, 2).await, Some(new), "nothing is committed yet");
            outer.commit().await.expect("the commit succeeds");
            for id in [1, 2] {
                assert_eq!(price(&sweep.shop.plain, id).await, Some(new), "product {id}");
            }
            sweep.check().await;
        }
        sweep.finish();
    }

    /// Where keys may be spelled in several ways, `get_many` asks in a transaction of its own.
    async fn a_dropped_get_many_leaves_its_connection_in_order(env: Env) on [Postgres, MySql] {
        let proxy = Proxy::before(env.backend()).await.expect("it has a server");
        let plain = env.connect().await;
        let tables = if env.backend() == Backend::Postgres { NAMED_ON_POSTGRES } else { NAMED };
        for sql in tables.iter().chain(&["INSERT INTO named VALUES ('a', 0)"]) {
            plain.execute_unprepared(sql).await.expect("the statement is right");
        }
        let db = enter_by_one(&env, env.store().await, Some(&proxy)).await;
        proxy.hold_at("BEGIN");
        tokio::select! {
            found = named::Entity::get_many(&db, ["b".to_owned()]) => panic!("it asks in a transaction: {found:?}"),
            () = proxy.held() => {}
        }
        proxy.release();
        db.settled().await;
        // By the same connection: what it acknowledges is committed.
        let row = named::ActiveModel { name: Unchanged("a".to_owned()), amount: Set(7) };
        row.update(&db).await.expect("the connection is in order");
        let seen = named::Entity::find_by_id("a").one(&plain).await.expect("an answer");
        assert_eq!(seen.map(|row| row.amount), Some(7), "a write is lost");
    }

    /// Whether a process may end is not known before its writers have.
    async fn a_writer_without_a_caller_was_not_waited_for(env: Env) on [Sqlite, Postgres] {
        // It fences by the text, and nothing goes on.
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_before(Call::Fence);
        let update = product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .filter(product::Column::Price.gt(250));
        tokio::select! {
            done = update.exec(&two.first) => panic!("it is stopped: {done:?}"),
            () = pause.reached() => {}
        }
        let mut settled = Box::pin(two.first.settled_within(Duration::from_secs(60)));
        let early = settled.as_mut().now_or_never();
        pause.resume();
        assert_eq!(early, None, "it is under way");
        settled.await.expect("it ends");
    }

    /// Nobody is left to open the savepoint, and the driver undoes the whole transaction: what follows commits by
    /// itself.
    async fn a_savepoint_whose_runtime_ends_leaves_no_old_row(env: Env) on [Postgres, MySql] {
        // (SQLite has no answer that could be held back.)
        let proxy = Proxy::before(env.backend()).await.expect("it has a server");
        let shop = Shop::open(&env).await;
        let db = enter_by_one(&env, env.store().await, Some(&proxy)).await;
        for _ in 0..2 {
            assert_eq!(price(&shop.db, 1).await, Some(100));
            shop.db.settled().await;
        }
        let transaction = db.begin().await.expect("a transaction");
        proxy.hold();
        let asked = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let savepoint = runtime.block_on(vanish_after(0, transaction.begin(), async || {}));
            assert!(savepoint.is_none(), "it waits for the answer");
            drop((savepoint, runtime));
            transaction
        });
        let transaction = asked.await.expect("nothing panics");
        proxy.release();
        priced(1, 7).update(&transaction).await.expect("the update succeeds");
        assert_eq!(price(&shop.plain, 1).await, Some(7), "it has committed by itself");
        for _ in 0..2 {
            assert_eq!(price(&shop.db, 1).await, Some(7));
            shop.db.settled().await;
        }
    }

    async fn a_dropped_statement_of_a_transaction_is_noted(env: Env) {
        let mut sweep = Sweep::open(&env, "update in a transaction").await;
        while sweep.goes_on().await {
            let (db, new) = (sweep.shop.db.clone(), sweep.price());
            let transaction = db.begin().await.expect("a transaction");
            sweep.vanish(async { priced(1, new).update(&transaction).await.expect("the update succeeds") }).await;
            priced(2, new).update(&transaction).await.expect("the update succeeds");
            transaction.commit().await.expect("the commit succeeds");
            assert_eq!(price(&sweep.shop.plain, 2).await, Some(new));
            sweep.check().await;
        }
        sweep.finish();
    }

    async fn a_dropped_rollback_rolls_back(env: Env) {
        let shop = Shop::open(&env).await;
        for wakes in 0..300 {
            let transaction = shop.db.begin().await.expect("a transaction");
            priced(1, 7).update(&transaction).await.expect("the update succeeds");
            let done = vanish_after(wakes, transaction.rollback(), async || {}).await;
            shop.db.settled().await;
            quiet(&shop).await;
            assert_eq!((price(&shop.db, 1).await, price(&shop.plain, 1).await), (Some(100), Some(100)));
            if done.is_some() {
                return;
            }
        }
        panic!("it never ends");
    }

    /// A runtime that ends takes every task with it: nothing of a transaction may be left on a connection that
    /// somebody is given later.
    async fn a_runtime_that_ends_closes_the_connection_of_a_transaction(env: Env) {
        let shop = Shop::open(&env).await;
        let proxy = Arc::new(Proxy::before(env.backend()).await);
        let mut wakes = 0;
        loop {
            let (within, store, line) = (env.clone(), env.store().await, proxy.clone());
            let ended = tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let db = runtime.block_on(enter_by_one(&within, store, (*line).as_ref()));
                let beginning = db.clone();
                let mut begun = Box::pin(async move {
                    let transaction = beginning.begin().await.expect("a transaction");
                    priced(1, 7).update(&transaction).await.expect("the update succeeds");
                    transaction
                });
                // However slow the machine is, what is sent last has no answer yet.
                let hold = async || line.iter().for_each(Proxy::hold);
                let transaction = runtime.block_on(vanish_after(wakes, begun.as_mut(), hold));
                let ended = transaction.is_some();
                drop(runtime);
                drop((begun, transaction));
                line.iter().for_each(Proxy::release);
                assert_eq!(idle(&db), 0, "after {wakes} wakes");
                (ended, db)
            });
            let (ended, db) = ended.await.expect("nothing panics");
            quiet(&shop).await;
            assert_eq!(idle(&db), 0, "nor through another runtime, after {wakes} wakes");
            assert_eq!((price(&shop.db, 1).await, price(&shop.plain, 1).await), (Some(100), Some(100)));
            if ended {
                assert!(wakes > 0 || proxy.is_none(), "it was given up before");
                return;
            }
            wakes += 1;
            assert!(wakes < 300, "it never ends");
        }
    }

    async fn a_transaction_that_is_dropped_outside_its_runtime_is_rolled_back(env: Env) {
        let shop = Shop::open(&env).await;
        let (within, store) = (env.clone(), env.store().await);
        // No thread of a runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let db = runtime.block_on(Shop::enter(&within, store));
            let transaction = runtime.block_on(async {
                let transaction = db.begin().await.expect("a transaction");
                priced(1, 7).update(&transaction).await.expect("the update succeeds");
                transaction
            });
            drop(transaction);
            assert_eq!(runtime.block_on(price(&db, 1)), Some(100));
            runtime.block_on(db.settled());
        });
        let dropped = tokio::task::spawn_blocking(|| dropped.join()).await.expect("it waits");
        dropped.expect("nothing panics");
        quiet(&shop).await;
        assert_eq!((price(&shop.db, 1).await, price(&shop.plain, 1).await), (Some(100), Some(100)));
    }

    async fn a_dropped_read_leaves_nothing_behind(env: Env) {
        let shop = Shop::open(&env).await;
        let operations = CountingStore::new(env.store().await);
        let db = Shop::enter(&env, Arc::new(operations.clone())).await;
        for wakes in 0..300 {
            let id = 1 + wakes % 3;
            let reading = db.clone();
            let done = vanish_after(wakes as usize, async move { price(&reading, id).await }, async || {}).await;
            db.settled().await;
            priced(id, 5000 + wakes).update(&db).await.expect("the update succeeds");
            db.settled().await;
            assert_eq!(price(&db, id).await, Some(5000 + wakes));
            if done.is_some() {
                return;
            }
        }
        panic!("it never ends: {}", shop.db.stats().bypasses.len());
    }
}

/// Waits until no dropped write holds the row: an update that changes nothing must wait for it.
async fn quiet(shop: &Shop) {
    let waits = "UPDATE product SET price = price WHERE id = 1";
    shop.plain.execute_unprepared(waits).await.expect("the update succeeds");
}

/// A cached connection of another process, with one connection to the database.
async fn enter_by_one(env: &Env, store: Arc<dyn Store>, proxy: Option<&Proxy>) -> CachedConnection {
    let one = |options: &mut ConnectOptions| {
        options.max_connections(1);
        proxy.into_iter().for_each(|proxy| proxy.lead(options));
    };
    Shop::enter_with(env, store, one).await
}

/// How many connections wait in the pool.
fn idle(db: &CachedConnection) -> usize {
    match db.get_database_backend() {
        DbBackend::Sqlite => db.inner().get_sqlite_connection_pool().num_idle(),
        DbBackend::Postgres => db.inner().get_postgres_connection_pool().num_idle(),
        _ => db.inner().get_mysql_connection_pool().num_idle(),
    }
}
