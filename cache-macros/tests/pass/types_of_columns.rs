use cache_orm::{Cacheable, SameJson};
use sea_orm::entity::prelude::*;

/// Types that look alike to `into_json`, or are told so.
mod alike {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(1))")]
    pub enum Letter {
        #[sea_orm(string_value = "A")]
        A,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
    pub struct Note {
        pub text: String,
    }

    #[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
    pub struct Isbn(pub String);

    impl SameJson for Isbn {}

    type Name = String;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "alike")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub truth: Option<bool>,
        pub double: f64,
        pub name: Name,
        pub letter: Letter,
        pub maybe_letter: Option<Letter>,
        #[sea_orm(column_type = "JsonBinary")]
        pub note: Note,
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub notes: Option<Vec<Note>>,
        pub json: Json,
        pub isbn: Option<Isbn>,
        pub lists: Vec<i32>,
        #[sea_orm(ignore)]
        pub ignored: Option<std::time::Instant>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod model_only {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "model_only")]
    #[cacheable(model_only)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub due: Date,
        pub scan: Vec<u8>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod tuples {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "tuples")]
    #[cacheable(tuples)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub due: Date,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[test]
fn a_policy_says_for_whom_rows_are_right() {
    use cache_orm::__private::{CacheModel, Decoders};

    assert_eq!(alike::Model::POLICY.decoders, Decoders::Json);
    const { assert!(alike::Model::POLICY.converts) };
    assert_eq!(model_only::Model::POLICY.decoders, Decoders::Model);
    assert_eq!(tuples::Model::POLICY.decoders, Decoders::Tuples);
}
