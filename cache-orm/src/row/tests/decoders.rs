//! What decoders other than the model see of a cached row.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use sea_orm::{DbErr, FromQueryResult, JsonValue, QueryResult, TryGetableMany, entity::prelude::*};

use super::models::shape_for;
use crate::{
    decoders::Decoders,
    row::{capture, explain, query_results, strict::panic_text},
};

/// Its columns are not in alphabetical order.
mod unsorted {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "unsorted")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) stock: Option<i32>,
        pub(crate) price: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const MODEL: unsorted::Model = unsorted::Model { id: 7, stock: None, price: 25 };

fn answer(model: &unsorted::Model, decoders: Decoders, is_strict: bool) -> QueryResult {
    let shape = shape_for::<unsorted::Model>(decoders, is_strict);
    let row = Arc::new(capture(&shape, model).expect("a plain model"));
    query_results(&[row]).expect("nobody listens").remove(0)
}

fn tuple(row: &QueryResult) -> Result<(i32, Option<i32>, i32), DbErr> {
    TryGetableMany::try_get_many_by_index(row).map_err(DbErr::from)
}

/// What JSON is, or what it panics with.
fn json(row: &QueryResult) -> Result<JsonValue, String> {
    let json =
        catch_unwind(AssertUnwindSafe(|| JsonValue::from_query_result(row, "").expect("never an error")));
    json.map_err(|panic| panic.downcast_ref::<String>().expect("a text").clone())
}

#[test]
fn json_has_the_columns_and_nothing_else() {
    for is_strict in [false, true] {
        let row = answer(&MODEL, Decoders::Json, is_strict);
        assert_eq!(json(&row), Ok(serde_json::json!({"id": 7, "stock": null, "price": 25})));
        assert_eq!(row.column_names(), ["id", "price", "stock"]);
    }
}

#[test]
fn tuples_are_in_select_order_where_that_is_promised() {
    for is_strict in [false, true] {
        assert_eq!(tuple(&answer(&MODEL, Decoders::Tuples, is_strict)), Ok((7, None, 25)));
        let stocked = unsorted::Model { stock: Some(100), ..MODEL };
        assert_eq!(tuple(&answer(&stocked, Decoders::Tuples, is_strict)), Ok((7, Some(100), 25)));
    }
}

/// Known and documented: a key for the position would show in JSON, and the same value stands under the name.
#[test]
fn a_tuple_in_another_order_than_the_alphabet_s_is_not_right_without_that() {
    let stocked = unsorted::Model { stock: Some(100), ..MODEL };
    assert_eq!(tuple(&answer(&stocked, Decoders::Json, true)), Ok((7, Some(25), 100)));
}

#[test]
fn rows_without_debug_assertions_carry_no_refusals() {
    assert_eq!(answer(&MODEL, Decoders::Model, false).column_names(), ["id", "price", "stock"]);
    let positions = ["\u{0}0000", "\u{0}0001", "\u{0}0002", "id", "price", "stock"];
    assert_eq!(answer(&MODEL, Decoders::Tuples, false).column_names(), positions);
}

#[test]
fn a_strict_row_that_is_right_for_its_model_alone_fails_as_anything_else() {
    let row = answer(&MODEL, Decoders::Model, true);
    assert_eq!(unsorted::Model::from_query_result(&row, ""), Ok(MODEL));
    assert_eq!(json(&row), Err(panic_text()));
    let error = tuple(&row).expect_err("no tuple").to_string();
    assert_eq!(error, "Type Error: A null value was encountered while decoding 0");
    // Whatever the first element is.
    assert!(<(Vec<u8>, i32)>::try_get_many_by_index(&row).is_err());
    assert!(<(String, i32)>::try_get_many_by_index(&row).is_err());
    assert!(<(Json, i32)>::try_get_many_by_index(&row).is_err());
    assert!(<(Option<i32>, i32)>::try_get_many_by_index(&row).is_err());
}

#[test]
fn a_strict_row_for_tuples_fails_as_json() {
    assert_eq!(json(&answer(&MODEL, Decoders::Tuples, true)), Err(panic_text()));
}

/// A user finds the text of the panic, and that of the error, by a search.
#[test]
fn the_texts_of_refusals_stand_in_the_caveats() {
    let caveats = include_str!("../../../../docs/caveats.md");
    assert!(caveats.contains(&panic_text()), "{}", panic_text());
    assert!(caveats.contains("Type Error: A null value was encountered while decoding 0"));
}

/// In a process of its own, whose output can be read.
#[test]
fn the_panic_of_a_refusal_is_explained() {
    const CHILD: &str = "ROW_TEST_REFUSAL";
    if std::env::var_os(CHILD).is_some() {
        explain("shop::invoice::Model");
        let _ = json(&answer(&MODEL, Decoders::Model, true));
        let _ = catch_unwind(|| panic!("another panic"));
        return;
    }
    let path = concat!(module_path!(), "::the_panic_of_a_refusal_is_explained");
    let output = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture", path.split_once("::").expect("a crate and a path").1])
        .env(CHILD, "1")
        .output()
        .expect("this test runs");
    let heard = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{heard}");
    assert_eq!(heard.matches("`into_json` of a cached row of shop::invoice::Model").count(), 1, "{heard}");
    assert!(heard.contains("write `.into_json().one(&db.bypass())`"), "{heard}");
    assert!(heard.contains(&panic_text()) && heard.contains("another panic"), "{heard}");
}
