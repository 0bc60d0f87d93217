//! The exhaustive check of the coherence protocol: every schedule of a small cast of writers and readers, over
//! real slots that only `slot::apply` changes. See `docs/protocol.md`.

#[path = "model/cast.rs"]
mod cast;
#[path = "model/database.rs"]
mod database;
#[path = "model/failover.rs"]
mod failover;
#[path = "model/flight.rs"]
mod flight;
#[path = "model/look.rs"]
mod look;
#[path = "model/many.rs"]
mod many;
#[path = "model/properties.rs"]
mod properties;
#[path = "model/reader.rs"]
mod reader;
#[path = "model/report.rs"]
mod report;
#[path = "model/rules.rs"]
mod rules;
#[path = "model/store.rs"]
mod store;
#[path = "model/world.rs"]
mod world;
#[path = "model/writer.rs"]
mod writer;

use std::env;

use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    cast::{CASTS, LARGE_CASTS, cast_that_needs},
    failover::Failover,
    report::Violations,
    rules::RULES,
    world::Protocol,
};

#[test]
fn every_schedule_keeps_the_promise() {
    let mut casts = CASTS.to_vec();
    if env::var_os("CACHE_TEST_LONG").is_some() {
        casts.extend(LARGE_CASTS);
    }
    report::print("\n| cast | states | depth | result |\n|---|---|---|---|\n");
    for cast in casts {
        let checker = Protocol::new(cast, None).checker().threads(2).spawn_bfs().join();
        report::print_explored(&cast, &checker);
        checker.assert_properties();
    }
}

#[test]
fn every_rule_prevents_a_stale_read() {
    let mut violations = Violations::new();
    for rule in RULES {
        let cast = cast_that_needs(rule);
        // One thread: the first schedule that a breadth-first search finds is a shortest one.
        let checker = Protocol::new(cast, Some(rule))
            .checker()
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        violations.note(rule, &cast, &checker).expect("writing to a string succeeds");
    }
    violations.print();
}

#[test]
fn every_failover_ends_with_nothing_stale() {
    let checker = Failover { off: None }.checker().threads(2).spawn_bfs().join();
    report::print_failover(&checker);
    checker.assert_properties();
}

#[test]
fn every_rule_of_failover_prevents_a_stale_read() {
    for rule in failover::RULES {
        let failover = Failover { off: Some(rule) };
        let checker = failover.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        report::print_failover_without(rule, &checker);
    }
}
