//! The database's server ends a session while a write is under way: nobody tells the writer what became of it.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbErr, Statement, TransactionTrait};
use tests::{Backend, Env, StoreKind, shop::store};

use super::shop::{assert_coherent, enter, price, priced, until, warm};

/// Sessions of this database: which one asks, how to list those that wait with an update, how to end one.
struct Sessions {
    own: &'static str,
    waiting: &'static str,
    end: fn(i64) -> String,
}

const POSTGRES: Sessions = Sessions {
    own: "SELECT CAST(pg_backend_pid() AS BIGINT) AS id",
    waiting: "SELECT CAST(pid AS BIGINT) AS id FROM pg_stat_activity WHERE datname = current_database() \
              AND wait_event_type = 'Lock' AND query LIKE 'UPDATE %'",
    end: |id| format!("SELECT pg_terminate_backend({id})"),
};

const MY_SQL: Sessions = Sessions {
    own: "SELECT CAST(CONNECTION_ID() AS SIGNED) AS id",
    waiting: "SELECT CAST(id AS SIGNED) AS id FROM information_schema.processlist WHERE db = DATABASE() \
              AND info LIKE 'UPDATE %' AND command <> 'Sleep'",
    end: |id| format!("KILL {id}"),
};

impl Sessions {
    fn of(backend: Backend) -> &'static Self {
        if backend == Backend::Postgres { &POSTGRES } else { &MY_SQL }
    }

    async fn first(db: &impl ConnectionTrait, sql: &str) -> Option<i64> {
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(statement).await.expect("an answer")?;
        Some(row.try_get("", "id").expect("a number"))
    }

    async fn end(&self, plain: &DatabaseConnection, id: i64) {
        plain.execute_unprepared(&(self.end)(id)).await.expect("a session can be ended");
    }
}

/// The write failed, and nobody knows how it ended: its fence stands, and every answer is right.
async fn is_abandoned(env: &Env, outcome: Result<(), DbErr>, work: &Work) {
    outcome.expect_err("its session was ended");
    let counts = work.db.stats().entities["product"].counts;
    assert_eq!(counts.abandoned_fences, 1, "{counts:?}");
    let other = enter(env, env.store().await).await;
    for db in [&work.db, &other] {
        let hits = |table| db.stats().entities[table].counts.hits;
        let before = hits("product");
        for _ in 0..3 {
            assert_eq!(price(db, 1).await, 100);
            db.settled().await;
        }
        assert_eq!(hits("product"), before, "still fenced");
    }
    priced(1, 8).update(&other).await.expect("the update goes through");
    other.settled().await;
    assert_coherent(&work.db, &work.plain, "after another write").await;
}

struct Work {
    plain: DatabaseConnection,
    db: cache_orm::CachedConnection,
}

async fn open(env: &Env) -> Work {
    let shop = tests::shop::Shop::open(env).await;
    warm(&shop.db, &shop.plain).await;
    Work { plain: shop.plain, db: shop.db }
}

async fn a_session_that_ends_before_the_commit(env: Env) {
    let sessions = Sessions::of(env.backend());
    let work = open(&env).await;
    let transaction = work.db.begin().await.expect("a transaction begins");
    priced(1, 7).update(&transaction).await.expect("the update goes through");
    let own = Sessions::first(&transaction, sessions.own).await.expect("a session has a number");
    sessions.end(&work.plain, own).await;
    let outcome = transaction.commit().await;
    is_abandoned(&env, outcome, &work).await;
}

async fn a_session_that_ends_during_an_update(env: Env) {
    let sessions = Sessions::of(env.backend());
    let work = open(&env).await;
    let holder = work.plain.begin().await.expect("a transaction begins");
    priced(1, 9).update(&holder).await.expect("the update goes through");
    let waiting = {
        let db = work.db.clone();
        tokio::spawn(async move { priced(1, 7).update(&db).await.map(drop) })
    };
    let id =
        until("an update that waits", async || Sessions::first(&work.plain, sessions.waiting).await).await;
    sessions.end(&work.plain, id).await;
    let outcome = waiting.await.expect("the writer ends");
    holder.rollback().await.expect("a rollback goes through");
    is_abandoned(&env, outcome, &work).await;
}

#[tokio::test]
async fn postgres_ends_a_session_before_the_commit() {
    tests::run(Backend::Postgres, StoreKind::Redis, store, a_session_that_ends_before_the_commit).await;
}

#[tokio::test]
async fn my_sql_ends_a_session_before_the_commit() {
    tests::run(Backend::MySql, StoreKind::Redis, store, a_session_that_ends_before_the_commit).await;
}

#[tokio::test]
async fn postgres_ends_a_session_during_an_update() {
    tests::run(Backend::Postgres, StoreKind::Redis, store, a_session_that_ends_during_an_update).await;
}

#[tokio::test]
async fn my_sql_ends_a_session_during_an_update() {
    tests::run(Backend::MySql, StoreKind::Redis, store, a_session_that_ends_during_an_update).await;
}
