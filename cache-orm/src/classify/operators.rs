//! Operators that are known to change no rows.

use std::{collections::HashSet, sync::LazyLock};

static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("operators.txt").lines().collect());

/// True for the operators of Postgres and of the extensions that many databases have. Another one may call
/// any function.
pub(super) fn is_postgres_operator(operator: &str) -> bool {
    operator.len() == 1 && "+-*/<>=~!@#%^&|?".contains(operator) || KNOWN.contains(operator)
}
