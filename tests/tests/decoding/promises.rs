//! What an entity promises holds, and what it does not promise goes past the cache.

use cache_orm::CachedEntity;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JsonValue, QueryFilter, Select};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, category, product, store},
};

use super::{
    connect,
    entities::{claim, claims, draft, drafts, flag, flags, invoice, invoices, measure, measures},
    hits,
};

#[derive(Debug, PartialEq, FromQueryResult)]
struct Labelled {
    sku: String,
    price: i32,
    category_id: Option<i32>,
}

pub(crate) async fn as_json<E: EntityTrait>(select: Select<E>, db: &impl ConnectionTrait) -> Vec<JsonValue> {
    select.into_json().all(db).await.expect("an answer")
}

matrix! {
    stores: store;

    async fn json_of_the_first_and_the_second_read_is_the_database_s(env: Env) {
        let shop = Shop::open(&env).await;
        for strict in [true, false] {
            let (db, ready) = connect(&env, strict).await;
            ready.expect("every column looks alike");
            for _ in 0..3 {
                for select in [
                    product::Entity::find_by_id(1),
                    product::Entity::find_by_sku("B-2"),
                    product::Entity::find().filter(product::Column::Id.is_in([1, 3])),
                ] {
                    assert_eq!(as_json(select.clone(), &db).await, as_json(select, &shop.plain).await);
                    db.settled().await;
                }
                assert_eq!(as_json(category::Entity::find(), &db).await, as_json(category::Entity::find(), &shop.plain).await);
                db.settled().await;
            }
            assert!(hits(&db, "product") >= 4, "{:?}", db.stats());
            assert!(hits(&db, "category") >= 2, "{:?}", db.stats());
        }
    }

    async fn models_of_the_same_types_are_right(env: Env) {
        let shop = Shop::open(&env).await;
        for _ in 0..2 {
            let labelled = product::Entity::find_by_id(1).into_model::<Labelled>().one(&shop.db).await;
            let expected = Labelled { sku: "A-1".into(), price: 100, category_id: Some(1) };
            assert_eq!(labelled.expect("an answer"), Some(expected));
            // In alphabetical order.
            let pair = category::Entity::find_by_id(2).into_tuple::<(i32, String)>().one(&shop.db).await;
            assert_eq!(pair.expect("an answer"), Some((2, "toys".to_owned())));
            shop.db.settled().await;
        }
        assert_eq!((hits(&shop.db, "product"), hits(&shop.db, "category")), (1, 1));
    }

    async fn tuples_in_another_order_are_right_where_the_entity_says_so(env: Env) {
        let plain = env.connect().await;
        measures(&plain).await;
        for strict in [true, false] {
            let (db, ready) = connect(&env, strict).await;
            ready.expect("JSON is not promised");
            for _ in 0..2 {
                let tuple = measure::Entity::find_by_id(7).into_tuple::<(i32, i32)>().one(&db).await;
                assert_eq!(tuple.expect("an answer"), Some((7, 100)));
                db.settled().await;
            }
            assert_eq!(hits(&db, "measure"), 1);
        }
    }

    async fn bypass_is_right_for_every_decoder(env: Env) {
        let plain = env.connect().await;
        invoices(&plain).await;
        for strict in [true, false] {
            let (db, ready) = connect(&env, strict).await;
            ready.expect("JSON is not promised");
            for _ in 0..2 {
                let select = || invoice::Entity::find_by_id(1);
                let truth = select().one(&plain).await.expect("an answer");
                assert_eq!(select().one(&db).await.expect("an answer"), truth);
                assert_eq!(*invoice::Entity::get(&db, 1).await.expect("an answer").expect("a row"), truth.expect("a row"));
                db.settled().await;
                assert_eq!(as_json(select(), &db.bypass()).await, as_json(select(), &plain).await);
            }
            assert!(hits(&db, "invoice") >= 2);
        }
    }

    /// The JSON of the database and of the model are two: only a row whose are equal is cached.
    async fn a_structure_that_drops_a_field_is_not_cached(env: Env) {
        let plain = env.connect().await;
        drafts(&plain).await;
        for strict in [true, false] {
            let (db, ready) = connect(&env, strict).await;
            // SQLite gives a document as text, so nothing is cached there.
            let cached = env.backend() != Backend::Sqlite;
            assert_eq!(ready.is_ok(), cached, "{ready:?}");
            for id in [1, 2] {
                for _ in 0..2 {
                    let select = || draft::Entity::find_by_id(id);
                    assert_eq!(as_json(select(), &db).await, as_json(select(), &plain).await);
                    db.settled().await;
                    let model = select().one(&db).await.expect("an answer").expect("a row");
                    assert_eq!(model.text.title, if id == 1 { "one" } else { "two" });
                    db.settled().await;
                }
                assert_eq!(hits(&db, "draft"), if cached { 3 } else { 0 }, "{id}");
            }
        }
    }

    async fn a_truth_value_in_a_column_of_integers_is_not_cached(env: Env) {
        let plain = env.connect().await;
        flags(&plain).await;
        let (db, _) = connect(&env, false).await;
        for _ in 0..2 {
            let select = || flag::Entity::find_by_id(1);
            assert_eq!(as_json(select(), &db).await, as_json(select(), &plain).await);
            let (answer, truth) = (select().one(&db).await, select().one(&plain).await);
            // Postgres has no such truth values.
            assert_eq!(answer.is_ok(), env.backend() != Backend::Postgres);
            assert_eq!(answer.ok(), truth.ok());
            db.settled().await;
        }
        assert_eq!(hits(&db, "flag"), 0);
    }

    async fn a_type_that_claims_to_look_alike_is_compared(env: Env) {
        let plain = env.connect().await;
        claims(&plain).await;
        let (db, _) = connect(&env, false).await;
        for _ in 0..2 {
            let select = || claim::Entity::find_by_id(1);
            assert_eq!(as_json(select(), &db).await, as_json(select(), &plain).await);
            let model = select().one(&db).await.expect("an answer").expect("a row");
            assert_eq!(model.price, claim::Price("9.5".parse().expect("a number")));
            db.settled().await;
        }
        // A SQLite decimal is a float to both of them.
        assert_eq!(hits(&db, "claim") > 0, env.backend() == Backend::Sqlite);
    }
}
