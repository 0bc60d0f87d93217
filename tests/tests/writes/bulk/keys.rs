//! Keys of every class: the rows that a statement returns name their slots.

use std::fmt::Debug;

use cache_orm::CachedConnection;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, ModelTrait, Select,
    prelude::Uuid,
};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, store},
};

use super::products::raw;

/// An entity with a price.
macro_rules! entity {
    ($name:ident, $table:literal, { $($(#[$column:meta])* $field:ident: $Type:ty,)+ }) => {
        mod $name {
            use cache_orm::Cacheable;
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
            #[sea_orm(table_name = $table)]
            #[cacheable(model_only)]
            pub(super) struct Model {
                $($(#[$column])* pub(super) $field: $Type,)+
                pub(super) price: i32,
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(super) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            tests::audited!(Entity);
        }
    };
}

entity!(by_small_number, "by_small_number", { #[sea_orm(primary_key, auto_increment = false)] id: i16, });
entity!(by_number, "by_number", { #[sea_orm(primary_key, auto_increment = false)] id: i64, });
entity!(by_uuid, "by_uuid", { #[sea_orm(primary_key, auto_increment = false)] id: Uuid, });
entity!(by_bytes, "by_bytes", { #[sea_orm(primary_key, auto_increment = false)] id: Vec<u8>, });
entity!(by_text, "by_text", { #[sea_orm(primary_key, auto_increment = false)] id: String, });
entity!(by_loose_text, "by_loose_text", { #[sea_orm(primary_key, auto_increment = false)] id: String, });
entity!(by_two, "by_two", {
    #[sea_orm(primary_key, auto_increment = false)] country: String,
    #[sea_orm(primary_key, auto_increment = false)] number: i32,
});
entity!(oddly_named, "Odd \"table`", {
    #[sea_orm(primary_key, auto_increment = false, column_name = "The \"Key`")] id: i32,
});
entity!(wide, "shared", {
    #[sea_orm(primary_key, auto_increment = false)] id: i32,
    name: String,
});
entity!(small, "shared", { #[sea_orm(primary_key, auto_increment = false)] id: i32, });

/// Three rows of one table, each in the cache.
struct Rows<M> {
    db: CachedConnection,
    plain: DatabaseConnection,
    rows: Vec<M>,
}

impl<M, E> Rows<M>
where
    M: ModelTrait<Entity = E> + Clone + PartialEq + Debug + IntoActiveModel<E::ActiveModel>,
    E: EntityTrait<Model = M>,
{
    /// Creates the table with rows that cost 1, 2 and 3.
    async fn new(env: &Env, ddl: &str, rows: [M; 3]) -> Self {
        let plain = env.connect().await;
        plain.execute_unprepared(ddl).await.expect("the table can be created");
        for row in &rows {
            let row = row.clone().into_active_model();
            E::insert(row.reset_all()).exec_without_returning(&plain).await.expect("a row can be inserted");
        }
        let db = Shop::enter(env, env.store().await).await;
        Rows { db, plain, rows: rows.into() }
    }

    /// Which rows are answered from the cache, as numbers from 0; what is answered is right.
    async fn cached(&self, find: impl Fn(&M) -> Select<E>) -> Vec<usize> {
        let hits = || self.db.stats().entities[&E::default().table_name().to_lowercase()].counts.hits;
        let mut cached = Vec::new();
        self.db.settled().await;
        for (number, row) in self.rows.iter().enumerate() {
            let before = hits();
            let found = find(row).one(&self.db).await;
            assert_eq!(found, find(row).one(&self.plain).await);
            if hits() > before {
                cached.push(number);
            }
        }
        self.db.settled().await;
        cached
    }

    /// An update and a delete by price leave the other rows cached.
    async fn are_told(&self, env: &Env, find: impl Fn(&M) -> Select<E>) {
        let quote = if env.backend() == Backend::MySql { '`' } else { '"' };
        let name = E::default().table_name().replace(quote, &format!("{quote}{quote}"));
        let table = format!("{quote}{name}{quote}");
        for (text, untouched) in [
            (format!("UPDATE {table} SET price = 4 WHERE price = 2"), &[0, 2][..]),
            (format!("DELETE FROM {table} WHERE price > 3"), &[0, 2]),
            (format!("UPDATE {table} SET price = price + 1 WHERE price > 0"), &[]),
        ] {
            self.cached(&find).await;
            let all = self.cached(&find).await;
            assert!(all.starts_with(&[0]) && all.ends_with(&[2]), "{all:?} are cached before {text}");
            self.db.execute_raw(raw(env.backend(), &text)).await.expect("it succeeds");
            let untouched = if env.backend() == Backend::MySql { &[] } else { untouched };
            assert_eq!(self.cached(&find).await, untouched, "{text}");
        }
    }
}

fn by_backend<'s>(env: &Env, sqlite: &'s str, postgres: &'s str, my_sql: &'s str) -> &'s str {
    match env.backend() {
        Backend::Sqlite => sqlite,
        Backend::Postgres => postgres,
        Backend::MySql => my_sql,
    }
}

/// A table with a key of this type.
fn keyed(table: &str, key: &str) -> String {
    format!("CREATE TABLE {table} (id {key} NOT NULL PRIMARY KEY, price INTEGER NOT NULL)")
}

/// Reads by the primary key.
macro_rules! by_key {
    ($entity:ident, $($field:ident),+) => {
        |row: &$entity::Model| $entity::Entity::find_by_id(($(row.$field.clone()),+))
    };
}

matrix! {
    stores: store;

    async fn integers_of_every_width(env: Env) {
        let rows = [1, 2, 3].map(|id| by_small_number::Model { id, price: id.into() });
        let rows = Rows::new(&env, &keyed("by_small_number", "SMALLINT"), rows).await;
        rows.are_told(&env, by_key!(by_small_number, id)).await;
        let rows = [1, 2, 3].map(|id| by_number::Model { id: i64::MIN + i64::from(id), price: id });
        let rows = Rows::new(&env, &keyed("by_number", "BIGINT"), rows).await;
        rows.are_told(&env, by_key!(by_number, id)).await;
    }

    async fn uuids(env: Env) {
        let rows = [1, 2, 3].map(|price| by_uuid::Model { id: Uuid::from_u128(price as u128), price });
        let ddl = keyed("by_uuid", by_backend(&env, "uuid_text", "uuid", "binary(16)"));
        Rows::new(&env, &ddl, rows).await.are_told(&env, by_key!(by_uuid, id)).await;
    }

    async fn bytes(env: Env) {
        let rows = [1, 2, 3].map(|price| by_bytes::Model { id: vec![0, 255, price as u8], price });
        let ddl = keyed("by_bytes", by_backend(&env, "blob", "bytea", "varbinary(20)"));
        Rows::new(&env, &ddl, rows).await.are_told(&env, by_key!(by_bytes, id)).await;
    }

    async fn text(env: Env) {
        let rows = [(1, "a"), (2, "A"), (3, "a ")].map(|(price, id)| by_text::Model { id: id.into(), price });
        let ddl = keyed("by_text", by_backend(&env, "text", "text", "varchar(20) COLLATE utf8mb4_nopad_bin"));
        Rows::new(&env, &ddl, rows).await.are_told(&env, by_key!(by_text, id)).await;
    }

    /// Whatever spelling a condition has, the row that comes back spells its own key.
    async fn text_without_regard_to_case(env: Env) on [Postgres] {
        // SQLite's NOCASE keys are not cached; MySQL tells no rows.
        let rows = [(1, "abc"), (2, "Def"), (3, "ghi")];
        let rows = rows.map(|(price, id)| by_loose_text::Model { id: id.into(), price });
        let ddl = format!("CREATE EXTENSION citext; {}", keyed("by_loose_text", "citext"));
        let rows = Rows::new(&env, &ddl, rows).await;
        rows.are_told(&env, by_key!(by_loose_text, id)).await;
        rows.cached(by_key!(by_loose_text, id)).await;
        let other_spelling = "UPDATE by_loose_text SET price = 9 WHERE id = 'ABC'";
        rows.db.execute_raw(raw(env.backend(), other_spelling)).await.expect("it succeeds");
        assert_eq!(rows.cached(by_key!(by_loose_text, id)).await, [2]);
    }

    async fn several_columns(env: Env) {
        let rows = [(1, "x", 1), (2, "x", 2), (3, "y", 1)];
        let rows = rows.map(|(price, country, number)| by_two::Model { country: country.into(), number, price });
        let text = by_backend(&env, "text", "text", "varchar(20) COLLATE utf8mb4_nopad_bin");
        let ddl = format!(
            "CREATE TABLE by_two (country {text} NOT NULL, number INTEGER NOT NULL, price INTEGER NOT NULL, \
             PRIMARY KEY (number, country))",
        );
        let rows = Rows::new(&env, &ddl, rows).await;
        rows.are_told(&env, by_key!(by_two, country, number)).await;
        if env.backend() != Backend::MySql {
            // The caller's own list, in another order.
            rows.cached(by_key!(by_two, country, number)).await;
            let text = "UPDATE by_two SET price = 1 WHERE country = 'x' RETURNING number, price, country";
            rows.db.query_all_raw(raw(env.backend(), text)).await.expect("it succeeds");
            assert_eq!(rows.cached(by_key!(by_two, country, number)).await, [2]);
            let half = "UPDATE by_two SET price = 1 WHERE country = 'x' RETURNING number";
            rows.db.query_all_raw(raw(env.backend(), half)).await.expect("it succeeds");
            assert_eq!(rows.cached(by_key!(by_two, country, number)).await, [0usize; 0]);
        }
    }

    async fn names_that_need_quotes(env: Env) {
        let rows = [1, 2, 3].map(|id| oddly_named::Model { id, price: id });
        let columns = "NOT NULL PRIMARY KEY, price INTEGER NOT NULL)";
        let ddl = match env.backend() {
            Backend::MySql => format!("CREATE TABLE `Odd \"table``` (`The \"Key``` INTEGER {columns}"),
            _ => format!("CREATE TABLE \"Odd \"\"table`\" (\"The \"\"Key`\" INTEGER {columns}"),
        };
        Rows::new(&env, &ddl, rows).await.are_told(&env, by_key!(oddly_named, id)).await;
    }

    /// Both entities see the change, and neither loses another row.
    async fn two_entities_over_one_table(env: Env) {
        let rows = [1, 2, 3].map(|id| wide::Model { id, name: "x".into(), price: id });
        let ddl = "CREATE TABLE shared (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9) NOT NULL, \
                   price INTEGER NOT NULL)";
        let rows = Rows::new(&env, ddl, rows).await;
        for (price, touched) in [(10, 1), (20, 2), (30, 3)] {
            // An entry belongs to the entity that filled it: the other one fills it again.
            let small = async |id| small::Entity::find_by_id(id).one(&rows.db).await.expect("an answer");
            for id in 1..=3 {
                small(id).await;
                rows.db.settled().await;
            }
            let text = format!("UPDATE shared SET price = {price} WHERE id IN ({touched})");
            rows.db.execute_raw(raw(env.backend(), &text)).await.expect("it succeeds");
            assert_eq!(small(touched).await.expect("a row").price, price);
            rows.cached(by_key!(wide, id)).await;
            let hits = || rows.db.stats().entities["shared"].counts.hits;
            let before = hits();
            rows.cached(by_key!(wide, id)).await;
            assert_eq!(hits(), before + 3);
        }
    }
}
