//! From a model to the row that gives it back, and from stored values to the same.

use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(feature = "postgres-array")]
use sea_orm::sea_query::ArrayType;
use sea_orm::{ColumnType, EntityTrait, FromQueryResult, Iterable, ModelTrait, Value, sea_query::OptionEnum};

#[cfg(feature = "postgres-array")]
use sea_orm::prelude::Json;

use super::{Row, Shape};
use crate::model::Compared;

/// Why a model is not cached. The query is answered from the database, as without a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Unfit {
    /// SeaORM can't read the model back from its own values.
    #[error("the model can't be read back from its own values")]
    Undecodable,
    /// What comes back is another model: a type whose conversions to and from the database don't match, or a
    /// value that is not equal to itself.
    #[error("the model that is read back from its values is not equal to it")]
    NotEqual,
    /// A column that a key or a relation names: its type gives another value than the database holds, or the
    /// database holds a value of another type. Slots are named by the database's values.
    #[error("the value of a key, as the model's type gives it, is not the one that the database holds")]
    NotGiven,
    /// A conversion of one of the model's types panicked.
    #[error("a conversion of one of the model's types panicked")]
    Panicked,
    /// A logger listens at trace level and SeaORM would show it the row.
    #[error("a logger at trace level would be shown the row")]
    TraceLogged,
}

/// The row of a model that the database has just given.
///
/// # Errors
/// The reason, if the row would not give back an equal model. Never panics: the types of a model may, in
/// conversions that the query itself does not use.
pub(crate) fn capture<M>(shape: &Shape, model: &M) -> Result<Row, Unfit>
where
    M: ModelTrait + FromQueryResult + Compared,
{
    let attempt = |form| {
        guarded(|| {
            let values = taken(model).zip(shape.types());
            let values = values.map(|(value, kind)| readable(value, kind, form)).collect();
            let (row, again) = decoded::<M>(shape, values)?;
            if again.is_equal(model) && given_back(row.values(), &again) {
                Ok(row)
            } else {
                Err(Unfit::NotEqual)
            }
        })
    };
    let row = attempt(JsonLists::ByColumnType);
    // Only where a column has such a list: any other model would fail the same way twice.
    if cfg!(feature = "postgres-array")
        && matches!(row, Err(Unfit::Undecodable | Unfit::NotEqual))
        && guarded(|| Ok(taken(model).any(|value| is_json_list(&value))))?
    {
        return attempt(JsonLists::AgainstColumnType);
    }
    row
}

/// The row of values that a store returned, if they are what the model's own types would store.
pub(crate) fn verify<M>(shape: &Shape, values: Vec<Value>) -> Option<Row>
where
    M: ModelTrait + FromQueryResult,
{
    if values.len() != shape.len() {
        return None;
    }
    let row = guarded(|| {
        let (row, model) = decoded::<M>(shape, values)?;
        if given_back(row.values(), &model) { Ok(row) } else { Err(Unfit::NotEqual) }
    });
    row.ok()
}

/// Runs conversions of the model's types. Needed: SeaORM's derives `expect` that a JSON value serializes, and
/// its arrays `unwrap` every element, so a value that the model accepts, or a store invents, may panic where
/// the query alone would not.
fn guarded<T>(convert: impl FnOnce() -> Result<T, Unfit>) -> Result<T, Unfit> {
    catch_unwind(AssertUnwindSafe(convert)).unwrap_or(Err(Unfit::Panicked))
}

fn taken<M: ModelTrait>(model: &M) -> impl Iterator<Item = Value> {
    <M::Entity as EntityTrait>::Column::iter().map(|column| model.get(column))
}

/// A row of the values, and the model that SeaORM reads from it.
fn decoded<M: FromQueryResult>(shape: &Shape, values: Vec<Value>) -> Result<(Row, M), Unfit> {
    let row = Row::new(shape, values).ok_or(Unfit::TraceLogged)?;
    let model = M::from_query_result(&row.answer, "").map_err(|_| Unfit::Undecodable)?;
    Ok((row, model))
}

/// True if the model's values are the row's, apart from the forms that [`readable`] changes.
fn given_back<M: ModelTrait>(row: &[Value], model: &M) -> bool {
    row.iter().zip(taken(model)).all(|(kept, taken)| same(kept, &taken))
}

/// How a list of JSON values is read: as an array of the database (`Vec<serde_json::Value>`) or as one JSON
/// document (`Vec<T>` of a JSON struct). Both give the same value; the type of the column tells them apart,
/// unless it was left to its default.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonLists {
    ByColumnType,
    AgainstColumnType,
}

/// The value in the form in which SeaORM reads it from a row. Enums are written as such but read as text.
#[cfg_attr(not(feature = "postgres-array"), expect(unused_variables, reason = "only arrays have two forms"))]
fn readable(value: Value, column: &ColumnType, lists: JsonLists) -> Value {
    match value {
        Value::Enum(OptionEnum::Some(value)) => Value::String(Some(value.value.into_owned())),
        Value::Enum(OptionEnum::None(_)) => Value::String(None),
        #[cfg(feature = "postgres-array")]
        Value::Array(ArrayType::Enum(_), items) => {
            let text = |item| readable(item, column, lists);
            Value::Array(
                ArrayType::String,
                items.map(|items| Box::new(items.into_iter().map(text).collect())),
            )
        }
        #[cfg(feature = "postgres-array")]
        Value::Array(ArrayType::Json, items)
            if matches!(column, ColumnType::Array(_)) != (lists == JsonLists::ByColumnType) =>
        {
            let document = |item| match item {
                Value::Json(Some(json)) => *json,
                _ => Json::Null,
            };
            Value::Json(items.map(|items| Box::new(Json::Array(items.into_iter().map(document).collect()))))
        }
        other => other,
    }
}

fn is_json_list(value: &Value) -> bool {
    match value {
        #[cfg(feature = "postgres-array")]
        Value::Array(ArrayType::Json, Some(_)) => true,
        _ => false,
    }
}

/// True if a row's value is what a model gives, or its readable form.
fn same(kept: &Value, taken: &Value) -> bool {
    match (kept, taken) {
        // Compared as documents: the order of a map's keys may change from one serialization to the next.
        (Value::Json(kept), Value::Json(taken)) => kept == taken,
        (Value::String(kept), Value::Enum(OptionEnum::Some(taken))) => kept.as_deref() == Some(&*taken.value),
        (Value::String(kept), Value::Enum(OptionEnum::None(_))) => kept.is_none(),
        #[cfg(feature = "postgres-array")]
        (Value::Array(ArrayType::String, kept), Value::Array(ArrayType::Enum(_), taken)) => {
            same_items(kept.as_ref().map(|kept| kept.iter()), taken.as_deref(), same)
        }
        #[cfg(feature = "postgres-array")]
        (Value::Json(kept), Value::Array(ArrayType::Json, taken)) => {
            let kept = match kept.as_deref() {
                Some(Json::Array(kept)) => Some(kept.iter()),
                Some(_) => return false,
                None => None,
            };
            same_items(
                kept,
                taken.as_deref(),
                |kept, taken| matches!(taken, Value::Json(Some(taken)) if **taken == *kept),
            )
        }
        _ => kept == taken,
    }
}

#[cfg(feature = "postgres-array")]
fn same_items<T>(
    kept: Option<impl ExactSizeIterator<Item = T>>,
    taken: Option<&Vec<Value>>,
    same: impl Fn(T, &Value) -> bool,
) -> bool {
    match (kept, taken) {
        (Some(mut kept), Some(taken)) => {
            kept.len() == taken.len()
                && taken.iter().all(|taken| kept.next().is_some_and(|kept| same(kept, taken)))
        }
        (kept, taken) => kept.is_none() && taken.is_none(),
    }
}
