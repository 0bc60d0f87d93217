//! Postgres 12 and later: the catalogs in `pg_catalog`, which every user may read.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use super::{
    cascades::Action,
    draft::Draft,
    learned::Schema,
    query::{is, rows, with_named},
    table::{Column, ColumnKind, TableKind, TableSchema, TextEquality},
    writers,
};

pub(super) async fn learn(db: &impl ConnectionTrait, named: &BTreeSet<String>) -> Result<Schema, DbErr> {
    let (identity, rendering) = identity(db).await?;
    let mut draft = Draft::default();
    tables(db, &mut draft).await?;
    let columns = rows(db, &with_named(COLUMNS, named)).await?;
    for [schema, table, name, nullable, readable, generated, type_name, deterministic, collation] in columns {
        let column = Column {
            kind: kind(&type_name, is(&deterministic)),
            nullable: is(&nullable),
            readable: is(&readable),
            changes_by_itself: is(&generated),
            collation: collation.parse().ok(),
        };
        draft.column([&schema, &table], &name, column);
    }
    for [index, schema, table, column, counts] in rows(db, &with_named(UNIQUE, named)).await? {
        draft.unique_part([&schema, &table], &index, &column, is(&counts));
    }
    for [key, there, child, from, here, parent, to, on_delete, on_update] in rows(db, FOREIGN_KEYS).await? {
        let actions = [Action::parse(&on_delete), Action::parse(&on_update)];
        draft.foreign_key(key, [&there, &child, &from], [&here, &parent, &to], actions);
    }
    for [here, parent, there, child] in rows(db, INHERITANCE).await? {
        draft.inheritance([&here, &parent], [&there, &child]);
    }
    writers::of_postgres(db, &mut draft).await?;
    let path = rows(db, "SELECT unnest(current_schemas(false))::text").await?;
    let schema = draft.finish(identity, path.into_iter().map(|[schema]| schema).collect());
    Ok(Schema { rendering, ..schema })
}

const WHO: &str = "SELECT current_database()::text, \
    has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE')::int::text, \
    concat_ws(':', coalesce(host(inet_server_addr()), 'local'), inet_server_port(), \
    (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())), \
    concat_ws('/', current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle'), \
    current_setting('extra_float_digits'), current_setting('bytea_output'), current_setting('lc_monetary'))";

/// What names the database, and how its sessions write values where an entity casts them to text.
async fn identity(db: &impl ConnectionTrait) -> Result<(String, String), DbErr> {
    let (mut name, mut server, mut rendering) = (String::new(), String::new(), String::new());
    for [database, permitted, address, settings] in rows(db, WHO).await? {
        (name, server, rendering) = (database, address, settings);
        // Asked separately: a call that is not permitted fails even where it is not reached.
        if is(&permitted) {
            for [system] in
                rows(db, "SELECT system_identifier::text FROM pg_catalog.pg_control_system()").await?
            {
                server = system;
            }
        }
    }
    Ok((format!("postgres {server}/{name}"), rendering))
}

/// Tables of every schema: a foreign key or a trigger may lead to one that the search path doesn't show.
const TABLES: &str = "SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid)::int::text, c.relkind::text, \
    c.relpersistence::text, c.relrowsecurity::int::text, \
    (c.relispartition OR EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) \
        OR EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid))::int::text, \
    (EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) \
        OR EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1'))::int::text \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT pg_is_other_temp_schema(n.oid)";

async fn tables(db: &impl ConnectionTrait, draft: &mut Draft) -> Result<(), DbErr> {
    for [schema, name, visible, kind, persistence, row_security, inheritance, watched] in
        rows(db, TABLES).await?
    {
        let table_kind = match (kind.as_str(), persistence.as_str()) {
            ("v", _) => TableKind::Other("view"),
            ("m", _) => TableKind::Other("materialized view"),
            ("f", _) => TableKind::Other("foreign table"),
            (_, "t") => TableKind::Other("temporary table"),
            ("p", _) => TableKind::Apart("partitioned table"),
            (_, "u") => TableKind::Apart("unlogged table, which a crash empties"),
            _ if is(&inheritance) => TableKind::Apart("partition, or table with inheritance"),
            _ => TableKind::Plain,
        };
        let mut table = TableSchema::new(&schema, &name, table_kind);
        table.row_security = is(&row_security);
        table.writes_elsewhere = is(&watched) || kind == "v" || kind == "f";
        draft.table(table);
        if is(&visible) {
            draft.visible([&schema, &name]);
        }
    }
    Ok(())
}

/// A domain compares as the type it is built on, under the column's own collation. A column that may not be read
/// has no type here, so that it is no key: no statement can be made to return it.
const COLUMNS: &str = "WITH RECURSIVE domain(oid, base) AS ( \
        SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typtype = 'd' \
        UNION ALL \
        SELECT d.oid, t.typbasetype FROM domain d JOIN pg_catalog.pg_type t ON t.oid = d.base AND t.typtype = 'd') \
    SELECT n.nspname::text, c.relname::text, a.attname::text, (NOT a.attnotnull)::int::text, \
    may.read::int::text, (a.attgenerated <> '')::int::text, \
    CASE WHEN (t.typnamespace = 'pg_catalog'::regnamespace OR t.typname = 'citext') AND may.read \
        THEN t.typname::text END, \
    coalesce(l.collisdeterministic, true)::int::text, \
    CASE WHEN l.collname <> 'default' THEN l.oid::text END \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
    CROSS JOIN LATERAL (SELECT has_schema_privilege(n.oid, 'USAGE') \
        AND has_column_privilege(c.oid, a.attnum, 'SELECT')) AS may(read) \
    LEFT JOIN (domain d JOIN pg_catalog.pg_type b ON b.oid = d.base AND b.typtype <> 'd') ON d.oid = a.atttypid \
    JOIN pg_catalog.pg_type t ON t.oid = coalesce(d.base, a.atttypid) \
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
    WHERE c.relkind = 'r' AND (pg_table_is_visible(c.oid) OR n.nspname IN ($named)) \
    AND a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)";

/// Key columns of unique indexes. A part counts if it is under the column's collation, that collation is
/// deterministic, and equality is the type's usual one.
const UNIQUE: &str = "SELECT i.indexrelid::text, n.nspname::text, c.relname::text, a.attname::text, \
    (i.indcollation[k.n] = a.attcollation AND coalesce(l.collisdeterministic, true) AND o.opcdefault)::int::text \
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
    JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree' \
    CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k(n) \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n] \
    JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.n] \
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
    WHERE i.indisunique AND i.indisvalid AND NOT i.indisexclusion AND i.indpred IS NULL AND i.indexprs IS NULL \
    AND c.relkind = 'r' AND (pg_table_is_visible(c.oid) OR n.nspname IN ($named))";

const FOREIGN_KEYS: &str = "SELECT k.oid::text, \
    n.nspname::text, c.relname::text, a.attname::text, o.nspname::text, p.relname::text, b.attname::text, \
    k.confdeltype::text, k.confupdtype::text \
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
    JOIN pg_catalog.pg_class p ON p.oid = k.confrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_namespace o ON o.oid = p.relnamespace \
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair(child, parent) \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.child \
    JOIN pg_catalog.pg_attribute b ON b.attrelid = p.oid AND b.attnum = pair.parent \
    WHERE k.contype = 'f'";

/// Partitions are inheritance, too. Their foreign keys are in the catalog one by one.
const INHERITANCE: &str = "SELECT o.nspname::text, p.relname::text, \
    n.nspname::text, c.relname::text FROM pg_catalog.pg_inherits h \
    JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid \
    JOIN pg_catalog.pg_namespace o ON o.oid = p.relnamespace \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f')";

/// How a type of `pg_catalog`, or citext, compares. No other type has a name here.
fn kind(type_name: &str, deterministic: bool) -> ColumnKind {
    match type_name {
        "int2" | "int4" | "int8" => ColumnKind::Integer,
        "bool" => ColumnKind::Bool,
        "uuid" => ColumnKind::Uuid,
        "bytea" => ColumnKind::Bytes,
        "text" | "varchar" if deterministic => ColumnKind::Text(TextEquality::Bytewise),
        "text" | "varchar" | "citext" => ColumnKind::Text(TextEquality::Loose),
        _ => ColumnKind::Other,
    }
}
