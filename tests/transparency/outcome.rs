//! What a call gave, as text that is equal if and only if the results are.

use std::fmt::Debug;

use sea_orm::DbErr;

/// One value.
pub(crate) fn value<T: Debug>(result: Result<T, DbErr>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => failure(&error),
    }
}

/// Rows in the order that the query demands.
pub(crate) fn list<T: Debug>(result: Result<Vec<T>, DbErr>) -> String {
    match result {
        Ok(rows) => lines(rows.iter().map(|row| format!("{row:?}")).collect()),
        Err(error) => failure(&error),
    }
}

/// Rows in any order.
pub(crate) fn bag<T: Debug>(result: Result<Vec<T>, DbErr>) -> String {
    match result {
        Ok(rows) => {
            let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            lines(rows)
        }
        Err(error) => failure(&error),
    }
}

fn lines(rows: Vec<String>) -> String {
    format!("{} rows{}", rows.len(), rows.iter().map(|row| format!("\n  {row}")).collect::<String>())
}

/// The error's kind and text, without what is volatile: the two databases have names of their own, which servers
/// like to mention, and Postgres tells the line of its own source.
fn failure(error: &DbErr) -> String {
    let debug = format!("{error:?}");
    let kind: String = debug.chars().take_while(char::is_ascii_alphanumeric).collect();
    let text = format!("{FAILED} {kind}, {:?}: {error}", error.sql_err());
    let text = without(&text, "cache_test_", |c| c == '_' || c.is_ascii_hexdigit());
    without(&text, " at line ", |c| c.is_ascii_digit())
}

/// How the text of every failure begins.
pub(crate) const FAILED: &str = "failed:";

/// The text without every `start` and the characters that continue it.
fn without(text: &str, start: &str, continues: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "…" + part.trim_start_matches(&continues))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_databases_are_left_out() {
        let error =
            DbErr::Custom("`cache_test_0123456789abcdef_7`.`comment`, cache_test_0_1 at line 7".to_owned());
        assert!(failure(&error).ends_with("`…`.`comment`, ……"), "{}", failure(&error));
    }

    #[test]
    fn a_bag_has_no_order_and_a_list_has() {
        assert_eq!(bag(Ok(vec![2, 1])), bag(Ok(vec![1, 2])));
        assert_ne!(list(Ok(vec![2, 1])), list(Ok(vec![1, 2])));
        assert_ne!(bag(Ok(vec![1, 1])), bag(Ok(vec![1])));
    }
}
