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

/// The error's kind and text. The two databases have names of their own, which servers like to mention.
fn failure(error: &DbErr) -> String {
    let debug = format!("{error:?}");
    let kind: String = debug.chars().take_while(char::is_ascii_alphanumeric).collect();
    format!("{FAILED} {kind}, {:?}: {}", error.sql_err(), without_database_names(&error.to_string()))
}

/// How the text of every failure begins.
pub(crate) const FAILED: &str = "failed:";

fn without_database_names(text: &str) -> String {
    const NAME: &str = "cache_test_";
    let mut rest = text;
    let mut result = String::new();
    while let Some(at) = rest.find(NAME) {
        result.push_str(&rest[..at]);
        result.push_str("<database>");
        let name = &rest[at + NAME.len()..];
        rest = &name[name.find(|c: char| c != '_' && !c.is_ascii_hexdigit()).unwrap_or(name.len())..];
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_databases_are_left_out() {
        let text = "of `cache_test_0123456789abcdef_7`.`comment`, cache_test_0_1";
        assert_eq!(without_database_names(text), "of `<database>`.`comment`, <database>");
    }

    #[test]
    fn a_bag_has_no_order_and_a_list_has() {
        assert_eq!(bag(Ok(vec![2, 1])), bag(Ok(vec![1, 2])));
        assert_ne!(list(Ok(vec![2, 1])), list(Ok(vec![1, 2])));
        assert_ne!(bag(Ok(vec![1, 1])), bag(Ok(vec![1])));
    }
}
