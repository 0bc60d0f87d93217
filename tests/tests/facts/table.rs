//! The facts as a document.

use std::fmt::Write as _;

use tests::{Backend, backends};

use crate::{
    Chapter, Kind,
    gather::{Fact, Facts},
};

const INTRODUCTION: &str = "\
# What each call sends, and where its answer comes from

Written by the test `facts` (`UPDATE_STATEMENTS=1 cargo xtask test -- -p tests --test facts`), which makes every call
on SQLite, Postgres and MariaDB, compares its result with that of SeaORM's own connection, and fails when a line of
this file is no longer true.

- **sends**: what SeaORM sends. `cols` stands for a list of columns (`aliased cols`: `… AS \"A_id\"`), `?` for a
  parameter; names are quoted with `\"`, whatever the database.
- **does**: operations of the store and queries of the database, in order. The cells that an operation is about are
  named where they change. Fills and releases stand last: calls may not wait for them. The store is a Redis; a memory
  store does the same, but for second looks at several cells, which it does not show at one instant.
- **answered from**: where an answer comes from once everything that it needs is cached.
- **invalidates**: what is fenced before the write can commit. *row of* is one row, *all of* the result of
  `find().all()`, *presence of* every \"no such row\", *table* all rows of a table and both of these, *everything* all
  tables of all entities.

Where databases differ, each says so.
";

/// The document.
pub(crate) fn document(chapters: &[Chapter], facts: &[(Backend, Facts)]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for chapter in chapters {
        let heading = match chapter.kind {
            Kind::Read => {
                "| call | sends | does the first time | does from then on | answered from |\n|---|---|---|---|---|"
            }
            Kind::Write => "| call | sends | does | invalidates |\n|---|---|---|---|",
        };
        write!(text, "\n## {}\n\n{heading}\n", chapter.title).expect("text can be appended to");
        for call in &chapter.calls {
            let of_call: Vec<(Backend, &Fact)> = facts
                .iter()
                .filter_map(|(backend, facts)| Some((*backend, facts.get(&(chapter.title, call.name))?)))
                .collect();
            writeln!(text, "{}", row(chapter.kind, call.name, &of_call)).expect("text can be appended to");
        }
    }
    text
}

fn row(kind: Kind, name: &str, facts: &[(Backend, &Fact)]) -> String {
    let sent = by_backend(facts, |fact| {
        fact.sent.iter().map(|sql| format!("`{sql}`")).collect::<Vec<_>>().join("; ")
    });
    let first = by_backend(facts, |fact| fact.traces[0].steps());
    let cells = match kind {
        Kind::Read => {
            let again = by_backend(facts, again);
            let from = by_backend(facts, |fact| {
                fact.traces.last().map(|last| last.answered_from()).unwrap_or_default()
            });
            vec![sent, first, again, from]
        }
        Kind::Write => vec![sent, first, by_backend(facts, |fact| fact.traces[0].invalidated())],
    };
    format!("| {name}{} | {} |", restriction(facts), cells.join(" | "))
}

/// What a read does the second time and, if that is something else, the third time.
fn again(fact: &Fact) -> String {
    let mut said: Vec<String> = fact.traces[1..].iter().map(|trace| trace.steps()).collect();
    said.dedup();
    match &said[..] {
        [second, third] => format!("second: {second}; third: {third}"),
        _ => said.concat(),
    }
}

/// One text if all databases agree, else one for each group of them that does.
fn by_backend(facts: &[(Backend, &Fact)], say: impl Fn(&Fact) -> String) -> String {
    let mut groups: Vec<(String, Vec<Backend>)> = Vec::new();
    for (backend, fact) in facts {
        let said = say(fact);
        match groups.iter_mut().find(|(text, _)| *text == said) {
            Some((_, backends)) => backends.push(*backend),
            None => groups.push((said, vec![*backend])),
        }
    }
    match &groups[..] {
        [(text, _)] => text.clone(),
        _ => {
            let lines = groups.iter().map(|(text, backends)| format!("{}: {text}", names(backends)));
            lines.collect::<Vec<_>>().join("<br>")
        }
    }
}

/// Which databases a call is for, if not for all.
fn restriction(facts: &[(Backend, &Fact)]) -> String {
    if facts.len() == backends().len() {
        return String::new();
    }
    let backends: Vec<Backend> = facts.iter().map(|(backend, _)| *backend).collect();
    format!(" ({} only)", names(&backends))
}

fn names(backends: &[Backend]) -> String {
    let names = backends.iter().map(|backend| match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "Postgres",
        Backend::MySql => "MariaDB",
    });
    names.collect::<Vec<_>>().join(", ")
}
