//! Categories and products.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let category =
            Table::create().table("category").col(pk_auto("id")).col(string_uniq("name")).to_owned();
        manager.create_table(category).await?;

        let product = Table::create()
            .table("product")
            .col(pk_auto("id"))
            .col(string_uniq("sku"))
            .col(string("name"))
            .col(integer("price"))
            .col(integer_null("category_id"))
            .foreign_key(
                ForeignKey::create()
                    .from("product", "category_id")
                    .to("category", "id")
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .to_owned();
        manager.create_table(product).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("product").to_owned()).await?;
        manager.drop_table(Table::drop().table("category").to_owned()).await
    }
}
