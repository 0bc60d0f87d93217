//! What the examples, benchmarks and tests share: a small shop.

pub mod shop;

/// The snippets of the documents, as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!(concat!(env!("OUT_DIR"), "/README.md"))]
    mod readme {}
    #[doc = include_str!(concat!(env!("OUT_DIR"), "/adopting.md"))]
    mod adopting {}
}
