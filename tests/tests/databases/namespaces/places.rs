//! A fresh database with a few tables, plain and cached.

use std::{fmt::Debug, sync::Arc};

use cache_core::store::Store;
use cache_orm::{BypassReason, CachedConnection};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryTrait, Select};
use tests::{Backend, Env, shop::Shop};

/// One database, as SeaORM alone sees it and through the cache.
pub(crate) struct Place {
    pub(crate) plain: DatabaseConnection,
    pub(crate) db: CachedConnection,
}

impl Place {
    /// Creates the tables that these statements make.
    pub(crate) async fn with(env: &Env, ddl: &[&str]) -> Self {
        let plain = env.connect().await;
        for statement in ddl {
            execute(&plain, statement).await;
        }
        let db = Shop::enter(env, env.store().await).await;
        Place { plain, db }
    }

    /// A select gives the same through both, however often.
    pub(crate) async fn agree<E>(&self, select: Select<E>, when: &str)
    where
        E: EntityTrait<Model: PartialEq + Debug + Send + Sync>,
    {
        agree(&self.db, &self.plain, select, when).await;
    }

    pub(crate) fn hits(&self, table: &str) -> u64 {
        let counts = self.db.stats().entities[table].counts;
        counts.hits + counts.absent_hits
    }

    pub(crate) fn bypasses(&self, table: &str, reason: BypassReason) -> u64 {
        let stats = self.db.stats();
        stats.entities[table].bypasses.get(&reason).copied().unwrap_or(0)
    }

    /// Reads of this table are sent to the database for this reason, and fill nothing.
    pub(crate) async fn is_bypassed<E>(&self, table: &str, select: Select<E>, reason: BypassReason)
    where
        E: EntityTrait<Model: PartialEq + Debug + Send + Sync>,
    {
        let before = self.bypasses(table, reason);
        // Any row at all is no question that the cache knows: only half of the reads count.
        let keyed = select.build(self.plain.get_database_backend()).sql.contains("WHERE");
        self.agree(select, reason.as_str()).await;
        let reads = if keyed { 6 } else { 3 };
        assert_eq!(self.bypasses(table, reason), before + reads, "{:?}", self.db.stats().entities[table]);
        let counts = self.db.stats().entities[table].counts;
        assert_eq!((self.hits(table), counts.fills), (0, 0), "{counts:?}");
    }
}

/// Six reads through the cache, each compared with the plain one.
pub(crate) async fn agree<E>(db: &CachedConnection, plain: &DatabaseConnection, select: Select<E>, when: &str)
where
    E: EntityTrait<Model: PartialEq + Debug + Send + Sync>,
{
    for _ in 0..3 {
        assert_eq!(select.clone().all(db).await, select.clone().all(plain).await, "{when}");
        db.settled().await;
        assert_eq!(select.clone().one(db).await, select.clone().one(plain).await, "{when}");
        db.settled().await;
    }
}

/// Two reads of several rows through the cache, each compared with the plain one. Without an order by the
/// statement, rows may come in any.
pub(crate) async fn agree_in_any_order<E>(
    db: &CachedConnection,
    plain: &DatabaseConnection,
    select: Select<E>,
    when: &str,
) where
    E: EntityTrait<Model: Debug + Send + Sync>,
{
    let sorted = |answer: Result<Vec<E::Model>, DbErr>| {
        let mut rows: Vec<String> = match answer {
            Ok(rows) => rows.iter().map(|row| format!("{row:?}")).collect(),
            Err(error) => vec![error.to_string()],
        };
        rows.sort();
        rows
    };
    for _ in 0..2 {
        assert_eq!(sorted(select.clone().all(db).await), sorted(select.clone().all(plain).await), "{when}");
        db.settled().await;
    }
}

pub(crate) async fn execute(db: &impl ConnectionTrait, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Another process over the same database and store.
pub(crate) async fn beside(env: &Env) -> CachedConnection {
    Shop::enter(env, env.store().await as Arc<dyn Store>).await
}

/// The statement that this kind of database needs.
pub(crate) fn by_backend<'s>(
    backend: Backend,
    sqlite: &'s str,
    postgres: &'s str,
    my_sql: &'s str,
) -> &'s str {
    match backend {
        Backend::Sqlite => sqlite,
        Backend::Postgres => postgres,
        Backend::MySql => my_sql,
    }
}

/// An entity over one table, with nothing but columns.
macro_rules! entity {
    ($(#[$attribute:meta])* $name:ident, $table:literal, {
        $($(#[$column:meta])* $field:ident: $Type:ty,)+
    }) => {
        $(#[$attribute])*
        pub(crate) mod $name {
            use cache_orm::Cacheable;
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
            #[sea_orm(table_name = $table)]
            #[cacheable(model_only)]
            pub(crate) struct Model {
                $($(#[$column])* pub(crate) $field: $Type,)+
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            tests::audited!(Entity);
        }
    };
}
pub(crate) use entity;
