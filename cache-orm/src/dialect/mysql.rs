//! MySQL and MariaDB. What only one of them does counts for both: a server does not say which it is in a text.

use std::sync::LazyLock;

use sea_orm::IsolationLevel;

use super::{
    Brackets, CatalogueKind, CatalogueRules, Dialect, Integers, JsonForms, KeywordRules, Operators,
    Parameters, SessionRules, SessionSchema, StatementRules, TokenRules, Truncate, TypeRules,
    statements::functions,
};

/// The facts of MySQL and MariaDB.
pub(crate) static MYSQL: Dialect = Dialect {
    name: "MySQL",
    tokens: TokenRules {
        byte_order_marks: false,
        dashes_need_space: true,
        hash_comments: true,
        return_ends_comment: false,
        nested_comments: false,
        executable_comments: true,
        // By NO_BACKSLASH_ESCAPES in sql_mode.
        backslashes: true,
        escape_strings: false,
        // A name by ANSI_QUOTES in sql_mode.
        double_quoted_strings: true,
        names_may_be_strings: false,
        backticks: true,
        brackets: Brackets::Nothing,
        dollar_quotes: false,
        parameters: Parameters::Counted,
        operators: Operators::Signs(b"+-*/<>=~!%&|@^:"),
        longest_name: None,
        name_quote: '`',
    },
    statements: Some(StatementRules {
        harmless: &[],
        of_session: &["LOCK", "UNLOCK", "USE", "XA"],
        of_tables: &["ANALYZE", "OPTIMIZE", "CHECK"],
        harmless_flushes: "table tables status logs binary engine error general relay slow hosts user_resources \
            optimizer_costs query cache table_statistics index_statistics user_statistics client_statistics",
        harmless_pragmas: "",
        truncate: Truncate::Table,
        shows: true,
        describes: true,
        explain_options: false,
        conflict_clauses: false,
        replace: true,
        optional_into: true,
        insert_modifiers: &["LOW_PRIORITY", "HIGH_PRIORITY", "IGNORE"],
        update_modifiers: &["LOW_PRIORITY", "IGNORE"],
        delete_modifiers: &["LOW_PRIORITY", "QUICK", "IGNORE"],
        inheritance: false,
        joined_writes: true,
        delete_using: false,
        returning: false,
        system_schema: None,
        space_before_stored: true,
        functions: LazyLock::new(|| functions(include_str!("names/mysql.txt"))),
        keywords: KeywordRules {
            reserved: &[
                "XOR", "DIV", "REGEXP", "RLIKE", "LIKE", "MATCH", "IF", "LEFT", "RIGHT", "MOD", "REPLACE",
                "CHAR", "CONVERT", "INTERVAL", "BINARY",
            ],
            after_operators: &["OFFSET", "RETURNING", "SOME", "ANY"],
            materialized: false,
            value_list: true,
            index_hints: true,
            match_against: true,
            filter: false,
            word_operators: false,
            values_function: true,
            alias_columns: false,
        },
    }),
    sessions: SessionRules {
        harmless_settings: "",
        settings_of_no_name: "",
        set_local: false,
        set_is_of_settings: false,
        set_statement: true,
        setting_function: None,
        alters_later_sessions: false,
        locks_end_with_transaction: false,
        prepared_transactions: false,
        end_commits: false,
        schema_changes_commit: true,
        failure_keeps_transaction: false,
        snapshot: Some(IsolationLevel::RepeatableRead),
        blocks_stand_alone: true,
        labels: true,
        executes_strings: true,
        do_runs_string: false,
        strings_are_bodies: false,
        bodies_end_transactions: false,
        calls_may_change: true,
        functions_may_write: true,
        select_into: false,
        on_commit_drop: false,
        session_schema: SessionSchema::Unnamed,
        last_insert_id: None,
    },
    types: TypeRules {
        arrays: false,
        casts_fail: false,
        columns_hold_any_type: false,
        integers: Integers::BySign,
        json: JsonForms {
            // MEDIUMINT is left out.
            by_type: false,
            loses_doubles_and_documents: false,
            truth_as_integer: true,
            declared_truth_as_integer: true,
            uuids: false,
        },
    },
    catalogue: Some(CatalogueRules {
        kind: CatalogueKind::InformationSchema,
        fingerprint: catalogue_fingerprint,
    }),
};

/// Rows have no versions there, so they are hashed themselves: those of the session's database, and the foreign
/// keys that lead to it.
fn catalogue_fingerprint() -> String {
    let hash = |columns: &str, of: &str, condition: &str| {
        format!(
            "(SELECT BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT_WS(',', {columns})), 16), 16, 10) AS UNSIGNED)) \
             FROM information_schema.{of} WHERE {condition})"
        )
    };
    let hashes = [
        hash("TABLE_NAME, TABLE_TYPE, ENGINE", "TABLES", "TABLE_SCHEMA = DATABASE()"),
        hash(
            "TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COALESCE(COLLATION_NAME, ''), EXTRA, \
             COALESCE(GENERATION_EXPRESSION, ''), PRIVILEGES",
            "COLUMNS",
            "TABLE_SCHEMA = DATABASE()",
        ),
        hash(
            "TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COALESCE(COLUMN_NAME, ''), COALESCE(SUB_PART, '')",
            "STATISTICS",
            "TABLE_SCHEMA = DATABASE()",
        ),
        hash(
            "CONSTRAINT_SCHEMA, CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, REFERENCED_TABLE_SCHEMA, \
             REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME",
            "KEY_COLUMN_USAGE",
            "TABLE_SCHEMA = DATABASE() OR REFERENCED_TABLE_SCHEMA = DATABASE()",
        ),
        hash(
            "CONSTRAINT_SCHEMA, CONSTRAINT_NAME, UPDATE_RULE, DELETE_RULE",
            "REFERENTIAL_CONSTRAINTS",
            "CONSTRAINT_SCHEMA = DATABASE() OR UNIQUE_CONSTRAINT_SCHEMA = DATABASE()",
        ),
        hash(
            "TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION",
            "TRIGGERS",
            "EVENT_OBJECT_SCHEMA = DATABASE()",
        ),
        hash("TABLE_NAME, COALESCE(VIEW_DEFINITION, '')", "VIEWS", "TABLE_SCHEMA = DATABASE()"),
        hash(
            "ROUTINE_TYPE, ROUTINE_NAME, SQL_DATA_ACCESS, COALESCE(ROUTINE_DEFINITION, '')",
            "ROUTINES",
            "ROUTINE_SCHEMA = DATABASE()",
        ),
        hash(
            "SPECIFIC_NAME, ORDINAL_POSITION, COALESCE(PARAMETER_NAME, '')",
            "PARAMETERS",
            "SPECIFIC_SCHEMA = DATABASE()",
        ),
    ];
    format!(
        "SELECT CAST(CONCAT_WS('/', CURRENT_USER(), DATABASE()) AS CHAR), CAST(CONCAT_WS('/', {}) AS CHAR)",
        hashes.join(", ")
    )
}
