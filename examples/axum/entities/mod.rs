//! Five tables. `line` is written in SeaORM's expanded form, the others in its dense one.

pub mod book;
pub mod line;
pub mod order;
pub mod publisher;
pub mod reader;
