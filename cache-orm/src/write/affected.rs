//! From what a statement changes to the cells to fence.

use std::sync::Arc;

use cache_core::{cache::Table, fence::Affected, key::RowKey, store::Reach};
use sea_orm::{Value, Values};

use crate::{
    classify::{Class, TableWrite, WriteKind},
    connection::Shared,
    keys,
    knowledge::Knowledge,
    registry::{Entity, TableGroup},
    schema::{self, Schema},
};

/// What a statement of this class may change. Widens when in doubt.
pub(crate) fn by(
    shared: &Shared,
    knowledge: Option<&Knowledge>,
    class: &Class,
    values: Option<&Values>,
) -> Affected {
    let values = values.map_or(&[][..], |values| &values.0);
    match class {
        Class::Read(_) => nothing(shared),
        Class::Write(writes) => {
            let mut affected = nothing(shared);
            for write in writes {
                match narrow(shared, knowledge, write, values) {
                    Some(narrow) => affected.merge(narrow),
                    None => return at_worst(shared, knowledge, class),
                }
            }
            affected
        }
        Class::Schema => schema_change(shared, knowledge),
        Class::Session | Class::Unknown => everything(shared, knowledge),
    }
}

/// What a statement of this class may change where names may not mean what they did when the schema was learned:
/// everything that is known, and what it names in any case.
pub(crate) fn at_worst(shared: &Shared, knowledge: Option<&Knowledge>, class: &Class) -> Affected {
    let mut affected = everything(shared, knowledge);
    match class {
        Class::Write(writes) => {
            for write in writes {
                affected.add_table(&any_table(shared, &write.table));
            }
        }
        Class::Schema => affected.add_table(shared.cache.schema()),
        Class::Read(_) | Class::Session | Class::Unknown => {}
    }
    affected
}

/// Where a list of what is affected begins.
pub(crate) fn nothing(shared: &Shared) -> Affected {
    Affected::nothing(shared.cache.settings().max_fenced_rows)
}

/// Every table that anybody may have cached.
pub(crate) fn everything(shared: &Shared, knowledge: Option<&Knowledge>) -> Affected {
    let mut affected = nothing(shared);
    for group in shared.registry.groups() {
        affected.add_table(&group.table);
    }
    // Another process may cache tables that are not registered here.
    if let (Reach::Shared, Some(schema)) = (shared.reach, schema_of(knowledge)) {
        for name in schema.table_names() {
            if shared.registry.group(name).is_none() {
                affected.add_table(&foreign_table(shared, name));
            }
        }
    }
    affected
}

/// Every table, and the schema itself.
pub(crate) fn schema_change(shared: &Shared, knowledge: Option<&Knowledge>) -> Affected {
    let mut affected = everything(shared, knowledge);
    affected.add_table(shared.cache.schema());
    affected
}

/// What a write to one table may change; `None` if that can't be told.
fn narrow(
    shared: &Shared,
    knowledge: Option<&Knowledge>,
    write: &TableWrite,
    values: &[Value],
) -> Option<Affected> {
    let knowledge = knowledge?;
    let schema = knowledge.schema.as_ref()?;
    let name = write.table.as_str();
    if carries_on(schema.table(name)) {
        return None;
    }
    let mut affected = nothing(shared);
    match shared.registry.group(name) {
        Some(group) => add_own(shared, knowledge, schema.table(name)?, group, write, values, &mut affected),
        None => {
            shared.notice(name);
            add_foreign(shared, name, write, &mut affected);
        }
    }
    add_reached(shared, schema, write, &mut affected)?;
    Some(affected)
}

/// What a write to one table may change besides the rows that it names or returns. `None` if that can't be
/// told, or if those are not all the rows of that table that change.
pub(super) fn beside_rows(shared: &Shared, schema: &Schema, write: &TableWrite) -> Option<Affected> {
    let facts = schema.table(&write.table)?;
    let group = shared.registry.group(&write.table)?;
    if carries_on(Some(facts)) || !keeps_keys(shared, facts, group, write) {
        return None;
    }
    let mut affected = nothing(shared);
    if may_lead_to_rows(facts, write) {
        affected.add_presence(&group.table);
    }
    add_reached(shared, schema, write, &mut affected)?;
    (!affected.is_whole(&group.table)).then_some(affected)
}

/// True if a change of this table may change others in ways that are not known: a trigger writes to any table,
/// a view to the tables below it.
fn carries_on(table: Option<&schema::Table>) -> bool {
    table.is_none_or(|table| !table.is_plain() || table.writes_elsewhere)
}

/// The cells of the written table itself.
fn add_own(
    shared: &Shared,
    knowledge: &Knowledge,
    facts: &schema::Table,
    group: &TableGroup,
    write: &TableWrite,
    values: &[Value],
    affected: &mut Affected,
) {
    if write.kind == WriteKind::Insert {
        return affected.add_presence(&group.table);
    }
    if !keeps_keys(shared, facts, group, write) {
        return affected.add_table(&group.table);
    }
    if may_lead_to_rows(facts, write) {
        affected.add_presence(&group.table);
    }
    for entity in shared.registry.entities_of(group) {
        match row_key(knowledge, entity, write, values) {
            Some(key) => affected.add_row(&group.table, &key),
            None => return affected.add_table(&group.table),
        }
    }
}

/// True if the rows that were there keep their primary keys, or go: one key names each.
fn keeps_keys(shared: &Shared, facts: &schema::Table, group: &TableGroup, write: &TableWrite) -> bool {
    match &write.kind {
        WriteKind::Update { assigned } | WriteKind::Upsert { assigned: Some(assigned) } => {
            // A name that the table is not known to have may be another one of a key column: SQLite's rowid.
            assigned.iter().all(|column| facts.column(column).is_some())
                && shared.registry.entities_of(group).all(|entity| {
                    !entity.primary.iter().any(|column| assigned.contains(&entity.columns[*column]))
                })
        }
        WriteKind::Insert | WriteKind::Delete => true,
        WriteKind::Upsert { assigned: None } | WriteKind::Truncate { .. } => false,
    }
}

/// True if a key that led to no row may lead to one now.
fn may_lead_to_rows(facts: &schema::Table, write: &TableWrite) -> bool {
    match &write.kind {
        // The database's keys count: another process may have declared one that this one's entities have not.
        WriteKind::Update { assigned } => assigned.iter().any(|column| facts.is_key_column(column)),
        WriteKind::Insert | WriteKind::Upsert { .. } => true,
        WriteKind::Delete | WriteKind::Truncate { .. } => false,
    }
}

/// The one row that the statement's conditions leave, if they name the whole primary key.
fn row_key(knowledge: &Knowledge, entity: &Entity, write: &TableWrite, values: &[Value]) -> Option<RowKey> {
    if !knowledge.has_primary_key(entity) {
        return None;
    }
    let parts =
        entity.primary.iter().zip(knowledge.classes(entity, &entity.primary)).map(|(column, class)| {
            let class = class.filter(|class| class.is_exact())?;
            let equality = write.keys.iter().find(|equality| equality.column == entity.columns[*column])?;
            Some((class, values.get(equality.parameter)?))
        });
    keys::canonical(parts.collect::<Option<Vec<_>>>()?)
}

/// Adds the tables that foreign keys reach; `None` if one of them carries the change on to nobody knows where.
fn add_reached(shared: &Shared, schema: &Schema, write: &TableWrite, affected: &mut Affected) -> Option<()> {
    for reached in reached(schema, write) {
        if carries_on(schema.table(reached)) {
            return None;
        }
        match shared.registry.group(reached) {
            Some(group) => affected.add_table(&group.table),
            None if shared.reach == Reach::Shared => affected.add_table(&foreign_table(shared, reached)),
            None => {}
        }
    }
    Some(())
}

/// Tables that foreign keys reach from the written rows.
fn reached<'s>(schema: &'s Schema, write: &TableWrite) -> impl Iterator<Item = &'s str> {
    let table = write.table.as_str();
    match &write.kind {
        WriteKind::Insert => Default::default(),
        WriteKind::Update { assigned } | WriteKind::Upsert { assigned: Some(assigned) } => {
            schema.reached_by_update(table, assigned)
        }
        WriteKind::Delete => schema.reached_by_delete(table),
        // Replaces rows, or updates any of their columns.
        WriteKind::Upsert { assigned: None } => schema.reached_by_replace(table),
        WriteKind::Truncate { .. } => schema.reached_by_truncate(table),
    }
    .into_iter()
}

/// A table that no entity of this process is registered for. Where the store is shared, another process may
/// cache it.
fn add_foreign(shared: &Shared, name: &str, write: &TableWrite, affected: &mut Affected) {
    if shared.reach != Reach::Shared {
        return;
    }
    let table = foreign_table(shared, name);
    match write.kind {
        WriteKind::Insert => affected.add_presence(&table),
        _ => affected.add_table(&table),
    }
}

pub(crate) fn any_table(shared: &Shared, name: &str) -> Arc<Table> {
    shared.registry.group(name).map_or_else(|| foreign_table(shared, name), |group| group.table.clone())
}

fn foreign_table(shared: &Shared, name: &str) -> Arc<Table> {
    Arc::new(shared.cache.table(name))
}

fn schema_of(knowledge: Option<&Knowledge>) -> Option<&Schema> {
    knowledge.and_then(|knowledge| knowledge.schema.as_ref())
}
