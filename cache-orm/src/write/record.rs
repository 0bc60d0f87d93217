//! Takes note of writes that change more than rows of tables that can be told.

use crate::{
    classify::{self, Class, hidden},
    context::Context,
    eligibility::Eligibility,
    write::affected,
};

/// Takes note of a write that changes more than rows of tables that can be told, before it is sent.
pub(crate) fn record(shared: &Context, eligibility: Option<&Eligibility>, class: &Class, sql: &str) {
    let is_unknown = matches!(class, Class::Unknown | Class::UnknownSchema);
    if *class == Class::Session || (is_unknown && calls_loudly(shared, eligibility, sql)) {
        shared.session.changes(|| classify::shown(sql, shared.backend));
    } else if !affected::is_narrow(eligibility, class) {
        shared.wide.count(|| classify::shown(sql, shared.backend));
    }
}

/// True if the text calls a procedure that may change the session or begin a transaction.
fn calls_loudly(shared: &Context, eligibility: Option<&Eligibility>, sql: &str) -> bool {
    if !shared.dialect().sessions.calls_may_change {
        return false;
    }
    let schema = eligibility.and_then(|eligibility| eligibility.schema.as_ref());
    let is_quiet = |name: &String| schema.is_some_and(|schema| schema.is_quiet_procedure(name));
    !hidden::of(sql, shared.backend).calls.iter().all(is_quiet)
}
