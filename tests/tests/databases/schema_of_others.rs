//! The schema changes elsewhere: through another process that shares the store, or around the library.

use std::time::Duration;

use cache_orm::{Cacheable, CachedConnection};
use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, StreamTrait, TransactionTrait,
    entity::prelude::*, sea_query::Expr,
};
use tests::{
    Backend, Env, matrix,
    shop::{hits, store},
};

/// A table whose unique key comes and goes.
#[allow(unreachable_pub, reason = "the derive asks for it")]
mod item {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "item")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub code: String,
        pub size: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A table that a trigger on the other one writes to.
#[allow(unreachable_pub, reason = "the derive asks for it")]
mod total {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "total")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub size: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(item::Entity, total::Entity);

const ITEM: &str =
    "CREATE TABLE item (id INT NOT NULL PRIMARY KEY, code VARCHAR(20) NOT NULL, size INT NOT NULL)";
const TOTAL: &str = "CREATE TABLE total (id INT NOT NULL PRIMARY KEY, size INT NOT NULL)";
const UNIQUE: &str = "CREATE UNIQUE INDEX item_code ON item (code)";

fn no_longer_unique(backend: Backend) -> &'static str {
    match backend {
        Backend::MySql => "DROP INDEX item_code ON item",
        Backend::Postgres | Backend::Sqlite => "DROP INDEX item_code",
    }
}

/// What makes every update of an item one of the total.
fn trigger(backend: Backend) -> &'static [&'static str] {
    match backend {
        Backend::Postgres => &[
            "CREATE FUNCTION sum_up() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN UPDATE total SET size = NEW.size; RETURN NEW; END $$",
            "CREATE TRIGGER it AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION sum_up()",
        ],
        Backend::MySql => {
            &["CREATE TRIGGER it AFTER UPDATE ON item FOR EACH ROW UPDATE total SET size = NEW.size"]
        }
        Backend::Sqlite => {
            &["CREATE TRIGGER it AFTER UPDATE ON item BEGIN UPDATE total SET size = NEW.size; END"]
        }
    }
}

async fn run(db: &impl ConnectionTrait, statements: &[&str]) {
    for sql in statements {
        db.execute_unprepared(sql).await.expect("the statement is right");
    }
}

/// What another process would have.
async fn process(env: &Env) -> CachedConnection {
    checking(env, Duration::ZERO).await
}

/// The same, asking the catalogue so often.
async fn checking(env: &Env, period: Duration) -> CachedConnection {
    CachedConnection::builder(env.connect().await)
        .shared_store(env.store().await)
        .schema_check(period)
        // A machine that is busy with other tests must not look like a store that is down.
        .store_time_out(Duration::from_secs(60))
        .build()
        .await
        .expect("the cache is ready")
}

async fn coded(db: &impl ConnectionTrait, code: &str) -> usize {
    item::Entity::find().filter(item::Column::Code.eq(code)).all(db).await.expect("an answer").len()
}

async fn total(db: &impl ConnectionTrait) -> i32 {
    total::Entity::find_by_id(1).one(db).await.expect("an answer").expect("a row").size
}

fn resize(backend: DbBackend, size: i32) -> Statement {
    Statement::from_string(backend, format!("UPDATE item SET size = {size} WHERE id = 1"))
}

/// Two processes over a table with one row; both have read it.
async fn two_readers(env: &Env) -> (CachedConnection, CachedConnection) {
    run(&env.connect().await, &[ITEM, UNIQUE, "INSERT INTO item VALUES (1, 'a', 10)"]).await;
    let (a, b) = (process(env).await, process(env).await);
    for db in [&a, &b] {
        for _ in 0..3 {
            assert_eq!(coded(db, "a").await, 1);
            db.settled().await;
        }
        assert!(hits(db, "item") > 0);
    }
    (a, b)
}

/// How an update of item 1 is sent by a process that has not heard of the trigger.
#[derive(Clone, Copy)]
enum Way {
    ByKey,
    TellingItsRows,
    InATransaction,
    AsAStream,
}

async fn update(db: &CachedConnection, way: Way, size: i32) {
    let by_key = item::Entity::update_many()
        .col_expr(item::Column::Size, Expr::value(size))
        .filter(item::Column::Id.eq(1));
    match way {
        Way::ByKey => drop(by_key.exec(db).await.expect("the update succeeds")),
        Way::TellingItsRows => {
            let by_code = item::Entity::update_many()
                .col_expr(item::Column::Size, Expr::value(size))
                .filter(item::Column::Code.like("a%"));
            let _ = by_code.exec(db).await.expect("the update succeeds");
        }
        Way::InATransaction => {
            let transaction = db.begin().await.expect("a transaction begins");
            by_key.exec(&transaction).await.expect("the update succeeds");
            transaction.commit().await.expect("the transaction commits");
        }
        Way::AsAStream => {
            use futures_util::StreamExt;
            let statement = resize(db.get_database_backend(), size);
            let mut rows = db.stream_raw(statement).await.expect("the update is sent");
            while let Some(row) = rows.next().await {
                row.expect("the update succeeds");
            }
        }
    }
}

/// The trigger leads from a table that the old process knows to `total`, which it may know or not.
async fn a_trigger_of_others_is_heeded(env: &Env, way: Way, knows_the_target: bool) {
    let raw = env.connect().await;
    run(&raw, &[ITEM, UNIQUE, "INSERT INTO item VALUES (1, 'a', 10)"]).await;
    let create: &[&str] = &[TOTAL, "INSERT INTO total VALUES (1, 10)"];
    if knows_the_target {
        run(&raw, create).await;
    }
    let (new, old) = (process(env).await, process(env).await);
    update(&old, way, 11).await;
    old.settled().await;
    new.migrate(async |below| {
        if !knows_the_target {
            run(below, create).await;
        }
        run(below, trigger(env.backend())).await;
        Ok(())
    })
    .await
    .expect("the migration succeeds");
    for _ in 0..3 {
        assert_eq!(total(&new).await, 10);
        new.settled().await;
    }
    assert!(hits(&new, "total") > 0, "it is cached again");
    update(&old, way, 12).await;
    old.settled().await;
    assert_eq!(total(&new).await, 12);
}

matrix! {
    stores: store;

    async fn a_unique_key_that_another_process_dropped_leads_to_all_its_rows(env: Env) {
        let (a, b) = two_readers(&env).await;
        let drop = no_longer_unique(env.backend());
        a.migrate(async |below| below.execute_unprepared(drop).await).await.expect("the index is dropped");
        for _ in 0..3 {
            assert_eq!(coded(&b, "a").await, 1);
            b.settled().await;
        }
        run(&a, &["INSERT INTO item VALUES (2, 'a', 20)"]).await;
        assert_eq!(coded(&b, "a").await, 2);
    }

    async fn ddl_of_another_process_without_migrate_is_noticed_too(env: Env) {
        let (a, b) = two_readers(&env).await;
        run(&a, &[no_longer_unique(env.backend()), "INSERT INTO item VALUES (2, 'a', 20)"]).await;
        // The row in its slot is that of a process which has learned anew.
        for _ in 0..3 {
            assert!(item::Entity::find_by_id(1).one(&a).await.expect("an answer").is_some());
            a.settled().await;
        }
        assert_eq!(coded(&b, "a").await, 2);
    }

    async fn a_unique_index_that_a_program_made_is_noticed_when_the_next_process_starts(env: Env) {
        let raw = env.connect().await;
        run(&raw, &[ITEM, "INSERT INTO item VALUES (1, 'a', 10)"]).await;
        let old = process(&env).await;
        run(&raw, &[UNIQUE]).await;
        let new = process(&env).await;
        for _ in 0..3 {
            assert_eq!(coded(&new, "b").await, 0);
            new.settled().await;
        }
        let rename = "UPDATE item SET code = 'b' WHERE id = 1";
        old.execute_raw(Statement::from_string(old.get_database_backend(), rename)).await.expect("the update succeeds");
        old.settled().await;
        assert_eq!(coded(&new, "b").await, 1);
    }

    async fn a_trigger_of_others_is_heeded_by_a_write_by_key(env: Env) {
        a_trigger_of_others_is_heeded(&env, Way::ByKey, true).await;
    }

    async fn a_trigger_of_others_to_a_table_of_others_is_heeded_by_a_write_by_key(env: Env) {
        a_trigger_of_others_is_heeded(&env, Way::ByKey, false).await;
    }

    async fn a_trigger_of_others_is_heeded_by_a_write_that_tells_its_rows(env: Env) {
        a_trigger_of_others_is_heeded(&env, Way::TellingItsRows, false).await;
    }

    async fn a_trigger_of_others_is_heeded_by_a_transaction(env: Env) {
        a_trigger_of_others_is_heeded(&env, Way::InATransaction, false).await;
    }

    async fn a_trigger_of_others_is_heeded_by_a_stream(env: Env) {
        a_trigger_of_others_is_heeded(&env, Way::AsAStream, false).await;
    }

    async fn ddl_that_goes_around_the_library_is_noticed_in_the_background(env: Env) {
        let raw = env.connect().await;
        run(&raw, &[ITEM, UNIQUE, "INSERT INTO item VALUES (1, 'a', 10)"]).await;
        let db = checking(&env, Duration::from_millis(5)).await;
        for _ in 0..3 {
            assert_eq!(coded(&db, "a").await, 1);
            db.settled().await;
        }
        run(&raw, &[no_longer_unique(env.backend()), "INSERT INTO item VALUES (2, 'a', 20)"]).await;
        let noticed = async {
            while coded(&db, "a").await != 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), noticed).await.expect("it is noticed");
    }

    async fn ddl_in_a_text_that_is_not_understood_was_not_told_to_others(env: Env) {
        let raw = env.connect().await;
        run(&raw, &[ITEM, UNIQUE, "INSERT INTO item VALUES (1, 'a', 10)", TOTAL, "INSERT INTO total VALUES (1, 10)"])
            .await;
        let (new, old, other) = (process(&env).await, process(&env).await, process(&env).await);
        match env.backend() {
            Backend::Postgres => {
                let [function, create] = trigger(Backend::Postgres) else { unreachable!() };
                run(&raw, &[function]).await;
                run(&new, &[&format!("DO $do$ BEGIN {create}; END $do$")]).await;
            }
            Backend::MySql => {
                let [create] = trigger(Backend::MySql) else { unreachable!() };
                run(&new, &[&format!("/*!50003 {create} */")]).await;
            }
            Backend::Sqlite => {
                // Longer than what is read.
                let [create] = trigger(Backend::Sqlite) else { unreachable!() };
                run(&new, &[&format!("{create} -- {}", "x".repeat(1 << 20))]).await;
            }
        }
        new.settled().await;
        for _ in 0..3 {
            assert_eq!(total(&other).await, 10);
            other.settled().await;
        }
        update(&old, Way::ByKey, 12).await;
        old.settled().await;
        assert_eq!(total(&other).await, 12);
    }

    async fn a_procedure_that_a_program_changed_was_taken_for_the_former_one(env: Env) on [MySql] {
        let raw = env.connect().await;
        // Those of other databases count, by their last names.
        let procedure = format!("quiet_{}", env.namespace.replace('-', "_"));
        let (call, was) = (format!("CALL {procedure}()"), format!("CREATE PROCEDURE {procedure}() BEGIN SELECT 1; END"));
        run(&raw, &[ITEM, UNIQUE, &was]).await;
        let old = process(&env).await;
        run(&old, &[&call]).await;
        assert_eq!(old.stats().session_changed_by, None);
        old.ready().await.expect("the schema can be learned");
        let is = format!("CREATE OR REPLACE PROCEDURE {procedure}() BEGIN START TRANSACTION; END");
        run(&raw, &[&is]).await;
        // Whoever starts tells the others.
        process(&env).await;
        coded(&old, "b").await;
        run(&old, &[&call]).await;
        assert!(old.stats().session_changed_by.is_some());
    }
}
