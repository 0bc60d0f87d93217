//! Reads of the row that another row refers to: `book.find_related(Author)`, and `find_linked` of one hop.
//!
//! The statement is a join. Where both sides are cacheable it can be answered in two steps: the source's row
//! holds the key of the target's row.

use std::{marker::PhantomData, sync::Arc};

use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, Iterable, JoinType, Linked, QueryFilter, QuerySelect, QueryTrait,
    RelationDef, RelationTrait, Select,
    sea_query::{Expr, ExprTrait, TableRef},
};

use super::{Entity, ReadKind};

/// A join from a row, named by its primary key, to the row that it refers to.
pub(crate) struct ToOneShape {
    pub(crate) source: Arc<Entity>,
    pub(crate) target: Arc<Entity>,
    /// The key of the target: its primary key, or a unique one.
    pub(crate) kind: ReadKind,
    /// For each column of the target's key, the source's column that holds its value.
    pub(crate) references: Vec<usize>,
    /// The statement's last value is its LIMIT; those before it are the source's primary key.
    pub(crate) limited: bool,
    /// Other entities send the same text.
    pub(crate) ambiguous: bool,
}

impl ToOneShape {
    pub(super) fn is_same(&self, other: &ToOneShape) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
            && Arc::ptr_eq(&self.target, &other.target)
            && self.kind == other.kind
            && self.references == other.references
    }
}

/// What an entity is to hops that start or end at it.
pub(super) struct Ends {
    /// Every relation that the entity declares.
    relations: Vec<RelationDef>,
    /// `"book"."id" = $1` for each column of the primary key: what follows `find_related`.
    of_row: Vec<Expr>,
    /// `"r0"."id" = $1` likewise: what follows `find_linked`.
    of_alias: Vec<Expr>,
    /// The texts of the hops that lead here along a relation.
    arrive: fn(DbBackend, &RelationDef, &Ends) -> Vec<(String, bool)>,
}

impl Ends {
    pub(super) fn of<E: EntityTrait>(primary: &[E::Column]) -> Self {
        Ends {
            relations: <E::Relation as Iterable>::iter().map(|relation| relation.def()).collect(),
            // The value does not matter: it is bound, never part of the text.
            of_row: primary.iter().map(|column| column.eq(0)).collect(),
            of_alias: primary.iter().map(|column| Expr::col(("r0", *column)).eq(0)).collect(),
            arrive: arrive::<E>,
        }
    }

    /// The columns of the entity that its relations begin at.
    pub(super) fn references(&self) -> Vec<String> {
        let columns = self.relations.iter().flat_map(|relation| relation.from_col.iter());
        columns.map(|column| column.to_string()).collect()
    }
}

/// A link of one hop, as an application would define it.
struct OneHop<R>(RelationDef, PhantomData<R>);

impl<R: EntityTrait> Linked for OneHop<R> {
    // Plays no part in the statement.
    type FromEntity = R;
    type ToEntity = R;

    fn link(&self) -> Vec<RelationDef> {
        vec![self.0.clone()]
    }
}

fn arrive<R: EntityTrait>(backend: DbBackend, relation: &RelationDef, source: &Ends) -> Vec<(String, bool)> {
    let related = R::find().join_rev(JoinType::InnerJoin, relation.clone());
    let linked = OneHop::<R>(relation.clone(), PhantomData).find_linked();
    let filtered =
        |select: Select<R>, key: &[Expr]| key.iter().fold(select, |s, part| s.filter(part.clone()));
    // A table that is joined with itself has one name twice, which no database takes; a link gives it another.
    let name = |end: &TableRef| end.sea_orm_table().to_string().to_lowercase();
    let of_row = name(&relation.from_tbl) != name(&relation.to_tbl);
    let related = of_row.then(|| filtered(related, &source.of_row));
    let selects = related.into_iter().chain([filtered(linked, &source.of_alias)]);
    let texts = selects.flat_map(|select| {
        let limited = select.clone().limit(1);
        [(select.build(backend).sql, false), (limited.build(backend).sql, true)]
    });
    texts.collect()
}

/// The hops between these entities.
pub(super) fn between(entities: &[(Arc<Entity>, Ends)], backend: DbBackend) -> Vec<(String, ToOneShape)> {
    let mut hops = Vec::new();
    for (source, ends) in entities {
        for relation in ends.relations.iter().filter(|relation| relation.on_condition.is_none()) {
            for (target, there) in entities {
                let Some((kind, references)) = leads(relation, source, target) else { continue };
                for (sql, limited) in (there.arrive)(backend, relation, ends) {
                    let (source, target, references) = (source.clone(), target.clone(), references.clone());
                    hops.push((
                        sql,
                        ToOneShape { source, target, kind, references, limited, ambiguous: false },
                    ));
                }
            }
        }
    }
    hops
}

/// The target's key that a relation leads to, and the source's columns that hold it.
fn leads(relation: &RelationDef, source: &Entity, target: &Entity) -> Option<(ReadKind, Vec<usize>)> {
    let is = |end: &TableRef, entity: &Entity| {
        let name = end.sea_orm_table().to_string();
        name.to_lowercase() == entity.table.name
    };
    if !is(&relation.from_tbl, source) || !is(&relation.to_tbl, target) {
        return None;
    }
    let position = |entity: &Entity, name: &str| entity.shape.names().position(|column| column == name);
    let from = relation.from_col.iter().map(|column| position(source, &column.to_string()));
    let to = relation.to_col.iter().map(|column| position(target, &column.to_string()));
    let (from, to) = (from.collect::<Option<Vec<_>>>()?, to.collect::<Option<Vec<_>>>()?);
    let kind = target.key_over(&to).filter(|_| from.len() == to.len())?;
    // A value of one type must be bound where the other is expected.
    let kind_of = |entity: &Entity, column: usize| entity.shape.types().nth(column).cloned();
    let references = target.key_columns(kind).iter().map(|column| {
        let here = from[to.iter().position(|named| named == column)?];
        (kind_of(source, here) == kind_of(target, *column)).then_some(here)
    });
    Some((kind, references.collect::<Option<Vec<_>>>()?))
}
