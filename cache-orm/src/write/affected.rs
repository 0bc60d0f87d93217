//! From what a statement changes to the cells to fence.

use std::sync::Arc;

use cache_core::{fence::Affected, key::RowKey};
use sea_orm::{Value, Values};

use crate::{
    classify::{Class, TableName, TableWrite, WriteKind},
    context::{
        Context,
        extent::{everything, is_cached, nothing, schema_of, with_schema},
    },
    eligibility::{Eligibility, Group},
    keys,
    registry::Entity,
    schema::{Schema, TableSchema},
};

/// What a statement of this class may change. Widens when in doubt.
pub(crate) fn by(
    shared: &Context,
    eligibility: Option<&Eligibility>,
    class: &Class,
    values: Option<&Values>,
) -> Affected {
    let values = values.map_or(&[][..], |values| &values.0);
    match class {
        Class::Read(_) | Class::Commits => nothing(shared),
        Class::Write(writes) => {
            let mut affected = nothing(shared);
            for write in writes {
                match narrow(shared, eligibility, write, values) {
                    Some(narrow) => affected.merge(narrow),
                    None => return at_worst(shared, eligibility, class),
                }
            }
            affected
        }
        Class::Schema | Class::UnknownSchema => with_schema(shared, eligibility),
        Class::Session | Class::Unknown => everything(shared, eligibility),
    }
}

/// What a write may change that is sent through a connection of somebody else's, perhaps to another database: where
/// there is no table of that name, it changes nothing but one that may have been made since.
#[cfg(feature = "hooks")]
pub(crate) fn by_write_elsewhere(
    shared: &Context,
    eligibility: Option<&Eligibility>,
    write: TableWrite,
    values: &Values,
) -> Affected {
    if schema_of(eligibility).is_some_and(|schema| schema.lacks(&write.table)) {
        let mut affected = nothing(shared);
        add_named(shared, eligibility, &write.table, &mut affected);
        return affected;
    }
    by(shared, eligibility, &Class::Write(vec![write]), Some(values))
}

/// What a statement of this class may change where names may not mean what they did when the schema was learned:
/// everything that is known, and what it names in any case.
pub(crate) fn at_worst(shared: &Context, eligibility: Option<&Eligibility>, class: &Class) -> Affected {
    let mut affected = everything(shared, eligibility);
    match class {
        Class::Write(writes) => {
            for write in writes.iter().filter(|write| write.table != TableName::of_any()) {
                add_named(shared, eligibility, &write.table, &mut affected);
            }
        }
        Class::Schema | Class::UnknownSchema => affected.add_table(shared.cache.schema()),
        Class::Read(_) | Class::Commits | Class::Session | Class::Unknown => {}
    }
    affected
}

/// The table that a statement names, which may be one that was not known when the schema was learned.
fn add_named(shared: &Context, eligibility: Option<&Eligibility>, name: &TableName, affected: &mut Affected) {
    let last = shared.last();
    let schema = schema_of(eligibility).or_else(|| schema_of(last.as_deref()));
    for name in schema.map(|schema| schema.candidates(name)).into_iter().flatten() {
        affected.add_table(&shared.registry.tables.of(&name));
    }
}

/// What a write to one table may change; `None` if that can't be told.
fn narrow(
    shared: &Context,
    eligibility: Option<&Eligibility>,
    write: &TableWrite,
    values: &[Value],
) -> Option<Affected> {
    let eligibility = eligibility?;
    let schema = eligibility.schema.as_ref()?;
    let facts = schema.table(&write.table)?;
    if !stays_within_reach(schema, facts, write) {
        return None;
    }
    let mut affected = nothing(shared);
    match eligibility.group(facts) {
        Some(group) => add_own(eligibility, facts, group, write, values, &mut affected),
        None => {
            shared.warn_unregistered(&write.table.name);
            add_foreign(shared, facts, write, &mut affected);
        }
    }
    add_reached(shared, schema, facts, write, &mut affected);
    Some(affected)
}

/// True if a statement of this class changes tables that can be told, and no others.
pub(crate) fn is_narrow(eligibility: Option<&Eligibility>, class: &Class) -> bool {
    match class {
        Class::Read(_) | Class::Commits => true,
        Class::Write(writes) => schema_of(eligibility).is_some_and(|schema| {
            let stays = |write: &TableWrite| {
                schema.table(&write.table).is_some_and(|facts| stays_within_reach(schema, facts, write))
            };
            writes.iter().all(stays)
        }),
        Class::Schema | Class::Session | Class::Unknown | Class::UnknownSchema => false,
    }
}

/// True if the text itself tells which cells of the table's rows change: it names each of them by its key, or they are
/// new.
pub(super) fn is_told_by_text(
    eligibility: &Eligibility,
    group: &Group,
    write: &TableWrite,
    values: Option<&Values>,
) -> bool {
    let values = values.map_or(&[][..], |values| &values.0);
    let is_named = |entity: &Arc<Entity>| row_key(eligibility, entity, write, values).is_some();
    write.kind == WriteKind::Insert || group.entities.iter().all(is_named)
}

/// What a write to one table may change besides the rows that it names or returns. `None` if that can't be
/// told, or if those are not all the rows of that table that change.
pub(super) fn beside_rows(
    shared: &Context,
    schema: &Schema,
    facts: &TableSchema,
    group: &Group,
    write: &TableWrite,
) -> Option<Affected> {
    let is_known = facts.is_plain() && stays_within_reach(schema, facts, write);
    if !is_known || !keeps_keys(facts, group, write) {
        return None;
    }
    let mut affected = nothing(shared);
    if may_lead_to_rows(facts, write) {
        affected.add_presence(&group.table);
    }
    add_reached(shared, schema, facts, write, &mut affected);
    (!affected.is_whole(&group.table)).then_some(affected)
}

/// True if what the write changes are the table and those that foreign keys and inheritance lead to, and none of them
/// carries the change on to nobody knows where.
fn stays_within_reach(schema: &Schema, facts: &TableSchema, write: &TableWrite) -> bool {
    let ends = |table: Option<&TableSchema>| table.is_some_and(|table| !table.carries_on());
    ends(Some(facts)) && reached(schema, facts, write).into_iter().all(ends)
}

/// The cells of the written table itself.
fn add_own(
    eligibility: &Eligibility,
    facts: &TableSchema,
    group: &Group,
    write: &TableWrite,
    values: &[Value],
    affected: &mut Affected,
) {
    if write.kind == WriteKind::Insert {
        return affected.add_presence(&group.table);
    }
    if !keeps_keys(facts, group, write) {
        return affected.add_table(&group.table);
    }
    if may_lead_to_rows(facts, write) {
        affected.add_presence(&group.table);
    }
    for entity in &group.entities {
        match row_key(eligibility, entity, write, values) {
            Some(key) => affected.add_row(&group.table, &key),
            None => return affected.add_table(&group.table),
        }
    }
}

/// True if the rows that were there keep their primary keys, or go: one key names each.
fn keeps_keys(facts: &TableSchema, group: &Group, write: &TableWrite) -> bool {
    match &write.kind {
        WriteKind::Update { assigned } | WriteKind::Upsert { assigned: Some(assigned) } => {
            // A name that the table is not known to have may be another one of a key column: SQLite's rowid.
            assigned.iter().all(|column| facts.column(column).is_some())
                && group.entities.iter().all(|entity| {
                    !entity.primary.iter().any(|column| assigned.contains(&entity.columns[*column]))
                })
        }
        WriteKind::Insert | WriteKind::Delete => true,
        WriteKind::Upsert { assigned: None } | WriteKind::Truncate { .. } => false,
    }
}

/// True if a key that led to no row may lead to one now.
fn may_lead_to_rows(facts: &TableSchema, write: &TableWrite) -> bool {
    match &write.kind {
        // The database's keys count: another process may have declared one that this one's entities have not.
        WriteKind::Update { assigned } => assigned.iter().any(|column| facts.is_key_column(column)),
        WriteKind::Insert | WriteKind::Upsert { .. } => true,
        WriteKind::Delete | WriteKind::Truncate { .. } => false,
    }
}

/// The one row that the statement's conditions leave, if they name the whole primary key.
fn row_key(
    eligibility: &Eligibility,
    entity: &Entity,
    write: &TableWrite,
    values: &[Value],
) -> Option<RowKey> {
    if !eligibility.has_primary_key(entity) {
        return None;
    }
    let parts =
        entity.primary.iter().zip(eligibility.classes(entity, &entity.primary)).map(|(column, class)| {
            let class = class.filter(|class| class.is_exact())?;
            let equality = write.keys.iter().find(|equality| equality.column == entity.columns[*column])?;
            Some((class, values.get(equality.parameter)?))
        });
    keys::canonical(parts.collect::<Option<Vec<_>>>()?)
}

/// Adds the tables that foreign keys and inheritance lead to.
fn add_reached(
    shared: &Context,
    schema: &Schema,
    facts: &TableSchema,
    write: &TableWrite,
    affected: &mut Affected,
) {
    for reached in reached(schema, facts, write).into_iter().flatten() {
        if is_cached(shared, reached.bare()) {
            affected.add_table(&shared.registry.tables.of(&reached.name));
        }
    }
}

/// Tables that foreign keys and inheritance reach from the written rows; `None` stands for one that can't be seen.
fn reached<'s>(schema: &'s Schema, table: &TableSchema, write: &TableWrite) -> Vec<Option<&'s TableSchema>> {
    match &write.kind {
        WriteKind::Insert => schema.reached_by_insert(table),
        WriteKind::Update { assigned } | WriteKind::Upsert { assigned: Some(assigned) } => {
            schema.reached_by_update(table, assigned)
        }
        WriteKind::Delete => schema.reached_by_delete(table),
        // Replaces rows, or updates any of their columns.
        WriteKind::Upsert { assigned: None } => schema.reached_by_replace(table),
        WriteKind::Truncate { .. } => schema.reached_by_truncate(table),
    }
}

/// A table that no entity means here. Another connection to the store may cache it.
fn add_foreign(shared: &Context, facts: &TableSchema, write: &TableWrite, affected: &mut Affected) {
    if !is_cached(shared, facts.bare()) {
        return;
    }
    let table = shared.registry.tables.of(&facts.name);
    match write.kind {
        WriteKind::Insert => affected.add_presence(&table),
        _ => affected.add_table(&table),
    }
}
