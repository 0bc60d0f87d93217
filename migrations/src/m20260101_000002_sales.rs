//! What refers to products, and customers.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let review = Table::create()
            .table("review")
            .col(pk_auto("id"))
            .col(integer("product_id"))
            .col(integer("stars"))
            .foreign_key(&mut to_product("review"))
            .to_owned();
        manager.create_table(review).await?;

        let stock = Table::create()
            .table("stock")
            .col(integer("warehouse"))
            .col(integer("product_id"))
            .col(integer("quantity"))
            .primary_key(Index::create().col("warehouse").col("product_id"))
            .foreign_key(to_product("stock").on_update(ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(stock).await?;

        let offer = Table::create()
            .table("offer")
            .col(pk_auto("id"))
            .col(integer("product_id"))
            .col(string_len("country", 2))
            .col(integer("price"))
            .index(Index::create().name("offer_key").unique().col("product_id").col("country"))
            .to_owned();
        manager.create_table(offer).await?;

        let customer = Table::create()
            .table("customer")
            .col(pk_uuid("id"))
            .col(string_uniq("email"))
            .col(string_null("nickname"))
            .to_owned();
        manager.create_table(customer).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["customer", "offer", "stock", "review"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn to_product(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "product_id")
        .to("product", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
