//! MySQL 8 and MariaDB: `information_schema`, as far as the user's privileges show it.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{ConnectionTrait, DbErr};

use super::privileges::Privileges;
use super::{
    cascades::Action,
    draft::Draft,
    learned::Schema,
    procedures,
    query::{is, rows, with_named},
    table::{Column, ColumnKind, Id, TableKind, TableSchema, TextEquality, id},
    writers,
};

pub(super) async fn learn(db: &impl ConnectionTrait, named: &BTreeSet<String>) -> Result<Schema, DbErr> {
    let [flavour, server, database, user, isolation, rendering] =
        rows(db, WHO).await?.into_iter().next().unwrap_or_default();
    let identity = format!("{flavour} {server}");
    let privileges = Privileges::of(db, &user).await?;
    let mut draft = Draft::default();
    let triggers_hidden = tables(db, &privileges, &mut draft).await?;
    let columns = rows(db, &with_named(COLUMNS, named)).await?;
    for [schema, table, name, nullable, readable, by_itself, data_type, column_type, collation] in columns {
        let column = Column {
            kind: kind(&data_type, &column_type, &collation),
            nullable: is(&nullable),
            readable: is(&readable),
            changes_by_itself: is(&by_itself),
            collation: None,
        };
        draft.column([&schema, &table], &name, column);
    }
    for [schema, table, index, column, counts] in rows(db, &with_named(UNIQUE, named)).await? {
        draft.unique_part([&schema, &table], &index, &column, is(&counts));
    }
    foreign_keys(db, &mut draft).await?;
    writers::of_mysql(db, &mut draft).await?;
    let dirty_reads = isolation == "READ-UNCOMMITTED";
    let quiet_procedures = procedures::quiet(db).await?;
    let schema = draft.finish(identity, vec![database]);
    Ok(Schema { triggers_hidden, dirty_reads, rendering, quiet_procedures, ..schema })
}

/// Each server reads the comments that are meant for it.
const WHO: &str = "SELECT /*!50700 'mysql' */ /*M! 'mariadb' */, \
    CAST(/*!50700 @@server_uuid */ /*M! CONCAT_WS(':', @@hostname, @@port, @@datadir) */ AS CHAR), \
    CAST(DATABASE() AS CHAR), CAST(CURRENT_USER() AS CHAR), \
    CAST(/*!50700 @@transaction_isolation */ /*M! @@tx_isolation */ AS CHAR), \
    CAST(CONCAT_WS('/', @@time_zone, FIND_IN_SET('PAD_CHAR_TO_FULL_LENGTH', @@sql_mode) > 0) AS CHAR)";

/// Tables of every database: a foreign key or a trigger may lead to one of another.
const TABLES: &str = "SELECT CAST(TABLE_NAME AS CHAR), CAST(TABLE_SCHEMA AS CHAR), \
    CAST(COALESCE(TABLE_SCHEMA = DATABASE(), 0) AS CHAR), CAST(TABLE_TYPE AS CHAR), CAST(UPPER(ENGINE) AS CHAR) \
    FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

const TRIGGERS: &str = "SELECT CAST(EVENT_OBJECT_SCHEMA AS CHAR), CAST(EVENT_OBJECT_TABLE AS CHAR) FROM information_schema.TRIGGERS \
    WHERE EVENT_OBJECT_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

/// Adds the tables; true if the triggers of a visible one are hidden.
async fn tables(
    db: &impl ConnectionTrait,
    privileges: &Privileges,
    draft: &mut Draft,
) -> Result<bool, DbErr> {
    let watched = rows(db, TRIGGERS).await?.into_iter().map(|[database, table]| id(&database, &table));
    let watched: HashSet<Id> = watched.collect();
    let mut triggers_hidden = false;
    for [name, database, visible, table_type, engine] in rows(db, TABLES).await? {
        let visible = is(&visible);
        // Another engine may be a window on other tables or servers, or lose its rows at a restart.
        let stored_here = matches!(engine.as_str(), "INNODB" | "ROCKSDB" | "MYISAM" | "ARIA");
        let table_kind = match table_type.as_str() {
            "BASE TABLE" if stored_here => TableKind::Plain,
            "BASE TABLE" => TableKind::Other("table of a special engine"),
            "VIEW" => TableKind::Other("view"),
            "SYSTEM VERSIONED" => TableKind::Other("system-versioned table"),
            "SEQUENCE" => TableKind::Other("sequence"),
            "TEMPORARY" => TableKind::Other("temporary table"),
            _ => TableKind::Other("neither table nor view"),
        };
        let hidden = table_type == "BASE TABLE" && !privileges.show_triggers(&database, &name);
        let mut table = TableSchema::new(&database, &name, table_kind);
        triggers_hidden |= hidden && visible;
        table.transactional = engine == "INNODB";
        table.writes_elsewhere = !stored_here || hidden || watched.contains(&id(&database, &name));
        draft.table(table);
        if visible {
            draft.visible([&database, &name]);
        }
    }
    Ok(triggers_hidden)
}

/// `ON UPDATE CURRENT_TIMESTAMP` stands in EXTRA; an expression as default stands there as well, and is not
/// meant.
const COLUMNS: &str = "SELECT CAST(TABLE_SCHEMA AS CHAR), CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR), \
    CAST(IS_NULLABLE = 'YES' AS CHAR), CAST(FIND_IN_SET('select', LOWER(PRIVILEGES)) > 0 AS CHAR), \
    CAST(COALESCE(GENERATION_EXPRESSION, '') <> '' OR LOWER(EXTRA) LIKE '%on update%' AS CHAR), \
    CAST(LOWER(DATA_TYPE) AS CHAR), CAST(LOWER(COLUMN_TYPE) AS CHAR), CAST(LOWER(COLLATION_NAME) AS CHAR) \
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() OR TABLE_SCHEMA IN ($named)";

/// A functional part has no column name. A unique index kept by hash is checked outside the engine.
const UNIQUE: &str = "SELECT CAST(TABLE_SCHEMA AS CHAR), CAST(TABLE_NAME AS CHAR), \
    CAST(INDEX_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR), \
    CAST(SUB_PART IS NULL AND COLUMN_NAME IS NOT NULL AND INDEX_TYPE = 'BTREE' AS CHAR) \
    FROM information_schema.STATISTICS \
    WHERE NON_UNIQUE = 0 AND (TABLE_SCHEMA = DATABASE() OR TABLE_SCHEMA IN ($named))";

const FOREIGN_KEY_COLUMNS: &str = "SELECT CAST(CONSTRAINT_SCHEMA AS CHAR), CAST(CONSTRAINT_NAME AS CHAR), \
    CAST(TABLE_SCHEMA AS CHAR), CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR), \
    CAST(REFERENCED_TABLE_SCHEMA AS CHAR), CAST(REFERENCED_TABLE_NAME AS CHAR), CAST(REFERENCED_COLUMN_NAME AS CHAR) \
    FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL";

const FOREIGN_KEY_ACTIONS: &str = "SELECT CAST(CONSTRAINT_SCHEMA AS CHAR), CAST(CONSTRAINT_NAME AS CHAR), \
    CAST(TABLE_NAME AS CHAR), CAST(DELETE_RULE AS CHAR), CAST(UPDATE_RULE AS CHAR) \
    FROM information_schema.REFERENTIAL_CONSTRAINTS";

async fn foreign_keys(db: &impl ConnectionTrait, draft: &mut Draft) -> Result<(), DbErr> {
    let actions: HashMap<[String; 3], [Action; 2]> = rows(db, FOREIGN_KEY_ACTIONS)
        .await?
        .into_iter()
        .map(|[schema, name, table, on_delete, on_update]| {
            ([schema, name, table], [Action::parse(&on_delete), Action::parse(&on_update)])
        })
        .collect();
    for [schema, name, there, child, from, here, parent, to] in rows(db, FOREIGN_KEY_COLUMNS).await? {
        let id = [schema, name, child];
        // MariaDB hides the actions of a table that the user may only read: assume the worst.
        let actions = actions.get(&id).copied().unwrap_or([Action::Cascade; 2]);
        draft.foreign_key(id.join(" "), [&there, &id[2], &from], [&here, &parent, &to], actions);
    }
    Ok(())
}

/// How a column compares.
fn kind(data_type: &str, column_type: &str, collation: &str) -> ColumnKind {
    match data_type {
        "tinyint" if column_type == "tinyint(1)" => ColumnKind::Bool,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ColumnKind::Integer,
        // A shorter value is stored with zero bytes appended, so other widths name no slot.
        "binary" if column_type == "binary(16)" => ColumnKind::Uuid,
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnKind::Bytes,
        // Stored without trailing spaces.
        "char" if collation == "utf8mb4_bin" => ColumnKind::Text(TextEquality::PaddedBytewise),
        "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => ColumnKind::Text(match collation {
            "utf8mb4_bin" => TextEquality::PaddedBytewise,
            "utf8mb4_0900_bin" | "utf8mb4_nopad_bin" => TextEquality::Bytewise,
            // Other character sets can't hold every text: what is stored may differ from what was written.
            _ => TextEquality::Loose,
        }),
        "char" => ColumnKind::Text(TextEquality::Loose),
        _ => ColumnKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnKind::*, TextEquality::*, *};

    #[test]
    fn only_binary_collations_of_full_unicode_compare_bytewise() {
        for (data_type, column_type, collation, expected) in [
            ("varchar", "varchar(20)", "utf8mb4_bin", Text(PaddedBytewise)),
            ("varchar", "varchar(20)", "utf8mb4_nopad_bin", Text(Bytewise)),
            ("text", "text", "utf8mb4_0900_bin", Text(Bytewise)),
            ("varchar", "varchar(20)", "utf8mb4_0900_ai_ci", Text(Loose)),
            ("varchar", "varchar(20)", "utf8mb4_uca1400_as_cs", Text(Loose)),
            ("varchar", "varchar(20)", "latin1_bin", Text(Loose)),
            ("char", "char(8)", "utf8mb4_bin", Text(PaddedBytewise)),
            // Compared without padding but stored without trailing spaces: 'a ' written is not found as 'a '.
            ("char", "char(8)", "utf8mb4_nopad_bin", Text(Loose)),
            ("enum", "enum('a')", "utf8mb4_bin", Other),
        ] {
            assert_eq!(kind(data_type, column_type, collation), expected, "{column_type} {collation}");
        }
    }

    #[test]
    fn numbers_and_bytes_are_told_by_type_and_width() {
        for (data_type, column_type, expected) in [
            ("tinyint", "tinyint(1)", Bool),
            ("tinyint", "tinyint(4)", Integer),
            ("tinyint", "tinyint unsigned", Integer),
            ("bigint", "bigint(20) unsigned", Integer),
            ("decimal", "decimal(10,0)", Other),
            ("bit", "bit(1)", Other),
            ("binary", "binary(16)", Uuid),
            ("binary", "binary(8)", Other),
            ("varbinary", "varbinary(16)", Bytes),
            ("json", "json", Other),
        ] {
            assert_eq!(kind(data_type, column_type, ""), expected, "{column_type}");
        }
    }
}
