use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
#[sea_orm(table_name = "invoice")]
#[cacheable(model_only, tuples)]
#[cacheable(absent = false)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub due: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
