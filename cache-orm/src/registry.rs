//! The entities of a connection, and the text of every read that the cache answers.
//!
//! A read is recognised by its exact text: SeaORM itself renders each cacheable read once, when the
//! connection is made, and a statement is one of them if its text is equal. What is not equal goes to the
//! database; there is nothing to get wrong.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use cache_core::{
    cache::{Cache, Table},
    entry::Fingerprint,
    key::TableKeys,
};
use sea_orm::{
    ColumnTrait, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    QueryFilter, QueryResult, QuerySelect, QueryTrait, Schema, Select, Value,
};

use crate::{
    model::{CacheModel, Policy, Registration},
    row::{Row, Shape, Unfit, capture, verify},
    stats::Bypasses,
};

/// Keys of more columns than this are recognised in declaration order only.
const MOST_PERMUTED_COLUMNS: usize = 4;

/// What is known about an entity without asking the database.
pub(crate) struct Entity {
    /// Where its facts stand in `Knowledge`.
    pub(crate) index: usize,
    pub(crate) type_name: &'static str,
    pub(crate) group: Arc<TableGroup>,
    /// The schema that the entity names, if it names one.
    pub(crate) schema: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) shape: Arc<Shape>,
    /// The columns' names in lower case, in the shape's order: how statements and the schema are compared.
    pub(crate) columns: Vec<String>,
    pub(crate) fingerprint: Fingerprint,
    /// Positions of the primary key's columns in the shape.
    pub(crate) primary: Vec<usize>,
    pub(crate) uniques: Vec<UniqueKey>,
    pub(crate) capture: fn(&Shape, &QueryResult) -> Result<Row, Unfit>,
    pub(crate) verify: fn(&Shape, Vec<Value>) -> Option<Row>,
}

/// A unique key of an entity.
#[derive(Clone, Debug)]
pub(crate) struct UniqueKey {
    /// Its columns' names, joined: part of the alias's name.
    pub(crate) name: String,
    /// Positions of its columns in the shape.
    pub(crate) columns: Vec<usize>,
}

/// One table, and the entities over it: a write invalidates the table for all of them.
#[derive(Debug)]
pub(crate) struct TableGroup {
    pub(crate) table: Arc<Table>,
    pub(crate) bypasses: Bypasses,
}

/// A read that may be answered from the cache, and where its statement holds what.
pub(crate) struct ReadShape {
    pub(crate) entity: Arc<Entity>,
    pub(crate) kind: ReadKind,
    /// For each column of the key, the position of its value in the statement.
    pub(crate) parameters: Vec<usize>,
    /// The statement's last value is its LIMIT.
    pub(crate) limited: bool,
    /// Another entity sends the same text for other types: nobody can tell whose it is.
    pub(crate) ambiguous: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadKind {
    Primary,
    /// By the entity's unique key of this position.
    Unique(usize),
    All,
}

/// An entity as its registration describes it.
pub(crate) struct Described {
    model: TypeId,
    type_name: &'static str,
    schema: Option<String>,
    table: String,
    policy: Policy,
    shape: Shape,
    fingerprint: Fingerprint,
    primary: Vec<usize>,
    uniques: Vec<UniqueKey>,
    reads: Vec<DescribedRead>,
    capture: fn(&Shape, &QueryResult) -> Result<Row, Unfit>,
    verify: fn(&Shape, Vec<Value>) -> Option<Row>,
}

struct DescribedRead {
    sql: String,
    kind: ReadKind,
    parameters: Vec<usize>,
    limited: bool,
}

/// Every entity of a connection.
pub(crate) struct Registry {
    pub(crate) entities: Vec<Arc<Entity>>,
    /// By table name, lowercased and without schema.
    groups: BTreeMap<String, Arc<TableGroup>>,
    reads: HashMap<String, ReadShape>,
}

impl Registry {
    /// Describes the registered entities for one backend. An entity that is registered twice counts once.
    pub(crate) fn new(
        registrations: impl IntoIterator<Item = Registration>,
        backend: DbBackend,
        cache: &Cache,
    ) -> Self {
        let mut registry = Registry { entities: Vec::new(), groups: BTreeMap::new(), reads: HashMap::new() };
        let mut models = Vec::new();
        for registration in registrations {
            let described = (registration.describe)(backend);
            if !models.contains(&described.model) {
                models.push(described.model);
                registry.add(described, cache);
            }
        }
        registry
    }

    /// The read with exactly this text.
    pub(crate) fn read(&self, sql: &str) -> Option<&ReadShape> {
        self.reads.get(sql)
    }

    /// The group of a table named in lower case, if an entity is registered for it.
    pub(crate) fn group(&self, table: &str) -> Option<&Arc<TableGroup>> {
        self.groups.get(table)
    }

    /// Every registered table.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Arc<TableGroup>> {
        self.groups.values()
    }

    /// The entities over a table.
    pub(crate) fn entities_of<'r>(&'r self, group: &'r TableGroup) -> impl Iterator<Item = &'r Arc<Entity>> {
        self.entities.iter().filter(move |entity| entity.group.table.name() == group.table.name())
    }

    fn add(&mut self, described: Described, cache: &Cache) {
        let name = described.table.to_lowercase();
        let group = self.groups.entry(name).or_insert_with_key(|name| {
            Arc::new(TableGroup { table: Arc::new(cache.table(name)), bypasses: Bypasses::default() })
        });
        let entity = Arc::new(Entity {
            index: self.entities.len(),
            type_name: described.type_name,
            group: group.clone(),
            schema: described.schema,
            policy: described.policy,
            columns: described.shape.names().map(str::to_lowercase).collect(),
            shape: Arc::new(described.shape),
            fingerprint: described.fingerprint,
            primary: described.primary,
            uniques: described.uniques,
            capture: described.capture,
            verify: described.verify,
        });
        self.entities.push(entity.clone());
        for DescribedRead { sql, kind, parameters, limited } in described.reads {
            let ambiguous = match self.reads.get(&sql) {
                // A column that is a key by itself and a declared key of one column: the same read.
                Some(other) if Arc::ptr_eq(&other.entity, &entity) => continue,
                Some(other) => {
                    tracing::warn!(
                        one = other.entity.type_name,
                        other = entity.type_name,
                        "two entities read the same columns of one table: neither is cached, because a \
                         statement does not say which of them it is for"
                    );
                    true
                }
                None => false,
            };
            self.reads
                .insert(sql, ReadShape { entity: entity.clone(), kind, parameters, limited, ambiguous });
        }
    }
}

impl Entity {
    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.group.table
    }

    pub(crate) fn keys(&self) -> &TableKeys {
        self.group.table.keys()
    }

    /// The positions of the columns that a keyed read gives values for.
    pub(crate) fn key_columns(&self, kind: ReadKind) -> &[usize] {
        match kind {
            ReadKind::Primary => &self.primary,
            ReadKind::Unique(key) => &self.uniques[key].columns,
            ReadKind::All => &[],
        }
    }
}

/// Describes the entity of `M`: its columns, its keys, and its reads as SeaORM renders them.
pub(crate) fn describe<M: CacheModel>(backend: DbBackend) -> Described {
    let columns: Vec<Column<M>> = <Column<M> as Iterable>::iter().collect();
    let name = |column: &Column<M>| column.as_str().to_owned();
    let position = |wanted: &Column<M>| {
        columns.iter().position(|column| column.as_str() == wanted.as_str()).expect("a column of the entity")
    };
    let shape =
        Shape::new(columns.iter().map(|column| (name(column), column.def().get_column_type().clone())));

    let primary: Vec<usize> =
        <PrimaryKey<M> as Iterable>::iter().map(|key| position(&key.into_column())).collect();
    let uniques = unique_keys::<M>(&columns, backend);

    let mut reads = keyed_reads::<M>(ReadKind::Primary, &primary, &columns, backend);
    for (index, unique) in uniques.iter().enumerate() {
        reads.extend(keyed_reads::<M>(ReadKind::Unique(index), &unique.columns, &columns, backend));
    }
    reads.push(DescribedRead {
        sql: M::Entity::find().build(backend).sql,
        kind: ReadKind::All,
        parameters: Vec::new(),
        limited: false,
    });

    let entity = M::Entity::default();
    Described {
        model: TypeId::of::<M>(),
        type_name: std::any::type_name::<M>(),
        schema: entity.schema_name().map(str::to_owned),
        table: entity.table_name().to_owned(),
        policy: M::POLICY,
        fingerprint: fingerprint(entity.schema_name(), entity.table_name(), &primary, &shape),
        shape,
        primary,
        uniques,
        reads,
        capture: |shape, row| {
            let model = M::from_query_result(row, "").map_err(Unfit::from)?;
            capture(shape, &model)
        },
        verify: |shape, values| verify::<M>(shape, values),
    }
}

type Column<M> = <<M as sea_orm::ModelTrait>::Entity as EntityTrait>::Column;
type PrimaryKey<M> = <<M as sea_orm::ModelTrait>::Entity as EntityTrait>::PrimaryKey;

impl From<DbErr> for Unfit {
    fn from(_: DbErr) -> Self {
        Unfit::Undecodable
    }
}

/// The columns that the entity declares unique, alone or together.
fn unique_keys<M: CacheModel>(columns: &[Column<M>], backend: DbBackend) -> Vec<UniqueKey> {
    let alone = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.def().is_unique())
        .map(|(index, _)| vec![index]);
    // SeaORM offers the groups of `unique_key` only as the indexes that it would create.
    let together = Schema::new(backend)
        .create_index_from_entity(M::Entity::default())
        .into_iter()
        .filter(|index| index.is_unique_key())
        .map(|index| {
            let names = index.get_index_spec().get_column_names();
            names
                .iter()
                .filter_map(|name| columns.iter().position(|column| column.as_str() == name))
                .collect::<Vec<_>>()
        });
    let keys = alone.chain(together).filter(|columns| !columns.is_empty());
    keys.map(|key| UniqueKey {
        name: key.iter().map(|column| columns[*column].as_str()).collect::<Vec<_>>().join(","),
        columns: key,
    })
    .collect()
}

/// The reads by one key: conditions in any order, with and without LIMIT.
fn keyed_reads<M: CacheModel>(
    kind: ReadKind,
    key: &[usize],
    columns: &[Column<M>],
    backend: DbBackend,
) -> Vec<DescribedRead> {
    let mut reads = Vec::new();
    for order in orders(key.len()) {
        let select = order.iter().fold(M::Entity::find(), |select: Select<M::Entity>, part| {
            // The value does not matter: it is bound, never part of the text.
            select.filter(columns[key[*part]].eq(0))
        });
        let mut parameters = vec![0; key.len()];
        for (position, part) in order.iter().enumerate() {
            parameters[*part] = position;
        }
        for limited in [false, true] {
            let statement = select.clone().apply_if(limited.then_some(()), |select, ()| select.limit(1));
            reads.push(DescribedRead {
                sql: statement.build(backend).sql,
                kind,
                parameters: parameters.clone(),
                limited,
            });
        }
    }
    reads
}

/// Every order of `n` conditions, or only the given one if there are too many.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n > MOST_PERMUTED_COLUMNS {
        return vec![(0..n).collect()];
    }
    let mut orders = vec![Vec::new()];
    for _ in 0..n {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let rest = (0..n).filter(|part| !order.contains(part)).collect::<Vec<_>>();
                rest.into_iter().map(move |part| order.iter().copied().chain([part]).collect())
            })
            .collect();
    }
    orders
}

/// FNV-1a over everything that decides how a stored row is read back: stable across processes.
fn fingerprint(schema: Option<&str>, table: &str, primary: &[usize], shape: &Shape) -> Fingerprint {
    let text = format!("{schema:?} {table:?} {primary:?} {shape:?}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Fingerprint(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_all_permutations() {
        assert_eq!(orders(1), [[0]]);
        assert_eq!(orders(2), [[0, 1], [1, 0]]);
        assert_eq!(orders(4).len(), 24);
        assert_eq!(orders(5), [[0, 1, 2, 3, 4]]);
    }
}
