use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
#[sea_orm(table_name = "product")]
#[cacheable(ttl = "10m", ttl = "20m", all(max_rows = 1, max_rows = 2))]
#[cacheable(absent = false)]
#[cacheable(absent = true)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
