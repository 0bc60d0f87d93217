//! Transactions: reads inside go to the database and fill nothing, fences are placed right before COMMIT.

use std::sync::Arc;

use cache_core::testing::CountingStore;
use cache_orm::{BypassReason, CachedConnection, CachedTransaction};
use sea_orm::{
    AccessMode, ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IsolationLevel, StreamTrait,
    TransactionError, TransactionOptions, TransactionTrait,
};
use tests::{
    Env, matrix,
    shop::{Shop, price_of, priced, product, store},
};

/// A shop whose first product is cached, and the operations of its store.
async fn warm_shop(env: &Env) -> (Shop, CountingStore) {
    let shop = Shop::open(env).await;
    let operations = CountingStore::new(env.store().await);
    let db = Shop::enter(env, Arc::new(operations.clone())).await;
    let shop = Shop { db, ..shop };
    for _ in 0..2 {
        price_of(&shop.db, 1).await;
        price_of(&shop.db, 2).await;
        shop.db.settled().await;
    }
    operations.take();
    (shop, operations)
}

/// The verbs of the operations so far.
fn verbs(operations: &CountingStore) -> Vec<String> {
    let verb = |operation: String| operation.split(' ').next().unwrap_or_default().to_owned();
    operations.take().into_iter().map(verb).collect()
}

async fn committed(db: &CachedConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    priced(1, 7).update(&transaction).await?;
    transaction.commit().await
}

matrix! {
    stores: store;

    async fn a_commit_fences_once_and_releases(env: Env) {
        let (shop, operations) = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        priced(1, 7).update(&transaction).await.expect("the update succeeds");
        priced(2, 8).update(&transaction).await.expect("the update succeeds");
        assert_eq!(price_of(&transaction, 1).await, 7, "a transaction sees its own writes");
        assert_eq!(price_of(&shop.db, 1).await, 100, "nobody else does, and the row stays cached");
        assert_eq!(verbs(&operations), ["lookup"]);
        transaction.commit().await.expect("the commit succeeds");
        shop.db.settled().await;
        assert_eq!(verbs(&operations), ["fence", "release"]);
        assert_eq!((price_of(&shop.db, 1).await, price_of(&shop.db, 2).await), (7, 8));
    }

    async fn reads_inside_fill_nothing(env: Env) {
        let (shop, operations) = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        assert_eq!(price_of(&transaction, 3).await, 300);
        transaction.commit().await.expect("the commit succeeds");
        shop.db.settled().await;
        assert_eq!(operations.take(), Vec::<String>::new());
        let bypasses = &shop.db.stats().entities["product"].bypasses;
        assert_eq!(bypasses[&BypassReason::InTransaction], 1);
    }

    async fn a_rollback_leaves_the_cache_alone(env: Env) {
        let (shop, operations) = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        priced(1, 7).update(&transaction).await.expect("the update succeeds");
        transaction.rollback().await.expect("the rollback succeeds");
        let dropped = shop.db.begin().await.expect("a transaction");
        priced(1, 8).update(&dropped).await.expect("the update succeeds");
        drop(dropped);
        shop.db.settled().await;
        assert_eq!(operations.take(), Vec::<String>::new());
        assert_eq!(price_of(&shop.db, 1).await, 100);
        assert_eq!(price_of(&shop.plain, 1).await, 100);
    }

    async fn closures_commit_or_roll_back(env: Env) {
        let (shop, _) = warm_shop(&env).await;
        let done = shop.db.transaction::<_, i32, DbErr>(|transaction| {
            Box::pin(async move { Ok(priced(1, 7).update(transaction).await?.price) })
        });
        assert_eq!(done.await.expect("the closure succeeds"), 7);
        assert_eq!(price_of(&shop.db, 1).await, 7);

        let failed = shop.db.transaction_async(async |transaction: &CachedTransaction| {
            priced(1, 8).update(transaction).await?;
            Err::<(), _>(DbErr::Custom("the closure's own".into()))
        });
        assert!(matches!(failed.await, Err(TransactionError::Transaction(DbErr::Custom(_)))));
        assert_eq!(price_of(&shop.db, 1).await, 7);
    }

    async fn savepoints_commit_with_their_transaction(env: Env) {
        let (shop, operations) = warm_shop(&env).await;
        let outer = shop.db.begin().await.expect("a transaction");
        let kept = outer.begin().await.expect("a savepoint");
        priced(1, 7).update(&kept).await.expect("the update succeeds");
        kept.commit().await.expect("the savepoint is kept");
        let undone = outer.begin().await.expect("a savepoint");
        priced(2, 8).update(&undone).await.expect("the update succeeds");
        undone.rollback().await.expect("the savepoint is undone");
        assert_eq!(operations.take(), Vec::<String>::new());
        outer.commit().await.expect("the commit succeeds");
        shop.db.settled().await;
        assert_eq!(verbs(&operations), ["fence", "release"]);
        assert_eq!((price_of(&shop.db, 1).await, price_of(&shop.db, 2).await), (7, 200));
    }

    async fn options_reach_the_database(env: Env) {
        let (shop, _) = warm_shop(&env).await;
        if env.backend() == tests::Backend::Sqlite {
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
                ..Default::default()
            };
            let transaction = shop.db.begin_with_options(options).await.expect("a transaction");
            priced(1, 7).update(&transaction).await.expect("the update succeeds");
            transaction.commit().await.expect("the commit succeeds");
        } else {
            let read_only = shop
                .db
                .begin_with_config(Some(IsolationLevel::Serializable), Some(AccessMode::ReadOnly))
                .await
                .expect("a transaction");
            priced(1, 7).update(&read_only).await.expect_err("the transaction is read only");
        }
    }

    async fn a_raw_commit_inside_a_transaction_is_fenced_before_it_takes_effect(env: Env) {
        let (shop, operations) = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        priced(1, 7).update(&transaction).await.expect("the update succeeds");
        operations.take();
        transaction.execute_unprepared("COMMIT").await.expect("the raw commit succeeds");
        assert_eq!(verbs(&operations), ["fence"]);
        assert_eq!(price_of(&shop.db, 1).await, 7);
        drop(transaction);
    }

    async fn schema_changes_inside_a_transaction(env: Env) {
        let (shop, _) = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        transaction.execute_unprepared("ALTER TABLE product ADD COLUMN note INT").await.expect("it succeeds");
        priced(1, 7).update(&transaction).await.expect("the update succeeds");
        transaction.commit().await.expect("the commit succeeds");
        shop.db.settled().await;
        for _ in 0..3 {
            assert_eq!(price_of(&shop.db, 1).await, 7);
            shop.db.settled().await;
        }
        assert!(shop.counts("product").hits > 0);
    }

    async fn streams_inside_and_outside(env: Env) {
        use futures_util::TryStreamExt;
        let (shop, operations) = warm_shop(&env).await;
        let rows: Vec<_> = product::Entity::find()
            .stream(&shop.db)
            .await
            .expect("a stream")
            .try_collect()
            .await
            .expect("all rows");
        assert_eq!(rows.len(), 3);
        if env.backend() != tests::Backend::MySql {
            operations.take();
            let update = sea_orm::Statement::from_string(
                shop.db.get_database_backend(),
                "UPDATE product SET price = 5 WHERE id = 1 RETURNING id",
            );
            let rows: Vec<_> =
                shop.db.stream_raw(update).await.expect("a stream").try_collect().await.expect("the rows");
            assert_eq!(rows.len(), 1);
            shop.db.settled().await;
            assert_eq!(verbs(&operations), ["fence", "release"]);
            assert_eq!(price_of(&shop.db, 1).await, 5);
        }
        let transaction = shop.db.begin().await.expect("a transaction");
        let rows: Vec<product::Model> = product::Entity::find()
            .stream(&transaction)
            .await
            .expect("a stream")
            .try_collect()
            .await
            .expect("all rows");
        assert_eq!(rows.len(), 3);
    }

    async fn commits_of_several_tasks_are_independent(env: Env) {
        let (shop, _) = warm_shop(&env).await;
        if env.backend() == tests::Backend::Sqlite {
            committed(&shop.db).await.expect("the commit succeeds");
        } else {
            let (one, two) = tokio::join!(committed(&shop.db), committed(&shop.db));
            one.and(two).expect("the commits succeed");
        }
        assert_eq!(price_of(&shop.db, 1).await, 7);
    }
}
