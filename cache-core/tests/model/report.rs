//! What the checks found, as text for `docs/protocol.md`.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
};

use stateright::{Checker, Expectation, Model, Path};

use crate::{
    cast::Cast,
    failover::{self, Failover},
    reader::Step,
    rules::Rule,
    store::describe,
    world::{Action, Protocol, World},
};

/// Prints at once what the check of one cast found: the large ones take their time.
pub(crate) fn print_explored(cast: &Cast, checker: &impl Checker<Protocol>) {
    let result = match violation(checker) {
        Some((property, _)) => format!("violated: {property}"),
        None => "every property holds".to_owned(),
    };
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    print(&format!("| {} | {states} | {depth} | {result} |\n", cast.name));
}

/// What happened without each rule.
pub(crate) struct Violations {
    table: String,
    schedules: String,
}

impl Violations {
    pub(crate) fn new() -> Violations {
        Violations {
            table: "\n| rule switched off | cast | violated | steps |\n|---|---|---|---|\n".to_owned(),
            schedules: String::new(),
        }
    }

    /// Notes the schedule that violates a property.
    ///
    /// # Panics
    /// If there is none: then the rule is not needed, or the model is blind.
    pub(crate) fn note(&mut self, rule: Rule, cast: &Cast, checker: &impl Checker<Protocol>) -> fmt::Result {
        let (property, path) =
            violation(checker).unwrap_or_else(|| panic!("{rule:?} can be switched off: nothing is violated"));
        let steps = path.into_vec();
        writeln!(self.table, "| {rule:?} | {} | {property} | {} |", cast.name, steps.len() - 1)?;
        writeln!(self.schedules, "\n{rule:?} off. Violated: {property}.")?;
        for (number, pair) in steps.windows(2).enumerate() {
            let ((before, Some(action)), (after, _)) = (&pair[0], &pair[1]) else {
                continue;
            };
            let consequence = consequence(*action, before, after)?;
            writeln!(self.schedules, "{:3}. {action}{consequence}", number + 1)?;
        }
        Ok(())
    }

    pub(crate) fn print(&self) {
        print(&self.table);
        print(&self.schedules);
    }
}

/// Not `print!`: the harness would keep it back unless the test fails.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).expect("a test has a standard output");
}

fn violation(checker: &impl Checker<Protocol>) -> Option<(&'static str, Path<World, Action>)> {
    let properties = checker.model().properties();
    let always = properties.iter().filter(|property| property.expectation == Expectation::Always);
    always.filter_map(|property| Some((property.name, checker.discovery(property.name)?))).next()
}

/// What the step did to its cell, and which calls it answered.
fn consequence(action: Action, before: &World, after: &World) -> Result<String, fmt::Error> {
    let mut text = match action.cell() {
        Some(cell) => format!(": {}", describe(after.store.get(cell))),
        None if before.database != after.database => {
            let row = |row: u8| after.database.row(row);
            format!(": the rows are {:?} and {:?}", row(0), row(1))
        }
        None => String::new(),
    };
    for (at, (before, after)) in before.readers.iter().zip(&after.readers).enumerate() {
        match &after.step {
            Step::Done(how) if before.step != after.step => write!(text, "; reader {at} is done: {how:?}")?,
            Step::Wrong(wrong) if before.step != after.step => {
                write!(text, "; reader {at} answers: {wrong:?}")?
            }
            _ => {}
        }
    }
    Ok(text)
}

/// Prints what the check of failovers found.
pub(crate) fn print_failover(checker: &impl Checker<Failover>) {
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    print(&format!("\n| failover, and back | {states} | {depth} |\n"));
}

/// Prints the schedule that leaves something stale.
///
/// # Panics
/// If there is none: then the rule is not needed, or the model is blind.
pub(crate) fn print_failover_without(rule: failover::Rule, checker: &impl Checker<Failover>) {
    let path = checker.discovery("nothing stale at rest");
    let path = path.unwrap_or_else(|| panic!("{rule:?} can be switched off: nothing is stale at rest"));
    let steps = path.into_actions();
    let mut text = format!("\n{rule:?} off: stale at rest after {} steps.\n", steps.len());
    for (number, action) in steps.iter().enumerate() {
        text.push_str(&format!("{:3}. {action}\n", number + 1));
    }
    print(&text);
}
