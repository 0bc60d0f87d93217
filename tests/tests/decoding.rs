//! The same statement, decoded as something else.

use cache_orm::{CachedConnection, Namespace};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, JsonValue, QueryFilter, Select};
use tests::{
    Env, StoreKind, matrix,
    shop::{Shop, category, offer, product, store},
};

#[derive(Debug, PartialEq, FromQueryResult)]
struct Labelled {
    sku: String,
    price: i32,
    category_id: Option<i32>,
}

/// A connection that allows any decoder, over the same store.
async fn lenient(env: &Env) -> CachedConnection {
    CachedConnection::builder(env.connect().await)
        .shared_store(env.store().await)
        .namespace(Namespace::new(format!("{}x", env.namespace)).expect("the harness makes valid names"))
        .any_decoder()
        .build()
        .await
        .expect("the cache is ready")
}

async fn as_json<E: EntityTrait>(select: Select<E>, db: &impl sea_orm::ConnectionTrait) -> Vec<JsonValue> {
    select.into_json().all(db).await.expect("an answer")
}

fn hits(db: &CachedConnection, table: &str) -> u64 {
    db.stats().entities[table].counts.hits
}

matrix! {
    stores: store;

    async fn tuples_and_partial_models_of_the_same_types_are_right(env: Env) {
        let shop = Shop::open(&env).await;
        for _ in 0..2 {
            let tuple: Option<(i32, String, String, i32, Option<i32>)> =
                product::Entity::find_by_id(1).into_tuple().one(&shop.db).await.expect("an answer");
            assert_eq!(tuple, Some((1, "A-1".into(), "product 1".into(), 100, Some(1))));
            let labelled = product::Entity::find_by_id(1).into_model::<Labelled>().one(&shop.db).await;
            let expected = Labelled { sku: "A-1".into(), price: 100, category_id: Some(1) };
            assert_eq!(labelled.expect("an answer"), Some(expected));
            let list = || product::Entity::find().filter(product::Column::Id.is_in([1, 2]));
            let tuples: Vec<(i32, String, String, i32, Option<i32>)> =
                list().into_tuple().all(&shop.db).await.expect("an answer");
            assert_eq!(tuples.iter().map(|row| row.3).collect::<Vec<_>>(), [100, 200]);
            shop.db.settled().await;
        }
        assert!(hits(&shop.db, "product") >= 5);
    }

    async fn bypass_is_right_for_every_decoder(env: Env) {
        let shop = Shop::open(&env).await;
        for _ in 0..2 {
            product::Entity::find_by_id(1).one(&shop.db).await.expect("an answer");
            shop.db.settled().await;
            let json = as_json(product::Entity::find_by_id(1), &shop.db.bypass()).await;
            assert_eq!(json, as_json(product::Entity::find_by_id(1), &shop.plain).await);
        }
    }

    async fn any_decoder_sees_the_same_where_that_is_demanded(env: Env) {
        let shop = Shop::open(&env).await;
        let db = lenient(&env).await;
        for _ in 0..3 {
            for select in [product::Entity::find_by_id(1), product::Entity::find_by_sku("B-2")] {
                assert_eq!(as_json(select.clone(), &db).await, as_json(select.clone(), &shop.plain).await);
                select.one(&db).await.expect("an answer");
                db.settled().await;
            }
            for select in [category::Entity::find(), category::Entity::find_by_id(1)] {
                assert_eq!(as_json(select.clone(), &db).await, as_json(select, &shop.plain).await);
                db.settled().await;
            }
            let pairs: Vec<(i32, String)> =
                category::Entity::find_by_id(2).into_tuple().all(&db).await.expect("an answer");
            assert_eq!(pairs, [(2, "toys".to_owned())]);
            offer::Entity::find_by_id(1).one(&db).await.expect("an answer");
            db.settled().await;
        }
        // `id, name` are in order and look alike; the product's columns are not in order.
        assert!(hits(&db, "category") >= 6);
        assert_eq!(hits(&db, "product"), 0);
        assert!(env.kind == StoreKind::Redis || db.stats().entities["product"].counts.fills <= 1);
    }
}
