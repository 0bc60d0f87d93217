//! In builds with debug assertions, what is not promised fails the first time.

use std::panic::AssertUnwindSafe;

use cache_orm::{CachedConnection, CachedEntity};
use futures_util::FutureExt;
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, FromQueryResult, LoaderTrait, ModelTrait, QueryFilter,
    Select,
    prelude::{Date, DateTimeUtc},
};
use tests::{Env, matrix, shop::store};

use super::{
    connect,
    entities::{invoice, invoices, measure, measures},
    hits,
    promises::as_json,
};

const PANIC: &str =
    "called `Result::unwrap()` on an `Err` value: Utf8Error { valid_up_to: 108, error_len: Some(1) }";

#[derive(Debug, PartialEq, FromQueryResult)]
struct Payment {
    due: Date,
    paid_at: Option<DateTimeUtc>,
}

type Tuple = (i32, String, Date, Option<DateTimeUtc>, Option<i32>);

async fn open(env: &Env, strict: bool) -> (DatabaseConnection, CachedConnection) {
    let plain = env.connect().await;
    invoices(&plain).await;
    let (db, ready) = connect(env, strict).await;
    ready.expect("JSON is not promised");
    (plain, db)
}

/// What reading JSON panics with.
async fn panic_of<E: EntityTrait>(select: Select<E>, db: &CachedConnection) -> String {
    let outcome = AssertUnwindSafe(select.into_json().all(db)).catch_unwind().await;
    let panic = outcome.expect_err("a panic");
    panic.downcast_ref::<String>().expect("a text").clone()
}

/// Every kind of read that is answered from the cache.
fn selects() -> [Select<invoice::Entity>; 5] {
    let among = |ids: [i32; 2]| invoice::Entity::find().filter(invoice::Column::Id.is_in(ids));
    [
        invoice::Entity::find_by_id(1),
        invoice::Entity::find_by_number("R-2"),
        among([1, 2]),
        invoice::Entity::find().filter(invoice::Column::Number.is_in(["R-1", "R-2"])),
        invoice::Entity::find(),
    ]
}

matrix! {
    stores: store;

    async fn json_of_a_model_only_entity_panics_the_first_time(env: Env) {
        let (_, db) = open(&env, true).await;
        for select in selects() {
            for _ in 0..3 {
                assert_eq!(panic_of(select.clone(), &db).await, PANIC);
                assert_eq!(panic_of(select.clone(), &db.refresh()).await, PANIC);
                db.settled().await;
            }
        }
        let one = invoice::Entity::find_by_id(1).one(&db).await.expect("an answer").expect("a row");
        assert_eq!(panic_of(one.find_linked(NextOf), &db).await, PANIC);
    }

    async fn a_tuple_of_a_model_only_entity_is_an_error_the_first_time(env: Env) {
        let (_, db) = open(&env, true).await;
        for select in selects() {
            for _ in 0..3 {
                let error = select.clone().into_tuple::<Tuple>().all(&db).await.expect_err("no tuple").to_string();
                assert_eq!(error, "Type Error: A null value was encountered while decoding 0");
                db.settled().await;
            }
        }
    }

    async fn json_of_an_entity_for_tuples_panics_the_first_time(env: Env) {
        let plain = env.connect().await;
        measures(&plain).await;
        let (db, _) = connect(&env, true).await;
        for _ in 0..2 {
            assert_eq!(panic_of(measure::Entity::find_by_id(7), &db).await, PANIC);
            db.settled().await;
        }
    }

    async fn models_are_right_in_every_build(env: Env) {
        let plain = env.connect().await;
        invoices(&plain).await;
        for strict in [true, false] {
            let (db, _) = connect(&env, strict).await;
            for _ in 0..3 {
                for select in selects() {
                    let sorted = |mut rows: Vec<invoice::Model>| {
                        rows.sort_by_key(|row| row.id);
                        rows
                    };
                    let truth = sorted(select.clone().all(&plain).await.expect("an answer"));
                    assert_eq!(sorted(select.clone().all(&db).await.expect("an answer")), truth);
                    let payments = select.into_model::<Payment>().all(&db).await.expect("an answer");
                    assert_eq!(payments.len(), truth.len());
                    db.settled().await;
                }
                let one = invoice::Entity::find_by_id(1).one(&db).await.expect("an answer").expect("a row");
                let payment = invoice::Entity::find_by_id(1).into_model::<Payment>().one(&db).await.expect("an answer");
                assert_eq!(payment, Some(Payment { due: one.due, paid_at: one.paid_at }));
                let next = one.find_linked(NextOf).one(&db).await.expect("an answer");
                assert_eq!(next.map(|next| next.id), Some(2));
                let loaded = vec![one.clone()].load_self(invoice::Entity, invoice::Relation::Next, &db).await;
                assert_eq!(loaded.expect("an answer")[0].as_ref().map(|next| next.id), Some(2));
                let two = invoice::Entity::get_many(&db, [2, 1]).await.expect("an answer");
                assert_eq!(two[1].as_deref(), Some(&one));
                db.settled().await;
            }
            assert!(hits(&db, "invoice") > 10);
        }
    }

    /// A build without debug assertions pays for nothing: the first answer is the database's own row.
    async fn without_debug_assertions_the_first_answer_is_the_database_s(env: Env) {
        let (plain, db) = open(&env, false).await;
        for select in selects() {
            assert_eq!(as_json(select.clone(), &db.refresh()).await, as_json(select.clone(), &plain).await);
            db.settled().await;
        }
        let first = invoice::Entity::find_by_id(99).into_tuple::<Tuple>().one(&db).await;
        assert_eq!(first.expect("an answer"), None);
    }

    /// Whatever follows in a transaction reads the database.
    async fn json_in_a_transaction_is_the_database_s(env: Env) {
        use sea_orm::TransactionTrait;
        let (plain, db) = open(&env, true).await;
        let transaction = db.begin().await.expect("a transaction");
        for select in selects() {
            assert_eq!(as_json(select.clone(), &transaction).await, as_json(select, &plain).await);
        }
        transaction.rollback().await.expect("it ends");
    }
}

struct NextOf;

impl sea_orm::Linked for NextOf {
    type FromEntity = invoice::Entity;
    type ToEntity = invoice::Entity;

    fn link(&self) -> Vec<sea_orm::RelationDef> {
        use sea_orm::RelationTrait;
        vec![invoice::Relation::Next.def()]
    }
}
