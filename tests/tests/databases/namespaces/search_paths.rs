//! Connections whose search paths differ: a bare name means what it means to each, and what they share is one table.

use std::sync::Arc;

use cache_core::testing::CountingStore;
use cache_orm::{CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};
use tests::{Backend, Env, StoreKind, run, shop::store};

use super::places::{Place, agree_in_any_order, entity, execute};

entity! {
    /// A table that several schemas have.
    rp, "rp", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        #[sea_orm(unique)]
        u: i32,
        v: i32,
    }
}

entity! {
    /// Its rows go with those of `rp`.
    part, "part", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        rp: i32,
    }
}

const COLUMNS: &str = "(id integer PRIMARY KEY, u integer NOT NULL UNIQUE, v integer NOT NULL)";

/// One tenant: a pool with a search path of its own, plain and cached.
async fn tenant(env: &Env, path: &str) -> Place {
    let connect = || env.database.connect_with(|options| _ = options.set_schema_search_path(path));
    let db = CachedConnection::builder(connect().await)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("both are one database");
    Place { plain: connect().await, db }
}

async fn agrees(place: &Place, when: &str) {
    for id in 1..=3 {
        place.agree(rp::Entity::find_by_id(id), when).await;
        place.agree(rp::Entity::find().filter(rp::Column::U.eq(10 + id)), when).await;
    }
    let list = rp::Entity::find().filter(rp::Column::Id.is_in([1, 2, 3]));
    agree_in_any_order(&place.db, &place.plain, list, when).await;
    agree_in_any_order(&place.db, &place.plain, rp::Entity::find(), when).await;
}

/// Every kind of write through the one, and both read after each.
async fn writes_agree(one: &Place, other: &Place) {
    let reads = async |when: &str| {
        for place in [one, other] {
            place.db.settled().await;
            agrees(place, when).await;
        }
    };
    reads("at first").await;
    let update = rp::ActiveModel { id: Unchanged(1), v: Set(5), ..Default::default() };
    update.update(&one.db).await.expect("the update goes through");
    reads("after an update by key").await;
    let row = rp::ActiveModel { id: Set(3), u: Set(13), v: Set(7) };
    row.insert(&one.db).await.expect("the insert goes through");
    reads("after an insert").await;
    let update = rp::Entity::update_many().col_expr(rp::Column::V, Expr::value(8));
    update.filter(rp::Column::V.gt(1)).exec(&one.db).await.expect("the update goes through");
    reads("after an update of some").await;
    execute(&one.db, "UPDATE rp SET v = v + 1").await;
    reads("after raw SQL").await;
    rp::Entity::delete_by_id(2).exec(&one.db).await.expect("the delete goes through");
    reads("after a delete").await;
    rp::Entity::delete_many().exec(&one.db).await.expect("the delete goes through");
    reads("after a delete of all").await;
}

async fn one_name_two_tables(env: Env) {
    let admin = env.connect().await;
    for (schema, v) in [("t1", 111), ("t2", 222)] {
        execute(&admin, &format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.rp {COLUMNS}")).await;
        execute(&admin, &format!("INSERT INTO {schema}.rp VALUES (1, 11, {v}), (2, 12, {v})")).await;
    }
    // Both have the same current schema.
    let (one, two) = (tenant(&env, "public,t1").await, tenant(&env, "public,t2").await);
    writes_agree(&one, &two).await;
    writes_agree(&two, &one).await;
    assert!(one.hits("rp") > 0 && two.hits("rp") > 0);
}

async fn one_table_of_a_shared_schema(env: Env) {
    let admin = env.connect().await;
    execute(&admin, &format!("CREATE SCHEMA t1; CREATE SCHEMA t2; CREATE TABLE rp {COLUMNS}")).await;
    execute(&admin, "INSERT INTO rp VALUES (1, 11, 1), (2, 12, 2)").await;
    let (one, two) = (tenant(&env, "t1,public").await, tenant(&env, "t2,public").await);
    one.agree(rp::Entity::find_by_id(1), "at first").await;
    one.db.settled().await;
    two.agree(rp::Entity::find_by_id(1), "at first").await;
    let counts = two.db.stats().entities["rp"].counts;
    assert_eq!((counts.hits, counts.fills), (6, 0), "the one reads what the other filled");
    writes_agree(&one, &two).await;
}

/// Whatever a text calls the table.
async fn texts_that_name_it_in_full(env: Env) {
    let admin = env.connect().await;
    execute(&admin, &format!("CREATE SCHEMA t1; CREATE SCHEMA t2; CREATE TABLE rp {COLUMNS}")).await;
    execute(&admin, &format!("CREATE TABLE t2.rp {COLUMNS}")).await;
    execute(&admin, "INSERT INTO rp VALUES (1, 11, 1); INSERT INTO t2.rp VALUES (1, 11, 100)").await;
    let (one, two) = (tenant(&env, "t1,public").await, tenant(&env, "t2,public").await);
    for text in [
        "UPDATE public.rp SET v = v + 1",
        "UPDATE t2.rp SET v = v + 1 WHERE id = 1",
        "UPDATE \"t2\".\"rp\" AS x SET v = x.v + 1 FROM public.rp AS y WHERE x.id = y.id",
        "INSERT INTO t2.rp VALUES (2, 12, 5) ON CONFLICT (id) DO UPDATE SET v = 6",
        "INSERT INTO rp VALUES (2, 12, 5)",
        "WITH gone AS (DELETE FROM t2.rp WHERE id = 2 RETURNING id) DELETE FROM public.rp WHERE id = 2",
        "TRUNCATE t2.rp",
        "UPDATE rp SET v = 0",
    ] {
        for place in [&one, &two] {
            agrees(place, text).await;
            place.db.settled().await;
        }
        execute(&one.db, text).await;
        one.db.settled().await;
        for place in [&one, &two] {
            agrees(place, text).await;
        }
    }
}

/// A name means something else until the transaction ends.
async fn another_path_within_a_transaction(env: Env) {
    let admin = env.connect().await;
    for schema in ["t1", "t2"] {
        execute(&admin, &format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.rp {COLUMNS}")).await;
        execute(&admin, &format!("INSERT INTO {schema}.rp VALUES (1, 11, 1), (2, 12, 2)")).await;
    }
    let (one, two) = (tenant(&env, "t1").await, tenant(&env, "t2").await);
    for place in [&one, &two] {
        agrees(place, "at first").await;
        place.db.settled().await;
    }
    let transaction = one.db.begin().await.expect("a transaction");
    for text in ["SET LOCAL search_path TO t2", "UPDATE rp SET v = 77 WHERE id = 1"] {
        execute(&transaction, text).await;
    }
    transaction.commit().await.expect("the commit succeeds");
    for place in [&one, &two] {
        place.db.settled().await;
        agrees(place, "after the commit").await;
        assert!(place.hits("rp") > 0);
    }
}

/// The tables below are no entity's of the one who writes.
async fn foreign_keys_into_other_schemas(env: Env) {
    let admin = env.connect().await;
    execute(&admin, &format!("CREATE SCHEMA t1; CREATE SCHEMA t2; CREATE TABLE rp {COLUMNS}")).await;
    for schema in ["t1", "t2"] {
        let references =
            "(id integer PRIMARY KEY, rp integer NOT NULL REFERENCES public.rp ON DELETE CASCADE)";
        execute(&admin, &format!("CREATE TABLE {schema}.part {references}")).await;
    }
    execute(&admin, "INSERT INTO rp VALUES (1, 11, 1), (2, 12, 2)").await;
    execute(&admin, "INSERT INTO t1.part VALUES (1, 1); INSERT INTO t2.part VALUES (1, 1), (2, 2)").await;
    let (one, two) = (tenant(&env, "t1,public").await, tenant(&env, "t2,public").await);
    let reads = async |when: &str| {
        for place in [&one, &two] {
            place.db.settled().await;
            for id in 1..=2 {
                place.agree(part::Entity::find_by_id(id), when).await;
            }
        }
    };
    reads("at first").await;
    rp::Entity::delete_by_id(1).exec(&one.db).await.expect("the delete goes through");
    reads("after a delete that cascades").await;
    assert!(one.hits("part") > 0 && two.hits("part") > 0);
}

/// A write to a table of another schema leaves others' entries alone.
async fn exact_in_each_schema(env: Env) {
    let admin = env.connect().await;
    execute(
        &admin,
        &format!("CREATE SCHEMA audit; CREATE TABLE audit.log (n integer); CREATE TABLE rp {COLUMNS}"),
    )
    .await;
    execute(&admin, &format!("CREATE TABLE audit.rp {COLUMNS}; INSERT INTO rp VALUES (1, 11, 1)")).await;
    let place = tenant(&env, "public").await;
    agrees(&place, "at first").await;
    let fills = || place.db.stats().entities["rp"].counts.fills;
    let before = fills();
    for text in ["INSERT INTO audit.log VALUES (1)", "UPDATE audit.rp SET v = 1", "DELETE FROM audit.log"] {
        execute(&place.db, text).await;
        place.db.settled().await;
        place.agree(rp::Entity::find_by_id(1), text).await;
    }
    assert_eq!(fills(), before, "nothing was invalidated");
}

async fn every_cell_bears_layout_schema_and_table(env: Env) {
    let admin = env.connect().await;
    execute(&admin, &format!("CREATE TABLE rp {COLUMNS}; INSERT INTO rp VALUES (1, 11, 1)")).await;
    let counting = CountingStore::new(env.store().await);
    let db = CachedConnection::builder(env.connect().await)
        .shared_store(Arc::new(counting.clone()))
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .build()
        .await
        .expect("the cache is ready");
    let place = Place { plain: admin, db };
    counting.take();
    agrees(&place, "at first").await;
    execute(&place.db, "UPDATE rp SET v = 7").await;
    place.db.settled().await;
    let stem = format!("{{{}/{}.1:public.rp.", cache_core::key::LAYOUT, env.namespace);
    let calls = counting.take();
    let cells: Vec<_> =
        calls.iter().flat_map(|call| call.split(' ')).filter(|word| word.contains('{')).collect();
    assert!(cells.len() > 20 && cells.iter().all(|cell| cell.starts_with(&stem)), "{cells:?}");
}

/// However it is written, a path that is set for one transaction tells what its statements mean.
async fn a_path_for_one_transaction(env: Env) {
    let admin = env.connect().await;
    for schema in ["t1", "t2"] {
        execute(&admin, &format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.rp {COLUMNS}")).await;
        execute(&admin, &format!("INSERT INTO {schema}.rp VALUES (1, 11, 1)")).await;
    }
    let (one, other) = (tenant(&env, "t1").await, tenant(&env, "t2").await);
    let sets = [
        "SET LOCAL search_path TO t2",
        "/* tenant */ SET LOCAL search_path TO t2",
        "-- tenant\nSET LOCAL search_path TO t2",
        "SET/**/LOCAL search_path TO t2",
        "SET LOCAL/**/search_path TO t2",
        "SET LOCAL\"search_path\" TO t2",
    ];
    for (set, v) in sets.into_iter().zip(10..) {
        // What was learned before says nothing of it.
        one.db.ready().await.expect("the schema can be learned");
        other.agree(rp::Entity::find_by_id(1), "before").await;
        let transaction = one.db.begin().await.expect("a transaction");
        execute(&transaction, set).await;
        let row = rp::ActiveModel { id: Unchanged(1), v: Set(v), ..Default::default() };
        row.update(&transaction).await.expect("the update goes through");
        transaction.commit().await.expect("the commit succeeds");
        one.db.settled().await;
        other.agree(rp::Entity::find_by_id(1), set).await;
    }
    assert!(other.hits("rp") > 0);
}

/// Each body with every store.
macro_rules! over_every_store {
    ($($body:ident => $name:ident,)+) => {$(
        #[tokio::test]
        async fn $name() {
            for kind in [StoreKind::Memory, StoreKind::Redis] {
                run(Backend::Postgres, kind, store, $body).await;
            }
        }
    )+};
}

over_every_store! {
    one_name_two_tables => a_tenant_was_given_the_row_of_another_under_one_current_schema,
    one_table_of_a_shared_schema => tenants_did_not_invalidate_a_table_that_they_share,
    texts_that_name_it_in_full => a_text_names_a_table_in_full_or_not,
    another_path_within_a_transaction => a_transaction_that_looks_elsewhere_writes_there,
    foreign_keys_into_other_schemas => a_cascade_leads_into_the_schemas_of_others,
    exact_in_each_schema => a_write_in_another_schema_invalidates_nothing_here,
    a_path_for_one_transaction => a_path_set_behind_a_comment_was_not_heeded,
    every_cell_bears_layout_schema_and_table => cells_are_named_by_layout_schema_and_table,
}
