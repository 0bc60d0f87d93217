//! The first mode: one caller, two databases.

use std::time::Instant;

use tests::{Env, matrix, run_on_database, shop::store};

use crate::{
    compare::Sides,
    generate,
    kinds::Kinds,
    program::{Program, Step},
    seeds::Seeds,
    shrink::shrink,
};

/// Fails with the shrunk program if the two sides differ.
async fn check(sides: &Sides, program: Program, seed: u64) -> Kinds {
    let found = match sides.compare(&program).await {
        Ok(kinds) => return kinds,
        Err(found) => found,
    };
    println!("seed {seed} differs; shrinking");
    let shrunk = shrink(program, async |program: &Program| sides.compare(program).await.is_err()).await;
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
        let seeds = Seeds::of(&env);
        let started = Instant::now();
        let kinds = run_on_database(env.backend(), |plain| {
            let env = env.clone();
            async move {
                let sides = Sides::open(&env, &plain).await;
                let mut kinds = Kinds::default();
                for seed in seeds.iter() {
                    kinds.add(&check(&sides, generate::program(seed), seed).await);
                }
                kinds
            }
        })
        .await;
        println!("\n{:?}, {:?}, {:.0?}: {kinds}", env.backend(), env.kind, started.elapsed());
        assert_eq!(kinds.never_hit(), Vec::<String>::new(), "reads that the cache never answered");
        assert_eq!(kinds.never_succeeded(env.backend()), Vec::<String>::new(), "calls that never succeeded");
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
                let shrunk = shrink(program, fails).await;
                // A read that fills, and a write that goes unseen; the rest is read afterwards.
                assert!(shrunk.steps.len() <= 3, "{shrunk}");
                assert!(shrunk.steps.iter().any(|step| matches!(step, Step::BehindTheBack { .. })));
                println!("{shrunk}{}", sides.compare(&shrunk).await.expect_err("it failed while it was shrunk"));
            }
        })
        .await;
    }
}
