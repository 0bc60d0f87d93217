//! SQLite.

use std::sync::LazyLock;

use super::{
    Brackets, CatalogueKind, CatalogueRules, Dialect, Integers, JsonForms, KeywordRules, Operators,
    Parameters, SessionRules, SessionSchema, StatementRules, TokenRules, Truncate, TypeRules,
    statements::functions,
};

/// The facts of SQLite.
pub(super) static SQLITE: Dialect = Dialect {
    name: "SQLite",
    tokens: TokenRules {
        byte_order_marks: true,
        dashes_need_space: false,
        hash_comments: false,
        return_ends_comment: false,
        nested_comments: false,
        executable_comments: false,
        backslashes: false,
        escape_strings: false,
        double_quoted_strings: false,
        names_may_be_strings: true,
        backticks: true,
        brackets: Brackets::Names,
        dollar_quotes: false,
        parameters: Parameters::CountedOrNamed,
        operators: Operators::Signs(b"+-*/<>=~!%&|"),
        longest_name: None,
        // In double quotes, what it does not know is a string.
        name_quote: '`',
    },
    statements: Some(StatementRules {
        harmless: &["VACUUM", "ANALYZE", "REINDEX"],
        of_session: &["ATTACH", "DETACH"],
        of_tables: &[],
        harmless_flushes: "",
        // The last four say whether foreign keys, checks and the triggers of a REPLACE are heeded: a write is always
        // taken to reach whatever they could carry it to.
        harmless_pragmas: "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list \
            foreign_key_check integrity_check quick_check cache_size cache_spill busy_timeout synchronous \
            journal_size_limit temp_store mmap_size optimize wal_checkpoint wal_autocheckpoint incremental_vacuum \
            user_version application_id analysis_limit threads soft_heap_limit hard_heap_limit secure_delete \
            automatic_index max_page_count fullfsync checkpoint_fullfsync cell_size_check \
            foreign_keys defer_foreign_keys ignore_check_constraints recursive_triggers",
        truncate: Truncate::Nothing,
        shows: false,
        describes: false,
        explain_options: false,
        conflict_clauses: true,
        replace: true,
        optional_into: false,
        insert_modifiers: &[],
        update_modifiers: &[],
        delete_modifiers: &[],
        inheritance: false,
        joined_writes: false,
        delete_using: false,
        returning: true,
        system_schema: None,
        space_before_stored: false,
        functions: LazyLock::new(|| functions(include_str!("names/sqlite.txt"))),
        keywords: KeywordRules {
            reserved: &[],
            after_operators: &[],
            materialized: true,
            value_list: false,
            index_hints: false,
            match_against: false,
            filter: true,
            word_operators: false,
            values_function: false,
            alias_columns: false,
        },
    }),
    sessions: SessionRules {
        harmless_settings: "",
        settings_of_no_name: "",
        set_local: false,
        set_is_of_settings: false,
        set_statement: false,
        setting_function: None,
        alters_later_sessions: false,
        locks_end_with_transaction: false,
        prepared_transactions: false,
        end_commits: true,
        schema_changes_commit: false,
        failure_keeps_transaction: true,
        snapshot: None,
        blocks_stand_alone: false,
        labels: false,
        executes_strings: false,
        do_runs_string: false,
        strings_are_bodies: false,
        bodies_end_transactions: false,
        calls_may_change: false,
        // It has no functions but those that a program brings.
        functions_may_write: false,
        select_into: false,
        on_commit_drop: false,
        session_schema: SessionSchema::Named("temp"),
        last_insert_id: Some("SELECT last_insert_rowid()"),
    },
    types: TypeRules {
        arrays: false,
        casts_fail: false,
        columns_hold_any_type: true,
        integers: Integers::Any,
        json: JsonForms {
            by_type: true,
            loses_doubles_and_documents: true,
            truth_as_integer: true,
            declared_truth_as_integer: false,
            uuids: false,
        },
    },
    catalogue: Some(CatalogueRules { kind: CatalogueKind::Pragmas, fingerprint: catalogue_fingerprint }),
};

/// A number in the file's header, which every change of the schema raises.
fn catalogue_fingerprint() -> String {
    "SELECT '', CAST(schema_version AS TEXT) FROM pragma_schema_version".to_owned()
}
