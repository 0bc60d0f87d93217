//! One program on two equal databases: through SeaORM's own connection on one, through the cache on the other.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cache_core::store::Store;
use cache_orm::{CachedConnection, MemoryStore, Namespace};
use sea_orm::DatabaseConnection;
use tests::{Database, Env, StoreKind};

use crate::{
    domain::every_key,
    kinds::Kinds,
    program::{Door, Op, Program, Read, Step},
    run::{Log, run},
    schema,
};

/// The two databases and what is needed to make connections to them.
pub(crate) struct Sides {
    plain: DatabaseConnection,
    /// The pools of the two processes that share the other database.
    cached: [DatabaseConnection; 2],
    /// Each process's client of the shared Redis; `None` for a memory store, of which every program gets a new
    /// one.
    clients: Option<[Arc<dyn Store>; 2]>,
    namespace: String,
    runs: AtomicU64,
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
        let plain = plain.connect().await;
        let cached = [env.connect().await, env.connect().await];
        for db in [&plain, &cached[0]] {
            schema::create(db).await.expect("the tables can be created");
        }
        let clients = match env.kind {
            StoreKind::Memory => None,
            StoreKind::Redis => Some([env.store().await, env.store().await]),
        };
        Sides { plain, cached, clients, namespace: env.namespace.clone(), runs: AtomicU64::new(0) }
    }

    /// Two processes with an empty cache.
    async fn processes(&self) -> [CachedConnection; 2] {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let [first, second] = self.clients.clone().unwrap_or_else(|| {
            let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
            [memory.clone(), memory]
        });
        let namespace = format!("{}_{number}", self.namespace);
        [self.process(0, first, &namespace).await, self.process(1, second, &namespace).await]
    }

    async fn process(&self, number: usize, store: Arc<dyn Store>, namespace: &str) -> CachedConnection {
        CachedConnection::builder(self.cached[number].clone())
            .shared_store(store)
            .namespace(Namespace::new(namespace.to_owned()).expect("the harness makes valid names"))
            // A machine that is busy with other tests must not look like a store that is down.
            .store_time_out(Duration::from_secs(60))
            .build()
            .await
            .expect("the cache is ready")
    }

    /// Runs the program on both sides.
    ///
    /// # Errors
    /// The first step whose results differ; else the tables, if they do; else the first key that the cache
    /// answers differently afterwards.
    pub(crate) async fn compare(&self, program: &Program) -> Result<Kinds, Difference> {
        let plain = [self.plain.clone(), self.plain.clone()];
        let cached = self.start().await;
        let expected = run(&plain, program).await;
        let log = run(&cached, program).await;
        difference(program, &expected, &log)?;

        let (tables, cached_tables) = (schema::contents(&self.plain).await, schema::contents(&self.cached[0]).await);
        if tables != cached_tables {
            let place = "the tables afterwards".to_owned();
            return Err(Difference { place, plain: tables, cached: cached_tables });
        }

        let audit = audit();
        let expected = run(&plain[..1], &audit).await;
        for process in &cached {
            // Once to fill what is missing, once to hit it.
            for _ in 0..2 {
                let answers = run(std::slice::from_ref(process), &audit).await;
                difference(&audit, &expected, &answers)?;
            }
        }
        let mut kinds = log.kinds;
        kinds.programs = 1;
        Ok(kinds)
    }

    /// Both databases as every program finds them, and an empty cache.
    async fn start(&self) -> [CachedConnection; 2] {
        for db in [&self.plain, &self.cached[0]] {
            schema::reset(db).await.expect("the tables can be filled again");
        }
        self.processes().await
    }
}

fn difference(program: &Program, plain: &Log, cached: &Log) -> Result<(), Difference> {
    let outcomes = plain.outcomes.iter().zip(&cached.outcomes).enumerate();
    for (number, (plain, cached)) in outcomes {
        if plain != cached {
            let step = program.steps.get(number);
            let place = step.map_or("at the end".to_owned(), |step| format!("step {number}, {step:?}"));
            return Err(Difference { place, plain: plain.clone(), cached: cached.clone() });
        }
    }
    assert_eq!(plain.outcomes.len(), cached.outcomes.len(), "equal outcomes lead to equal steps");
    Ok(())
}

/// Reads everything by every key.
fn audit() -> Program {
    let mut steps = Vec::new();
    let mut tables = Vec::new();
    let mut call = |op| steps.push(Step::Call { process: 0, op });
    for row in every_key() {
        if !tables.contains(&row.table()) {
            tables.push(row.table());
            call(Op::Read(Read::All, row.clone()));
        }
        if row.uniques() > 0 {
            call(Op::Read(Read::ByUnique(0, Door::One), row.clone()));
        }
        call(Op::Read(Read::ById(Door::One), row));
    }
    Program { steps, settled: false }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n- plain:  {}\n- cached: {}", self.place, self.plain, self.cached)
    }
}
