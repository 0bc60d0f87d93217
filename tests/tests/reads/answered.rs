//! Which reads are answered from the cache, and that their answers are the database's.

use cache_orm::BypassReason;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait,
    ModelTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, prelude::Uuid,
};
use tests::{
    Env, matrix,
    shop::{Shop, category, customer, offer, product, review, stock, store},
};

/// Runs a read on the plain and several times on the cached connection; all answers must be equal. Returns
/// how many of the cached ones were hits, counting "no such row".
async fn hits<E>(shop: &Shop, table: &str, times: u64, select: Select<E>) -> u64
where
    E: EntityTrait<Model: PartialEq + Send + Sync>,
{
    let truth = select.clone().all(&shop.plain).await.expect("the plain connection answers");
    let first = select.clone().one(&shop.plain).await.expect("the plain connection answers");
    let before = shop.counts(table);
    for _ in 0..times {
        let all = select.clone().all(&shop.db).await.expect("the cached connection answers");
        assert_eq!(all, truth);
        shop.db.settled().await;
        let one = select.clone().one(&shop.db).await.expect("the cached connection answers");
        assert_eq!(one, first);
        shop.db.settled().await;
    }
    let after = shop.counts(table);
    (after.hits + after.absent_hits) - (before.hits + before.absent_hits)
}

matrix! {
    stores: store;

    async fn by_primary_key(env: Env) {
        let shop = Shop::open(&env).await;
        // `.all` misses and fills; everything after it hits.
        assert_eq!(hits(&shop, "product", 3, product::Entity::find_by_id(1)).await, 5);
        assert_eq!(hits(&shop, "product", 3, product::Entity::find().filter(product::Column::Id.eq(2))).await, 5);
    }

    async fn by_primary_key_of_any_integer_width(env: Env) {
        let shop = Shop::open(&env).await;
        let narrow = product::Entity::find_by_id(1).one(&shop.db).await.expect("an answer");
        shop.db.settled().await;
        // A hit: a pooled Postgres connection that has prepared this text for one width refuses the other.
        let wide = product::Entity::find().filter(product::Column::Id.eq(1_i64));
        assert_eq!(wide.one(&shop.db).await.expect("an answer"), narrow);
        assert_eq!(shop.counts("product").hits, 1);
    }

    async fn by_unique_key_shares_the_slot_of_the_primary_key(env: Env) {
        let shop = Shop::open(&env).await;
        assert_eq!(hits(&shop, "product", 1, product::Entity::find_by_id(1)).await, 1);
        // The first read by the unique key finds the alias; the row is there already.
        assert_eq!(hits(&shop, "product", 2, product::Entity::find_by_sku("A-1")).await, 3);
        let filtered = product::Entity::find().filter(product::Column::Sku.eq("A-1"));
        assert_eq!(hits(&shop, "product", 1, filtered).await, 2);
        let model = product::Entity::find_by_sku("A-1").require_one(&shop.db).await.expect("there is one");
        assert_eq!(model.id, 1);
    }

    async fn by_unique_key_alone(env: Env) {
        let shop = Shop::open(&env).await;
        // The first load leaves the alias, the second the row.
        assert_eq!(hits(&shop, "product", 3, product::Entity::find_by_sku("B-2")).await, 4);
    }

    async fn by_composite_primary_key_in_any_order(env: Env) {
        let shop = Shop::open(&env).await;
        let row = stock::ActiveModel { warehouse: Set(7), product_id: Set(1), quantity: Set(5) };
        row.insert(&shop.plain).await.expect("a row can be inserted");
        assert_eq!(hits(&shop, "stock", 2, stock::Entity::find_by_id((7, 1))).await, 3);
        let reversed = stock::Entity::find()
            .filter(stock::Column::ProductId.eq(1))
            .filter(stock::Column::Warehouse.eq(7));
        assert_eq!(hits(&shop, "stock", 1, reversed).await, 2);
        // The same values the other way round are another row.
        assert_eq!(hits(&shop, "stock", 1, stock::Entity::find_by_id((1, 7))).await, 1);
    }

    async fn by_composite_unique_key(env: Env) {
        let shop = Shop::open(&env).await;
        let row = offer::ActiveModel { id: Set(4), product_id: Set(1), country: Set("de".into()), price: Set(9) };
        row.insert(&shop.plain).await.expect("a row can be inserted");
        assert_eq!(hits(&shop, "offer", 3, offer::Entity::find_by_offer((1, "de".to_owned()))).await, 4);
        let reversed = offer::Entity::find()
            .filter(offer::Column::Country.eq("de"))
            .filter(offer::Column::ProductId.eq(1));
        assert_eq!(hits(&shop, "offer", 1, reversed).await, 2);
    }

    async fn by_uuid(env: Env) {
        let shop = Shop::open(&env).await;
        let id = Uuid::from_u128(0x1234_5678);
        let row = customer::ActiveModel { id: Set(id), email: Set("a@b.c".into()), nickname: Set(None) };
        row.insert(&shop.plain).await.expect("a row can be inserted");
        assert_eq!(hits(&shop, "customer", 2, customer::Entity::find_by_id(id)).await, 3);
        assert_eq!(hits(&shop, "customer", 1, customer::Entity::find_by_email("a@b.c")).await, 1);
    }

    async fn every_row(env: Env) {
        let shop = Shop::open(&env).await;
        for _ in 0..3 {
            let all = category::Entity::find().all(&shop.db).await.expect("an answer");
            assert_eq!(all, category::Entity::find().all(&shop.plain).await.expect("an answer"));
            shop.db.settled().await;
        }
        assert_eq!(shop.counts("category").hits, 2);
    }

    async fn absent_rows(env: Env) {
        let shop = Shop::open(&env).await;
        assert_eq!(hits(&shop, "product", 2, product::Entity::find_by_id(99)).await, 3);
        assert_eq!(hits(&shop, "product", 2, product::Entity::find_by_sku("nothing")).await, 3);
        // `#[cacheable(absent = false)]`
        assert_eq!(hits(&shop, "offer", 2, offer::Entity::find_by_id(99)).await, 0);
    }

    async fn other_reads_go_to_the_database(env: Env) {
        let shop = Shop::open(&env).await;
        use product::Column::{CategoryId, Id, Name, Price, Sku};
        let find = product::Entity::find;
        for select in [
            find().filter(Id.is_in([1, 2])).filter(Price.eq(100)),
            find().filter(Id.is_in([1, 2])).limit(1),
            find().filter(Id.is_not_in([1, 2])),
            find().filter(Id.is_in([1, 2])).order_by_asc(Price),
            find().filter(Id.eq(1)).filter(Price.eq(100)),
            find().filter(Condition::any().add(Id.eq(1)).add(Id.eq(2))),
            find().filter(Name.eq("product 1")),
            find().filter(CategoryId.is_null()),
            find().filter(Id.gt(1)).order_by_desc(Price),
            find().filter(Id.ne(1)).limit(2),
            find().filter(Sku.like("A%")).limit(1),
            find().filter(Id.eq(1)).offset(1).limit(1),
        ] {
            assert_eq!(hits(&shop, "product", 2, select.clone()).await, 0, "{:?}", select.build(DbBackend::Sqlite).sql);
        }
    }

    async fn a_limit_other_than_one_is_the_databases_business(env: Env) {
        let shop = Shop::open(&env).await;
        assert_eq!(hits(&shop, "product", 1, product::Entity::find_by_id(1)).await, 1);
        let none = product::Entity::find_by_id(1).limit(0).all(&shop.db).await.expect("an answer");
        assert!(none.is_empty());
        let one = product::Entity::find_by_id(1).limit(5).all(&shop.db).await.expect("an answer");
        assert_eq!(one.len(), 1);
        assert_eq!(shop.counts("product").hits, 1);
    }

    async fn a_key_of_another_type_or_null_is_the_databases_business(env: Env) {
        let shop = Shop::open(&env).await;
        let by_null = product::Entity::find().filter(product::Column::CategoryId.eq(None::<i32>));
        assert_eq!(hits(&shop, "product", 1, by_null).await, 0);
        let by_null_key = product::Entity::find().filter(product::Column::Id.eq(None::<i32>));
        assert_eq!(hits(&shop, "product", 1, by_null_key).await, 0);
        if env.backend() != tests::Backend::Postgres {
            let by_text = product::Entity::find().filter(product::Column::Id.eq("1"));
            assert_eq!(hits(&shop, "product", 1, by_text).await, 0);
        }
    }

    async fn reads_that_bypass_fill_nothing_and_count_why(env: Env) {
        let shop = Shop::open(&env).await;
        let bypass = shop.db.bypass();
        product::Entity::find_by_id(1).one(&bypass).await.expect("an answer");
        let product = product::Entity::find_by_id(1).one(&bypass).await.expect("an answer").expect("a row");
        product.find_related(review::Entity).all(&shop.db).await.expect("an answer");
        let stats = shop.db.stats();
        assert_eq!(stats.entities["product"].bypasses[&BypassReason::Requested], 2);
        assert_eq!(stats.entities["product"].counts.fills, 0);
        assert_eq!(stats.bypasses[&BypassReason::NotAKeyLookup], 1);
    }

    async fn a_statement_built_by_hand_is_recognised_too(env: Env) {
        let shop = Shop::open(&env).await;
        let statement = product::Entity::find_by_id(1).build(shop.db.get_database_backend());
        for _ in 0..2 {
            shop.db.query_all_raw(statement.clone()).await.expect("an answer");
            shop.db.settled().await;
        }
        assert_eq!(shop.counts("product").hits, 1);
    }
}
