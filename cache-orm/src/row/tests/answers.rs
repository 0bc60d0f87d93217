//! Rows as SeaORM reads them from the connection.

use std::sync::{Arc, Mutex};

use sea_orm::{FromQueryResult, QueryResult, entity::prelude::*};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::{
    entities::{every, optional},
    models::{blank, shape},
};
use crate::row::{capture, query_results};

fn answer<M: ModelTrait + FromQueryResult + PartialEq>(model: &M) -> QueryResult {
    let row = Arc::new(capture(&shape::<M>(), model).expect("a model that SeaORM can read back"));
    let mut results = query_results(&[row]).expect("nobody listens");
    assert_eq!(results.len(), 1);
    results.remove(0)
}

#[test]
fn many_rows_are_answered_in_order() {
    let shape = shape::<optional::Model>();
    let rows: Vec<_> = (0..100)
        .map(|id| Arc::new(capture(&shape, &optional::Model { id, odd: Some(-id) }).expect("a plain model")))
        .collect();
    let results = query_results(&rows).expect("nobody listens");
    for (id, result) in (0..).zip(results) {
        let model = optional::Model::from_query_result(&result, "").expect("a plain model");
        assert_eq!(model, optional::Model { id, odd: Some(-id) });
    }
}

#[test]
fn weight_covers_the_values() {
    let weight = |text: &str| {
        let model = every::Model { text: text.to_owned(), ..blank() };
        capture(&shape::<every::Model>(), &model).expect("a model that SeaORM can read back").weight()
    };
    let (light, heavy) = (weight(""), weight(&"x".repeat(1000)));
    // Kept once, once in the answer, and once in the model.
    assert_eq!(heavy - light, 3000);
    assert!(light > 50 * 32);
}

/// Writes down everything it is shown.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl Visit for Listener {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().expect("not poisoned").push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_subscriber_at_trace_level_is_not_shown_the_row() {
    let listener = Listener::default();
    let model = tracing::subscriber::with_default(listener.clone(), || {
        tracing::trace!(heard = "the test itself");
        every::Model::from_query_result(&answer(&every::Model { text: "a secret".into(), ..blank() }), "")
    });
    assert_eq!(model.expect("a plain model").text, "a secret");
    let heard = listener.0.lock().expect("not poisoned");
    assert!(heard.contains("the test itself"), "{heard}");
    assert!(!heard.contains("secret"), "{heard}");
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        assert!(!record.args().to_string().contains("a secret"), "a row was logged");
    }

    fn flush(&self) {}
}

/// In a process of its own: a logger can't be taken out again.
#[test]
fn a_logger_at_trace_level_is_not_shown_the_row() {
    const CHILD: &str = "ROW_TEST_LOGGER";
    if std::env::var_os(CHILD).is_none() {
        let status = std::process::Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                concat!(module_path!(), "::a_logger_at_trace_level_is_not_shown_the_row")
                    .split_once("::")
                    .expect("a crate and a path")
                    .1,
            ])
            .env(CHILD, "1")
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.expect("this test runs").success());
        return;
    }
    let model = every::Model { text: "a secret".into(), ..blank() };
    let row = Arc::new(capture(&shape::<every::Model>(), &model).expect("nobody listens yet"));
    assert!(query_results(std::slice::from_ref(&row)).is_some());
    log::set_logger(&Logger).expect("no logger yet");
    log::set_max_level(log::LevelFilter::Trace);
    assert!(query_results(std::slice::from_ref(&row)).is_none());
    log::set_max_level(log::LevelFilter::Debug);
    assert!(query_results(std::slice::from_ref(&row)).is_some());
    // A subscriber takes tracing's output from the logger: rows are answered again.
    log::set_max_level(log::LevelFilter::Trace);
    tracing::subscriber::set_global_default(Listener::default()).expect("no subscriber yet");
    assert!(query_results(&[row]).is_some());
}
