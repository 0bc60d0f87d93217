//! What may be cached: the entities and the database's real schema, combined.

use std::{collections::HashMap, sync::Arc, time::Duration};

use cache_core::{
    cache,
    entry::{Fingerprint, Generation},
    key::QualifiedName,
};
use sea_orm::{ColumnType, DbBackend};
use tokio::time::Instant;

use crate::{
    classify::{Class, reason::BypassReason},
    decoders::{Decoders, Likeness},
    keys::KeyClass,
    not_cacheable::NotCacheable,
    registry::{Entity, ReadKind, Registry, continued},
    schema::{Catalogue, Column, Schema, TableSchema},
};

/// How long to go without knowledge before asking again.
const RETRY: Duration = Duration::from_secs(1);

/// Everything learned from the database at one moment.
pub(crate) struct Eligibility {
    /// `None` if the database could not be asked: nothing is cached, and every write invalidates everything.
    pub(crate) schema: Option<Schema>,
    /// The namespace is bound to this database.
    claimed: bool,
    /// When it was learned, in words of the store and of the database.
    pub(crate) label: Label,
    facts: Vec<Facts>,
    /// The tables that entities mean, and the entities over each: a write invalidates the table for all of them.
    groups: HashMap<QualifiedName, Group>,
    learned: Instant,
}

/// One table, and the entities over it.
pub(crate) struct Group {
    pub(crate) table: Arc<cache::Table>,
    pub(crate) entities: Vec<Arc<Entity>>,
}

/// What was found out before the schema was learned: it is not older than this says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    /// The schema's generation. `None` while it is being changed, or if the store can't be asked: nothing is cached
    /// then.
    pub(crate) generation: Option<Generation>,
    /// What the catalogue looked like.
    pub(crate) catalogue: Option<Catalogue>,
    /// Learnings of this connection are numbered in the order in which they began.
    pub(crate) number: u64,
}

/// What the schema says about one entity.
struct Facts {
    /// The table that the entity means.
    table: Option<Arc<cache::Table>>,
    /// What its entries carry, in any generation.
    fingerprint: Fingerprint,
    obstacle: Option<BypassReason>,
    /// How each column's values become part of a key, in the shape's order.
    classes: Vec<Option<KeyClass>>,
    /// See [`Column::collation`](crate::schema::Column::collation).
    collations: Vec<Option<u32>>,
    primary: Result<(), BypassReason>,
    uniques: Vec<Result<(), BypassReason>>,
    /// Positions of the columns that `into_json` would see in another form than the database's, if the entity promises
    /// that it does not.
    unlike: Vec<usize>,
    /// Whether it sees a row as the database's depends on the row.
    compares: bool,
    /// Positions of the columns that the table lacks, or that may not be read.
    unreadable: Vec<usize>,
}

/// What the user allows beyond the safe defaults.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowances {
    pub(crate) row_security: bool,
}

impl Eligibility {
    pub(crate) fn new(
        schema: Option<Schema>,
        claimed: bool,
        label: Label,
        registry: &Registry,
        allowances: Allowances,
    ) -> Self {
        let mut groups: HashMap<QualifiedName, Group> = HashMap::new();
        let facts = registry.entities.iter().map(|entity| {
            let found = schema.as_ref().and_then(|schema| schema.table(&entity.table));
            let table = found.map(|found| {
                let table = registry.tables.keep(&found.name, &entity.policy);
                let group = groups
                    .entry(found.name.clone())
                    .or_insert_with(|| Group { table: table.clone(), entities: Vec::new() });
                group.entities.push(entity.clone());
                table
            });
            // Sessions that are given other values do not share them.
            let rendering = schema.as_ref().map_or("", |schema| &schema.rendering);
            let fingerprint = continued(entity.fingerprint, rendering);
            Facts { table, fingerprint, ..Facts::of(entity, found, allowances) }
        });
        let facts = facts.collect();
        Eligibility { claimed, label, facts, groups, schema, learned: Instant::now() }
    }

    /// The table whose cells answer this read, or why it may not be answered from the cache.
    pub(crate) fn admits(&self, entity: &Entity, kind: ReadKind) -> Result<&Arc<cache::Table>, BypassReason> {
        match self.obstacle(entity, kind) {
            Some(reason) => Err(reason),
            None => self.table(entity).ok_or(BypassReason::TableUnknown),
        }
    }

    /// The table that an entity means.
    pub(crate) fn table(&self, entity: &Entity) -> Option<&Arc<cache::Table>> {
        self.facts[entity.index].table.as_ref()
    }

    /// The entities over a table, if there are any.
    pub(crate) fn group(&self, table: &TableSchema) -> Option<&Group> {
        self.groups.get(&table.name)
    }

    fn obstacle(&self, entity: &Entity, kind: ReadKind) -> Option<BypassReason> {
        let facts = &self.facts[entity.index];
        if !self.claimed {
            return Some(BypassReason::StoreUnavailable);
        }
        if self.label.generation.is_none() {
            return Some(BypassReason::SchemaChanging);
        }
        if self.schema.as_ref().is_some_and(|schema| schema.dirty_reads) {
            return Some(BypassReason::DirtyReads);
        }
        facts.obstacle.or_else(|| match kind {
            ReadKind::Primary => facts.primary.err(),
            // A row found by a unique key is kept under its primary key.
            ReadKind::Unique(key) => facts.primary.and(facts.uniques[key]).err(),
            ReadKind::All => entity.policy.all_max_rows.is_none().then_some(BypassReason::AllNotCached),
        })
    }

    /// The columns that keep an entity from being cached, because `into_json` would see them in another form than the
    /// database's, each behind the type of its model.
    pub(crate) fn unlike_columns<'k>(
        &'k self,
        registry: &'k Registry,
    ) -> impl Iterator<Item = String> + use<'k> {
        registry.entities.iter().flat_map(|entity| {
            let unlike = self.facts[entity.index].unlike.iter();
            unlike.map(|column| format!("{}.{}", entity.type_name, entity.columns[*column]))
        })
    }

    /// The entities, and the keys of entities, that are not cached on this database although they say so.
    pub(crate) fn not_cacheable(&self, registry: &Registry) -> Vec<NotCacheable> {
        registry.entities.iter().flat_map(|entity| self.not_cacheable_of(entity)).collect()
    }

    fn not_cacheable_of(&self, entity: &Entity) -> Vec<NotCacheable> {
        let facts = &self.facts[entity.index];
        let names =
            |columns: &[usize]| columns.iter().map(|column| entity.columns[*column].clone()).collect();
        let of = |key, reason, missing| NotCacheable {
            model: entity.type_name.to_owned(),
            table: entity.label.clone(),
            key,
            reason,
            missing,
        };
        if let Some(reason) = facts.obstacle.or(facts.primary.err()) {
            let missing = match reason {
                BypassReason::ColumnNotReadable => names(&facts.unreadable),
                BypassReason::NotUnique | BypassReason::KeyType => names(&entity.primary),
                _ => Vec::new(),
            };
            return vec![of(Vec::new(), reason, missing)];
        }
        let keys = entity.uniques.iter().zip(&facts.uniques);
        keys.filter_map(|(key, fact)| Some(of(names(&key.columns), fact.err()?, Vec::new()))).collect()
    }

    /// True if each row must be compared with the database's own before it is cached, where the entity promises that
    /// `into_json` sees the same: its types and the database's do not settle it.
    pub(crate) fn compares_json(&self, entity: &Entity) -> bool {
        self.facts[entity.index].compares
    }

    /// The generation of the schema that is known, if there is one.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.label.generation
    }

    /// What the entity's entries carry: another schema would judge them otherwise.
    pub(crate) fn fingerprint(&self, entity: &Entity) -> Option<(Generation, Fingerprint)> {
        let fingerprint = self.facts[entity.index].fingerprint;
        self.label.generation.map(|generation| (generation, fingerprint.under(generation)))
    }

    /// True if the database guarantees that the entity's primary key names one row.
    pub(crate) fn has_primary_key(&self, entity: &Entity) -> bool {
        self.facts[entity.index].primary.is_ok()
    }

    /// How the values of these columns become a key; `None` for a column that can't be part of one.
    pub(crate) fn classes<'k>(
        &'k self,
        entity: &Entity,
        columns: &'k [usize],
    ) -> impl Iterator<Item = Option<KeyClass>> + use<'k> {
        let classes = &self.facts[entity.index].classes;
        columns.iter().map(|column| classes[*column])
    }

    /// What a text of this class does, if the schema has something in it that the text mentions and that may write.
    pub(crate) fn widen(&self, class: &Class, sql: &str, backend: DbBackend) -> Option<Class> {
        self.schema.as_ref()?.writers.widen(class, sql, backend)
    }

    /// True if the database orders texts, where it compares them byte by byte, by their bytes in UTF-8.
    pub(crate) fn orders_texts_by_bytes(&self) -> bool {
        self.schema.as_ref().is_some_and(|schema| schema.orders_texts_by_bytes)
    }

    /// True if the database compares the columns of the one with those of the other, pair by pair.
    pub(crate) fn are_comparable(
        &self,
        (one, columns): (&Entity, &[usize]),
        (other, others): (&Entity, &[usize]),
    ) -> bool {
        let (one, other) = (&self.facts[one.index].collations, &self.facts[other.index].collations);
        columns.iter().zip(others).all(|(column, of_other)| match (one[*column], other[*of_other]) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        })
    }

    /// True when something is missing that another look at the database may find.
    pub(crate) fn is_worth_refreshing(&self, entity: &Entity) -> bool {
        let missing =
            !self.is_usable() || self.facts[entity.index].obstacle == Some(BypassReason::TableUnknown);
        missing && self.is_old()
    }

    /// True when there is no knowledge, and it is time to try again.
    pub(crate) fn is_expired(&self) -> bool {
        (self.schema.is_none() || !self.is_usable()) && self.is_old()
    }

    fn is_usable(&self) -> bool {
        self.claimed && self.label.generation.is_some()
    }

    fn is_old(&self) -> bool {
        self.learned.elapsed() >= RETRY
    }
}

impl Facts {
    fn of(entity: &Entity, table: Option<&TableSchema>, allowances: Allowances) -> Self {
        let columns = entity.columns.iter().zip(entity.shape.types());
        let classes: Vec<_> = columns
            .zip(&entity.casts)
            .map(|((name, kind), casts)| key_class(kind, table?.column(name)?, casts))
            .collect();
        let collation = |name: &String| table?.column(name)?.collation;
        let key = |positions: &[usize]| -> Result<(), BypassReason> {
            let table = table.ok_or(BypassReason::TableUnknown)?;
            if positions.iter().any(|position| classes[*position].is_none()) {
                return Err(BypassReason::KeyType);
            }
            let names: Vec<_> = positions.iter().map(|position| &entity.columns[*position]).collect();
            if table.is_unique(&names) { Ok(()) } else { Err(BypassReason::NotUnique) }
        };
        // An update that assigns a column of a unique key may make it lead to a row. A process that does not know
        // this entity tells by the keys of the database: each column must be part of one.
        let is_noticed =
            |position: &usize| table.is_some_and(|table| table.is_key_column(&entity.columns[*position]));
        let unique = |positions: &[usize]| match key(positions) {
            Ok(()) if !positions.iter().all(is_noticed) => Err(BypassReason::NotUnique),
            other => other,
        };
        let likeness: Vec<_> = match entity.policy.decoders {
            Decoders::Json => likeness(entity, table),
            Decoders::Tuples | Decoders::Model => Vec::new(),
        };
        let unlike = likeness.iter().enumerate().filter(|(_, likeness)| **likeness == Likeness::Different);
        let unlike: Vec<_> = unlike.map(|(column, _)| column).collect();
        let is_unlike = || (!unlike.is_empty()).then_some(BypassReason::UnlikeAsJson);
        Facts {
            table: None,
            fingerprint: entity.fingerprint,
            obstacle: obstacle(entity, table, allowances).or_else(is_unlike),
            compares: entity.policy.converts || likeness.contains(&Likeness::Compared),
            unlike,
            primary: key(&entity.primary),
            uniques: entity.uniques.iter().map(|key| unique(&key.columns)).collect(),
            classes,
            collations: entity.columns.iter().map(collation).collect(),
            unreadable: unreadable(entity, table),
        }
    }
}

/// What `into_json` sees in each column, in the shape's order; of a table that is not known, nothing.
fn likeness(entity: &Entity, table: Option<&TableSchema>) -> Vec<Likeness> {
    let Some(table) = table.filter(|table| table.is_plain()) else { return Vec::new() };
    let columns = entity.columns.iter().zip(entity.shape.types());
    let of = |(name, kind): (&String, _)| match table.column(name) {
        Some(column) => Likeness::of(kind, column.kind, entity.backend),
        None => Likeness::Compared,
    };
    columns.map(of).collect()
}

/// The class of a column, if nothing that the entity casts it to can make one value of two.
fn key_class(entity: &ColumnType, column: &Column, casts: &[String]) -> Option<KeyClass> {
    let class = KeyClass::of(entity, column.kind)?;
    let keeps = |to: &String| class.survives(to, column.collation.is_some());
    casts.iter().all(keeps).then_some(class)
}

fn obstacle(entity: &Entity, table: Option<&TableSchema>, allowances: Allowances) -> Option<BypassReason> {
    let Some(table) = table else { return Some(BypassReason::TableUnknown) };
    if !table.is_plain() || table.writes_when_read {
        Some(BypassReason::TableKind)
    } else if !table.transactional {
        Some(BypassReason::NotTransactional)
    } else if table.row_security && !allowances.row_security {
        Some(BypassReason::RowSecurity)
    } else if !unreadable(entity, Some(table)).is_empty() {
        // Who may read all of them would fill what this one may not see.
        Some(BypassReason::ColumnNotReadable)
    } else {
        None
    }
}

/// The positions of the columns that the table lacks, or that may not be read.
fn unreadable(entity: &Entity, table: Option<&TableSchema>) -> Vec<usize> {
    let Some(table) = table else { return Vec::new() };
    let is_not = |name: &String| table.column(name).is_none_or(|column| !column.readable);
    (0..entity.columns.len()).filter(|column| is_not(&entity.columns[*column])).collect()
}
