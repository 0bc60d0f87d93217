//! What each journey costs: operations of the store and queries of the database, in order. A change of cost is
//! a change of this table, and a failure prints what was done.

#![allow(clippy::print_stdout, reason = "`--nocapture` shows the tables")]

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use cache_core::testing::CountingStore;
use cache_orm::{CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, category, new_product, priced, product, store},
};

/// A cached connection that records what it asks of the store and of the database.
struct Metered {
    db: CachedConnection,
    operations: CountingStore,
    queries: Arc<Mutex<Vec<String>>>,
    report: String,
}

impl Metered {
    async fn open(env: &Env) -> Self {
        let shop = Shop::open(env).await;
        let operations = CountingStore::new(env.store().await);
        let queries = Arc::<Mutex<Vec<String>>>::default();
        let mut below = env.connect().await;
        below.set_metric_callback({
            let queries = queries.clone();
            move |info| {
                let verb = info.statement.sql.split(' ').next().unwrap_or_default().to_lowercase();
                queries.lock().unwrap_or_else(PoisonError::into_inner).push(verb);
            }
        });
        let db = CachedConnection::builder(below)
            .shared_store(Arc::new(operations.clone()))
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .build()
            .await
            .expect("the cache is ready");
        shop.plain.close().await.expect("the connection closes");
        let metered = Metered { db, operations, queries, report: String::new() };
        metered.taken().await;
        metered
    }

    /// Operations of the store since the last call, and queries of the database.
    async fn taken(&self) -> (Vec<String>, Vec<String>) {
        self.db.settled().await;
        let verbs = self.operations.take().into_iter().map(|operation| {
            let mut words = operation.split(' ');
            let verb = words.next().unwrap_or_default();
            match (verb, words.count()) {
                ("fence" | "release", cells) => format!("{verb}({cells})"),
                _ => verb.to_owned(),
            }
        });
        let queries = std::mem::take(&mut *self.queries.lock().unwrap_or_else(PoisonError::into_inner));
        (verbs.collect(), queries)
    }

    /// Asserts what the journey that has just ended cost.
    async fn expect(&mut self, journey: &str, operations: &[&str], queries: &[&str]) {
        let (did, sent) = self.taken().await;
        let row = format!("| {journey} | {} | {} |", did.join(" → "), sent.join(", "));
        writeln!(self.report, "{row}").expect("text can be appended to");
        assert_eq!((did, sent), (owned(operations), owned(queries)), "\n{journey}: so far\n{}", self.report);
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

matrix! {
    stores: store;

    async fn of_reads(env: Env) {
        let mut metered = Metered::open(&env).await;
        let db = metered.db.clone();
        let by_id = |id| product::Entity::find_by_id(id).one(&db);
        let by_sku = |sku: &str| product::Entity::find_by_sku(sku).one(&db);

        by_id(1).await.expect("an answer");
        metered.expect("by primary key, cold", &["lookup", "lease", "fill"], &["select"]).await;
        by_id(1).await.expect("an answer");
        metered.expect("by primary key, hit", &["lookup"], &[]).await;
        by_sku("A-1").await.expect("an answer");
        metered.expect("by unique key, no alias yet", &["lookup", "lease", "fill"], &["select"]).await;
        by_sku("A-1").await.expect("an answer");
        metered.expect("by unique key, hit", &["lookup", "lookup"], &[]).await;
        by_sku("B-2").await.expect("an answer");
        metered.taken().await;
        by_sku("B-2").await.expect("an answer");
        metered
            .expect("by unique key, alias known, row cold", &["lookup", "lookup", "lease", "fill"], &["select"])
            .await;
        by_id(99).await.expect("an answer");
        metered.expect("no such row, cold", &["lookup", "lease", "fill"], &["select"]).await;
        by_id(99).await.expect("an answer");
        metered.expect("no such row, hit", &["lookup"], &[]).await;
        by_sku("nothing").await.expect("an answer");
        metered.expect("no such unique key, cold", &["lookup", "lease", "fill"], &["select"]).await;
        by_sku("nothing").await.expect("an answer");
        metered.expect("no such unique key, hit", &["lookup"], &[]).await;
        category::Entity::find().all(&db).await.expect("an answer");
        metered.expect("all(), cold", &["lookup", "lease", "fill"], &["select"]).await;
        category::Entity::find().all(&db).await.expect("an answer");
        metered.expect("all(), hit", &["lookup"], &[]).await;
        product::Entity::find().filter(product::Column::Price.gt(1)).all(&db).await.expect("an answer");
        metered.expect("any other read", &[], &["select"]).await;
        by_id(1).await.expect("an answer");
        metered.taken().await;
        let bypass = db.bypass();
        product::Entity::find_by_id(1).one(&bypass).await.expect("an answer");
        metered.expect("bypass", &[], &["select"]).await;
        println!("{:?} {:?}\n{}", env.backend(), env.kind, metered.report);
    }

    async fn of_writes(env: Env) {
        let mut metered = Metered::open(&env).await;
        let db = metered.db.clone();
        let my_sql = env.backend() == Backend::MySql;

        new_product(4, "D-4").insert(&db).await.expect("the insert succeeds");
        // SeaORM reads the row back where the backend has no RETURNING, which fills its slot.
        let read_back = ["lookup", "lease", "fill"];
        let with_read_back = |write: [&'static str; 2]| match (my_sql, env.kind) {
            (false, _) => write.to_vec(),
            // The release of a shared store is not waited for; either order is right.
            (true, _) => [&write[..], &read_back[..]].concat(),
        };
        let sent = |verb| if my_sql { vec![verb, "select"] } else { vec![verb] };
        if my_sql {
            // The order of release and read-back is not fixed: compare as sets.
            let (mut did, queries) = metered.taken().await;
            did.sort();
            let mut expected = with_read_back(["fence(2)", "release(2)"]);
            expected.sort_unstable();
            assert_eq!((did, queries), (owned(&expected), owned(&sent("insert"))));
        } else {
            metered.expect("insert", &with_read_back(["fence(2)", "release(2)"]), &sent("insert")).await;
        }
        let update = priced(1, 7).update(&db).await.expect("the update succeeds");
        if my_sql {
            let (mut did, queries) = metered.taken().await;
            did.retain(|operation| operation.contains('('));
            assert_eq!((did, queries), (owned(&["fence(2)", "release(2)"]), owned(&sent("update"))));
        } else {
            metered.expect("update", &["fence(2)", "release(2)"], &["update"]).await;
        }
        product::Entity::update_many()
            .col_expr(product::Column::Sku, Expr::value("A-9"))
            .filter(product::Column::Id.eq(update.id))
            .exec(&db)
            .await
            .expect("the update succeeds");
        metered.expect("update of a unique column", &["fence(3)", "release(3)"], &["update"]).await;
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(1))
            .filter(product::Column::Price.gt(1))
            .exec(&db)
            .await
            .expect("the update succeeds");
        // Four rows and all(), where the backend tells them; else the whole table. SQLite is asked for the last
        // row id as well.
        let (operations, queries): (_, &[&str]) = match env.backend() {
            Backend::MySql => (["fence(10)", "release(10)"], &["update"]),
            Backend::Postgres => (["fence(5)", "release(5)"], &["update"]),
            Backend::Sqlite => (["fence(5)", "release(5)"], &["update", "select"]),
        };
        metered.expect("update of many rows", &operations, queries).await;
        product::Entity::delete_by_id(3).exec(&db).await.expect("the delete succeeds");
        // The row and all(); and the whole of `review` and `stock`, which cascades reach.
        metered.expect("delete with two cascades", &["fence(22)", "release(22)"], &["delete"]).await;

        let transaction = db.begin().await.expect("a transaction");
        for id in [1, 2] {
            product::Entity::update_many()
                .col_expr(product::Column::Price, Expr::value(3))
                .filter(product::Column::Id.eq(id))
                .exec(&transaction)
                .await
                .expect("the update succeeds");
        }
        transaction.commit().await.expect("the commit succeeds");
        metered
            .expect("transaction of two updates", &["fence(3)", "release(3)"], &["update", "update"])
            .await;
        let transaction = db.begin().await.expect("a transaction");
        product::Entity::delete_by_id(1).exec(&transaction).await.expect("the delete succeeds");
        transaction.rollback().await.expect("the rollback succeeds");
        metered.expect("transaction that rolls back", &[], &["delete"]).await;
        let raw = db.execute_unprepared("UPDATE product SET price = 1").await.expect("it succeeds");
        assert_eq!(raw.rows_affected(), 3);
        metered.expect("raw update of a table", &["fence(10)", "release(10)"], &[]).await;
        println!("{:?} {:?}\n{}", env.backend(), env.kind, metered.report);
    }
}
