//! The schema changes through the cached connection.

use migrations::{Migrator, MigratorTrait};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, prelude::Uuid};
use tests::{
    Env, matrix,
    shop::{Shop, category, customer, hits, product, store},
};

async fn email(db: &impl ConnectionTrait, id: Uuid) -> Option<String> {
    customer::Entity::find_by_id(id).one(db).await.expect("an answer").map(|customer| customer.email)
}

matrix! {
    stores: store;

    async fn a_table_that_a_schema_builder_creates_is_cached(env: Env) {
        let db = Shop::enter(&env, env.store().await).await;
        // There is no such table yet: the database says so.
        assert!(customer::Entity::find().all(&db).await.is_err());
        db.get_schema_builder().register(customer::Entity).apply(&db).await.expect("the table is created");
        let id = Uuid::from_u128(1);
        let row = customer::ActiveModel { id: Set(id), email: Set("a@x".into()), nickname: Set(None) };
        row.insert(&db).await.expect("the insert succeeds");
        db.settled().await;
        for _ in 0..3 {
            assert_eq!(email(&db, id).await.as_deref(), Some("a@x"));
            db.settled().await;
        }
        assert!(hits(&db, "customer") >= 2);
    }

    async fn migrations_run_below_and_leave_nothing_old_behind(env: Env) {
        let db = Shop::enter(&env, env.store().await).await;
        db.migrate(async |below| Migrator::up(below, None).await).await.expect("the schema is created");
        let row = category::ActiveModel { id: Set(1), name: Set("tools".into()) };
        row.insert(&db).await.expect("the insert succeeds");
        let name = async || {
            let category = category::Entity::find_by_id(1).one(&db).await.expect("an answer").expect("a row");
            db.settled().await;
            category.name
        };
        for _ in 0..3 {
            assert_eq!(name().await, "tools");
        }
        assert!(hits(&db, "category") >= 2);
        db.migrate(async |below| below.execute_unprepared("UPDATE category SET name = 'new'").await)
            .await
            .expect("the update succeeds");
        assert_eq!(name().await, "new");
        let refused = db.migrate(async |below| below.execute_unprepared("UPDATE nothing SET a = 1").await).await;
        assert!(refused.is_err());
        db.migrate(async |below| Migrator::down(below, None).await).await.expect("the schema is removed");
        assert!(category::Entity::find_by_id(1).one(&db).await.is_err());
    }

    async fn a_foreign_key_that_is_added_carries_writes_from_then_on(env: Env) {
        let db = Shop::enter(&env, env.store().await).await;
        for ddl in [
            "CREATE TABLE category (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL)",
            "CREATE TABLE product (id INT PRIMARY KEY, sku VARCHAR(50) NOT NULL, name VARCHAR(50) NOT NULL, \
             price INT NOT NULL, category_id INT)",
            "INSERT INTO category VALUES (1, 'tools')",
            "INSERT INTO product VALUES (1, 'A-1', 'one', 100, 1)",
        ] {
            db.execute_unprepared(ddl).await.expect("the statement is right");
        }
        let category_of = async || {
            let product = product::Entity::find_by_id(1).one(&db).await.expect("an answer").expect("a row");
            db.settled().await;
            product.category_id
        };
        assert_eq!(category_of().await, Some(1));
        // SQLite can't add a foreign key to a table.
        let rebuilt: &[&str] = match env.backend() {
            tests::Backend::Sqlite => &[
                "DROP TABLE product",
                "CREATE TABLE product (id INT PRIMARY KEY, sku VARCHAR(50) NOT NULL, name VARCHAR(50) NOT NULL, \
                 price INT NOT NULL, category_id INT REFERENCES category (id) ON DELETE SET NULL)",
                "INSERT INTO product VALUES (1, 'A-1', 'one', 100, 1)",
            ],
            _ => &[
                "ALTER TABLE product ADD CONSTRAINT it FOREIGN KEY (category_id) REFERENCES category (id) \
                 ON DELETE SET NULL",
            ],
        };
        for ddl in rebuilt {
            db.execute_unprepared(ddl).await.expect("the statement is right");
        }
        for _ in 0..2 {
            assert_eq!(category_of().await, Some(1));
        }
        assert!(hits(&db, "product") >= 1);
        category::Entity::delete_by_id(1).exec(&db).await.expect("the delete succeeds");
        assert_eq!(category_of().await, None);
    }
}
