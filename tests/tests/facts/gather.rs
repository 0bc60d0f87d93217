//! Makes every call on one database with one store.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cache_core::testing::CountingStore;
use cache_orm::{CachedConnection, Namespace};
use migrations::{Migrator, MigratorTrait};
use sea_orm::DatabaseConnection;
use tests::{Backend, Env};

use crate::{
    Chapter, Kind,
    call::Call,
    library,
    text::shortened,
    trace::{Recorder, Trace},
};

/// What a call did on one database.
#[derive(Debug)]
pub(crate) struct Fact {
    /// What SeaORM sends, statement by statement.
    pub(crate) sent: Vec<String>,
    /// What the cached connection did: the first time and, for a read, the second and third.
    pub(crate) traces: Vec<Trace>,
}

impl Fact {
    /// True if another store made no difference.
    pub(crate) fn is_like(&self, other: &Fact) -> bool {
        let traces = self.traces.iter().zip(&other.traces);
        self.traces.len() == other.traces.len() && traces.into_iter().all(|(own, others)| own.is_like(others))
    }
}

/// By chapter and name of the call.
pub(crate) type Facts = BTreeMap<(&'static str, &'static str), Fact>;

/// Makes the calls.
pub(crate) async fn gather(env: Env, chapters: &[Chapter]) -> Facts {
    let workshop = Workshop::open(env).await;
    let mut facts = Facts::new();
    let mut version = 0;
    for chapter in chapters {
        for call in chapter
            .calls
            .iter()
            .filter(|call| call.backends().any(|backend| backend == workshop.env.backend()))
        {
            version += 1;
            facts.insert((chapter.title, call.name), workshop.make(call, chapter.kind, version).await);
        }
    }
    facts
}

/// A database with everything that calls need.
struct Workshop {
    env: Env,
    plain: DatabaseConnection,
    below: DatabaseConnection,
    sent: Arc<Mutex<Vec<String>>>,
    operations: CountingStore,
    recorder: Recorder,
}

impl Workshop {
    async fn open(env: Env) -> Self {
        let mut plain = env.connect().await;
        Migrator::up(&plain, None).await.expect("the schema can be created");
        library::create(&plain).await;
        library::restore(&plain, env.backend()).await;
        let sent = Arc::<Mutex<Vec<String>>>::default();
        plain.set_metric_callback({
            let sent = sent.clone();
            move |info| sent.lock().unwrap_or_else(PoisonError::into_inner).push(info.statement.sql.clone())
        });
        let mut below = env.connect().await;
        let operations = CountingStore::new(env.store().await);
        let recorder = Recorder::new(operations.clone(), &mut below);
        Workshop { env, plain, below, sent, operations, recorder }
    }

    /// A cache in which nothing is cached yet: a version of the namespace for itself.
    async fn cold(&self, version: u32) -> CachedConnection {
        let namespace = Namespace::new(self.env.namespace.clone()).expect("the harness makes valid names");
        CachedConnection::builder(self.below.clone())
            .shared_store(Arc::new(self.operations.clone()))
            .namespace(namespace.with_version(version))
            // A machine that is busy with other tests must not look like a store that is down.
            .store_time_out(Duration::from_secs(60))
            .build()
            .await
            .expect("the cache is ready")
    }

    async fn make(&self, call: &Call, kind: Kind, version: u32) -> Fact {
        let name = call.name;
        let take = || std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        take();
        let truth = (call.plain)(&self.plain).await;
        let sent = take().iter().map(|sql| shortened(sql)).collect();
        if kind == Kind::Write {
            library::restore(&self.plain, self.env.backend()).await;
        }
        let db = self.cold(version).await;
        let exists = |table: &String| table != "voucher" || self.env.backend() == Backend::Postgres;
        let tables = db.stats().entities.into_keys().filter(exists).collect();
        self.recorder.take(&tables);
        let mut traces = Vec::new();
        let times = if kind == Kind::Write { 1 } else { 3 };
        for time in 1..=times {
            let answer = (call.cached)(&db).await;
            assert_eq!(
                answer,
                truth,
                "{name}, time {time}: {:?} with {:?}",
                self.env.backend(),
                self.env.kind
            );
            db.settled().await;
            traces.push(self.recorder.take(&tables));
        }
        if kind == Kind::Write {
            library::restore(&self.plain, self.env.backend()).await;
            // What is restored around the cache must not be left in it.
            db.invalidate_all().await.expect("the store answers");
        }
        Fact { sent, traces }
    }
}
