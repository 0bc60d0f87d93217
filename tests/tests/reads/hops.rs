//! Reads of the row that another row refers to: answered from both slots, of one snapshot.

#![allow(unreachable_pub, reason = "entities are public")]

use std::sync::Arc;

use cache_core::testing::{Call, CountingStore, PausableStore};
use cache_orm::{CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, LoaderTrait, ModelTrait, QueryFilter, TransactionTrait,
};
use tests::{
    Env, matrix,
    shop::{Shop, category, hits, product, review, store},
};

/// An employee, who has a badge, and a superior unless at the top.
mod employee {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "employee")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub name: String,
        pub superior_id: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_one = "super::badge::Entity")]
        Badge,
        #[sea_orm(belongs_to = "Entity", from = "Column::SuperiorId", to = "Column::Id")]
        Superior,
    }

    impl Related<super::badge::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Badge.def()
        }
    }

    /// SeaORM joins the table with itself, under one name.
    impl Related<Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Superior.def()
        }
    }

    pub struct ToSuperior;

    impl Linked for ToSuperior {
        type FromEntity = Entity;
        type ToEntity = Entity;

        fn link(&self) -> Vec<RelationDef> {
            vec![Relation::Superior.def()]
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A badge belongs to one employee.
mod badge {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "badge")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(unique)]
        pub employee_id: i32,
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::employee::Entity",
            from = "Column::EmployeeId",
            to = "super::employee::Column::Id"
        )]
        Employee,
    }

    impl Related<super::employee::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Employee.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(employee::Entity, badge::Entity);

async fn staff(env: &Env) -> (sea_orm::DatabaseConnection, CachedConnection, CountingStore) {
    let plain = env.connect().await;
    for ddl in [
        "CREATE TABLE employee (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL, superior_id INT)",
        "CREATE TABLE badge (id INT PRIMARY KEY, employee_id INT NOT NULL UNIQUE, text VARCHAR(50) NOT NULL)",
        "INSERT INTO employee VALUES (1, 'one', NULL), (2, 'two', 1), (3, 'three', 2)",
        "INSERT INTO badge VALUES (10, 2, 'ten'), (11, 1, 'eleven')",
    ] {
        plain.execute_unprepared(ddl).await.expect("the statement is right");
    }
    let calls = CountingStore::new(env.store().await);
    let db = CachedConnection::builder(env.connect().await)
        .shared_store(Arc::new(calls.clone()))
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("the cache is ready");
    (plain, db, calls)
}

async fn product(db: &impl ConnectionTrait, id: i32) -> product::Model {
    product::Entity::find_by_id(id).one(db).await.expect("an answer").expect("a row")
}

async fn category_of(db: &impl ConnectionTrait, product: &product::Model) -> Option<String> {
    let category = product.find_related(category::Entity).one(db).await.expect("an answer");
    category.map(|category| category.name)
}

/// Two processes over one database and store; the calls of the first can be stopped.
async fn two(env: &Env) -> (CachedConnection, CachedConnection, PausableStore) {
    let shop = Shop::open(env).await;
    let pausable = PausableStore::new(env.store().await);
    (Shop::enter(env, Arc::new(pausable.clone())).await, shop.db, pausable)
}

async fn rename(db: &impl ConnectionTrait, id: i32, name: &str) {
    let category = category::ActiveModel { id: Unchanged(id), name: Set(name.to_owned()) };
    category.update(db).await.expect("the update succeeds");
}

async fn move_to(db: &impl ConnectionTrait, id: i32, category: Option<i32>) {
    let product =
        product::ActiveModel { id: Unchanged(id), category_id: Set(category), ..Default::default() };
    product.update(db).await.expect("the update succeeds");
}

/// Reads in the background.
fn reading(db: &CachedConnection, one: &product::Model) -> tokio::task::JoinHandle<Option<String>> {
    let (db, one) = (db.clone(), one.clone());
    tokio::spawn(async move { category_of(&db, &one).await })
}

/// One transaction moves the product to the second category and renames the first, in which nobody ever sees it
/// under the new name.
async fn empty_the_first_category(db: &CachedConnection) {
    let transaction = db.begin().await.expect("a transaction");
    move_to(&transaction, 1, Some(2)).await;
    rename(&transaction, 1, "empty").await;
    transaction.commit().await.expect("the commit succeeds");
}

matrix! {
    stores: store;

    async fn to_the_row_that_a_foreign_key_names(env: Env) {
        let shop = Shop::open(&env).await;
        let one = product(&shop.plain, 1).await;
        for _ in 0..3 {
            assert_eq!(category_of(&shop.db, &one).await.as_deref(), Some("tools"));
            let all = one.find_related(category::Entity).all(&shop.db).await.expect("an answer");
            assert_eq!(all.len(), 1);
            shop.db.settled().await;
        }
        // Cold once, each side with a load of its own; five times warm.
        assert_eq!((hits(&shop.db, "category"), shop.counts("category").fills), (5, 1));
        assert_eq!((hits(&shop.db, "product"), shop.counts("product").fills), (5, 1));
        // The slots are those of any other read.
        category::Entity::find_by_id(1).one(&shop.db).await.expect("an answer");
        product(&shop.db, 1).await;
        assert_eq!((hits(&shop.db, "category"), hits(&shop.db, "product")), (6, 6));
    }

    async fn follows_every_change(env: Env) {
        let shop = Shop::open(&env).await;
        let one = product(&shop.plain, 1).await;
        let agree = async |expected: Option<&str>| {
            for _ in 0..2 {
                assert_eq!(category_of(&shop.db, &one).await.as_deref(), expected);
                assert_eq!(category_of(&shop.plain, &one).await.as_deref(), expected);
                shop.db.settled().await;
            }
        };
        agree(Some("tools")).await;
        rename(&shop.db, 1, "hammers").await;
        agree(Some("hammers")).await;
        move_to(&shop.db, 1, Some(2)).await;
        agree(Some("toys")).await;
        move_to(&shop.db, 1, None).await;
        agree(None).await;
        move_to(&shop.db, 1, Some(2)).await;
        agree(Some("toys")).await;
        // A cascade sets the foreign key to NULL.
        category::Entity::delete_by_id(2).exec(&shop.db).await.expect("the delete succeeds");
        agree(None).await;
        product::Entity::delete_by_id(1).exec(&shop.db).await.expect("the delete succeeds");
        agree(None).await;
    }

    async fn by_a_unique_foreign_key_and_back(env: Env) {
        let (plain, db, _) = staff(&env).await;
        let employees = employee::Entity::find().all(&plain).await.expect("an answer");
        for _ in 0..3 {
            for employee in &employees {
                let badge = employee.find_related(badge::Entity).one(&db).await.expect("an answer");
                assert_eq!(badge, employee.find_related(badge::Entity).one(&plain).await.expect("an answer"));
                if let Some(badge) = badge {
                    let back = badge.find_related(employee::Entity).one(&db).await.expect("an answer");
                    assert_eq!(back.as_ref(), Some(employee));
                }
                db.settled().await;
            }
        }
        assert!(hits(&db, "badge") >= 6, "{:?}", db.stats());
        // The badge moves to another employee.
        badge::ActiveModel { id: Unchanged(10), employee_id: Set(3), ..Default::default() }
            .update(&db)
            .await
            .expect("the update succeeds");
        for _ in 0..3 {
            for employee in &employees {
                let badge = employee.find_related(badge::Entity).one(&db).await.expect("an answer");
                assert_eq!(badge, employee.find_related(badge::Entity).one(&plain).await.expect("an answer"));
                db.settled().await;
            }
        }
        plain.close().await.expect("the connection closes");
    }

    async fn along_a_link_of_one_hop(env: Env) {
        let (plain, db, calls) = staff(&env).await;
        let employees = employee::Entity::find().all(&plain).await.expect("an answer");
        for _ in 0..2 {
            for employee in &employees {
                let superior = employee.find_linked(employee::ToSuperior).one(&db).await.expect("an answer");
                let truth = employee.find_linked(employee::ToSuperior).one(&plain).await.expect("an answer");
                assert_eq!(superior, truth);
                db.settled().await;
            }
        }
        calls.take();
        let last = employees.last().expect("three employees");
        last.find_linked(employee::ToSuperior).one(&db).await.expect("an answer");
        let verbs: Vec<_> = calls.take().iter().map(|call| call.split(' ').next().map(str::to_owned)).collect();
        assert_eq!(verbs, [Some("lookup".to_owned()), Some("lookup_many".to_owned())]);
        plain.close().await.expect("the connection closes");
    }

    /// No database runs a join of a table with itself in which both have one name.
    async fn within_one_table_fails_as_ever_without_an_alias(env: Env) {
        let (plain, db, _) = staff(&env).await;
        let employees = employee::Entity::find().all(&plain).await.expect("an answer");
        for _ in 0..2 {
            for employee in &employees {
                let superior = employee.find_related(employee::Entity).one(&db).await;
                let truth = employee.find_related(employee::Entity).one(&plain).await;
                assert!(truth.is_err());
                assert_eq!(superior, truth);
                db.settled().await;
            }
        }
        plain.close().await.expect("the connection closes");
    }

    async fn of_lists_by_the_loader(env: Env) {
        let (plain, db, _) = staff(&env).await;
        let employees = employee::Entity::find().all(&plain).await.expect("an answer");
        let truth = employees.load_one(badge::Entity, &plain).await.expect("an answer");
        for _ in 0..3 {
            let badges = employees.load_one(badge::Entity, &db).await.expect("an answer");
            assert_eq!(badges, truth);
            db.settled().await;
        }
        // One employee has none: an absent alias.
        assert_eq!(hits(&db, "badge"), 3 + 1);
        plain.close().await.expect("the connection closes");
    }

    async fn to_many_goes_to_the_database(env: Env) {
        let shop = Shop::open(&env).await;
        let tools = category::Entity::find_by_id(1).one(&shop.db).await.expect("an answer").expect("a row");
        for _ in 0..2 {
            let products = tools.find_related(product::Entity).all(&shop.db).await.expect("an answer");
            assert_eq!(products.len(), 1);
            let reviews = products[0].find_related(review::Entity).all(&shop.db).await.expect("an answer");
            assert!(reviews.is_empty());
            let joined = product::Entity::find().find_also_related(category::Entity).all(&shop.db).await;
            assert_eq!(joined.expect("an answer").len(), 3);
            let some = product::Entity::find().filter(product::Column::CategoryId.eq(1)).all(&shop.db).await;
            assert_eq!(some.expect("an answer").len(), 1);
        }
        assert_eq!(hits(&shop.db, "product") + hits(&shop.db, "review"), 0);
    }

    async fn a_transaction_between_the_two_looks_is_seen_whole(env: Env) {
        let (first, second, pausable) = two(&env).await;
        let one = product(&first, 1).await;
        for id in [1, 2] {
            category::Entity::find_by_id(id).one(&first).await.expect("an answer");
        }
        first.settled().await;
        // The product was found in category 1. Before that is looked at, the product moves and the category is
        // renamed: the name "empty" was never the product's.
        let mut pause = pausable.pause_before(Call::LookupMany);
        let reading = reading(&first, &one);
        pause.reached().await;
        empty_the_first_category(&second).await;
        second.settled().await;
        category::Entity::find_by_id(1).one(&second).await.expect("an answer");
        second.settled().await;
        pause.resume();
        assert_eq!(reading.await.expect("it ends").as_deref(), Some("toys"));
    }

    async fn a_transaction_before_the_targets_load_is_seen_whole(env: Env) {
        let (first, second, pausable) = two(&env).await;
        let one = product(&first, 1).await;
        first.settled().await;
        // The product was found in category 1, which is cold. Before it is loaded the same happens.
        let mut pause = pausable.pause_after(Call::Lease);
        let reading = reading(&first, &one);
        pause.reached().await;
        empty_the_first_category(&second).await;
        pause.resume();
        assert_eq!(reading.await.expect("it ends").as_deref(), Some("toys"));
    }
}
