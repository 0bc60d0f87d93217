//! The schema that the tests and the examples share: a small shop.
//!
//! ```text
//! category 1 ─── * product      ON DELETE SET NULL
//! product  1 ─── * review       ON DELETE CASCADE
//! product  1 ─── * stock        ON DELETE CASCADE, ON UPDATE CASCADE; primary key (warehouse, product_id)
//! offer                         unique (product_id, country)
//! customer                      primary key is a UUID, unique e-mail address
//! ```

mod m20260101_000001_catalogue;
mod m20260101_000002_sales;

use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::MigratorTrait;

/// Creates and drops the shop's tables.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20260101_000001_catalogue::Migration), Box::new(m20260101_000002_sales::Migration)]
    }
}
