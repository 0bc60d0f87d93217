//! Entities of the kinds that the shop lacks: a self-reference, one-to-one, many-to-many, a native enum, columns
//! that are cast. And the content of all tables, the shop's and these.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Schema};
use tests::Backend;

pub(crate) mod author {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "author")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(unique)]
        pub(crate) email: String,
        pub(crate) mentor_id: Option<i32>,
        #[sea_orm(
            self_ref,
            relation_enum = "Mentor",
            relation_reverse = "Pupils",
            from = "mentor_id",
            to = "id"
        )]
        pub(crate) mentor: BelongsTo<Option<Entity>>,
        #[sea_orm(self_ref, relation_enum = "Pupils", relation_reverse = "Mentor")]
        pub(crate) pupils: HasMany<Entity>,
        #[sea_orm(has_one)]
        pub(crate) profile: HasOne<super::profile::Entity>,
        #[sea_orm(has_many)]
        pub(crate) books: HasMany<super::book::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod profile {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "profile")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(unique)]
        pub(crate) author_id: i32,
        pub(crate) picture: String,
        #[sea_orm(belongs_to, from = "author_id", to = "id", on_delete = "Cascade")]
        pub(crate) author: BelongsTo<super::author::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod book {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "book_genre")]
    pub(crate) enum Genre {
        #[sea_orm(string_value = "novel")]
        Novel,
        #[sea_orm(string_value = "poem")]
        Poem,
    }

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "book")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(unique_key = "work")]
        pub(crate) title: String,
        #[sea_orm(unique_key = "work")]
        pub(crate) edition: i32,
        pub(crate) genre: Genre,
        pub(crate) author_id: i32,
        #[sea_orm(belongs_to, from = "author_id", to = "id")]
        pub(crate) author: BelongsTo<super::author::Entity>,
        #[sea_orm(has_many, via = "book_tag")]
        pub(crate) tags: HasMany<super::tag::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}

    /// One hop to the author.
    #[derive(Debug)]
    pub(crate) struct ToAuthor;

    impl Linked for ToAuthor {
        type FromEntity = Entity;
        type ToEntity = super::author::Entity;

        fn link(&self) -> Vec<RelationDef> {
            vec![Relation::Author.def()]
        }
    }

    /// Two hops: to the author, and to their profile.
    #[derive(Debug)]
    pub(crate) struct ToProfile;

    impl Linked for ToProfile {
        type FromEntity = Entity;
        type ToEntity = super::profile::Entity;

        fn link(&self) -> Vec<RelationDef> {
            vec![Relation::Author.def(), super::author::Relation::Profile.def()]
        }
    }

    /// Fewer columns.
    #[derive(Debug, DerivePartialModel)]
    #[sea_orm(entity = "Entity")]
    #[expect(dead_code, reason = "shown by Debug")]
    pub(crate) struct Spine {
        pub(crate) title: String,
        pub(crate) edition: i32,
    }
}

pub(crate) mod tag {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "tag")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) name: String,
        #[sea_orm(has_many, via = "book_tag")]
        pub(crate) books: HasMany<super::book::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod book_tag {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "book_tag")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) book_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) tag_id: i32,
        #[sea_orm(belongs_to, from = "book_id", to = "id", on_delete = "Cascade")]
        pub(crate) book: BelongsTo<super::book::Entity>,
        #[sea_orm(belongs_to, from = "tag_id", to = "id", on_delete = "Cascade")]
        pub(crate) tag: BelongsTo<super::tag::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// On Postgres alone: no other database knows the type.
pub(crate) mod voucher {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "voucher")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(column_type = "custom(\"citext\")", unique, select_as = "text", save_as = "citext")]
        pub(crate) code: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(
    author::Entity,
    profile::Entity,
    book::Entity,
    tag::Entity,
    book_tag::Entity,
    voucher::Entity
);

/// Creates the tables of this file. Those of the shop are there already.
pub(crate) async fn create(db: &DatabaseConnection) {
    let backend = db.get_database_backend();
    if backend == DbBackend::Postgres {
        execute(db, "CREATE EXTENSION citext; CREATE TYPE book_genre AS ENUM ('novel', 'poem')").await;
        table(db, voucher::Entity).await;
        execute(db, "SELECT setval('product_id_seq', 1000)").await;
    }
    table(db, author::Entity).await;
    table(db, profile::Entity).await;
    table(db, book::Entity).await;
    table(db, tag::Entity).await;
    table(db, book_tag::Entity).await;
}

async fn table<E: EntityTrait>(db: &DatabaseConnection, entity: E) {
    let schema = Schema::new(db.get_database_backend());
    db.execute(&schema.create_table_from_entity(entity)).await.expect("a table can be created");
    for index in schema.create_index_from_entity(entity) {
        db.execute(&index).await.expect("an index can be created");
    }
}

async fn execute(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Gives every table its first content.
pub(crate) async fn restore(db: &DatabaseConnection, backend: Backend) {
    // MySQL looks at each row's references as it deletes the row.
    execute(db, "UPDATE author SET mentor_id = NULL").await;
    for table in [
        "book_tag", "tag", "book", "profile", "author", "customer", "offer", "stock", "review", "product",
        "category",
    ] {
        execute(db, &format!("DELETE FROM {table}")).await;
    }
    for sql in [
        "INSERT INTO category VALUES (1, 'tools'), (2, 'toys'), (3, 'none')",
        "INSERT INTO product VALUES (1, 'A-1', 'saw', 100, 1), (2, 'B-2', 'kite', 200, 2), (3, 'C-3', 'cup', 300, NULL)",
        "INSERT INTO review VALUES (1, 1, 5), (2, 1, 4)",
        "INSERT INTO stock VALUES (1, 1, 10), (1, 2, 20)",
        "INSERT INTO offer VALUES (1, 1, 'de', 90), (2, 1, 'fr', 95)",
        "INSERT INTO author VALUES (1, 'a@x', NULL), (2, 'b@x', 1), (3, 'c@x', 1)",
        "INSERT INTO profile VALUES (1, 1, 'a.png'), (2, 2, 'b.png')",
        "INSERT INTO book VALUES (1, 'Sea', 1, 'novel', 1), (2, 'Sea', 2, 'novel', 1), (3, 'Tea', 1, 'poem', 2)",
        "INSERT INTO tag VALUES (1, 'salt'), (2, 'wind'), (3, 'calm')",
        "INSERT INTO book_tag VALUES (1, 1), (1, 2), (2, 1)",
    ] {
        execute(db, sql).await;
    }
    execute(db, "DROP TABLE IF EXISTS newcomer").await;
    if backend == Backend::Postgres {
        execute(db, "DELETE FROM voucher; INSERT INTO voucher VALUES (1, 'Free')").await;
    }
}
