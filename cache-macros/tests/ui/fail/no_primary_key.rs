use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveModel, Cacheable)]
pub struct Model {
    #[sea_orm(column_name = "product_id")]
    pub id: i32,
}

fn main() {}
