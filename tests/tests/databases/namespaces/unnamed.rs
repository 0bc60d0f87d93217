//! Writes of a connection that never learned the schema: it can't name the cells that they affect.

use cache_orm::{CachedConnection, Namespace, Unreachable, connection::builder::Builder};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ConnectOptions, EntityTrait,
};
use tests::{Backend, Env, StoreKind, run, shop::store, unique_name};

use super::{
    places::{Place, execute},
    tables::special,
};

/// A role that may do anything with the table, and may not read one of the catalogues.
async fn blind(env: &Env, place: &Place) -> (String, Builder) {
    let role = unique_name();
    for text in [
        format!("CREATE ROLE {role}"),
        format!("GRANT ALL ON special TO {role}"),
        "REVOKE SELECT ON pg_catalog.pg_constraint FROM PUBLIC".to_owned(),
    ] {
        execute(&place.plain, &text).await;
    }
    let option = role.clone();
    let change = |options: &mut ConnectOptions| {
        options.map_sqlx_postgres_opts(move |postgres| postgres.options([("role", option.as_str())]));
    };
    let builder = CachedConnection::builder(env.database.connect_with(change).await)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"));
    (role, builder)
}

async fn place(env: &Env) -> Place {
    let table = "CREATE TABLE special (id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)";
    let place = Place::with(env, &[table, "INSERT INTO special VALUES (1, 10)"]).await;
    place.agree(special::Entity::find_by_id(1), "at first").await;
    place
}

async fn sees_again(env: Env) {
    let place = place(&env).await;
    let (role, builder) = blind(&env, &place).await;
    let db = builder.build_lazily().expect("nobody has been asked yet");
    let update = special::ActiveModel { id: Unchanged(1), price: Set(11) };
    update.update(&db).await.expect("the write goes through");
    execute(&place.plain, "GRANT SELECT ON pg_catalog.pg_constraint TO PUBLIC").await;
    special::Entity::find_by_id(1).one(&db).await.expect("an answer");
    place.agree(special::Entity::find_by_id(1), "once the schema is known").await;
    drop(db);
    execute(&place.plain, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

async fn refuses(env: Env) {
    let place = place(&env).await;
    let (role, builder) = blind(&env, &place).await;
    let db = builder.when_unreachable(Unreachable::Refuse).build_lazily().expect("nobody has been asked yet");
    let update = special::ActiveModel { id: Unchanged(1), price: Set(11) };
    let error = update.clone().update(&db).await.expect_err("nobody could be told");
    assert!(error.to_string().contains("schema could not be read"), "{error}");
    place.agree(special::Entity::find_by_id(1), "nothing was written").await;
    execute(&place.plain, "GRANT SELECT ON pg_catalog.pg_constraint TO PUBLIC").await;
    update.update(&db).await.expect("now it goes through");
    place.agree(special::Entity::find_by_id(1), "it was told").await;
    drop(db);
    execute(&place.plain, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_was_written_before_the_schema_was_known_is_made_up_for() {
    for kind in [StoreKind::Memory, StoreKind::Redis] {
        run(Backend::Postgres, kind, store, sees_again).await;
    }
}

#[tokio::test]
async fn under_the_policy_refuse_it_is_refused() {
    run(Backend::Postgres, StoreKind::Redis, store, refuses).await;
}
