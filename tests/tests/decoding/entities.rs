//! Entities with promises of each kind.
#![allow(unreachable_pub, reason = "SeaORM's macros need models that are pub")]

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseConnection, EntityTrait, Schema};

/// Dates: right for its model alone.
pub(crate) mod invoice {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "invoice")]
    #[cacheable(model_only)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(unique)]
        pub number: String,
        pub due: Date,
        pub paid_at: Option<DateTimeUtc>,
        pub next_id: Option<i32>,
        #[sea_orm(self_ref, relation_enum = "Next", relation_reverse = "Last", from = "next_id", to = "id")]
        pub next: BelongsTo<Option<Entity>>,
        #[sea_orm(self_ref, relation_enum = "Last", relation_reverse = "Next")]
        pub last: HasMany<Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The columns are not in alphabetical order.
pub(crate) mod measure {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "measure")]
    #[cacheable(tuples)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub amount: i32,
        pub day: Option<Date>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A JSON structure that does not keep what it does not know.
pub(crate) mod draft {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
    pub struct Text {
        pub title: String,
    }

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "draft")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(column_type = "JsonBinary")]
        pub text: Text,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A type that claims what is not so.
pub(crate) mod claim {
    use cache_orm::{Cacheable, SameJson};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveValueType)]
    pub struct Price(pub Decimal);

    impl SameJson for Price {}

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "claim")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(column_type = "Decimal(Some((16, 4)))")]
        pub price: Price,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A Rust type that is not the one its column's type usually has.
pub(crate) mod flag {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "flag")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(column_type = "Integer")]
        pub up: bool,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(invoice::Entity, measure::Entity, draft::Entity, claim::Entity, flag::Entity);

async fn table<E: EntityTrait>(db: &DatabaseConnection, entity: E) {
    let table = Schema::new(db.get_database_backend()).create_table_from_entity(entity);
    db.execute(&table).await.expect("a table can be created");
}

/// Two invoices, the first of which leads to the second.
pub(crate) async fn invoices(db: &DatabaseConnection) {
    table(db, invoice::Entity).await;
    for (id, number, paid_at, next_id) in
        [(2, "R-2", None, None), (1, "R-1", Some("2026-03-02T10:00:00Z"), Some(2))]
    {
        let invoice = invoice::ActiveModel {
            id: Set(id),
            number: Set(number.to_owned()),
            due: Set("2026-03-01".parse().expect("a day")),
            paid_at: Set(paid_at.map(|at| at.parse().expect("a time"))),
            next_id: Set(next_id),
        };
        invoice.insert(db).await.expect("an invoice can be inserted");
    }
}

/// One measure.
pub(crate) async fn measures(db: &DatabaseConnection) {
    table(db, measure::Entity).await;
    let day = Set(Some("2026-03-01".parse().expect("a day")));
    let measure = measure::ActiveModel { id: Set(7), amount: Set(100), day };
    measure.insert(db).await.expect("a measure can be inserted");
}

/// Two drafts, the second of which has a field that its type does not know.
pub(crate) async fn drafts(db: &DatabaseConnection) {
    table(db, draft::Entity).await;
    for sql in [
        r#"INSERT INTO draft VALUES (1, '{"title": "one"}')"#,
        r#"INSERT INTO draft VALUES (2, '{"title": "two", "author": "Emma"}')"#,
    ] {
        db.execute_unprepared(sql).await.expect("a draft can be inserted");
    }
}

/// One flag, on the databases that read a truth value from an integer.
pub(crate) async fn flags(db: &DatabaseConnection) {
    table(db, flag::Entity).await;
    db.execute_unprepared("INSERT INTO flag VALUES (1, 1)").await.expect("a flag can be inserted");
}

/// One claim.
pub(crate) async fn claims(db: &DatabaseConnection) {
    table(db, claim::Entity).await;
    let claim = claim::ActiveModel { id: Set(1), price: Set(claim::Price("9.5".parse().expect("a number"))) };
    claim.insert(db).await.expect("a claim can be inserted");
}
