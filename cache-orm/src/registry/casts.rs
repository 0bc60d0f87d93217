//! `select_as` and `save_as`: what stands between a column and the application may make another value of it.

use sea_orm::{
    ColumnTrait, DbBackend,
    sea_query::{Expr, Query},
};

use crate::dialect::Dialect;

/// The types that an entity casts a column to, in lower case, when it selects the column or compares it with a value.
/// An expression that is no cast, or one that may change more than a type, is a type that nobody knows.
pub(super) fn casts<C: ColumnTrait>(column: C, backend: DbBackend) -> Vec<String> {
    let text = |expression: Expr| backend.build(Query::select().expr(expression)).sql;
    let value = || Expr::val(0);
    let selected = (text(Expr::col(column)), text(column.select_as(Expr::col(column))));
    let compared = (text(value()), text(column.save_as(value())));
    let changed = [selected, compared].into_iter().filter(|(plain, written)| plain != written);
    changed.map(|(plain, written)| target(&plain, &written, backend).unwrap_or_default()).collect()
}

/// What an entity selects a column as, if it is not the column itself.
pub(super) fn selected<C: ColumnTrait>(column: C, backend: DbBackend) -> Option<String> {
    let text = |expression: Expr| backend.build(Query::select().expr(expression)).sql;
    let selected = text(column.select_as(Expr::col(column)));
    (selected != text(Expr::col(column))).then_some(selected)
}

/// The type of `SELECT CAST(plain AS type)`, where such a cast fails if the value does not fit.
fn target(plain: &str, written: &str, backend: DbBackend) -> Option<String> {
    let expression = plain.strip_prefix("SELECT ")?;
    let cast = written.strip_prefix("SELECT CAST(")?.strip_prefix(expression)?;
    let target = cast.strip_prefix(" AS ")?.strip_suffix(')')?;
    Dialect::of(backend).types.casts_fail.then(|| target.trim_matches('"').to_lowercase())
}
