//! Races between the statement, its fence and its commit; and callers that vanish in between.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::Poll,
};

use cache_core::testing::{Call, PausableStore};
use cache_orm::CachedConnection;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionTrait, sea_query::Expr};
use tests::{
    Backend, Env, Sweep, matrix,
    shop::{Shop, product, store},
};

use super::products::{ALL, assert_coherent, cached, enter, left, price, warm, warm_shop, warm_shop_with};

async fn reprice(db: &impl ConnectionTrait, new: i32) -> u64 {
    let update = product::Entity::update_many()
        .col_expr(product::Column::Price, Expr::value(new))
        .filter(product::Column::Price.gte(500));
    update.exec(db).await.expect("the update succeeds").rows_affected
}

/// Updates in the background.
fn repricing(db: &CachedConnection, new: i32) -> tokio::task::JoinHandle<u64> {
    let db = db.clone();
    tokio::spawn(async move { reprice(&db, new).await })
}

/// The shop, and another process whose calls of the store can be stopped.
async fn two(env: &Env) -> (Shop, CachedConnection, PausableStore) {
    let shop = warm_shop(env).await;
    let pausable = PausableStore::new(env.store().await);
    let writer = enter(env, pausable.clone()).await;
    (shop, writer, pausable)
}

/// Waits until no dropped write holds a row: an update that changes nothing must wait for it.
async fn quiet(shop: &Shop) {
    let waits = "UPDATE product SET price = price WHERE id = 6";
    shop.plain.execute_unprepared(waits).await.expect("the update succeeds");
}

matrix! {
    stores: store;

    async fn a_reader_between_statement_and_fence_leaves_no_old_row(env: Env) {
        let (shop, writer, pausable) = two(&env).await;
        shop.db.invalidate_all().await.expect("the store answers");
        let mut pause = pausable.pause_before(Call::Fence);
        let write = repricing(&writer, 700);
        pause.reached().await;
        // It is not committed yet: old rows are right, and are filled.
        assert_eq!(price(&shop.db, 6).await, Some(600));
        shop.db.settled().await;
        assert_eq!(price(&shop.db, 6).await, Some(600));
        pause.resume();
        assert_eq!(write.await.expect("the write ends"), 2);
        assert_eq!(price(&shop.db, 6).await, Some(700));
        writer.settled().await;
        assert_coherent(&shop).await;
    }

    async fn a_reader_that_fills_across_the_write_is_refused(env: Env) {
        let (shop, reader, pausable) = two(&env).await;
        shop.db.invalidate_all().await.expect("the store answers");
        // The schema counts as changed: the reader notices with its first read, and learns it with the next.
        price(&reader, 5).await;
        price(&reader, 5).await;
        reader.settled().await;
        let mut pause = pausable.pause_before(Call::Fill);
        let reading = {
            let reader = reader.clone();
            tokio::spawn(async move { price(&reader, 6).await })
        };
        pause.reached().await;
        assert_eq!(reprice(&shop.db, 700).await, 2);
        shop.db.settled().await;
        pause.resume();
        assert_eq!(reading.await.expect("the reader ends"), Some(600), "it began before the write");
        reader.settled().await;
        assert_eq!(price(&reader, 6).await, Some(700));
        assert_coherent(&shop).await;
    }

    /// Its statement was sent: that it goes on is what a statement does that commits by itself.
    async fn a_write_whose_caller_vanishes_between_fence_and_commit_goes_on(env: Env) {
        let (shop, writer, pausable) = two(&env).await;
        let mut pause = pausable.pause_after(Call::Fence);
        let write = repricing(&writer, 700);
        pause.reached().await;
        write.abort();
        assert!(write.await.is_err_and(|error| error.is_cancelled()));
        pause.resume();
        writer.settled().await;
        quiet(&shop).await;
        if env.backend() == Backend::MySql {
            // It had not been sent yet.
            assert_eq!(price(&shop.plain, 6).await, Some(600));
        } else {
            assert_eq!(price(&shop.plain, 6).await, Some(700));
            assert_eq!(cached(&shop.db).await, [1, 2, 3, 4], "its marks are gone");
            assert_eq!(writer.stats().entities["product"].counts.abandoned_fences, 0);
        }
        assert_coherent(&shop).await;
    }

    async fn a_write_whose_caller_vanishes_before_its_fence_goes_on(env: Env) {
        let (shop, writer, pausable) = two(&env).await;
        let mut pause = pausable.pause_before(Call::Fence);
        let write = repricing(&writer, 700);
        pause.reached().await;
        write.abort();
        assert!(write.await.is_err_and(|error| error.is_cancelled()));
        pause.resume();
        writer.settled().await;
        quiet(&shop).await;
        let went_on = env.backend() != Backend::MySql;
        assert_eq!(price(&shop.plain, 6).await, Some(if went_on { 700 } else { 600 }));
        assert_coherent(&shop).await;
    }

    async fn a_writer_that_vanishes_after_its_commit_leaves_no_old_row(env: Env) {
        let (shop, writer, pausable) = two(&env).await;
        let mut pause = pausable.pause_before(Call::Release);
        let write = repricing(&writer, 700);
        pause.reached().await;
        write.abort();
        drop(pause);
        for _ in 0..3 {
            assert_eq!(price(&shop.db, 6).await, Some(700));
            shop.db.settled().await;
        }
    }

    /// Every await is a place where the caller may vanish. A driver counts a transaction once it is told that it has
    /// begun: whoever gives up before leaves a connection that commits nothing any more.
    async fn a_dropped_write_leaves_its_connection_in_order(env: Env) {
        let mut sweep = Sweep::open(&env, "update_many").await;
        while sweep.goes_on().await {
            let (db, new) = (sweep.shop.db.clone(), sweep.price());
            sweep.vanish(reprice_first(&db, new)).await;
            sweep.check().await;
        }
        sweep.finish();
    }

    async fn a_dropped_statement_of_a_transaction_leaves_no_old_row(env: Env) {
        let mut sweep = Sweep::open(&env, "update_many in a transaction").await;
        while sweep.goes_on().await {
            let (db, new) = (sweep.shop.db.clone(), sweep.price());
            let transaction = db.begin().await.expect("a transaction");
            sweep.vanish(reprice_first(&transaction, new)).await;
            transaction.commit().await.expect("the commit succeeds");
            sweep.check().await;
        }
        sweep.finish();
    }

    /// The same where the statement waits for another transaction while it is given up.
    async fn a_statement_that_is_dropped_while_it_waits_leaves_no_old_row(env: Env) on [Postgres, MySql] {
        // (SQLite's waits in this process.)
        let shop = warm_shop_with(&env, |builder| builder, |options| { options.max_connections(1); }).await;
        assert_eq!(reprice(&shop.db, 999).await, 2);
        warm(&shop.db).await;
        let holder = shop.plain.begin().await.expect("a transaction");
        holder.execute_unprepared("UPDATE product SET price = price WHERE id = 6").await.expect("it succeeds");
        let transaction = shop.db.begin().await.expect("a transaction");
        {
            let mut update = pin!(reprice(&transaction, 1000));
            for _ in 0..3 {
                assert!(poll(update.as_mut()).await.is_pending());
                price(&shop.plain, 1).await;
            }
        }
        holder.rollback().await.expect("the rollback succeeds");
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(price(&shop.plain, 6).await, Some(1000), "the commit waits for the statement");
        assert_coherent(&shop).await;
    }

    async fn a_savepoint_that_is_rolled_back_leaves_its_notes(env: Env) {
        let shop = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        let savepoint = transaction.begin().await.expect("a savepoint");
        assert_eq!(reprice(&savepoint, 900).await, 2);
        savepoint.rollback().await.expect("the rollback succeeds");
        let kept = transaction.begin().await.expect("a savepoint");
        product::Entity::delete_by_sku("A-1").exec(&kept).await.expect("the delete succeeds");
        kept.commit().await.expect("the commit succeeds");
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(cached(&shop.db).await, left(env.backend(), &[2, 3, 4]));
        assert_coherent(&shop).await;
    }

    async fn a_transaction_that_rolls_back_invalidates_nothing(env: Env) {
        let shop = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        assert_eq!(reprice(&transaction, 900).await, 2);
        transaction.rollback().await.expect("the rollback succeeds");
        assert_eq!(cached(&shop.db).await, ALL);
    }

    /// A raw COMMIT takes effect at once, so what follows is fenced before it is sent.
    async fn after_a_raw_commit_in_a_transaction(env: Env) on [Sqlite, Postgres] {
        let shop = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        assert_eq!(reprice(&transaction, 900).await, 2);
        transaction.execute_unprepared("COMMIT").await.expect("it succeeds");
        assert_eq!(price(&shop.db, 6).await, Some(900));
        assert_eq!(reprice(&transaction, 901).await, 2);
        assert_eq!(price(&shop.db, 6).await, Some(901));
        drop(transaction);
        assert_coherent(&shop).await;
    }
}

/// A bulk update of the first product.
async fn reprice_first(db: &impl ConnectionTrait, new: i32) -> u64 {
    let update = product::Entity::update_many()
        .col_expr(product::Column::Price, Expr::value(new))
        .filter(product::Column::Name.eq("product 1"));
    update.exec(db).await.expect("the update succeeds").rows_affected
}

/// Polls a future once.
async fn poll<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}
