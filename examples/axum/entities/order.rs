//! What a reader has bought at one time.

use sea_orm::entity::prelude::*;
use serde::Serialize;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, cache_orm::Cacheable)]
#[sea_orm(table_name = "purchase")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub reader_id: i32,
    pub total: i32,
    #[sea_orm(belongs_to, from = "reader_id", to = "id")]
    pub reader: HasOne<super::reader::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
