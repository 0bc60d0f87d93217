//! What may be cached: the entities and the database's real schema, combined.

use std::time::Duration;

use cache_core::entry::{Fingerprint, Generation};
use tokio::time::Instant;

use crate::{
    classify::reason::BypassReason,
    keys::KeyClass,
    registry::{Entity, ReadKind, Registry},
    schema::{Catalogue, Schema, Table},
};

/// How long to go without knowledge before asking again.
const RETRY: Duration = Duration::from_secs(1);

/// Everything learned from the database at one moment.
pub(crate) struct Knowledge {
    /// `None` if the database could not be asked: nothing is cached, and every write invalidates everything.
    pub(crate) schema: Option<Schema>,
    /// The namespace is bound to this database.
    claimed: bool,
    /// When it was learned, in words of the store and of the database.
    pub(crate) label: Label,
    facts: Vec<Facts>,
    learned: Instant,
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
    obstacle: Option<BypassReason>,
    /// How each column's values become part of a key, in the shape's order.
    classes: Vec<Option<KeyClass>>,
    /// See [`Column::collation`](crate::schema::Column::collation).
    collations: Vec<Option<u32>>,
    primary: Result<(), BypassReason>,
    uniques: Vec<Result<(), BypassReason>>,
}

/// What the user allows beyond the safe defaults.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowances {
    pub(crate) row_security: bool,
}

impl Knowledge {
    pub(crate) fn new(
        schema: Option<Schema>,
        claimed: bool,
        label: Label,
        registry: &Registry,
        allowances: Allowances,
    ) -> Self {
        let facts = registry.entities.iter().map(|entity| {
            let table = schema
                .as_ref()
                .and_then(|schema| schema.table_in(entity.schema.as_deref(), entity.table().name()));
            Facts::of(entity, table, allowances)
        });
        Knowledge { claimed, label, facts: facts.collect(), schema, learned: Instant::now() }
    }

    /// Why this read may not be answered from the cache, if it may not.
    pub(crate) fn obstacle(&self, entity: &Entity, kind: ReadKind) -> Option<BypassReason> {
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

    /// The generation of the schema that is known, if there is one.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.label.generation
    }

    /// What the entity's entries carry: another schema would judge them otherwise.
    pub(crate) fn fingerprint(&self, entity: &Entity) -> Option<(Generation, Fingerprint)> {
        self.label.generation.map(|generation| (generation, entity.fingerprint.under(generation)))
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
    fn of(entity: &Entity, table: Option<&Table>, allowances: Allowances) -> Self {
        let columns = entity.columns.iter().zip(entity.shape.types());
        let classes: Vec<_> =
            columns.map(|(name, kind)| KeyClass::of(kind, table?.column(name)?.kind)).collect();
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
        Facts {
            obstacle: obstacle(table, allowances),
            primary: key(&entity.primary),
            uniques: entity.uniques.iter().map(|key| unique(&key.columns)).collect(),
            classes,
            collations: entity.columns.iter().map(collation).collect(),
        }
    }
}

fn obstacle(table: Option<&Table>, allowances: Allowances) -> Option<BypassReason> {
    let Some(table) = table else { return Some(BypassReason::TableUnknown) };
    if !table.is_plain() {
        Some(BypassReason::TableKind)
    } else if !table.transactional {
        Some(BypassReason::NotTransactional)
    } else if table.row_security && !allowances.row_security {
        Some(BypassReason::RowSecurity)
    } else {
        None
    }
}
