//! The backends that need no server.

#![allow(clippy::print_stdout, reason = "the report is for those who ask for it")]

use std::sync::Arc;

use cache_core::testing::ManualClock;
use cache_values::{
    backend::{DummyBackend, MemoryBackend},
    conformance,
};

#[tokio::test(flavor = "multi_thread")]
async fn memory_bounded_by_bytes_conforms() {
    println!("{}", conformance::suite(Arc::new(MemoryBackend::default())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_bounded_by_entries_conforms() {
    println!("{}", conformance::suite(Arc::new(MemoryBackend::with_entries(100_000, 3))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_conforms_when_no_time_passes_by_itself() {
    let clock = ManualClock::default();
    let backend = MemoryBackend::default().with_clock(clock.clone());
    println!("{}", conformance::suite_with_clock(Arc::new(backend), clock).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn dummy_conforms() {
    println!("{}", conformance::suite(Arc::new(DummyBackend)).await);
}
