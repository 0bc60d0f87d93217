//! Spans around reads and writes, for whoever listens.

use tracing::{Instrument, Level, Span};

/// A read of the rows of this table, as its entity names it.
pub(crate) async fn read<T>(table: &str, read: impl Future<Output = T>) -> T {
    within(|| tracing::debug_span!("cache.read", db.collection.name = table), read).await
}

/// A write, or the commit of several.
pub(crate) async fn write<T>(write: impl Future<Output = T>) -> T {
    within(|| tracing::debug_span!("cache.write"), write).await
}

/// Without a subscriber for `debug` there is no span, and nothing is paid for it.
async fn within<T>(span: impl FnOnce() -> Span, call: impl Future<Output = T>) -> T {
    if tracing::enabled!(Level::DEBUG) { call.instrument(span()).await } else { call.await }
}
