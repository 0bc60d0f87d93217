//! What one call did: operations of the store and queries of the database, in order.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cache_core::testing::CountingStore;
use sea_orm::DatabaseConnection;

use crate::cells;

/// Verbs of operations that may run in the background.
const UNAWAITED: &[&str] = &["fill", "forfeit", "release"];

/// Records a connection's queries and a store's operations in one list.
#[derive(Clone)]
pub(crate) struct Recorder {
    operations: CountingStore,
    steps: Arc<Mutex<Vec<Step>>>,
}

enum Step {
    /// As `CountingStore` tells it: a verb and names of cells.
    Store(String),
    Query,
}

impl Recorder {
    pub(crate) fn new(operations: CountingStore, below: &mut DatabaseConnection) -> Self {
        let recorder = Recorder { operations, steps: Arc::default() };
        below.set_metric_callback({
            let recorder = recorder.clone();
            move |_| {
                let mut steps = recorder.collected();
                steps.push(Step::Query);
            }
        });
        recorder
    }

    /// The list with every operation that the store has seen by now.
    fn collected(&self) -> MutexGuard<'_, Vec<Step>> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.extend(self.operations.take().into_iter().map(Step::Store));
        steps
    }

    /// What happened since the last time.
    pub(crate) fn take(&self, tables: &BTreeSet<String>) -> Trace {
        let steps = std::mem::take(&mut *self.collected());
        let mut trace = Trace::default();
        let mut last_cells = String::new();
        let mut unawaited = Vec::new();
        for step in steps {
            let Step::Store(operation) = step else {
                trace.queries += 1;
                trace.steps.push("query".to_owned());
                continue;
            };
            let mut names = operation.split(' ');
            let verb = names.next().unwrap_or_default();
            match verb {
                // Calls may not wait for these: their place among the others is not fixed.
                verb if UNAWAITED.iter().any(|other| verb.starts_with(other)) => {
                    unawaited.push(verb.to_owned())
                }
                // Asked in place of a fence of nothing, and of a store in this process alone: it costs nothing.
                "generation" => {}
                "fence" => {
                    let cells = cells::words(names, tables, true);
                    trace.steps.push("fence".to_owned());
                    trace.fenced.push(cells);
                }
                _ => {
                    let cells = cells::words(names, tables, false);
                    if cells == last_cells {
                        trace.steps.push(verb.to_owned());
                    } else {
                        trace.steps.push(format!("{verb} {cells}"));
                        trace.seen.push(cells.clone());
                        last_cells = cells;
                    }
                }
            }
        }
        unawaited.sort();
        trace.steps.extend(unawaited);
        trace
    }
}

/// What one call did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    steps: Vec<String>,
    queries: usize,
    /// What reads looked at, in words.
    seen: Vec<String>,
    /// What each fence marked, in words.
    fenced: Vec<String>,
}

impl Trace {
    /// The steps, equal neighbours counted.
    pub(crate) fn steps(&self) -> String {
        let runs = self.steps.chunk_by(|one, other| one == other);
        let said: Vec<String> = runs
            .map(|run| match run {
                [step] => step.clone(),
                _ => format!("{} × {}", run.len(), run[0]),
            })
            .collect();
        if said.is_empty() { "nothing".to_owned() } else { said.join(" → ") }
    }

    /// True if both did the same, but for second looks at the same cells: a store that does not show several cells at
    /// one instant is asked again.
    pub(crate) fn is_like(&self, other: &Trace) -> bool {
        let once = |trace: &Trace| {
            let mut trace = trace.clone();
            trace.steps.retain(|step| !step.starts_with("lookup") || step.contains(' '));
            trace
        };
        once(self) == once(other)
    }

    /// Where a read was answered from.
    pub(crate) fn answered_from(&self) -> String {
        let database = (self.queries > 0).then_some("the database");
        let mut places = Vec::new();
        for place in self.seen.iter().flat_map(|seen| seen.split(", ")).chain(database) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if places.is_empty() { "nothing".to_owned() } else { places.join(", ") }
    }

    /// What a write invalidated.
    pub(crate) fn invalidated(&self) -> String {
        if self.fenced.is_empty() { "nothing".to_owned() } else { self.fenced.join("; ") }
    }
}
