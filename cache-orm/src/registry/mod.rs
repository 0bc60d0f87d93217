//! The entities of a connection, and the text of every read that the cache answers.
//!
//! A read is recognised by its exact text: SeaORM itself renders each cacheable read once, when the
//! connection is made, and a statement is one of them if its text is equal. Only a list of keys has no one
//! text: there what stands around the list must be equal. What is not equal goes to the database; there is
//! nothing to get wrong.
//!
//! ```text
//! describe   one entity: its columns, its keys, and its reads as SeaORM renders them
//! entity     what is known of it without asking the database
//! casts      what an entity casts its columns to
//! list       reads by a list of keys
//! to_one        reads of the row that another one refers to
//! registration  how an entity makes itself known
//! tables     the handles of the tables that entities turn out to mean
//! ```

mod casts;
mod describe;
mod entity;
mod list;
mod registration;
mod tables;
mod to_one;

use std::{
    any::TypeId,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use cache_core::cache::Cache;
use sea_orm::DbBackend;

use crate::{classify::TableName, stats::Bypasses};

use describe::{Declaration, RenderedRead};
pub(crate) use describe::{Described, continued};
pub(crate) use entity::{Entity, ReadKind, UniqueKey};
use list::DescribedList;
pub(crate) use list::{ListRead, ListShape, Order};
pub use registration::Registration;
use tables::Tables;
pub(crate) use to_one::ToOneShape;

/// A read by one key or of all rows, and where its statement holds what.
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

/// A statement that the cache may answer.
pub(crate) enum Recognised<'r> {
    One(&'r ReadShape),
    List(ListRead<'r>),
    ToOne(&'r ToOneShape),
}

/// A read with one text.
enum Fixed {
    One(ReadShape),
    Array(ListShape),
    ToOne(ToOneShape),
}

/// Every entity of a connection.
pub(crate) struct Registry {
    pub(crate) entities: Vec<Arc<Entity>>,
    pub(crate) tables: Tables,
    models: HashMap<TypeId, Arc<Entity>>,
    reads: HashMap<String, Fixed>,
    /// By the text before the list.
    lists: HashMap<String, ListShape>,
    /// Entities that no statement tells apart, by the names of their types.
    alike: BTreeSet<(&'static str, &'static str)>,
}

impl Registry {
    /// Describes the registered entities for one backend, with strict rows or others. An entity that is registered twice
    /// counts once.
    pub(crate) fn new(
        registrations: impl IntoIterator<Item = Registration>,
        backend: DbBackend,
        is_strict: bool,
        cache: &Cache,
    ) -> Self {
        let mut registry = Registry {
            entities: Vec::new(),
            tables: Tables::new(cache.clone()),
            models: HashMap::new(),
            reads: HashMap::new(),
            lists: HashMap::new(),
            alike: BTreeSet::new(),
        };
        let mut sources = Vec::new();
        for registration in registrations {
            let Described { declaration, reads, lists, ends } = (registration.describe)(backend, is_strict);
            if !registry.models.contains_key(&declaration.model) {
                let entity = registry.add_entity(declaration, backend);
                for read in reads {
                    registry.add_read(read, &entity);
                }
                for list in lists {
                    registry.add_list(list, &entity);
                }
                sources.push((entity, ends));
            }
        }
        for (sql, to_one) in to_one::between(&sources, backend) {
            registry.add_to_one(sql, to_one);
        }
        registry
    }

    /// The read that this text is.
    pub(crate) fn read(&self, sql: &str) -> Option<Recognised<'_>> {
        match self.reads.get(sql) {
            Some(Fixed::One(shape)) => Some(Recognised::One(shape)),
            Some(Fixed::ToOne(shape)) => Some(Recognised::ToOne(shape)),
            Some(Fixed::Array(shape)) => shape.as_array(sql).map(Recognised::List),
            None => {
                let shape = self.lists.get(list::before_list(sql)?)?;
                shape.parse(sql).map(Recognised::List)
            }
        }
    }

    /// The entity of a model.
    pub(crate) fn model(&self, model: TypeId) -> Option<&Arc<Entity>> {
        self.models.get(&model)
    }

    /// True if an entity names a table with this last name, in lower case.
    pub(crate) fn names(&self, table: &str) -> bool {
        self.entities.iter().any(|entity| entity.table.name == table)
    }

    /// The schemas that entities name, as they spell them.
    pub(crate) fn schemas(&self) -> BTreeSet<String> {
        self.entities.iter().filter_map(|entity| entity.schema.clone()).collect()
    }

    fn add_entity(&mut self, declaration: Declaration, backend: DbBackend) -> Arc<Entity> {
        let table = TableName::new(declaration.schema.as_deref(), &declaration.table);
        let label = table.schema.iter().chain([&table.name]).cloned().collect::<Vec<_>>().join(".");
        let entity = Arc::new(Entity {
            index: self.entities.len(),
            backend,
            model: declaration.model,
            type_name: declaration.type_name,
            table,
            label,
            schema: declaration.schema,
            bypasses: Bypasses::default(),
            policy: declaration.policy,
            columns: declaration.shape.names().map(str::to_lowercase).collect(),
            shape: Arc::new(declaration.shape),
            fingerprint: declaration.fingerprint,
            primary: declaration.primary,
            named: declaration.named,
            casts: declaration.casts,
            primary_sql: declaration.primary_sql,
            uniques: declaration.uniques,
            capture: declaration.capture,
            verify: declaration.verify,
        });
        self.entities.push(entity.clone());
        self.models.insert(declaration.model, entity.clone());
        entity
    }

    fn add_read(&mut self, read: RenderedRead, entity: &Arc<Entity>) {
        let RenderedRead { sql, kind, parameters, limited } = read;
        let ambiguous = match self.reads.get(&sql) {
            // A column that is a key by itself and a declared key of one column: the same read.
            Some(Fixed::One(other)) if Arc::ptr_eq(&other.entity, entity) => return,
            Some(Fixed::One(other)) => {
                let pair = (other.entity.type_name, entity.type_name);
                // They share more than one text.
                if self.alike.insert(pair) {
                    tracing::warn!(
                        one = pair.0,
                        other = pair.1,
                        "two entities read the same columns of one table: neither is cached, because a statement \
                         does not say which of them it is for"
                    );
                }
                true
            }
            Some(Fixed::Array(_) | Fixed::ToOne(_)) => return,
            None => false,
        };
        let shape = ReadShape { entity: entity.clone(), kind, parameters, limited, ambiguous };
        self.reads.insert(sql, Fixed::One(shape));
    }

    fn add_list(&mut self, list: DescribedList, entity: &Arc<Entity>) {
        let texts = list.texts();
        let mut shape = ListShape::new(list, entity.clone());
        match texts {
            list::Texts::Fixed(texts) => {
                for sql in texts {
                    let other = self.reads.get(&sql);
                    let mut shape = shape.clone();
                    match other {
                        Some(Fixed::Array(other)) if Arc::ptr_eq(&other.entity, entity) => continue,
                        other => shape.ambiguous = other.is_some(),
                    }
                    self.reads.insert(sql, Fixed::Array(shape));
                }
            }
            list::Texts::Template(before) => {
                match self.lists.get(&before) {
                    Some(other) if Arc::ptr_eq(&other.entity, entity) => return,
                    other => shape.ambiguous = other.is_some(),
                }
                self.lists.insert(before, shape);
            }
        }
    }

    /// Two relations over the same columns send one text, which is one read; two entities that can't be told
    /// apart send it as well, and then it is nobody's.
    fn add_to_one(&mut self, sql: String, mut to_one: ToOneShape) {
        to_one.ambiguous = match self.reads.get(&sql) {
            Some(Fixed::ToOne(other)) => other.ambiguous || !other.is_same(&to_one),
            other => other.is_some(),
        };
        self.reads.insert(sql, Fixed::ToOne(to_one));
    }
}

impl Recognised<'_> {
    /// The entity whose rows are asked for.
    pub(crate) fn entity(&self) -> &Arc<Entity> {
        match self {
            Recognised::One(shape) => &shape.entity,
            Recognised::List(list) => &list.shape.entity,
            Recognised::ToOne(to_one) => &to_one.target,
        }
    }
}
