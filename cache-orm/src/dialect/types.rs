//! How values are bound, and in which form they come back.

/// What a value is to a database and to its driver.
#[derive(Debug)]
pub(crate) struct TypeRules {
    /// `= ANY($1)`: a list may be bound as one value.
    #[cfg_attr(
        not(feature = "postgres-array"),
        expect(dead_code, reason = "no list is bound as one value then")
    )]
    pub(crate) arrays: bool,
    /// A cast fails where the value does not fit. Elsewhere it makes another value of it, and then two keys may become
    /// one.
    pub(crate) casts_fail: bool,
    /// A column holds values of any type. The driver reads a text as bytes, but to the database they are two values.
    pub(crate) columns_hold_any_type: bool,
    pub(crate) integers: Integers,
    pub(crate) json: JsonForms,
}

/// Which integers a driver reads from a column of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integers {
    /// Those of the column's width alone.
    ByWidth,
    /// Of any width, but with a sign or without one.
    BySign,
    /// Any.
    Any,
}

/// In which form SeaORM's `into_json` shows values that the database gave. A cached row is shown by the types of its
/// model.
#[derive(Debug)]
pub(crate) struct JsonForms {
    /// The name of a type says in which form its values are shown, so that they need not be compared row by row.
    /// Elsewhere a type is left out, or a text under a binary collation is taken for JSON if it is some.
    pub(crate) by_type: bool,
    /// A REAL is taken for an `f32`, and a document for text.
    pub(crate) loses_doubles_and_documents: bool,
    /// A truth value in a column of integers is shown as a number.
    pub(crate) truth_as_integer: bool,
    /// It is so even in a column that is declared to hold truth values.
    pub(crate) declared_truth_as_integer: bool,
    /// UUIDs have a type of their own.
    pub(crate) uuids: bool,
}
