//! What calls functions that may write, though no text says so: views, policies, domains, operators, and the defaults
//! and constraints of tables.
//!
//! A function may write by its declaration: Postgres' VOLATILE, which is what it is unless declared otherwise;
//! MySQL's CONTAINS SQL, likewise, and MODIFIES SQL DATA. Those that come with the server or with an extension do not
//! count. What a function calls in turn is seen only where the catalog knows it.

use sea_orm::{ConnectionTrait, DbErr};

use super::{draft::Draft, query::rows};

/// From the functions upwards, along the dependencies that the catalog keeps: to operators and other functions, domains
/// (and arrays of them), the views that use any of these, tables with such a policy, and views over those. The default or
/// constraint of a table matters to its writes alone, so from there it goes no further.
const POSTGRES: &str = "WITH RECURSIVE writer(class, object) AS ( \
        SELECT 'pg_catalog.pg_proc'::regclass::oid, p.oid FROM pg_catalog.pg_proc p \
        WHERE p.provolatile = 'v' AND p.prokind <> 'p' AND p.prorettype <> 'pg_catalog.trigger'::regtype \
        AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e \
            WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e') \
        UNION \
        SELECT o.class, o.object FROM writer w \
        JOIN pg_catalog.pg_depend d ON d.refclassid = w.class AND d.refobjid = w.object \
        CROSS JOIN LATERAL ( \
            SELECT d.classid, d.objid \
            WHERE d.classid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass) \
            UNION ALL SELECT d.classid, t.oid FROM pg_catalog.pg_type t \
            WHERE d.classid = 'pg_catalog.pg_type'::regclass AND t.oid = d.objid \
            AND (t.typtype = 'd' OR t.typcategory = 'A') \
            UNION ALL SELECT 'pg_catalog.pg_type'::regclass, c.contypid FROM pg_catalog.pg_constraint c \
            WHERE d.classid = 'pg_catalog.pg_constraint'::regclass AND c.oid = d.objid AND c.contypid <> 0 \
            UNION ALL SELECT 'pg_catalog.pg_class'::regclass, r.ev_class FROM pg_catalog.pg_rewrite r \
            WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid AND r.ev_type = '1' \
            UNION ALL SELECT 'pg_catalog.pg_class'::regclass, y.polrelid FROM pg_catalog.pg_policy y \
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND y.oid = d.objid \
        ) AS o(class, object)) \
    SELECT 'relation', n.nspname::text, c.relname::text \
    FROM writer w JOIN pg_catalog.pg_class c ON c.oid = w.object \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE w.class = 'pg_catalog.pg_class'::regclass \
    UNION SELECT 'operator', '', o.oprname::text FROM writer w JOIN pg_catalog.pg_operator o ON o.oid = w.object \
    WHERE w.class = 'pg_catalog.pg_operator'::regclass \
    UNION SELECT 'type', '', t.typname::text FROM writer w JOIN pg_catalog.pg_type t ON t.oid = w.object \
    WHERE w.class = 'pg_catalog.pg_type'::regclass AND t.typtype = 'd' \
    UNION SELECT 'function', '', p.proname::text FROM writer w JOIN pg_catalog.pg_proc p ON p.oid = w.object \
    WHERE w.class = 'pg_catalog.pg_proc'::regclass \
    UNION SELECT 'table', n.nspname::text, c.relname::text FROM writer w \
    JOIN pg_catalog.pg_depend d ON d.refclassid = w.class AND d.refobjid = w.object \
    LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid \
    LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid \
    JOIN pg_catalog.pg_class c ON c.oid = coalesce(a.adrelid, nullif(k.conrelid, 0), \
        CASE WHEN d.classid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0 THEN d.objid END) \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

pub(super) async fn of_postgres(db: &impl ConnectionTrait, draft: &mut Draft) -> Result<(), DbErr> {
    for [kind, schema, name] in rows(db, POSTGRES).await? {
        match kind.as_str() {
            "relation" => draft.writes_when_read([&schema, &name]),
            "table" => draft.writes_elsewhere([&schema, &name]),
            "type" => _ = draft.writers.types.insert(name.to_lowercase()),
            "operator" => _ = draft.writers.operators.insert(name.to_lowercase()),
            _ => draft.writers.add_function(name.to_lowercase()),
        }
    }
    Ok(())
}

/// Views with their definitions, and functions. Defaults, constraints and generated columns can't call functions here,
/// and triggers count whatever they do.
const MYSQL: &str = "SELECT 'view', CAST(TABLE_SCHEMA AS CHAR), CAST(LOWER(TABLE_NAME) AS CHAR), \
    CAST(LOWER(VIEW_DEFINITION) AS CHAR) \
    FROM information_schema.VIEWS \
    WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') \
    UNION ALL SELECT 'function', '', CAST(LOWER(ROUTINE_NAME) AS CHAR), '' FROM information_schema.ROUTINES \
    WHERE ROUTINE_TYPE = 'FUNCTION' AND SQL_DATA_ACCESS NOT IN ('NO SQL', 'READS SQL DATA') \
    AND ROUTINE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

pub(super) async fn of_mysql(db: &impl ConnectionTrait, draft: &mut Draft) -> Result<(), DbErr> {
    let (mut views, functions): (Vec<_>, Vec<_>) =
        rows::<4>(db, MYSQL).await?.into_iter().partition(|[kind, ..]| kind == "view");
    // A definition is kept with every name in backticks.
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let mut marks: Vec<String> = functions.iter().map(|[_, _, name, _]| quoted(name) + "(").collect();
    while !marks.is_empty() {
        let (writing, others): (Vec<_>, Vec<_>) = views
            .into_iter()
            .partition(|[.., definition]| marks.iter().any(|mark| definition.contains(mark.as_str())));
        views = others;
        marks = writing.iter().map(|[_, _, name, _]| quoted(name)).collect();
        writing.iter().for_each(|[_, schema, name, _]| draft.writes_when_read([schema, name]));
    }
    Ok(())
}
