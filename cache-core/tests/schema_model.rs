//! The exhaustive check of the schema's generation: every schedule of a change of the schema, a writer that goes by
//! the old one, and readers old and new, over real slots that only `slot::apply` changes. See `docs/protocol.md`.
//!
//! The change makes every write reach a row besides, by a trigger. Only that row is read.

#[path = "schema_model/cells.rs"]
mod cells;
#[path = "schema_model/changer.rs"]
mod changer;
#[path = "schema_model/reader.rs"]
mod reader;
#[path = "schema_model/world.rs"]
mod world;
#[path = "schema_model/writer.rs"]
mod writer;

use std::{
    env,
    io::{self, Write as _},
};

use stateright::{Checker, HasDiscoveries, Model};

use crate::world::{Protocol, RULES, Rule};

#[test]
fn every_schedule_of_a_schema_change_keeps_the_promise() {
    // With an eviction there are many times more states.
    let evictions = u8::from(env::var_os("CACHE_TEST_LONG").is_some());
    let checker = Protocol { off: None, evictions }.checker().threads(2).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    print(&format!("\na schema change, a writer, two readers: {states} states, depth {depth}\n"));
    checker.assert_properties();
}

#[test]
fn every_rule_of_the_generation_prevents_a_wrong_answer() {
    for rule in RULES {
        // One thread: the first schedule that a breadth-first search finds is a shortest one.
        let protocol = Protocol { off: Some(rule), evictions: 0 };
        let checker = protocol.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let path = checker.discovery(world::NO_WRONG_ANSWER);
        let path = path.unwrap_or_else(|| panic!("{rule:?} can be switched off: nothing is violated"));
        let steps = path.into_actions();
        print(&format!("\n{rule:?} off, {} steps:\n", steps.len()));
        for (number, step) in steps.iter().enumerate() {
            print(&format!("{:3}. {step}\n", number + 1));
        }
    }
}

/// Not `print!`: the harness would keep it back unless the test fails.
fn print(text: &str) {
    io::stdout().write_all(text.as_bytes()).expect("a test has a standard output");
}

/// What one process knows of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Known {
    /// Its label; `None` if it was learned while the schema changed.
    generation: Option<u64>,
    /// The trigger is there.
    trigger: bool,
}

/// What a process knows that has run since before the change.
const OLD: Known = Known { generation: Some(0), trigger: false };

impl Protocol {
    fn keeps(&self, rule: Rule) -> bool {
        self.off != Some(rule)
    }
}
