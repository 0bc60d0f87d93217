use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
#[sea_orm(table_name = "product")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[cacheable(ttl = "10m")]
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
