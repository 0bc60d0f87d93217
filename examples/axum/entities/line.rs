//! A book of an order. The expanded form: everything that the dense one derives, in full.

use sea_orm::entity::prelude::*;
use serde::Serialize;

#[derive(Copy, Clone, Default, Debug, DeriveEntity)]
#[sea_orm(table_name = "purchase_line")]
pub struct Entity;

#[derive(Clone, Debug, PartialEq, Eq, DeriveModel, DeriveActiveModel, Serialize, cache_orm::Cacheable)]
pub struct Model {
    pub order_id: i32,
    pub book_id: i32,
    pub quantity: i32,
    pub price: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveColumn)]
pub enum Column {
    OrderId,
    BookId,
    Quantity,
    Price,
}

#[derive(Copy, Clone, Debug, EnumIter, DerivePrimaryKey)]
pub enum PrimaryKey {
    OrderId,
    BookId,
}

impl PrimaryKeyTrait for PrimaryKey {
    type ValueType = (i32, i32);

    fn auto_increment() -> bool {
        false
    }
}

#[derive(Copy, Clone, Debug, EnumIter)]
pub enum Relation {
    Order,
    Book,
}

impl ColumnTrait for Column {
    type EntityName = Entity;

    fn def(&self) -> ColumnDef {
        ColumnType::Integer.def()
    }
}

impl RelationTrait for Relation {
    fn def(&self) -> RelationDef {
        match self {
            Self::Order => Entity::belongs_to(super::order::Entity)
                .from(Column::OrderId)
                .to(super::order::Column::Id)
                .into(),
            Self::Book => Entity::belongs_to(super::book::Entity)
                .from(Column::BookId)
                .to(super::book::Column::Id)
                .into(),
        }
    }
}

impl Related<super::book::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Book.def()
    }
}

impl Related<Entity> for super::order::Entity {
    fn to() -> RelationDef {
        Relation::Order.def().rev()
    }
}

impl ActiveModelBehavior for ActiveModel {}
