//! A temporary table of one pooled session, which hides a cached one there.

use cache_orm::{BypassReason, CachedConnection, Namespace};
use sea_orm::{ConnectionTrait, EntityTrait, TransactionTrait};
use tests::{Backend, Env, matrix, shop::store};

use super::{
    places::{Place, beside, by_backend, execute},
    tables::special,
};

/// A pool of two sessions.
async fn two_sessions(env: &Env) -> Place {
    let plain = env.connect().await;
    execute(&plain, "CREATE TABLE special (id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)").await;
    execute(&plain, "INSERT INTO special VALUES (1, 10)").await;
    let below = env.database.connect_with(|options| _ = options.max_connections(2)).await;
    let db = CachedConnection::builder(below)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("the cache is ready");
    Place { plain, db }
}

/// Lets the session without the temporary table tell the schema, and the other one answer the read.
async fn is_not_taken_for_the_table(env: &Env, make: impl AsyncFnOnce(&Place)) {
    let place = two_sessions(env).await;
    let other = beside(env).await;
    let first = place.db.inner().begin().await.expect("a transaction on one session");
    make(&place).await;
    let second = place.db.inner().begin().await.expect("a transaction on the session with the table");
    first.rollback().await.expect("nothing to undo");
    for db in [&place.db, &other] {
        db.ready().await.expect("the schema can be learned");
    }
    let first = place.db.inner().begin().await.expect("a transaction on the session without");
    second.rollback().await.expect("nothing to undo");
    for _ in 0..3 {
        let row = special::Entity::find_by_id(1).one(&place.db).await.expect("an answer");
        assert_eq!(row.map(|row| row.price), Some(77), "this session means its own table");
        place.db.settled().await;
    }
    let row = special::Entity::find_by_id(1).one(&other).await.expect("an answer");
    assert_eq!(row.map(|row| row.price), Some(10), "another process means the database's");
    first.rollback().await.expect("nothing to undo");
    let stats = &place.db.stats().entities["special"];
    assert!(place.bypasses("special", BypassReason::SessionState) >= 2, "{stats:?}");
}

async fn fill(db: &impl ConnectionTrait, backend: Backend) {
    let columns = "(id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)";
    let kind = by_backend(backend, "TEMP", "TEMP", "TEMPORARY");
    execute(db, &format!("CREATE {kind} TABLE special {columns}")).await;
    let schema = by_backend(backend, "temp.", "pg_temp.", "");
    execute(db, &format!("INSERT INTO {schema}special VALUES (1, 77)")).await;
}

matrix! {
    stores: store;

    async fn its_rows_were_taken_for_those_of_the_table_that_it_hides(env: Env) {
        is_not_taken_for_the_table(&env, async |place| fill(&place.db, env.backend()).await).await;
    }

    async fn it_outlives_the_transaction_that_made_it(env: Env) {
        is_not_taken_for_the_table(&env, async |place| {
            let transaction = place.db.begin().await.expect("a transaction");
            fill(&transaction, env.backend()).await;
            transaction.commit().await.expect("the commit succeeds");
        })
        .await;
    }

    async fn one_that_goes_with_its_transaction_changes_no_session(env: Env) on [Postgres] {
        let place = two_sessions(&env).await;
        let transaction = place.db.begin().await.expect("a transaction");
        let table = "CREATE TEMP TABLE picked (id integer) ON COMMIT DROP";
        execute(&transaction, table).await;
        execute(&transaction, "INSERT INTO picked SELECT id FROM special").await;
        execute(&transaction, "UPDATE special SET price = 11 WHERE id IN (SELECT id FROM picked)").await;
        transaction.commit().await.expect("the commit succeeds");
        place.agree(special::Entity::find_by_id(1), "after the commit").await;
        assert_eq!(place.hits("special"), 5);
    }

    async fn one_made_by_a_text_that_is_not_understood_was_not_noticed(env: Env) {
        let columns = "(id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL";
        let text = match env.backend() {
            Backend::Sqlite => {
                // Longer than what is read.
                format!("CREATE TEMP TABLE special {columns}) -- {}", "x".repeat(1 << 20))
            }
            Backend::Postgres => {
                format!("DO $$ BEGIN CREATE TEMP TABLE special {columns}, path text DEFAULT 'C:'); END $$")
            }
            Backend::MySql => {
                format!("CREATE TEMPORARY TABLE special {columns}) COMMENT 'it\\'s'")
            }
        };
        is_not_taken_for_the_table(&env, async |place| {
            execute(&place.db, &text).await;
            let schema = by_backend(env.backend(), "temp.", "pg_temp.", "");
            execute(&place.db, &format!("INSERT INTO {schema}special VALUES (1, 77)")).await;
        })
        .await;
    }
}
