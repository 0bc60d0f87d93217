//! Fills the shop.

use examples::shop::{category, offer, product, stock};
use indicatif::{ProgressBar, ProgressStyle};
use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait};

/// Rows of one INSERT statement.
const BATCH: u32 = 500;
/// Categories, which `find().all()` reads.
pub(crate) const CATEGORIES: u32 = 50;

/// Inserts what is missing: products with an offer and a stock each, and their categories.
pub(crate) async fn products(db: &DatabaseConnection, count: u32) -> Result<(), DbErr> {
    if category::Entity::find().count(db).await? == 0 {
        let categories = (1..=CATEGORIES as i32)
            .map(|id| category::ActiveModel { id: Set(id), name: Set(format!("category {id}")) });
        category::Entity::insert_many(categories).exec(db).await?;
    }
    let present = u32::try_from(product::Entity::find().count(db).await?).unwrap_or(u32::MAX);
    let progress = ProgressBar::new(u64::from(count.saturating_sub(present)));
    let style = ProgressStyle::with_template("seeding products {bar:40} {pos}/{len} {elapsed}");
    progress.set_style(style.expect("a valid template"));
    let mut next = present + 1;
    while next <= count {
        let batch = next..=count.min(next + BATCH - 1);
        let ids = || batch.clone().map(|id| id as i32);
        product::Entity::insert_many(ids().map(product)).exec(db).await?;
        offer::Entity::insert_many(ids().map(offer)).exec(db).await?;
        stock::Entity::insert_many(ids().map(stock)).exec(db).await?;
        progress.inc(batch.clone().count() as u64);
        next = batch.end() + 1;
    }
    progress.finish();
    Ok(())
}

/// The unique key of a product.
pub(crate) fn sku(id: i32) -> String {
    format!("SKU-{id:07}")
}

fn product(id: i32) -> product::ActiveModel {
    product::ActiveModel {
        id: Set(id),
        sku: Set(sku(id)),
        name: Set(format!("product {id}")),
        price: Set(id % 1000),
        category_id: Set(Some(id % CATEGORIES as i32 + 1)),
    }
}

fn offer(id: i32) -> offer::ActiveModel {
    offer::ActiveModel {
        id: Set(id),
        product_id: Set(id),
        country: Set("de".to_owned()),
        price: Set(id % 900),
    }
}

fn stock(id: i32) -> stock::ActiveModel {
    stock::ActiveModel { warehouse: Set(1), product_id: Set(id), quantity: Set(id % 70) }
}
