//! MySQL: the databases of one server are what schemas are elsewhere. A statement reaches all of them.

use cache_orm::{CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};
use tests::{Backend, Database, Env, StoreKind, run, shop::store};

use super::{
    places::{Place, execute},
    tables::special,
};

async fn tenant(env: &Env, database: &Database) -> Place {
    let db = CachedConnection::builder(database.connect().await)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("one server is one database");
    Place { plain: database.connect().await, db }
}

async fn two_databases(env: Env) {
    let other = Database::create(Backend::MySql).await;
    for (database, price) in [(&*env.database, 10), (&other, 20)] {
        let admin = database.connect().await;
        execute(&admin, "CREATE TABLE special (id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)")
            .await;
        execute(&admin, &format!("INSERT INTO special VALUES (1, {price}), (2, {price})")).await;
    }
    let (one, two) = (tenant(&env, &env.database).await, tenant(&env, &other).await);
    let reads = async |when: &str| {
        for place in [&one, &two] {
            place.db.settled().await;
            place.agree(special::Entity::find_by_id(1), when).await;
            place.agree(special::Entity::find_by_id(9), when).await;
            place.agree(special::Entity::find(), when).await;
        }
    };
    reads("at first").await;
    let row = special::ActiveModel { id: Unchanged(1), price: Set(11) };
    row.update(&one.db).await.expect("the update goes through");
    reads("after an update of the one").await;
    let name = other.url().rsplit_once('/').expect("a URL has a path").1.split('?').next().expect("a name");
    for text in [
        format!("UPDATE {name}.special SET price = 21 WHERE id = 1"),
        format!("INSERT INTO `{name}`.`special` VALUES (9, 90)"),
        format!("UPDATE special AS a JOIN {name}.special AS b ON a.id = b.id SET a.price = 31, b.price = 32"),
        format!("DELETE FROM {name}.special"),
    ] {
        execute(&one.db, &text).await;
        reads(&text).await;
    }
    assert!(one.hits("special") > 0 && two.hits("special") > 0);
    drop((one, two));
    other.close().await.expect("a database can be removed");
}

#[tokio::test]
async fn databases_of_one_server_neither_mix_nor_miss_each_others_writes() {
    for kind in [StoreKind::Memory, StoreKind::Redis] {
        run(Backend::MySql, kind, store, two_databases).await;
    }
}
