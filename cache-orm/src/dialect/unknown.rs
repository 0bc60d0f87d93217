//! A database that SeaORM knows and the cache does not: of each fact, what costs at most speed.

use sea_orm::IsolationLevel;

use super::{
    Brackets, Dialect, Integers, JsonForms, Operators, Parameters, SessionRules, SessionSchema, TokenRules,
    TypeRules,
};

/// The facts of a database that nobody knows. How its texts are cut matters only to what is shown of them, and to
/// whether one that is not understood may change the session.
pub(super) static UNKNOWN: Dialect = Dialect {
    name: "an unknown database",
    tokens: TokenRules {
        byte_order_marks: true,
        dashes_need_space: false,
        hash_comments: false,
        return_ends_comment: true,
        nested_comments: false,
        executable_comments: false,
        backslashes: true,
        escape_strings: false,
        double_quoted_strings: false,
        names_may_be_strings: true,
        backticks: true,
        brackets: Brackets::Nothing,
        dollar_quotes: false,
        parameters: Parameters::Counted,
        operators: Operators::Signs(&[]),
        longest_name: Some(0),
        name_quote: '"',
    },
    statements: None,
    sessions: SessionRules {
        harmless_settings: "",
        settings_of_no_name: "",
        set_local: false,
        set_is_of_settings: true,
        set_statement: false,
        setting_function: Some("set_config"),
        alters_later_sessions: true,
        locks_end_with_transaction: false,
        prepared_transactions: true,
        end_commits: true,
        schema_changes_commit: true,
        failure_keeps_transaction: false,
        snapshot: Some(IsolationLevel::RepeatableRead),
        blocks_stand_alone: false,
        labels: true,
        executes_strings: true,
        do_runs_string: true,
        strings_are_bodies: false,
        bodies_end_transactions: false,
        calls_may_change: true,
        functions_may_write: true,
        select_into: true,
        on_commit_drop: false,
        session_schema: SessionSchema::Unnamed,
        last_insert_id: None,
    },
    types: TypeRules {
        arrays: false,
        casts_fail: false,
        columns_hold_any_type: true,
        integers: Integers::Any,
        json: JsonForms {
            by_type: false,
            loses_doubles_and_documents: true,
            truth_as_integer: true,
            declared_truth_as_integer: true,
            uuids: false,
        },
    },
    catalogue: None,
};
