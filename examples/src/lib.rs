//! What the examples, benchmarks and tests share: a small shop.

pub mod shop;
