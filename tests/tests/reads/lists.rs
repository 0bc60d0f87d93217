//! Reads by a list of keys: answered from the slots, in one round trip, of one snapshot.

#![allow(unreachable_pub, reason = "entities are public")]

use std::sync::Arc;

use cache_core::testing::{Call, CountingStore, PausableStore};
use cache_orm::{BypassReason, CachedConnection};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, LoaderTrait, QueryFilter, Select, TransactionTrait,
    prelude::Uuid,
    sea_query::{Expr, ExprTrait},
};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, category, customer, new_product, offer, priced, product, stock, store},
};

/// Its key is a text.
mod country {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "country")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(country::Entity);

/// The read on both connections, twice on the cached one; all answers must be equal, in order. Returns the hits
/// of the second time, counting "no such row".
async fn hits<E>(shop: &Shop, table: &str, select: Select<E>) -> u64
where
    E: EntityTrait<Model: PartialEq + Send + Sync>,
{
    let truth = select.clone().all(&shop.plain).await.expect("the plain connection answers");
    let mut before = 0;
    for _ in 0..2 {
        before = counted(shop, table);
        let all = select.clone().all(&shop.db).await.expect("the cached connection answers");
        assert_eq!(all, truth);
        shop.db.settled().await;
    }
    counted(shop, table) - before
}

fn counted(shop: &Shop, table: &str) -> u64 {
    let counts = shop.counts(table);
    counts.hits + counts.absent_hits
}

fn ids(ids: impl IntoIterator<Item = i32>) -> Select<product::Entity> {
    product::Entity::find().filter(product::Column::Id.is_in(ids))
}

fn by_id(select: Select<product::Entity>) -> Select<product::Entity> {
    select.order_by_id_asc()
}

async fn prices(db: &CachedConnection, list: &[i32]) -> Vec<(i32, i32)> {
    let rows = by_id(ids(list.iter().copied())).all(db).await.expect("an answer");
    rows.into_iter().map(|row| (row.id, row.price)).collect()
}

/// Reads in the background.
fn reading(db: &CachedConnection, list: &'static [i32]) -> tokio::task::JoinHandle<Vec<(i32, i32)>> {
    let db = db.clone();
    tokio::spawn(async move { prices(&db, list).await })
}

/// Two processes over one database and store. The calls of the first are counted, and can be stopped.
struct Two {
    first: CachedConnection,
    second: CachedConnection,
    pausable: PausableStore,
    calls: CountingStore,
}

impl Two {
    async fn open(env: &Env) -> Self {
        let shop = Shop::open(env).await;
        let calls = CountingStore::new(env.store().await);
        let pausable = PausableStore::new(Arc::new(calls.clone()));
        let first = Shop::enter(env, Arc::new(pausable.clone())).await;
        calls.take();
        Two { first, second: shop.db, pausable, calls }
    }

    async fn verbs(&self) -> Vec<String> {
        self.first.settled().await;
        let verb = |call: String| call.split(' ').next().unwrap_or_default().to_owned();
        self.calls.take().into_iter().map(verb).collect()
    }
}

matrix! {
    stores: store;

    async fn of_primary_keys(env: Env) {
        let shop = Shop::open(&env).await;
        assert_eq!(hits(&shop, "product", by_id(ids([3, 1]))).await, 2);
        // Absent keys, keys that occur twice, and a key that is cold.
        assert_eq!(hits(&shop, "product", by_id(ids([1, 99, 3, 1, 2, 99]))).await, 4);
        assert_eq!(hits(&shop, "product", ids([2, 1, 3]).order_by_id_desc()).await, 3);
        assert_eq!(hits(&shop, "product", ids([2])).await, 1);
        assert_eq!(hits(&shop, "product", by_id(ids([77, 78]))).await, 2);
    }

    async fn shares_its_slots_with_reads_of_one_row(env: Env) {
        let shop = Shop::open(&env).await;
        product::Entity::find_by_id(2).one(&shop.db).await.expect("an answer");
        shop.db.settled().await;
        prices(&shop.db, &[1, 2]).await;
        shop.db.settled().await;
        let before = counted(&shop, "product");
        assert_eq!(before, 1);
        for id in [1, 2] {
            product::Entity::find_by_id(id).one(&shop.db).await.expect("an answer");
        }
        assert_eq!(counted(&shop, "product") - before, 2);
    }

    async fn of_unique_keys(env: Env) {
        let shop = Shop::open(&env).await;
        let skus = |list: &[&str]| {
            by_id(product::Entity::find().filter(product::Column::Sku.is_in(list.iter().copied())))
        };
        // The first time leaves the aliases, the second the rows.
        hits(&shop, "product", skus(&["B-2", "nothing", "A-1", "B-2"])).await;
        // MySQL's collation may take another spelling for "nothing": a list does not tell that it is absent.
        let absent = u64::from(env.backend() != Backend::MySql);
        assert_eq!(hits(&shop, "product", skus(&["B-2", "nothing", "A-1", "B-2"])).await, 2 + absent);
        assert_eq!(hits(&shop, "product", by_id(ids([1, 2]))).await, 2);
        // A unique value that moved is found where it is.
        product::ActiveModel { id: Unchanged(1), sku: Set("X".into()), ..Default::default() }
            .update(&shop.db)
            .await
            .expect("the update succeeds");
        product::ActiveModel { id: Unchanged(3), sku: Set("A-1".into()), ..Default::default() }
            .update(&shop.db)
            .await
            .expect("the update succeeds");
        for _ in 0..3 {
            hits(&shop, "product", skus(&["A-1", "X", "B-2", "nothing"])).await;
        }
        assert_eq!(hits(&shop, "product", skus(&["A-1", "X", "B-2", "nothing"])).await, 3 + absent);
    }

    async fn of_composite_keys(env: Env) {
        let shop = Shop::open(&env).await;
        for (warehouse, product_id) in [(7, 1), (7, 2), (8, 1)] {
            let row = stock::ActiveModel {
                warehouse: Set(warehouse),
                product_id: Set(product_id),
                quantity: Set(warehouse * 10 + product_id),
            };
            row.insert(&shop.plain).await.expect("a row can be inserted");
        }
        let columns = || Expr::tuple([Expr::col((stock::Entity, stock::Column::Warehouse)), Expr::col((stock::Entity, stock::Column::ProductId))]);
        let select = stock::Entity::find().filter(columns().in_tuples([(8, 1), (7, 1), (1, 7), (7, 1)]));
        assert_eq!(hits(&shop, "stock", select.order_by_id_asc()).await, 3);
        let row = offer::ActiveModel { id: Set(4), product_id: Set(1), country: Set("de".into()), price: Set(9) };
        row.insert(&shop.plain).await.expect("a row can be inserted");
        let columns = || Expr::tuple([Expr::col((offer::Entity, offer::Column::ProductId)), Expr::col((offer::Entity, offer::Column::Country))]);
        let select = || {
            let list = columns().in_tuples([(1, "de"), (2, "de")]);
            offer::Entity::find().filter(list).order_by_id_asc()
        };
        hits(&shop, "offer", select()).await;
        // `#[cacheable(absent = false)]`: the other key is loaded each time.
        assert_eq!(hits(&shop, "offer", select()).await, 1);
    }

    async fn of_uuids(env: Env) {
        let shop = Shop::open(&env).await;
        let keys = [3_u128, 1, 2].map(|n| Uuid::from_u128(n << 120));
        for (id, email) in keys.into_iter().zip(["c@x", "a@x", "b@x"]) {
            let row = customer::ActiveModel { id: Set(id), email: Set(email.into()), nickname: Set(None) };
            row.insert(&shop.plain).await.expect("a row can be inserted");
        }
        let select = customer::Entity::find().filter(customer::Column::Id.is_in(keys));
        assert_eq!(hits(&shop, "customer", select.order_by_id_asc()).await, 3);
    }

    async fn of_the_loaders(env: Env) {
        let shop = Shop::open(&env).await;
        let products = product::Entity::find().order_by_id_asc().all(&shop.plain).await.expect("an answer");
        let truth = products.load_one(category::Entity, &shop.plain).await.expect("an answer");
        assert!(truth.iter().any(Option::is_none) && truth.iter().any(Option::is_some));
        for _ in 0..2 {
            let loaded = products.load_one(category::Entity, &shop.db).await.expect("an answer");
            assert_eq!(loaded, truth);
            shop.db.settled().await;
        }
        // The product without a category asks for NULL, which no row has.
        assert_eq!(shop.counts("category").hits, 2);
    }

    async fn of_an_array(env: Env) {
        let shop = Shop::open(&env).await;
        if env.backend() == Backend::Postgres {
            let any = |list: Vec<i32>| product::Entity::find().filter(product::Column::Id.eq_any(list));
            assert_eq!(hits(&shop, "product", any(vec![3, 1, 99]).order_by_id_asc()).await, 3);
            assert_eq!(hits(&shop, "product", any(vec![1, 2, 3]).order_by_id_asc()).await, 3);
            assert_eq!(shop.counts("product").fills, 4);
        } else {
            assert_eq!(hits(&shop, "product", by_id(ids([]))).await, 0);
        }
    }

    async fn that_are_very_long(env: Env) {
        let shop = Shop::open(&env).await;
        let list: Vec<i32> = (0..2500).collect();
        assert_eq!(hits(&shop, "product", by_id(ids(list.iter().copied()))).await, 2500);
        assert_eq!(hits(&shop, "product", by_id(ids(list.into_iter().rev().chain([9000])))).await, 2501);
    }

    async fn ordered_by_a_text_key_are_answered_where_the_order_is_known(env: Env) {
        let shop = Shop::open(&env).await;
        for ddl in [
            match env.backend() {
                Backend::MySql => "CREATE TABLE country (code VARCHAR(2) PRIMARY KEY, name VARCHAR(50) NOT NULL) \
                                   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                _ => "CREATE TABLE country (code VARCHAR(2) PRIMARY KEY, name VARCHAR(50) NOT NULL)",
            },
            "INSERT INTO country VALUES ('de', 'one'), ('FR', 'two'), ('at', 'three')",
        ] {
            shop.plain.execute_unprepared(ddl).await.expect("the statement is right");
        }
        shop.db.invalidate_all().await.expect("the schema is learned anew");
        let list = || country::Entity::find().filter(country::Column::Code.is_in(["at", "FR", "de"]));
        let known = if env.backend() == Backend::Sqlite { 3 } else { 0 };
        assert_eq!(hits(&shop, "country", list().order_by_id_asc()).await, known);
        if known == 0 {
            assert_eq!(shop.db.stats().entities["country"].bypasses[&BypassReason::KeyOrder], 2);
        }
        for _ in 0..2 {
            assert_eq!(list().all(&shop.db).await.expect("an answer").len(), 3);
            shop.db.settled().await;
        }
        assert!(counted(&shop, "country") >= 3);
    }

    async fn of_which_one_value_is_no_key_go_to_the_database(env: Env) {
        let shop = Shop::open(&env).await;
        let nulls = product::Entity::find().filter(product::Column::Id.is_in([Some(1), None, Some(2)]));
        assert_eq!(hits(&shop, "product", by_id(nulls)).await, 2);
        let empty = ids([]);
        assert_eq!(hits(&shop, "product", empty).await, 0);
        if env.backend() != Backend::Postgres {
            let text = product::Entity::find().filter(product::Column::Id.is_in(["1", "2"]));
            assert_eq!(hits(&shop, "product", by_id(text)).await, 0);
            assert_eq!(shop.db.stats().entities["product"].bypasses[&BypassReason::KeyValue], 2);
        }
    }

    async fn cost_one_round_trip_when_warm(env: Env) {
        let two = Two::open(&env).await;
        prices(&two.first, &[1, 2, 99]).await;
        assert_eq!(two.verbs().await, ["lookup_many", "lease_many", "fill_many"]);
        prices(&two.first, &[1, 2, 99]).await;
        assert_eq!(two.verbs().await, ["lookup_many"]);
        prices(&two.first, &[1, 2, 3]).await;
        // The fill goes on in the background, before or after the hits are looked at again.
        let mut mixed = two.verbs().await;
        mixed[2..].sort_unstable();
        assert_eq!(mixed, ["lookup_many", "lease_many", "fill_many", "lookup_many"]);
    }

    async fn a_write_between_look_and_load_is_seen_whole(env: Env) {
        let two = Two::open(&env).await;
        prices(&two.first, &[1]).await;
        two.first.settled().await;
        // Row 1 was found. Before row 2 is loaded, one transaction changes both.
        let mut pause = two.pausable.pause_after(Call::LeaseMany);
        let reading = reading(&two.first, &[1, 2]);
        pause.reached().await;
        let transaction = two.second.begin().await.expect("a transaction");
        for id in [1, 2] {
            priced(id, 7).update(&transaction).await.expect("the update succeeds");
        }
        transaction.commit().await.expect("the commit succeeds");
        pause.resume();
        assert_eq!(reading.await.expect("it ends"), [(1, 7), (2, 7)]);
    }

    async fn an_update_of_the_table_between_look_and_load_is_seen_whole(env: Env) {
        let two = Two::open(&env).await;
        prices(&two.first, &[1]).await;
        two.first.settled().await;
        let mut pause = two.pausable.pause_after(Call::LeaseMany);
        let reading = reading(&two.first, &[1, 2]);
        pause.reached().await;
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .exec(&two.second)
            .await
            .expect("the update succeeds");
        pause.resume();
        assert_eq!(reading.await.expect("it ends"), [(1, 7), (2, 7)]);
    }

    async fn an_insert_between_look_and_load_is_seen_whole(env: Env) {
        let two = Two::open(&env).await;
        prices(&two.first, &[50]).await;
        two.first.settled().await;
        let mut pause = two.pausable.pause_after(Call::LeaseMany);
        let reading = reading(&two.first, &[2, 50]);
        pause.reached().await;
        let transaction = two.second.begin().await.expect("a transaction");
        priced(2, 7).update(&transaction).await.expect("the update succeeds");
        new_product(50, "new").insert(&transaction).await.expect("the insert succeeds");
        transaction.commit().await.expect("the commit succeeds");
        pause.resume();
        assert_eq!(reading.await.expect("it ends"), [(2, 7), (50, 5000)]);
    }

    async fn a_write_between_load_and_fill_defeats_its_fill_alone(env: Env) {
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_before(Call::FillMany);
        let reading = reading(&two.first, &[1, 2]);
        pause.reached().await;
        priced(1, 7).update(&two.second).await.expect("the update succeeds");
        two.second.settled().await;
        pause.resume();
        assert_eq!(reading.await.expect("it ends"), [(1, 100), (2, 200)]);
        two.first.settled().await;
        assert_eq!(prices(&two.first, &[1, 2]).await, [(1, 7), (2, 200)]);
        let counts = two.first.stats().entities["product"].counts;
        // MySQL's update reads the row back, which fills its slot.
        let my_sql = env.backend() == Backend::MySql;
        assert_eq!((counts.superseded_fills, counts.misses), (1, if my_sql { 2 } else { 3 }));
    }

    async fn a_list_that_is_dropped_blocks_nobody(env: Env) {
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_after(Call::LeaseMany);
        let reading = reading(&two.first, &[1, 2]);
        pause.reached().await;
        reading.abort();
        assert!(reading.await.is_err());
        drop(pause);
        two.first.settled().await;
        // The leases were granted while nobody waited for them any more: they expire by themselves, in their time.
        assert_eq!(prices(&two.second, &[1, 2]).await, [(1, 100), (2, 200)]);
    }
}
