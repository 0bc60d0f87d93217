//! Spans around reads and writes, for whoever listens.

use tracing::{Instrument, Level, Span};

/// The span, if there is a subscriber for `debug`: without one, nothing is paid for it.
pub(crate) fn if_listened(span: impl FnOnce() -> Span) -> Option<Span> {
    tracing::enabled!(Level::DEBUG).then(span)
}

/// Makes the call inside of the span, if there is one.
pub(crate) async fn within<T>(span: Option<Span>, call: impl Future<Output = T>) -> T {
    match span {
        Some(span) => call.instrument(span).await,
        None => call.await,
    }
}
