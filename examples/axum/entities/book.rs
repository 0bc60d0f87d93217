//! What is for sale.

use sea_orm::entity::prelude::*;
use serde::Serialize;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, cache_orm::Cacheable)]
#[sea_orm(table_name = "book")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub title: String,
    pub price: i32,
    pub stock: i32,
    pub publisher_id: i32,
    #[sea_orm(belongs_to, from = "publisher_id", to = "id")]
    pub publisher: HasOne<super::publisher::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
