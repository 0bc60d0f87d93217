//! Runs a program through a connection, whichever it is, and notes what every step gave.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cache_orm::{CachedConnection, CachedTransaction};
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    StreamTrait, TransactionError, TransactionSession, TransactionTrait,
};

use crate::{
    graph::graph,
    hop::hop,
    kinds::Kinds,
    nested::nested,
    outcome::{FAILED, value},
    program::{Begin, End, Op, Program, Step},
    raw_write::raw_write,
    read::{raw_read, read, read_many},
    tables::{OfTable, Row, on_row},
    write::{write, write_many},
};

/// What a call is made through: a connection or a transaction, plain or cached.
pub(crate) trait Connection: ConnectionTrait + StreamTrait + TransactionTrait {}

impl<C: ConnectionTrait + StreamTrait + TransactionTrait> Connection for C {}

/// A connection as a process of the application holds it.
pub(crate) trait Process: Connection + Clone + Send + 'static {
    /// For reads that are decoded as something else.
    fn bypass(&self) -> Self;

    /// A connection beneath, through which writes go unseen.
    fn beneath(&self) -> DatabaseConnection;

    /// Waits for background calls.
    fn settled(&self) -> impl Future<Output = ()> + Send;

    /// How many reads were answered from a cache, absent rows included.
    fn hits(&self) -> u64;
}

impl Process for DatabaseConnection {
    fn bypass(&self) -> Self {
        self.clone()
    }

    fn beneath(&self) -> DatabaseConnection {
        self.clone()
    }

    async fn settled(&self) {}

    fn hits(&self) -> u64 {
        0
    }
}

impl Process for CachedConnection {
    fn bypass(&self) -> Self {
        self.bypass()
    }

    fn beneath(&self) -> DatabaseConnection {
        self.inner().clone()
    }

    async fn settled(&self) {
        self.settled().await;
    }

    fn hits(&self) -> u64 {
        self.stats().entities.values().map(|entity| entity.counts.hits + entity.counts.absent_hits).sum()
    }
}

/// A transaction whose savepoints are transactions of its own type.
pub(crate) trait Transaction:
    Connection + TransactionTrait<Transaction = Self> + TransactionSession + Send + Sized
{
}

impl Transaction for DatabaseTransaction {}
impl Transaction for CachedTransaction {}

/// What every step gave, by its number.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) outcomes: Vec<String>,
    pub(crate) kinds: Kinds,
}

/// Runs the program through these connections.
pub(crate) async fn run<P>(processes: &[P], program: &Program) -> Log
where
    P: Process<Transaction: Transaction>,
{
    let state = Arc::default();
    let run = Run { processes: processes.into(), program: Arc::new(program.clone()), state };
    run.program().await;
    std::mem::take(&mut *run.state.lock().unwrap_or_else(PoisonError::into_inner)).log
}

/// One run. Clones share everything, so that closures of transactions can own one.
#[derive(Clone)]
struct Run<P> {
    processes: Arc<[P]>,
    program: Arc<Program>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: usize,
    /// A transaction is open.
    open: bool,
    log: Log,
}

impl<P> Run<P>
where
    P: Process<Transaction: Transaction>,
{
    async fn program(&self) {
        while let Some(step) = self.step().await {
            match step {
                Step::Begin { process, how } => {
                    self.lock().open = true;
                    self.transaction(&self.processes[process], how).await;
                    self.lock().open = false;
                }
                Step::End(_) => self.note("nothing to end".to_owned()),
                Step::Call { process, op } | Step::Beside { process, op } => {
                    self.at_top_level(process, &op).await;
                }
                Step::BehindTheBack { op } => self.behind_the_back(&op).await,
            }
        }
    }

    /// The steps up to the transaction's end.
    fn inside<'r, T: Transaction>(&'r self, tx: &'r T) -> BoxFuture<'r, End> {
        async move {
            while let Some(step) = self.step().await {
                match step {
                    Step::Begin { how, .. } => self.transaction(tx, how).await,
                    Step::End(end) => return end,
                    Step::Call { op, .. } => self.call(tx, &op).await,
                    Step::Beside { process, op } => self.at_top_level(process, &op).await,
                    Step::BehindTheBack { op } => self.behind_the_back(&op).await,
                }
            }
            End::Drop
        }
        .boxed()
    }

    async fn transaction<C>(&self, db: &C, how: Begin)
    where
        C: Connection<Transaction: Transaction>,
    {
        let kind = format!("transaction: {how:?}");
        let (level, mode) = match how {
            Begin::Closure => return self.mark(kind, self.closure(db).await),
            Begin::Session => (None, None),
            Begin::Serializable => (Some(IsolationLevel::Serializable), None),
            Begin::ReadOnly => (None, Some(AccessMode::ReadOnly)),
        };
        let begun = match how {
            Begin::Session => db.begin().await,
            _ => db.begin_with_config(level, mode).await,
        };
        let tx = match begun {
            Ok(tx) => tx,
            Err(error) => return self.mark(kind, value::<()>(Err(error))),
        };
        self.note("begun".to_owned());
        let end = self.inside(&tx).await;
        let ended = match end {
            End::Commit => tx.commit().await,
            End::Rollback => tx.rollback().await,
            End::Drop => {
                drop(tx);
                Ok(())
            }
        };
        self.mark(format!("{kind}, {end:?}"), value(ended));
    }

    /// A transaction that ends by the result of a closure. Returns its outcome.
    async fn closure<C>(&self, db: &C) -> String
    where
        C: Connection<Transaction: Transaction>,
    {
        self.note("begun".to_owned());
        let run = self.clone();
        let closure = db.transaction(move |tx| {
            Box::pin(async move {
                match run.inside(tx).await {
                    End::Commit => Ok(()),
                    end => Err(DbErr::Custom(format!("{end:?}"))),
                }
            })
        });
        value(closure.await.map_err(|error| match error {
            TransactionError::Connection(error) | TransactionError::Transaction(error) => error,
        }))
    }

    async fn at_top_level(&self, process: usize, op: &Op) {
        let db = &self.processes[process];
        if op.is_bypassed() { self.call(&db.bypass(), op).await } else { self.call(db, op).await }
    }

    async fn behind_the_back(&self, op: &Op) {
        self.call(&self.processes[0].beneath(), op).await;
    }

    async fn call<C: Connection>(&self, db: &C, op: &Op) {
        let before = self.hits();
        let outcome = AssertUnwindSafe(perform(db, op)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|panic| format!("{FAILED} panicked: {}", words(&*panic)));
        let hits = self.hits() - before;
        let failed = outcome.starts_with(FAILED);
        self.lock().log.kinds.count(op, failed, hits);
        self.note(outcome);
    }

    async fn step(&self) -> Option<Step> {
        if self.program.settled {
            for process in self.processes.iter() {
                process.settled().await;
            }
        }
        // A transaction that was dropped is rolled back when its connection returns to the pool. SQLite refuses
        // to write in another one until then.
        while self.processes.iter().map(|process| busy_connections(&process.beneath())).sum::<usize>()
            > usize::from(self.lock().open)
        {
            tokio::task::yield_now().await;
        }
        let mut state = self.lock();
        state.next += 1;
        self.program.steps.get(state.next - 1).cloned()
    }

    fn hits(&self) -> u64 {
        self.processes.iter().map(Process::hits).sum()
    }

    /// The outcome of a beginning or an end.
    fn mark(&self, kind: String, outcome: String) {
        self.lock().log.kinds.count_mark(kind, outcome.starts_with(FAILED));
        self.note(outcome);
    }

    fn note(&self, outcome: String) {
        self.lock().log.outcomes.push(outcome);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What each of these calls gives, outside any transaction.
pub(crate) async fn answers<C: Connection>(db: &C, calls: &[Op]) -> Vec<String> {
    let mut answers = Vec::with_capacity(calls.len());
    for op in calls {
        answers.push(perform(db, op).await);
    }
    answers
}

/// How many connections of the pool are in use.
fn busy_connections(db: &DatabaseConnection) -> usize {
    let (size, idle) = match db.get_database_backend() {
        DbBackend::Sqlite => {
            let pool = db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        }
        DbBackend::Postgres => {
            let pool = db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        }
        _ => {
            let pool = db.get_mysql_connection_pool();
            (pool.size(), pool.num_idle())
        }
    };
    (size as usize).saturating_sub(idle)
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("something else than text")
}

/// One call. The futures of a table are boxed: those of all tables together would be large.
async fn perform<C: Connection>(db: &C, op: &Op) -> String {
    match op {
        Op::Read(call, row) => on_row!(row, E, model => read::<E, C>(db, *call, model).boxed().await),
        Op::ReadMany(call, rows) => {
            on_row!(&rows[0], E, _model => read_many::<E, C>(db, *call, E::rows(rows)).boxed().await)
        }
        Op::Hop(call, rows) => hop(db, *call, rows).boxed().await,
        Op::Graph(call, row) => graph(db, *call, row).boxed().await,
        Op::RawRead(call, row) => on_row!(row, E, model => raw_read::<E, C>(db, *call, model).boxed().await),
        Op::Write(call, row) => {
            on_row!(row, E, model => write::<E, C>(db, *call, model.clone()).boxed().await)
        }
        Op::WriteMany(call, rows) => {
            on_row!(&rows[0], E, _model => write_many::<E, C>(db, *call, E::rows(rows)).boxed().await)
        }
        Op::Nested(call, rows) => nested(db, *call, rows).boxed().await,
        Op::RawWrite(call, row) => match row {
            Row::Person(model) => raw_write(db, *call, model).boxed().await,
            row => unreachable!("raw writes are about persons: {row:?}"),
        },
    }
}
