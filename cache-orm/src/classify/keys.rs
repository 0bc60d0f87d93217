//! WHERE to equality conditions that narrow the rows affected.

use super::{Equality, statement::Statement, token::Kind};

/// Every `column = parameter` that stands alone between the ANDs of the outermost level. What else is there
/// narrows further.
pub(super) fn equalities(statement: &Statement, filter: usize, table: &str) -> Vec<Equality> {
    const ENDS: &[&str] = &["RETURNING", "ORDER", "LIMIT"];
    let mut found = Vec::new();
    // A conjunct begins after WHERE or AND.
    let mut begins = Some(filter + 1);
    for (at, kind) in statement.level(filter + 1) {
        // These bind weaker than AND, or have an AND of their own. MySQL reads `||` as OR.
        let loosens = statement.is(at, &["OR", "XOR", "BETWEEN", "CASE"])
            || (kind == Kind::Operator && matches!(statement.text(at), "|" | ":" | ":="));
        if loosens {
            return Vec::new();
        }
        if statement.is(at, ENDS) {
            found.extend(begins.and_then(|from| equality(statement, from, at, table)));
            return found;
        }
        if statement.is(at, &["AND"]) {
            found.extend(begins.and_then(|from| equality(statement, from, at, table)));
            begins = Some(at + 1);
        }
    }
    let end = statement.level(filter + 1).last().map_or(filter + 1, |(at, _)| at + 1);
    found.extend(begins.and_then(|from| equality(statement, from, end, table)));
    found
}

/// `column = parameter` or `table.column = parameter`, and nothing else from `from` to `end`.
fn equality(statement: &Statement, mut from: usize, end: usize, table: &str) -> Option<Equality> {
    if statement.kind(from + 1) == Some(Kind::Dot) {
        if statement.name(from)? != table {
            return None;
        }
        from += 2;
    }
    let column = statement.name(from)?;
    let Some(Kind::Parameter(index)) = statement.kind(from + 2) else {
        return None;
    };
    let stands_alone = statement.is_operator(from + 1, "=") && end == from + 3;
    stands_alone.then_some(Equality { column, parameter: index as usize })
}
