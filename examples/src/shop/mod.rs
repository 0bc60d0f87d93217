//! The entities of the shop whose schema the crate `migrations` creates.

pub mod category;
pub mod customer;
pub mod offer;
pub mod product;
pub mod review;
pub mod stock;
