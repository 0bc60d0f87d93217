//! A program can't tell the cached connection from the plain one, except by its speed.
//!
//! Random [programs](program) of everything that SeaORM can send run on two equal databases: through SeaORM's own
//! connection on one, through the cache on the other. Every result, every error and the final tables must be
//! equal, and so must whatever the cache still holds afterwards ([`compare`]). A program that fails is
//! [shrunk](mod@shrink) and printed, with its seed:
//!
//! ```text
//! TRANSPARENCY_SEED=417 TRANSPARENCY_PROGRAMS=1 cargo xtask test -p tests --test transparency sqlite_memory
//! ```
//!
//! In the second mode several tasks use one database at once, and each answer must be a committed state of its
//! interval ([`concurrent`]).
//!
//! To teach the harness a new call: a variant in [`program`], how it is made in one of the files beside `run`, and a
//! line in [`generate`]. A read that the cache has learnt to answer belongs in [`kinds`], lest it silently stop.
#![allow(clippy::print_stdout, reason = "the counts are read by people")]
#![allow(missing_docs, reason = "fields of entities are named after columns")]

mod compare;
mod domain;
mod entities;
mod generate;
mod graph;
mod hop;
mod kinds;
mod nested;
mod outcome;
mod program;
mod random;
mod raw_write;
mod read;
mod run;
mod schema;
mod shrink;
mod tables;
mod write;

use std::{env, time::Instant};

use tests::{Backend, Env, StoreKind, matrix, run_on_database, shop::store};

use compare::Sides;
use kinds::Kinds;
use program::Program;

/// From so many programs on, every kind of call must have succeeded, and every cached read must have hit.
const ENOUGH: u64 = 200;

/// The first seed and how many programs follow.
fn programs(env: &Env) -> (u64, u64) {
    let variable = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let (place, count) = match (env.backend(), env.kind) {
        (Backend::Sqlite, StoreKind::Memory) => (0, 2000),
        (Backend::Sqlite, StoreKind::Redis) => (1, 500),
        (Backend::Postgres, StoreKind::Memory) => (2, 200),
        (Backend::Postgres, StoreKind::Redis) => (3, 200),
        (Backend::MySql, StoreKind::Memory) => (4, 200),
        (Backend::MySql, StoreKind::Redis) => (5, 200),
    };
    (
        variable("TRANSPARENCY_SEED").unwrap_or(place * 1_000_000),
        variable("TRANSPARENCY_PROGRAMS").unwrap_or(count),
    )
}

/// Fails with the shrunk program if the two sides differ.
async fn check(sides: &Sides, program: Program, seed: u64) -> Kinds {
    let found = match sides.compare(&program).await {
        Ok(kinds) => return kinds,
        Err(found) => found,
    };
    println!("seed {seed} differs; shrinking");
    let shrunk =
        shrink::shrink(program, async |program: &Program| sides.compare(program).await.is_err()).await;
    // A failure that depends on the weather may hide from the last run.
    let difference = sides.compare(&shrunk).await.err().unwrap_or(found);
    panic!(
        "seed {seed} tells the cached connection from the plain one. Replay it with\n\n    \
         TRANSPARENCY_SEED={seed} TRANSPARENCY_PROGRAMS=1 cargo xtask test -p tests --test transparency\n\n\
         Shrunk: {shrunk}\n{difference}"
    );
}

matrix! {
    stores: store;

    async fn a_program_cannot_tell_the_connections_apart(env: Env) {
        let (first, count) = programs(&env);
        let started = Instant::now();
        let kinds = run_on_database(env.backend(), |plain| {
            let env = env.clone();
            async move {
                let sides = Sides::open(&env, &plain).await;
                let mut kinds = Kinds::default();
                for seed in first..first + count {
                    kinds.add(&check(&sides, generate::program(seed), seed).await);
                }
                kinds
            }
        })
        .await;
        println!("\n{:?}, {:?}, {:.0?}: {kinds}", env.backend(), env.kind, started.elapsed());
        if count >= ENOUGH {
            assert_eq!(kinds.never_hit(), Vec::<String>::new(), "reads that the cache never answered");
            assert_eq!(kinds.never_succeeded(), Vec::<String>::new(), "calls that never succeeded");
        }
    }

    /// The comparison itself must be able to fail: here the cached connection is made to lie.
    async fn a_write_behind_the_back_is_found_and_shrunk(env: Env) {
        run_on_database(env.backend(), |plain| {
            let env = env.clone();
            async move {
                let sides = Sides::open(&env, &plain).await;
                let mut program = None;
                for seed in 0..50 {
                    let attempt = generate::betrayal(seed);
                    if sides.compare(&attempt).await.is_err() {
                        program = Some(attempt);
                        break;
                    }
                }
                let program = program.expect("a stale row shows itself within fifty programs");
                let fails = async |program: &Program| sides.compare(program).await.is_err();
                let shrunk = shrink::shrink(program, fails).await;
                // A read that fills, and a write that goes unseen; the rest is read afterwards.
                assert!(shrunk.steps.len() <= 3, "{shrunk}");
                assert!(shrunk.steps.iter().any(|step| matches!(step, program::Step::BehindTheBack { .. })));
                println!("{shrunk}{}", sides.compare(&shrunk).await.expect_err("it failed while it was shrunk"));
            }
        })
        .await;
    }
}
