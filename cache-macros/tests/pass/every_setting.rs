use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

use cache_orm::__private::CacheModel;
use cache_orm::Unreachable;
use std::time::Duration;

mod defaults {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "defaults")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod given {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "given")]
    #[cacheable(ttl = "1h30m", all(max_rows = 2_000))]
    #[cacheable(absent = false, when_unreachable = "proceed")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub left: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub right: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod without_all {
    use super::*;

    #[sea_orm::compact_model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "without_all")]
    #[cacheable(ttl = "500ms", all = false, when_unreachable = "refuse")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod with_hooks {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "with_hooks")]
    #[cacheable(hooks)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }
}

#[test]
fn policies_are_what_was_written() {
    fn has_behavior<A: ActiveModelBehavior>(_: A) {}
    has_behavior(<with_hooks::ActiveModel as Default>::default());

    let policy = defaults::Model::POLICY;
    assert_eq!((policy.ttl, policy.all_max_rows, policy.absent), (None, Some(1000), true));
    assert_eq!(policy.when_unreachable, None);

    let policy = given::Model::POLICY;
    let ninety_minutes = Some(Duration::from_secs(5400));
    assert_eq!((policy.ttl, policy.all_max_rows, policy.absent), (ninety_minutes, Some(2000), false));
    assert_eq!(policy.when_unreachable, Some(Unreachable::Proceed));

    let policy = without_all::Model::POLICY;
    let half_a_second = Some(Duration::from_millis(500));
    assert_eq!((policy.ttl, policy.all_max_rows, policy.absent), (half_a_second, None, true));
    assert_eq!(policy.when_unreachable, Some(Unreachable::Refuse));
}
