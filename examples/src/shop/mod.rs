//! The entities of the shop whose schema the crate `migrations` creates.
#![allow(missing_docs, reason = "fields of entities are named after columns")]

pub mod category;
pub mod customer;
pub mod offer;
pub mod product;
pub mod review;
pub mod stock;
