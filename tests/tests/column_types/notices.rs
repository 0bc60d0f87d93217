//! What the library says about rows that it does not cache.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// Hears the warnings of this thread until it is dropped.
pub(crate) struct Notices {
    heard: Arc<Mutex<Vec<String>>>,
    _listening: DefaultGuard,
}

impl Notices {
    pub(crate) fn listen() -> Self {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let listener = Listener(heard.clone());
        Notices { heard, _listening: tracing::subscriber::set_default(listener) }
    }

    /// The reasons since the last time, one for each report that a row is not cached.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= LevelFilter::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        let mut report = Report::default();
        event.record(&mut report);
        if report.message == "a row of this entity is not cached" {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(report.why);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Report {
    message: String,
    why: String,
}

impl Visit for Report {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "why" => self.why = format!("{value:?}"),
            _ => {}
        }
    }
}
