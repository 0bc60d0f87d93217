use cache_orm::Cacheable;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveValueType)]
pub struct Isbn(pub String);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
#[sea_orm(table_name = "invoice")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub due: Option<Date>,
    pub total: Decimal,
    pub scan: Vec<u8>,
    pub isbn: Isbn,
}

impl ActiveModelBehavior for ActiveModel {}

fn main() {}
