//! What the cache would do with a statement is what it does.

use std::collections::BTreeSet;

use cache_core::{backend::MemoryStore, key::Key, slot::Slot, testing::Cells};
use cache_orm::{BypassReason, CachedConnection, Explanation, Namespace, NotCacheable, ReadyError};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};
use tests::{
    Backend, Env, StoreKind, matrix, run,
    shop::{Shop, priced, product, store},
};

/// The cells of a read that is answered.
async fn cells(db: &CachedConnection, query: &impl sea_orm::QueryTrait) -> Vec<String> {
    match db.explain(query).await {
        Explanation::Cached { table, cells, .. } if table == "product" => cells,
        other => panic!("{other}"),
    }
}

async fn reason(db: &CachedConnection, query: &impl sea_orm::QueryTrait) -> BypassReason {
    match db.explain(query).await {
        Explanation::Bypassed { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

/// The cells that are named are those that the read then fills.
#[tokio::test]
async fn the_cells_of_a_read_are_those_that_it_fills() {
    let memory = MemoryStore::default();
    let body = |env: Env| {
        let memory = memory.clone();
        async move {
            let shop = Shop::open(&env).await;
            let db = Shop::enter(&env, std::sync::Arc::new(memory.clone())).await;
            let is_filled = async |cell: &str| {
                let slot = memory.cell(&Key::from(cell.to_owned())).await.expect("memory answers");
                matches!(slot, Slot::Filled { .. })
            };
            let (one, all) = (product::Entity::find_by_id(1), product::Entity::find());
            let by_sku = product::Entity::find_by_sku("B-2");
            let some = product::Entity::find().filter(product::Column::Id.is_in([2, 3]));
            let mut named = BTreeSet::new();
            for (query, keys) in [(&one, 1), (&by_sku, 1), (&some, 2), (&all, 1)] {
                let cells = cells(&db, query).await;
                assert_eq!(cells.len(), keys, "{cells:?}");
                for cell in &cells {
                    assert!(!is_filled(cell).await, "{cell}");
                }
                named.extend(cells.clone());
                query.clone().all(&shop.plain).await.expect("another connection fills nothing");
                query.clone().all(&db).await.expect("an answer");
                for cell in &cells {
                    assert!(is_filled(cell).await, "{cell}");
                }
            }
            assert_eq!(named.len(), 5, "{named:?}");
            let stats = db.stats();
            assert_eq!(stats.entities["product"].counts.misses, 5, "to explain is not to read:\n{stats}");
        }
    };
    run(Backend::Sqlite, StoreKind::Memory, store, body).await;
}

matrix! {
    stores: store;

    async fn what_goes_to_the_database_is_told_with_its_reason(env: Env) {
        let db = Shop::open(&env).await.db;
        let dear = product::Entity::find().filter(product::Column::Price.gt(1));
        assert_eq!(reason(&db, &dear).await, BypassReason::NotAKeyLookup);
        let locked = product::Entity::find_by_id(1).lock_exclusive();
        if env.backend() != Backend::Sqlite {
            assert_eq!(reason(&db, &locked).await, BypassReason::Locking);
        }
        assert_eq!(reason(&db.bypass(), &product::Entity::find_by_id(1)).await, BypassReason::Requested);
        let by_null = product::Entity::find().filter(product::Column::Id.eq(Option::<i32>::None));
        assert!(matches!(reason(&db, &by_null).await, BypassReason::KeyValue | BypassReason::NotAKeyLookup));
        let stats = db.stats();
        assert!(stats.bypasses.is_empty(), "to explain is not to read:\n{stats}");
        assert_eq!(product::Entity::find().count(&db).await.expect("an answer"), 3);
    }

    async fn a_write_tells_what_it_invalidates_and_changes_nothing(env: Env) {
        let shop = Shop::open(&env).await;
        let change = product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .filter(product::Column::Id.eq(1));
        let row = cells(&shop.db, &product::Entity::find_by_id(1)).await;
        match shop.db.explain(&change).await {
            Explanation::Invalidates { cells, whole_tables, tells_its_rows, .. } => {
                assert!(cells.contains(&row[0]) && cells.len() == 2, "{cells:?}");
                assert!(whole_tables.is_empty() && !tells_its_rows);
            }
            other => panic!("{other}"),
        }
        let many = product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(1))
            .filter(product::Column::Price.gt(1));
        match shop.db.explain(&many).await {
            Explanation::Invalidates { whole_tables, tells_its_rows, .. } => {
                assert_eq!(tells_its_rows, env.backend() != Backend::MySql);
                assert!(whole_tables.iter().any(|table| table.ends_with("product")), "{whole_tables:?}");
            }
            other => panic!("{other}"),
        }
        assert_eq!(tests::shop::price(&shop.plain, 1).await, Some(100));
        priced(1, 8).update(&shop.db).await.expect("a write");
    }
}

/// What its table does not keep.
mod unkept {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, cache_orm::Cacheable)]
    #[sea_orm(table_name = "unkept")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub ghost: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(unkept::Entity);

matrix! {
    stores: store;

    async fn what_a_table_does_not_keep_is_an_error_that_names_it(env: Env) {
        let shop = Shop::open(&env).await;
        let enter = async || {
            let builder = CachedConnection::builder(env.connect().await)
                .shared_store(env.store().await)
                .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"));
            match builder.require_cacheable().build().await {
                Err(ReadyError::NotCacheable { entities }) => entities,
                other => panic!("{other:?}"),
            }
        };
        let unkept = |entities: &[NotCacheable]| {
            assert!(entities.iter().all(|entity| entity.table != "product"), "its table keeps what it says");
            let unkept = entities.iter().find(|entity| entity.table == "unkept").expect("it is named");
            (unkept.reason, unkept.missing.clone())
        };
        assert_eq!(unkept(&enter().await), (BypassReason::TableUnknown, vec![]));
        let sql = "CREATE TABLE unkept (id INT NOT NULL PRIMARY KEY)";
        shop.plain.execute_unprepared(sql).await.expect("the statement is right");
        assert_eq!(unkept(&enter().await), (BypassReason::ColumnNotReadable, vec!["ghost".to_owned()]));
    }
}
