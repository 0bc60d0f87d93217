//! One program on two equal databases: through SeaORM's own connection on one, through the cache on the other.

use std::{collections::BTreeSet, fmt};

use cache_orm::CachedConnection;
use sea_orm::DatabaseConnection;
use tests::{Database, Env};

use crate::{
    domain,
    kinds::Kinds,
    processes::Processes,
    program::{Door, Op, Program, Read, Step},
    run::{answers, run},
    schema,
    tables::Row,
};

/// The two databases and what is needed to make connections to them.
pub(crate) struct Sides {
    /// The pools of two processes, as on the other side.
    plain: [DatabaseConnection; 2],
    cached: Processes,
}

/// Where the two sides differ.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    place: String,
    plain: String,
    cached: String,
}

impl Sides {
    /// Creates the tables in both databases.
    pub(crate) async fn open(env: &Env, plain: &Database) -> Self {
        let plain = [plain.connect().await, plain.connect().await];
        let cached = Processes::of(env).await;
        for db in [&plain[0], cached.plain()] {
            schema::create(db).await.expect("the tables can be created");
        }
        Sides { plain, cached }
    }

    /// Runs the program on both sides.
    ///
    /// # Errors
    /// The first step whose results differ; else the tables, if they do; else the first key that the cache
    /// answers differently afterwards.
    pub(crate) async fn compare(&self, program: &Program) -> Result<Kinds, Difference> {
        let cached = self.start(program.processes()).await;
        let expected = run(&self.plain, program).await;
        let log = run(&cached, program).await;
        difference(&expected.outcomes, &log.outcomes, |number| match program.steps.get(number) {
            Some(step) => format!("step {number}, {step:?}"),
            None => "at the end".to_owned(),
        })?;

        let (tables, cached_tables) =
            (schema::contents(&self.plain[0]).await, schema::contents(self.cached.plain()).await);
        if tables != cached_tables {
            let place = "the tables afterwards".to_owned();
            return Err(Difference { place, plain: tables, cached: cached_tables });
        }

        let audit = audit(program);
        let expected = answers(&self.plain[0], &audit).await;
        // Once to find what is stale and to fill what is missing, once to hit it.
        for process in [&cached[0], &cached[cached.len() - 1]] {
            let answers = answers(process, &audit).await;
            difference(&expected, &answers, |number| format!("afterwards, {:?}", audit[number]))?;
        }
        let mut kinds = log.kinds;
        kinds.programs = 1;
        Ok(kinds)
    }

    /// Both databases as every program finds them, and an empty cache.
    async fn start(&self, processes: usize) -> Vec<CachedConnection> {
        for db in [&self.plain[0], self.cached.plain()] {
            schema::reset(db).await.expect("the tables can be filled again");
        }
        self.cached.start(processes).await
    }
}

/// The first outcome that differs.
fn difference(
    plain: &[String],
    cached: &[String],
    place: impl Fn(usize) -> String,
) -> Result<(), Difference> {
    match plain.iter().zip(cached).position(|(plain, cached)| plain != cached) {
        Some(number) => Err(Difference {
            place: place(number),
            plain: plain[number].clone(),
            cached: cached[number].clone(),
        }),
        None => {
            assert_eq!(plain.len(), cached.len(), "equal outcomes lead to equal steps");
            Ok(())
        }
    }
}

/// Reads by every key that the program names or finds: only what it has read can be cached.
fn audit(program: &Program) -> Vec<Op> {
    let mut rows: Vec<Row> = domain::seed();
    rows.extend(program.steps.iter().filter_map(Step::op).flat_map(Op::rows).cloned());
    let mut named = BTreeSet::new();
    let mut calls = Vec::new();
    for row in rows {
        if named.insert((row.table(), String::new())) {
            calls.push(Op::Read(Read::All, row.clone()));
        }
        for unique in 0..row.uniques() {
            if named.insert((row.table(), format!("unique {}", row.unique(unique)))) {
                calls.push(Op::Read(Read::ByUnique(unique, Door::One), row.clone()));
            }
        }
        if named.insert((row.table(), format!("primary {}", row.key()))) {
            calls.push(Op::Read(Read::ById(Door::One), row));
        }
    }
    calls
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n- plain:  {}\n- cached: {}", self.place, self.plain, self.cached)
    }
}
