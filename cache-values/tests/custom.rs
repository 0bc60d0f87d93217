//! The example of a backend of one's own is one.

#![allow(clippy::print_stdout, reason = "the report is for those who ask for it")]

use std::sync::Arc;

use cache_values::conformance;

#[path = "../examples/custom_backend.rs"]
mod custom_backend;

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_of_three_methods_conforms() {
    println!("{}", conformance::suite(Arc::new(custom_backend::MapBackend::default())).await);
}
