//! What the checks found, as text for `docs/protocol.md`.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use stateright::{Checker, Expectation, Model, Path};

use crate::{
    cast::Cast,
    reader::Step,
    rules::Rule,
    store::describe,
    world::{Action, Protocol, World},
};

pub(crate) struct Report(String);

impl Report {
    pub(crate) fn of_casts() -> Report {
        Report("\n| cast | states | depth | result |\n|---|---|---|---|\n".to_owned())
    }

    pub(crate) fn of_rules() -> Report {
        Report("\nEach rule switched off, and a shortest schedule that shows why it is there:\n".to_owned())
    }

    pub(crate) fn explored(&mut self, cast: &Cast, checker: &impl Checker<Protocol>) {
        let result = match violation(checker) {
            Some((property, _)) => format!("violated: {property}"),
            None => "every property holds".to_owned(),
        };
        self.line(format_args!(
            "| {} | {} | {} | {result} |",
            cast.name,
            checker.unique_state_count(),
            checker.max_depth()
        ));
    }

    /// Notes the schedule that violates a property.
    ///
    /// # Panics
    /// If there is none: then the rule is not needed, or the model is blind.
    pub(crate) fn violated(&mut self, rule: Rule, cast: &Cast, checker: &impl Checker<Protocol>) {
        let (property, path) =
            violation(checker).unwrap_or_else(|| panic!("{rule:?} can be switched off: nothing is violated"));
        self.line(format_args!(
            "\n{rule:?} off ({}). Violated: {property}.",
            cast.name
        ));
        let steps = path.into_vec();
        for (number, pair) in steps.windows(2).enumerate() {
            let ((before, Some(action)), (after, _)) = (&pair[0], &pair[1]) else {
                continue;
            };
            self.line(format_args!(
                "{:3}. {action}{}",
                number + 1,
                consequence(*action, before, after)
            ));
        }
    }

    pub(crate) fn print(&self) {
        // Not `print!`: the harness would show it for a failed test only.
        io::stdout()
            .write_all(self.0.as_bytes())
            .expect("a test has a standard output");
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("writing to a string succeeds");
    }
}

fn violation(checker: &impl Checker<Protocol>) -> Option<(&'static str, Path<World, Action>)> {
    let properties = checker.model().properties();
    let always = properties
        .iter()
        .filter(|property| property.expectation == Expectation::Always);
    always
        .filter_map(|property| Some((property.name, checker.discovery(property.name)?)))
        .next()
}

/// What the step did to its cell, and which calls it answered.
fn consequence(action: Action, before: &World, after: &World) -> String {
    let mut text = match action.cell() {
        Some(cell) => format!(": {}", describe(after.store.get(cell))),
        None if before.database != after.database => {
            format!(
                ": the rows are {:?} and {:?}",
                after.database.row(0),
                after.database.row(1)
            )
        }
        None => String::new(),
    };
    for (at, (before, after)) in before.readers.iter().zip(&after.readers).enumerate() {
        match &after.step {
            Step::Done(how) if before.step != after.step => write!(text, "; reader {at} is done: {how:?}"),
            Step::Wrong(wrong) if before.step != after.step => {
                write!(text, "; reader {at} answers: {wrong:?}")
            }
            _ => Ok(()),
        }
        .expect("writing to a string succeeds");
    }
    text
}
