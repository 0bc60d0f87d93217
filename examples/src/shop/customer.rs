//! A UUID as primary key, and a column that may be NULL.

use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub email: String,
    pub nickname: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
