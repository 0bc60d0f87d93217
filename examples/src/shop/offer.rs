//! A composite unique key.

use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
#[sea_orm(table_name = "offer")]
#[cacheable(absent = false)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique_key = "offer")]
    pub product_id: i32,
    #[sea_orm(unique_key = "offer")]
    pub country: String,
    pub price: i32,
}

impl ActiveModelBehavior for ActiveModel {}
