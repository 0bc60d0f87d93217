//! The second mode: several callers at once, one database.

use std::sync::Arc;

use tests::{Backend, Env, StoreKind, shop::store};

use crate::{
    history::History, processes::Processes, racer, random::Random, run::Process, schema, seeds::Seeds,
};

/// Whom the racers write through.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Writes {
    Honest,
    /// Past the cache, to prove that the check can fail.
    Unseen,
}

/// Four tasks over two processes. Returns what they saw, and how much of it came from the cache.
async fn race(processes: &Processes, seed: u64, writes: Writes) -> (History, u64) {
    schema::reset(processes.plain()).await.expect("the tables can be filled again");
    let history = Arc::new(History::default());
    racer::prepare(processes.plain(), &history).await.expect("the rows can be inserted");
    let caches = processes.start(2).await;
    let tasks = (0..4_u64).map(|number| {
        let db = caches[number as usize % 2].clone();
        let (history, random) = (history.clone(), Random::new(seed.wrapping_mul(4).wrapping_add(number)));
        match writes {
            Writes::Honest => tokio::spawn(racer::task(db.clone(), db, history, random)),
            Writes::Unseen => tokio::spawn(racer::task(db.clone(), db.beneath(), history, random)),
        }
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no task panics").expect("reads succeed");
    }
    let hits = caches.iter().map(Process::hits).sum();
    (Arc::into_inner(history).expect("every task has ended"), hits)
}

async fn every_answer_is_a_committed_state_of_its_interval(backend: Backend, kind: StoreKind) {
    tests::run(backend, kind, store, async |env: Env| {
        schema::create(&env.connect().await).await.expect("the tables can be created");
        let processes = Processes::of(&env).await;
        let seeds = Seeds::of(&env);
        let seeds = Seeds { count: seeds.count.div_ceil(20), ..seeds };
        let (mut commits, mut answers, mut hits) = (0, 0, 0);
        for seed in seeds.iter() {
            let (history, from_cache) = race(&processes, seed, Writes::Honest).await;
            if let Err(said) = history.check() {
                panic!("TRANSPARENCY_SEED={seed} makes the same calls, if not in the same order: {said}");
            }
            let counts = history.counts();
            (commits, answers, hits) = (commits + counts.0, answers + counts.1, hits + from_cache);
        }
        println!(
            "\n{backend:?}, {kind:?}: {} races, {commits} commits, {answers} answers, {hits} hits",
            seeds.count
        );
        assert!(hits > 0 && commits as u64 > seeds.count, "nothing was raced for");
    })
    .await;
}

macro_rules! races {
    ($($test:ident $Backend:ident $Kind:ident,)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            every_answer_is_a_committed_state_of_its_interval(Backend::$Backend, StoreKind::$Kind).await;
        }
    )+};
}

races! {
    races_on_sqlite_memory Sqlite Memory,
    races_on_sqlite_redis Sqlite Redis,
    races_on_postgres_memory Postgres Memory,
    races_on_postgres_redis Postgres Redis,
    races_on_my_sql_memory MySql Memory,
    races_on_my_sql_redis MySql Redis,
}

/// The check itself must be able to fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_past_the_cache_are_found() {
    tests::run(Backend::Sqlite, StoreKind::Memory, store, async |env: Env| {
        schema::create(&env.connect().await).await.expect("the tables can be created");
        let processes = Processes::of(&env).await;
        for seed in 0..50 {
            if let Err(said) = race(&processes, seed, Writes::Unseen).await.0.check() {
                println!("{said}");
                return;
            }
        }
        panic!("fifty races with stale rows, and none was found");
    })
    .await;
}
