//! The tables, and something to sell.

use sea_orm::{ActiveValue::Set, PaginatorTrait, Schema, entity::prelude::*};
use sea_orm_migration::prelude::*;

use crate::entities::{book, line, order, publisher, reader};

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Tables)]
    }
}

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &str {
        "m20260101_000001_bookshop"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schema = Schema::new(manager.get_database_backend());
        manager.create_table(schema.create_table_from_entity(publisher::Entity)).await?;
        manager.create_table(schema.create_table_from_entity(book::Entity)).await?;
        manager.create_table(schema.create_table_from_entity(reader::Entity)).await?;
        manager.create_table(schema.create_table_from_entity(order::Entity)).await?;
        manager.create_table(schema.create_table_from_entity(line::Entity)).await
    }
}

/// Twenty-four books of two publishers, and a reader, in an empty database.
pub async fn seed(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    if publisher::Entity::find().count(db).await? > 0 {
        return Ok(());
    }
    let publishers = ["Ada & Sons", "Boole Press"]
        .map(|name| publisher::ActiveModel { name: Set(name.to_owned()), ..Default::default() });
    publisher::Entity::insert_many(publishers).exec(db).await?;
    let books = (1..=24).map(|number| book::ActiveModel {
        title: Set(format!("Volume {number:02}")),
        price: Set(1000 + 50 * number),
        stock: Set(5),
        publisher_id: Set(1 + number % 2),
        ..Default::default()
    });
    book::Entity::insert_many(books).exec(db).await?;
    let reader = reader::ActiveModel {
        email: Set("ada@example.org".to_owned()),
        name: Set("Ada".to_owned()),
        ..Default::default()
    };
    reader.insert(db).await?;
    Ok(())
}
