//! A small publishing house: every kind of key, relation and cascade that the cache must see through.
//!
//! ```text
//! person ─┬─ profile             one-to-one, by a unique foreign key; gone with its person
//!    │    ├─ person (boss)       self-reference; a boss who goes leaves NULL
//!    │    ├─ article ── comment  two levels of cascades
//!    │    └─ folder (owner)
//! folder ── folder (parent)      self-reference; gone with its parent
//! article ── article_tag ── tag  many-to-many
//! badge, counter                 a model with hooks that query and write through the connection they get
//! ```
#![allow(unreachable_pub, reason = "SeaORM's macros need models that are pub")]

pub(crate) mod person {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(10))")]
    pub enum Role {
        #[sea_orm(string_value = "admin")]
        Admin,
        #[sea_orm(string_value = "member")]
        Member,
        #[sea_orm(string_value = "guest")]
        Guest,
    }

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "person")]
    #[cacheable(tuples)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub email: String,
        pub nickname: Option<String>,
        pub role: Role,
        pub boss_id: Option<i32>,
        #[sea_orm(
            self_ref,
            relation_enum = "Boss",
            relation_reverse = "Reports",
            from = "boss_id",
            to = "id",
            on_delete = "SetNull"
        )]
        pub boss: BelongsTo<Option<Entity>>,
        #[sea_orm(self_ref, relation_enum = "Reports", relation_reverse = "Boss")]
        pub reports: HasMany<Entity>,
        #[sea_orm(has_one)]
        pub profile: HasOne<super::profile::Entity>,
        #[sea_orm(has_many)]
        pub articles: HasMany<super::article::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod profile {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "profile")]
    #[cacheable(model_only)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub person_id: i32,
        pub born: Option<Date>,
        #[sea_orm(column_type = "Decimal(Some((10, 2)))")]
        pub rating: Decimal,
        #[sea_orm(column_type = "JsonBinary")]
        pub extra: Json,
        pub photo: Option<Vec<u8>>,
        #[sea_orm(belongs_to, from = "person_id", to = "id", on_delete = "Cascade", on_update = "Cascade")]
        pub person: BelongsTo<super::person::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod folder {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "folder")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub path: String,
        pub parent_path: Option<String>,
        pub owner_id: Option<i32>,
        #[sea_orm(
            self_ref,
            relation_enum = "Parent",
            relation_reverse = "Children",
            from = "parent_path",
            to = "path",
            on_delete = "Cascade"
        )]
        pub parent: BelongsTo<Option<Entity>>,
        #[sea_orm(self_ref, relation_enum = "Children", relation_reverse = "Parent")]
        pub children: HasMany<Entity>,
        #[sea_orm(belongs_to, from = "owner_id", to = "id", on_delete = "SetNull", on_update = "Cascade")]
        pub owner: BelongsTo<Option<super::person::Entity>>,
        #[sea_orm(has_many)]
        pub articles: HasMany<super::article::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod article {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "article")]
    #[cacheable(model_only)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(unique_key = "edition_of")]
        pub title: String,
        #[sea_orm(unique_key = "edition_of")]
        pub edition: i32,
        pub author_id: i32,
        pub folder_path: Option<String>,
        pub published: bool,
        pub written: Option<DateTime>,
        pub words: i64,
        #[sea_orm(belongs_to, from = "author_id", to = "id", on_delete = "Cascade", on_update = "Cascade")]
        pub author: BelongsTo<super::person::Entity>,
        #[sea_orm(
            belongs_to,
            from = "folder_path",
            to = "path",
            on_delete = "SetNull",
            on_update = "Cascade"
        )]
        pub folder: BelongsTo<Option<super::folder::Entity>>,
        #[sea_orm(has_many)]
        pub comments: HasMany<super::comment::Entity>,
        #[sea_orm(has_many, via = "article_tag")]
        pub tags: HasMany<super::tag::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod comment {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "comment")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub article_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub text: String,
        pub person_id: Option<i32>,
        #[sea_orm(belongs_to, from = "article_id", to = "id", on_delete = "Cascade", on_update = "Cascade")]
        pub article: BelongsTo<super::article::Entity>,
        #[sea_orm(belongs_to, from = "person_id", to = "id", on_delete = "SetNull", on_update = "Cascade")]
        pub person: BelongsTo<Option<super::person::Entity>>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod tag {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "tag")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub name: Option<String>,
        #[sea_orm(has_many, via = "article_tag")]
        pub articles: HasMany<super::article::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod article_tag {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "article_tag")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub article_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag_id: i32,
        #[sea_orm(belongs_to, from = "article_id", to = "id", on_delete = "Cascade", on_update = "Cascade")]
        pub article: BelongsTo<super::article::Entity>,
        #[sea_orm(belongs_to, from = "tag_id", to = "id", on_delete = "Cascade", on_update = "Cascade")]
        pub tag: BelongsTo<super::tag::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod badge {
    use cache_orm::Cacheable;
    use sea_orm::{
        ActiveValue::Set,
        entity::prelude::*,
        sea_query::{Expr, ExprTrait},
    };

    use super::{counter, person};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "badge")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub person_id: i32,
        pub label: String,
    }

    /// Looks at a person, who may be cached, and keeps the number of badges in another table.
    #[async_trait::async_trait]
    impl ActiveModelBehavior for ActiveModel {
        async fn before_save<C: ConnectionTrait>(mut self, db: &C, insert: bool) -> Result<Self, DbErr> {
            if let (true, Some(person_id)) = (insert, self.person_id.try_as_ref()) {
                let person = person::Entity::find_by_id(*person_id).one(db).await?;
                let person = person.ok_or_else(|| DbErr::Custom("a badge is for somebody".to_owned()))?;
                self.label = Set(format!("{:?} {}", person.role, person.email));
            }
            Ok(self)
        }

        async fn after_save<C: ConnectionTrait>(model: Model, db: &C, insert: bool) -> Result<Model, DbErr> {
            if insert {
                match counter::Entity::find_by_id("badges").one(db).await? {
                    Some(counter) => {
                        let value = counter.value + 1;
                        let mut counter: counter::ActiveModel = counter.into();
                        counter.value = Set(value);
                        counter.update(db).await?;
                    }
                    None => {
                        counter::ActiveModel { name: Set("badges".to_owned()), value: Set(1) }
                            .insert(db)
                            .await?;
                    }
                }
            }
            Ok(model)
        }

        async fn after_delete<C: ConnectionTrait>(self, db: &C) -> Result<Self, DbErr> {
            counter::Entity::update_many()
                .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).sub(1))
                .filter(counter::Column::Name.eq("badges"))
                .exec(db)
                .await?;
            Ok(self)
        }
    }
}

pub(crate) mod counter {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "counter")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub value: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(
    person::Entity,
    profile::Entity,
    folder::Entity,
    article::Entity,
    comment::Entity,
    tag::Entity,
    article_tag::Entity,
    badge::Entity,
    counter::Entity
);
