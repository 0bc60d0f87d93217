//! Users who may not read every column: they get from the cache what the database would give them.

use cache_orm::{BypassReason, CachedConnection, Namespace};
use sea_orm::{ColumnTrait, ConnectOptions, DatabaseConnection, EntityTrait, QueryFilter, sea_query::Expr};
use tests::{Backend, Env, StoreKind, run, shop::store, unique_name};

use super::{
    places::{Place, execute},
    tables::special,
};

const TABLE: &str = "CREATE TABLE special (id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)";
const ROWS: &str = "INSERT INTO special VALUES (1, 10), (2, 20)";

/// A user's pool. Postgres lets an administrator be another role; MySQL takes a password or none.
async fn connect_as(env: &Env, user: &str) -> DatabaseConnection {
    if env.backend() == Backend::Postgres {
        let role = user.to_owned();
        let change = |options: &mut ConnectOptions| {
            options.map_sqlx_postgres_opts(move |postgres| postgres.options([("role", role.as_str())]));
        };
        return env.database.connect_with(change).await;
    }
    let (scheme, rest) = env.database.url().split_once("://").expect("a URL has a scheme");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let options = ConnectOptions::new(format!("{scheme}://{user}@{host}")).sqlx_logging(false).to_owned();
    sea_orm::Database::connect(options).await.expect("the server accepts the user")
}

async fn place_of(env: &Env, user: &str) -> Place {
    let db = CachedConnection::builder(connect_as(env, user).await)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("the cache is ready");
    Place { plain: connect_as(env, user).await, db }
}

/// Makes a user, whom `grants` gives what it says; `USER` stands for the name.
async fn user(admin: &DatabaseConnection, backend: Backend, grants: &[&str]) -> String {
    let name = unique_name();
    let (create, written) = match backend {
        Backend::MySql => (
            format!("CREATE USER {name}@'%' IDENTIFIED BY ''; CREATE USER {name}@localhost IDENTIFIED BY ''"),
            format!("{name}@'%', {name}@localhost"),
        ),
        _ => (format!("CREATE ROLE {name}"), name.clone()),
    };
    execute(admin, &create).await;
    for grant in grants {
        execute(admin, &grant.replace("USER", &written)).await;
    }
    name
}

async fn drop_user(admin: &DatabaseConnection, backend: Backend, name: &str) {
    let text = match backend {
        Backend::MySql => format!("DROP USER {name}@'%', {name}@localhost"),
        _ => format!("DROP OWNED BY {name}; DROP ROLE {name}"),
    };
    execute(admin, &text).await;
}

async fn some_columns(env: Env) {
    let backend = env.backend();
    let rich = Place::with(&env, &[TABLE, ROWS]).await;
    rich.agree(special::Entity::find_by_id(1), "who may read all of it").await;
    assert_eq!(rich.hits("special"), 5);
    let grant = "GRANT SELECT (id), UPDATE (price) ON special TO USER";
    let poor_name = user(&rich.plain, backend, &[grant]).await;
    let poor = place_of(&env, &poor_name).await;
    let find = || special::Entity::find_by_id(1);
    // The new user was a change of the schema, which emptied the cache.
    let hits = rich.hits("special");
    rich.agree(find(), "beside who may not").await;
    rich.agree(special::Entity::find(), "beside who may not").await;
    assert!(rich.hits("special") > hits);
    find().one(&poor.plain).await.expect_err("the database does not let it");
    for _ in 0..3 {
        find().one(&poor.db).await.expect_err("nor does the cache");
        special::Entity::find().all(&poor.db).await.expect_err("nor does the cache");
    }
    assert_eq!(poor.hits("special"), 0);
    assert_eq!(poor.bypasses("special", BypassReason::ColumnNotReadable), 6);
    // What it writes is seen by who reads.
    let update = special::Entity::update_many().col_expr(special::Column::Price, Expr::value(11));
    update.filter(special::Column::Id.eq(1)).exec(&poor.db).await.expect("this it may");
    poor.db.settled().await;
    rich.agree(find(), "after a write of who may not read").await;
    drop(poor);
    drop_user(&rich.plain, backend, &poor_name).await;
}

async fn revoked(env: Env) {
    let admin = env.connect().await;
    execute(&admin, TABLE).await;
    execute(&admin, ROWS).await;
    let owner = user(&admin, env.backend(), &["GRANT USAGE ON SCHEMA public TO USER"]).await;
    execute(&admin, &format!("ALTER TABLE special OWNER TO {owner}")).await;
    let place = place_of(&env, &owner).await;
    place.agree(special::Entity::find_by_id(1), "at first").await;
    assert_eq!(place.hits("special"), 5);
    execute(&place.db, &format!("REVOKE SELECT ON special FROM {owner}")).await;
    place.agree(special::Entity::find_by_id(1), "after it was revoked").await;
    execute(&place.db, &format!("GRANT SELECT (id, price) ON special TO {owner}")).await;
    let hits = place.hits("special");
    place.agree(special::Entity::find_by_id(1), "granted again, column by column").await;
    assert!(place.hits("special") > hits);
    drop(place);
    drop_user(&admin, env.backend(), &owner).await;
}

#[tokio::test]
async fn a_user_was_given_columns_that_the_database_denies() {
    for backend in [Backend::Postgres, Backend::MySql] {
        for kind in [StoreKind::Memory, StoreKind::Redis] {
            run(backend, kind, store, some_columns).await;
        }
    }
}

#[tokio::test]
async fn a_right_that_is_revoked_is_a_change_of_the_schema() {
    for kind in [StoreKind::Memory, StoreKind::Redis] {
        run(Backend::Postgres, kind, store, revoked).await;
    }
}
