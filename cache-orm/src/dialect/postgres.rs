//! Postgres, and what speaks as it does.

use std::sync::LazyLock;

use sea_orm::IsolationLevel;

use super::{
    Brackets, CatalogueKind, CatalogueRules, Dialect, Integers, JsonForms, KeywordRules, Operators,
    Parameters, SessionRules, SessionSchema, StatementRules, TokenRules, Truncate, TypeRules,
    statements::functions,
};

/// The facts of Postgres.
pub(crate) static POSTGRES: Dialect = Dialect {
    name: "Postgres",
    tokens: TokenRules {
        byte_order_marks: false,
        dashes_need_space: false,
        hash_comments: false,
        return_ends_comment: true,
        nested_comments: true,
        executable_comments: false,
        // By standard_conforming_strings.
        backslashes: true,
        escape_strings: true,
        double_quoted_strings: false,
        names_may_be_strings: false,
        backticks: false,
        brackets: Brackets::Arrays,
        dollar_quotes: true,
        parameters: Parameters::Numbered,
        // Those of extensions that many databases have as well.
        operators: Operators::Runs(LazyLock::new(|| {
            include_str!("names/postgres_operators.txt").lines().collect()
        })),
        longest_name: Some(63),
        name_quote: '"',
    },
    statements: Some(StatementRules {
        harmless: &[
            "LISTEN",
            "UNLISTEN",
            "NOTIFY",
            "CHECKPOINT",
            "CLUSTER",
            "DEALLOCATE",
            "VACUUM",
            "ANALYZE",
            "REINDEX",
            "LOCK",
        ],
        of_session: &[],
        of_tables: &[],
        harmless_flushes: "",
        harmless_pragmas: "",
        truncate: Truncate::Rows,
        shows: true,
        describes: false,
        explain_options: true,
        conflict_clauses: false,
        replace: false,
        optional_into: false,
        insert_modifiers: &[],
        update_modifiers: &[],
        delete_modifiers: &[],
        inheritance: true,
        joined_writes: false,
        delete_using: true,
        returning: true,
        system_schema: Some("pg_catalog"),
        space_before_stored: false,
        // Those of extensions that many databases have as well.
        functions: LazyLock::new(|| functions(include_str!("names/postgres.txt"))),
        keywords: KeywordRules {
            reserved: &["ARRAY", "ONLY"],
            after_operators: &[],
            materialized: true,
            value_list: false,
            index_hints: false,
            match_against: false,
            filter: true,
            word_operators: true,
            values_function: false,
            alias_columns: true,
        },
    }),
    sessions: SessionRules {
        harmless_settings: "statement_timeout lock_timeout idle_in_transaction_session_timeout \
            application_name client_min_messages work_mem maintenance_work_mem",
        settings_of_no_name: "application_name jit maintenance_work_mem synchronous_commit timezone work_mem",
        set_local: true,
        set_is_of_settings: true,
        set_statement: false,
        setting_function: Some("set_config"),
        alters_later_sessions: true,
        locks_end_with_transaction: true,
        prepared_transactions: true,
        end_commits: true,
        schema_changes_commit: false,
        failure_keeps_transaction: false,
        snapshot: Some(IsolationLevel::RepeatableRead),
        blocks_stand_alone: false,
        labels: false,
        executes_strings: false,
        do_runs_string: true,
        strings_are_bodies: true,
        bodies_end_transactions: true,
        calls_may_change: false,
        functions_may_write: true,
        select_into: true,
        on_commit_drop: true,
        session_schema: SessionSchema::Prefixed("pg_temp"),
        last_insert_id: None,
    },
    types: TypeRules {
        arrays: true,
        casts_fail: true,
        columns_hold_any_type: false,
        integers: Integers::ByWidth,
        json: JsonForms {
            by_type: true,
            loses_doubles_and_documents: false,
            truth_as_integer: false,
            declared_truth_as_integer: false,
            uuids: true,
        },
    },
    catalogue: Some(CatalogueRules { kind: CatalogueKind::PgCatalog, fingerprint: catalogue_fingerprint }),
};

/// The versions of the catalogue's rows, of what users created: `xmin` is the transaction that wrote a row.
/// Everybody sees the same.
fn catalogue_fingerprint() -> String {
    // TRUNCATE, REFRESH and CLUSTER write rows of pg_class too, so there the columns count that matter.
    let sum = |columns: &str, of: &str| {
        format!("(SELECT sum(hashtextextended(concat_ws(',', {columns}), 0)) FROM pg_catalog.{of})")
    };
    // Sessions come and go with their temporary tables. System objects have lower numbers.
    let lasting = |table: &str| {
        format!(
            "{table} >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_class t \
             WHERE t.oid = {table} AND t.relpersistence = 't')"
        )
    };
    let versions = [
        sum(
            "oid, relname, relnamespace, relkind, relpersistence, relrowsecurity, relispartition, relowner, \
             relacl::text",
            "pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relpersistence <> 't'",
        ),
        sum("attrelid, attnum, xmin", &format!("pg_attribute WHERE {}", lasting("attrelid"))),
        sum("indexrelid, xmin", &format!("pg_index WHERE {}", lasting("indrelid"))),
        sum("oid, xmin", &format!("pg_trigger WHERE {}", lasting("tgrelid"))),
        sum("oid, xmin", &format!("pg_constraint WHERE {}", lasting("conrelid"))),
        sum("oid, xmin", &format!("pg_rewrite WHERE {}", lasting("ev_class"))),
        sum("inhrelid, inhparent, xmin", "pg_inherits"),
        sum("oid, xmin", "pg_policy"),
        sum("oid, xmin", "pg_collation WHERE oid >= 16384"),
        sum("oid, xmin", "pg_proc WHERE oid >= 16384"),
        sum("oid, nspname, nspacl::text", "pg_namespace WHERE nspname !~ '^pg_'"),
    ];
    format!("SELECT '', concat_ws('/', {})::text", versions.join(", "))
}
