//! One entity: its columns, its keys, and its reads as SeaORM renders them.

use std::{any::TypeId, collections::BTreeSet};

use cache_core::{entry::Fingerprint, fnv};
use sea_orm::{
    ColumnTrait, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    QueryFilter, QueryResult, QuerySelect, QueryTrait, Schema, Select, Value,
};

use super::{
    ReadKind, UniqueKey,
    casts::{casts, selected},
    list::{self, DescribedList},
    to_one,
};
use crate::{
    decoders::Decoders,
    model::{CacheModel, Policy},
    row::{Row, Shape, Unfit, capture, verify},
};

/// Keys of more columns than this are recognised in declaration order only.
const MOST_PERMUTED_COLUMNS: usize = 4;

/// An entity as its registration describes it, with the texts of its reads.
pub(crate) struct Described {
    pub(super) declaration: Declaration,
    pub(super) reads: Vec<RenderedRead>,
    pub(super) lists: Vec<DescribedList>,
    pub(super) ends: to_one::Ends,
}

/// What is known of an entity without its table.
pub(super) struct Declaration {
    pub(super) model: TypeId,
    pub(super) type_name: &'static str,
    pub(super) schema: Option<String>,
    pub(super) table: String,
    pub(super) policy: Policy,
    pub(super) shape: Shape,
    pub(super) fingerprint: Fingerprint,
    pub(super) primary: Vec<usize>,
    pub(super) named: Vec<usize>,
    pub(super) casts: Vec<Vec<String>>,
    pub(super) primary_sql: String,
    pub(super) uniques: Vec<UniqueKey>,
    pub(super) capture: fn(&Shape, &QueryResult) -> Result<Row, Unfit>,
    pub(super) verify: fn(&Shape, Vec<Value>) -> Option<Row>,
}

/// A read by one key or of all rows.
pub(super) struct RenderedRead {
    pub(super) sql: String,
    pub(super) kind: ReadKind,
    pub(super) parameters: Vec<usize>,
    pub(super) limited: bool,
}

/// Describes the entity of `M`: its columns, its keys, and its reads as SeaORM renders them.
pub(crate) fn describe<M: CacheModel>(backend: DbBackend, is_strict: bool) -> Described {
    let columns: Vec<ColumnOf<M>> = <ColumnOf<M> as Iterable>::iter().collect();
    let name = |column: &ColumnOf<M>| column.as_str().to_owned();
    let position = |wanted: &ColumnOf<M>| {
        columns.iter().position(|column| column.as_str() == wanted.as_str()).expect("a column of the entity")
    };
    let types = columns.iter().map(|column| (name(column), column.def().get_column_type().clone()));
    let shape = Shape::new(types, M::POLICY.decoders, is_strict);

    let primary: Vec<usize> =
        <KeyOf<M> as Iterable>::iter().map(|key| position(&key.into_column())).collect();
    let uniques = unique_keys::<M>(&columns, backend);

    let of = |key: &[usize]| key.iter().map(|column| columns[*column]).collect::<Vec<_>>();
    let mut reads = keyed_reads::<M>(ReadKind::Primary, &primary, &columns, backend);
    let mut lists = list::lists::<M::Entity>(ReadKind::Primary, &of(&primary), backend);
    for (index, unique) in uniques.iter().enumerate() {
        let kind = ReadKind::Unique(index);
        reads.extend(keyed_reads::<M>(kind, &unique.columns, &columns, backend));
        lists.extend(list::lists::<M::Entity>(kind, &of(&unique.columns), backend));
    }
    reads.push(RenderedRead {
        sql: M::Entity::find().build(backend).sql,
        kind: ReadKind::All,
        parameters: Vec::new(),
        limited: false,
    });

    let entity = M::Entity::default();
    let ends = to_one::Ends::of::<M::Entity>(&of(&primary));
    let named = named(&primary, &uniques, ends.references(), &shape);
    let cast: Vec<_> =
        columns.iter().filter_map(|column| Some((name(column), selected(*column, backend)?))).collect();
    let declaration = Declaration {
        model: TypeId::of::<M>(),
        type_name: std::any::type_name::<M>(),
        schema: entity.schema_name().map(str::to_owned),
        table: entity.table_name().to_owned(),
        policy: M::POLICY,
        fingerprint: fingerprint(entity.table_name(), &primary, &named, &shape, M::POLICY.decoders, &cast),
        shape,
        primary_sql: by_key::<M>(&of(&primary), backend),
        primary,
        named,
        casts: columns.iter().map(|column| casts(*column, backend)).collect(),
        uniques,
        capture: |shape, row| {
            let model = M::from_query_result(row, "").map_err(Unfit::from)?;
            capture(shape, &model)
        },
        verify: |shape, values| verify::<M>(shape, values),
    };
    Described { declaration, reads, lists, ends }
}

type ColumnOf<M> = <<M as sea_orm::ModelTrait>::Entity as EntityTrait>::Column;
type KeyOf<M> = <<M as sea_orm::ModelTrait>::Entity as EntityTrait>::PrimaryKey;

impl From<DbErr> for Unfit {
    fn from(_: DbErr) -> Self {
        Unfit::Undecodable
    }
}

/// The columns that the entity declares unique, alone or together.
fn unique_keys<M: CacheModel>(columns: &[ColumnOf<M>], backend: DbBackend) -> Vec<UniqueKey> {
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
        sql: by_key::<M>(&key.iter().map(|column| columns[*column]).collect::<Vec<_>>(), backend),
        name: key.iter().map(|column| columns[*column].as_str()).collect::<Vec<_>>().join(","),
        columns: key,
    })
    .collect()
}

/// The positions of the columns that name rows: those of the entity's keys, and those that refer to others.
fn named(primary: &[usize], uniques: &[UniqueKey], references: Vec<String>, shape: &Shape) -> Vec<usize> {
    let references =
        references.into_iter().filter_map(|name| shape.names().position(|column| column == name));
    let columns = uniques.iter().flat_map(|unique| unique.columns.iter().copied());
    let named: BTreeSet<usize> = primary.iter().copied().chain(columns).chain(references).collect();
    named.into_iter().collect()
}

/// The read by one key: conditions in the order of the columns, without LIMIT.
fn by_key<M: CacheModel>(key: &[ColumnOf<M>], backend: DbBackend) -> String {
    // The value does not matter: it is bound, never part of the text.
    let select = key.iter().fold(M::Entity::find(), |select, column| select.filter(column.eq(0)));
    select.build(backend).sql
}

/// The reads by one key: conditions in any order, with and without LIMIT.
fn keyed_reads<M: CacheModel>(
    kind: ReadKind,
    key: &[usize],
    columns: &[ColumnOf<M>],
    backend: DbBackend,
) -> Vec<RenderedRead> {
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
            reads.push(RenderedRead {
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

/// A hash over everything that decides how a stored row is read back, and for whom it was found to be right: stable
/// across processes. Not the schema, by which the cell is named: who names it and who does not read the same rows.
///
/// The columns of keys and relations decide as well: in a stored row, only theirs are certain to be the database's
/// own, and another entity may look for other ones. And so does what a column is selected as: a cast may make another
/// value of it.
fn fingerprint(
    table: &str,
    primary: &[usize],
    named: &[usize],
    shape: &Shape,
    decoders: Decoders,
    cast: &[(String, String)],
) -> Fingerprint {
    let mut text = format!("{table:?} {primary:?} {named:?} {shape:?} {decoders:?}");
    if !cast.is_empty() {
        text.push_str(&format!(" {cast:?}"));
    }
    continued(Fingerprint(fnv::START), &text)
}

/// A fingerprint that something else decides as well.
pub(crate) fn continued(fingerprint: Fingerprint, by: &str) -> Fingerprint {
    Fingerprint(fnv::continued_by_text(fingerprint.0, by))
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
