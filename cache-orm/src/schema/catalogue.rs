//! What the catalogue looks like, in one short query: whether the schema has to be learned anew.
//!
//! Two equal answers to one viewer mean that nothing has changed of which [`Schema`](super::Schema) knows. That
//! an answer differs may mean less: a comment, a table that nobody uses.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use super::query::rows;

/// What the catalogue looked like at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// Whom it was shown to, where it shows not everybody the same.
    pub(crate) viewer: String,
    /// Changes with the schema.
    pub(crate) fingerprint: String,
}

impl Catalogue {
    /// Asks the database.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn look(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let sql = match db.get_database_backend() {
            DbBackend::Sqlite => SQLITE.to_owned(),
            DbBackend::Postgres => postgres(),
            _ => my_sql(),
        };
        let [viewer, fingerprint] = rows(db, &sql).await?.into_iter().next().unwrap_or_default();
        Ok(Catalogue { viewer, fingerprint })
    }
}

/// A number in the file's header, which every change of the schema raises.
const SQLITE: &str = "SELECT '', CAST(schema_version AS TEXT) FROM pragma_schema_version";

/// The versions of the catalogue's rows, of what users created: `xmin` is the transaction that wrote a row.
/// Everybody sees the same.
fn postgres() -> String {
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

/// Rows have no versions there, so they are hashed themselves: those of the session's database, and the foreign
/// keys that lead to it.
fn my_sql() -> String {
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
