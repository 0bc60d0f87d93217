//! Row-level security: who asks decides what there is.

use std::sync::Arc;

use cache_orm::{CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter,
};
use tests::{Backend, Env, StoreKind, run, shop::store, unique_name};

use super::{
    places::{Place, agree_in_any_order, execute},
    tables::special,
};

/// What a role sees, plain and cached. Both roles share the store and the namespace.
async fn as_role(env: &Env, role: &str) -> Place {
    let connect = || {
        env.database.connect_with(|options| {
            let role = role.to_owned();
            options.map_sqlx_postgres_opts(move |postgres| postgres.options([("role", role.as_str())]));
        })
    };
    let db = CachedConnection::builder(connect().await)
        .shared_store(Arc::clone(&env.store().await))
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("the cache is ready");
    Place { plain: connect().await, db }
}

async fn each_sees_its_own(env: Env) {
    let admin = env.connect().await;
    let (poor, rich) = (unique_name(), unique_name());
    for sql in [
        "CREATE TABLE special (id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)",
        "INSERT INTO special VALUES (1, 10), (2, 20)",
        "ALTER TABLE special ENABLE ROW LEVEL SECURITY",
        &format!("CREATE ROLE {poor}; CREATE ROLE {rich}"),
        &format!("GRANT ALL ON special TO {poor}, {rich}"),
        &format!("CREATE POLICY low ON special TO {poor} USING (price < 15) WITH CHECK (true)"),
        &format!("CREATE POLICY high ON special TO {rich} USING (price >= 15) WITH CHECK (true)"),
    ] {
        execute(&admin, sql).await;
    }
    let places = [as_role(&env, &poor).await, as_role(&env, &rich).await];
    let reads = async |when: &str| {
        for place in &places {
            for id in 1..=3 {
                place.agree(special::Entity::find_by_id(id), when).await;
            }
            let list = special::Entity::find().filter(special::Column::Id.is_in([1, 2, 3]));
            agree_in_any_order(&place.db, &place.plain, list, when).await;
            agree_in_any_order(&place.db, &place.plain, special::Entity::find(), when).await;
        }
    };
    reads("at first").await;
    let seen = special::Entity::find().all(&places[0].plain).await.expect("an answer");
    assert_eq!(seen, [special::Model { id: 1, price: 10 }], "the roles do see different rows");
    let [poor_place, rich_place] = &places;
    for (place, id, price) in [(poor_place, 1, 11), (rich_place, 2, 21)] {
        let row = special::ActiveModel { id: Unchanged(id), price: Set(price) };
        row.update(&place.db).await.expect("the update goes through");
        reads("after an update of a row").await;
    }
    special::Entity::update_many()
        .set(special::ActiveModel { price: Set(25), ..Default::default() })
        .filter(special::Column::Id.is_in([1, 2]))
        .exec(&rich_place.db)
        .await
        .expect("the update goes through");
    reads("after an update of a list by the other").await;
    special::Entity::delete_many().exec(&poor_place.db).await.expect("the delete goes through");
    reads("after a delete").await;
    assert_eq!((poor_place.hits("special"), rich_place.hits("special")), (0, 0));
    drop(places);
    execute(&admin, &format!("DROP OWNED BY {poor}, {rich}; DROP ROLE {poor}, {rich}")).await;
}

#[tokio::test]
async fn two_roles_over_one_store() {
    for kind in [StoreKind::Memory, StoreKind::Redis] {
        run(Backend::Postgres, kind, store, each_sees_its_own).await;
    }
}
