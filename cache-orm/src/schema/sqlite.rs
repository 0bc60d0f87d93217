//! SQLite: `sqlite_master` joined with the pragma functions, one query for all tables.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, DbErr};

use super::{
    cascades::Action,
    draft::Draft,
    file,
    learned::Schema,
    query::{is, rows},
    table::{Column, ColumnKind, TableKind, TableSchema, TextEquality, id},
};

/// The schema of the file that the connection was opened with. Foreign keys stay in it.
const MAIN: &str = "main";

/// Ordinary tables of the main database: a virtual table's module may not be at hand, and then its pragmas
/// fail.
const TABLES: &str = "main.sqlite_master AS m";
const ORDINARY: &str = "m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL %'";

pub(super) async fn learn(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    let databases = rows::<2>(db, "SELECT name, file FROM pragma_database_list").await?;
    let mut draft = Draft::default();
    let collated = tables(db, &databases, &mut draft).await?;
    let primary_keys = columns(db, &collated, &mut draft).await?;
    unique(db, &primary_keys, &mut draft).await?;
    foreign_keys(db, &primary_keys, &mut draft).await?;
    let main = databases.iter().find(|[name, _]| name == "main");
    let identity = file::identity(main.map(|[_, path]| path.as_str()).unwrap_or_default());
    let path = databases.into_iter().map(|[name, _]| name).collect();
    let [encoding, dirty_reads] = rows(db, SETTINGS).await?.into_iter().next().unwrap_or_default();
    Ok(Schema {
        dirty_reads: is(&dirty_reads),
        orders_texts_by_bytes: encoding == "UTF-8",
        ..draft.finish(identity, path)
    })
}

/// How the database keeps texts, and so orders them; and whether this connection reads what other connections of a
/// shared cache have not committed. A pool gives all its connections the same pragmas.
const SETTINGS: &str = "SELECT e.encoding, CAST(u.read_uncommitted AS TEXT) \
    FROM pragma_encoding AS e JOIN pragma_read_uncommitted AS u";

/// Adds the tables of every attached database, and returns those of the main one whose DDL mentions a
/// collation: no pragma tells a column's.
async fn tables(
    db: &impl ConnectionTrait,
    databases: &[[String; 2]],
    draft: &mut Draft,
) -> Result<HashSet<String>, DbErr> {
    let masters = databases.iter().map(|[database, _]| {
        format!(
            "SELECT '{}', type, name, tbl_name, sql FROM \"{}\".sqlite_master WHERE type <> 'index'",
            database.replace('\'', "''"),
            database.replace('"', "\"\""),
        )
    });
    let found = rows::<5>(db, &masters.collect::<Vec<_>>().join(" UNION ALL ")).await?;

    // A temporary trigger may watch a table of another database, so triggers count by name alone.
    let is_trigger = |kind: &str| kind == "trigger";
    let watched: HashSet<String> = found
        .iter()
        .filter(|[_, kind, ..]| is_trigger(kind))
        .map(|[_, _, _, table, _]| table.to_lowercase())
        .collect();
    let mut collated = HashSet::new();
    for [database, kind, name, _, ddl] in found.iter().filter(|[_, kind, ..]| !is_trigger(kind)) {
        let virtual_table = ddl.starts_with("CREATE VIRTUAL ");
        let table_kind = match database.as_str() {
            _ if kind == "view" => TableKind::Other("view"),
            _ if virtual_table => TableKind::Other("virtual table"),
            _ if name.starts_with("sqlite_") => TableKind::Other("internal table"),
            "main" => TableKind::Plain,
            "temp" => TableKind::Other("temporary table"),
            _ => TableKind::Apart("table of an attached database"),
        };
        let mut table = TableSchema::new(database, name, table_kind);
        // `UNIQUE ON CONFLICT REPLACE` makes a plain INSERT or UPDATE delete other rows.
        let replaces = ddl.to_uppercase().contains("CONFLICT");
        table.writes_elsewhere =
            kind == "view" || virtual_table || replaces || watched.contains(&name.to_lowercase());
        draft.table(table);
        if database == "main" && ddl.to_uppercase().contains("COLLATE") {
            collated.insert(name.to_lowercase());
        }
    }
    // A bare name means a temporary table, else one of the main database, else of those attached first.
    let attached = databases.iter().map(|[database, _]| database.as_str());
    let order = ["temp", "main"].into_iter().chain(attached.filter(|name| !matches!(*name, "temp" | "main")));
    for place in order {
        for [database, kind, name, ..] in found.iter().filter(|[database, ..]| database == place) {
            if !is_trigger(kind) && !draft.bare.contains_key(&name.to_lowercase()) {
                draft.visible([database, name]);
            }
        }
    }
    Ok(collated)
}

/// Adds the columns, and returns the primary key of each table.
async fn columns(
    db: &impl ConnectionTrait,
    collated: &HashSet<String>,
    draft: &mut Draft,
) -> Result<HashMap<String, Vec<String>>, DbErr> {
    let sql = format!(
        "SELECT m.name, c.name, c.type, CAST(c.\"notnull\" AS TEXT), CAST(c.pk > 0 AS TEXT), \
         CAST(c.hidden > 0 AS TEXT) FROM {TABLES} JOIN pragma_table_xinfo(m.name, 'main') AS c WHERE {ORDINARY}"
    );
    let mut primary_keys: HashMap<String, Vec<String>> = HashMap::new();
    for [table, name, declared, not_null, key, generated] in rows(db, &sql).await? {
        let equality = match collated.contains(&table.to_lowercase()) {
            true => TextEquality::Loose,
            false => TextEquality::Bytewise,
        };
        let kind = kind(&declared, equality);
        let column = Column {
            kind,
            nullable: !is(&not_null),
            readable: true,
            changes_by_itself: is(&generated),
            collation: None,
        };
        draft.column([MAIN, &table], &name, column);
        if is(&key) {
            primary_keys.entry(table.to_lowercase()).or_default().push(name);
        }
    }
    Ok(primary_keys)
}

async fn unique(
    db: &impl ConnectionTrait,
    primary_keys: &HashMap<String, Vec<String>>,
    draft: &mut Draft,
) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT m.name, i.name, i.origin, p.name, p.coll FROM {TABLES} \
         JOIN pragma_index_list(m.name, 'main') AS i JOIN pragma_index_xinfo(i.name, 'main') AS p \
         WHERE {ORDINARY} AND i.\"unique\" AND NOT i.partial AND p.key"
    );
    let mut indexed = HashSet::new();
    for [table, index, origin, column, collation] in rows(db, &sql).await? {
        if origin == "pk" {
            indexed.insert(table.to_lowercase());
        }
        // A collation makes a difference to text only. An expression has no column.
        let counts = match draft.column_of([MAIN, &table], &column).map(|column| column.kind) {
            Some(ColumnKind::Text(equality)) => equality == TextEquality::Bytewise && collation == "BINARY",
            Some(_) => true,
            None => false,
        };
        draft.unique_part([MAIN, &table], &index, &column, counts);
    }
    // A primary key without an index is another name of the rowid.
    for (table, columns) in primary_keys.iter().filter(|(table, _)| !indexed.contains(*table)) {
        for column in columns {
            draft.unique_part([MAIN, table], "rowid", column, true);
            if let Some(column) = draft
                .tables
                .get_mut(&id(MAIN, table))
                .and_then(|found| found.columns.get_mut(&column.to_lowercase()))
            {
                column.nullable = false;
            }
        }
    }
    Ok(())
}

/// Foreign keys count whether `PRAGMA foreign_keys` is on or off: it is a setting of each connection.
async fn foreign_keys(
    db: &impl ConnectionTrait,
    primary_keys: &HashMap<String, Vec<String>>,
    draft: &mut Draft,
) -> Result<(), DbErr> {
    let sql = format!(
        "SELECT CAST(f.id AS TEXT), m.name, f.\"from\", f.\"table\", f.\"to\", f.on_delete, f.on_update \
         FROM {TABLES} JOIN pragma_foreign_key_list(m.name, 'main') AS f WHERE {ORDINARY}"
    );
    for [id, child, from, parent, to, on_delete, on_update] in rows(db, &sql).await? {
        let id = format!("{id} {child}");
        let actions = [Action::parse(&on_delete), Action::parse(&on_update)];
        match primary_keys.get(&parent.to_lowercase()) {
            // No column named: the parent's primary key.
            Some(columns) if to.is_empty() => {
                for to in columns {
                    draft.foreign_key(id.clone(), [MAIN, &child, &from], [MAIN, &parent, to], actions);
                }
            }
            _ => draft.foreign_key(id, [MAIN, &child, &from], [MAIN, &parent, &to], actions),
        }
    }
    Ok(())
}

/// How a column of the declared type compares: SQLite's rules of affinity, after the two types that a
/// declaration says more about than its affinity does.
fn kind(declared: &str, text: TextEquality) -> ColumnKind {
    let declared = declared.to_ascii_uppercase();
    let mentions = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if mentions(&["UUID"]) {
        ColumnKind::Uuid
    } else if declared == "BOOLEAN" || declared == "BOOL" {
        ColumnKind::Bool
    } else if mentions(&["INT"]) {
        ColumnKind::Integer
    } else if mentions(&["CHAR", "CLOB", "TEXT"]) {
        ColumnKind::Text(text)
    } else if declared.is_empty() || mentions(&["BLOB"]) {
        ColumnKind::Bytes
    } else {
        // REAL and NUMERIC turn what looks like a number into one: '007' is stored as 7.
        ColumnKind::Other
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{ColumnDef, ColumnType, SqliteQueryBuilder, StringLen, Table};

    use super::{ColumnKind::*, TextEquality::*, *};

    #[test]
    fn affinity_follows_the_documented_order_of_rules() {
        for (declared, expected) in [
            ("INT", Integer),
            ("UNSIGNED BIG INT", Integer),
            ("CHARINT", Integer),
            ("FLOATING POINT", Integer),
            ("NATIVE CHARACTER(70)", Text(Bytewise)),
            ("clob", Text(Bytewise)),
            ("", Bytes),
            ("BLOB", Bytes),
            ("DOUBLE PRECISION", Other),
            ("STRING", Other),
            ("DECIMAL(10,5)", Other),
            ("DATE", Other),
            ("binary(16)", Other),
            ("boolean", Bool),
            ("BooleanInt", Integer),
            ("UUID", Uuid),
        ] {
            assert_eq!(kind(declared, Bytewise), expected, "{declared}");
        }
        assert_eq!(kind("text", Loose), Text(Loose));
    }

    #[test]
    fn what_the_schema_builder_declares_is_recognised() {
        for (declared, expected) in [
            (ColumnType::TinyInteger, Integer),
            (ColumnType::SmallUnsigned, Integer),
            (ColumnType::Integer, Integer),
            (ColumnType::BigUnsigned, Integer),
            (ColumnType::Char(Some(36)), Text(Bytewise)),
            (ColumnType::String(StringLen::N(20)), Text(Bytewise)),
            (ColumnType::String(StringLen::None), Text(Bytewise)),
            (ColumnType::Text, Text(Bytewise)),
            (ColumnType::Uuid, Uuid),
            (ColumnType::Binary(16), Bytes),
            (ColumnType::VarBinary(StringLen::N(16)), Bytes),
            (ColumnType::Blob, Bytes),
            (ColumnType::Boolean, Bool),
            (ColumnType::Float, Other),
            (ColumnType::Decimal(Some((10, 2))), Other),
        ] {
            let mut column = ColumnDef::new_with_type("c", declared.clone());
            let ddl = Table::create().table("t").col(&mut column).to_string(SqliteQueryBuilder);
            let rendered = ddl.split_once("\"c\" ").expect("the column is declared").1;
            let rendered = rendered.strip_suffix(" )").expect("the statement ends").trim();
            assert_eq!(kind(rendered, Bytewise), expected, "{declared:?} is declared as {rendered}");
        }
    }
}
