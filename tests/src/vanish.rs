//! Callers that vanish: a future is dropped after any number of wakes, and nothing of it may be left half done.

#![allow(clippy::print_stdout, reason = "`--nocapture` shows what each database saw")]

use std::{
    collections::BTreeMap,
    future::Future,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ConnectOptions, ConnectionTrait, DatabaseConnection, EntityTrait,
};
use tokio::sync::Notify;

use crate::{
    Backend, Env, Proxy,
    shop::{Shop, category, price},
};

/// Wakes, one by one.
#[derive(Debug, Default)]
struct Wakes(Notify);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Runs a future until it has been woken so many times, calls `last`, polls it once more and drops it. What it
/// came to, if it ended.
///
/// Polled at wakes alone, it gets as far with each as its last answer allows, however slow the machine is.
pub async fn vanish_after<F: Future>(wakes: usize, future: F, last: impl AsyncFnOnce()) -> Option<F::Output> {
    let woken = Arc::new(Wakes::default());
    let waker = Waker::from(woken.clone());
    let mut future = Box::pin(future);
    for _ in 0..wakes {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        woken.0.notified().await;
    }
    last().await;
    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// One kind of call, given up after each number of wakes until it ends, over a pool of one connection. After each,
/// that connection must be in order, and the cache must agree with the database.
#[derive(Debug)]
pub struct Sweep {
    /// `db` goes through the proxy.
    pub shop: Shop,
    what: &'static str,
    backend: Backend,
    proxy: Option<Proxy>,
    /// What makes writers of SQLite wait, which has no server.
    lock: DatabaseConnection,
    wakes: usize,
    phase: Phase,
    /// The last run was given up.
    vanished: bool,
    /// In the runs whose caller vanished, and in all.
    dropped: Arrivals,
    all: Arrivals,
}

/// When the calls of a sweep are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// After so many wakes.
    Wakes,
    /// Once the database has been handed the UPDATE, and before its answer: however wakes fall together, once.
    Arrival,
    Over,
}

/// What the database saw and did of the products.
#[derive(Clone, Debug, Default)]
struct Arrivals {
    runs: usize,
    /// How often each kind of statement arrived.
    statements: BTreeMap<String, usize>,
    /// After how many runs the row was new.
    effects: usize,
}

impl Sweep {
    /// A shop of its own.
    ///
    /// # Panics
    /// When a server is missing.
    pub async fn open(env: &Env, what: &'static str) -> Self {
        let shop = Shop::open(env).await;
        let proxy = Proxy::before(env.backend()).await;
        let lock = env.database.connect_with(|options| {
            options.max_connections(1).map_sqlx_sqlite_opts(|options| options.busy_timeout(Duration::ZERO));
        });
        let lock = lock.await;
        let through = |options: &mut ConnectOptions| {
            options.max_connections(1);
            proxy.iter().for_each(|proxy| proxy.lead(options));
        };
        let db = Shop::enter_with(env, env.store().await, through).await;
        let shop = Shop { db, ..shop };
        let (dropped, all) = (Arrivals::default(), Arrivals::default());
        Sweep {
            shop,
            what,
            backend: env.backend(),
            proxy,
            lock,
            wakes: 0,
            phase: Phase::Wakes,
            vanished: false,
            dropped,
            all,
        }
    }

    /// Whether another run is due. Warms the row, and forgets what the database saw until now.
    ///
    /// # Panics
    /// When the call never ends.
    pub async fn goes_on(&mut self) -> bool {
        if self.phase == Phase::Over {
            return false;
        }
        assert!(self.wakes < 300, "{}: it never ends", self.what);
        for _ in 0..2 {
            self.cached_price(1).await;
            self.shop.db.settled().await;
        }
        self.arrived();
        true
    }

    /// What this run writes.
    pub fn price(&self) -> i32 {
        1000 + i32::try_from(self.wakes).expect("few runs")
    }

    /// Gives the call up after this run's wakes, while the database's next answer is held back, and waits until
    /// nothing that has lost its caller is left. What it came to, if it ended.
    ///
    /// # Panics
    /// When it ends before its UPDATE has arrived.
    pub async fn vanish<F: Future>(&mut self, call: F) -> Option<F::Output> {
        let result = match (self.phase, &self.proxy) {
            (Phase::Arrival, Some(proxy)) => {
                let what = self.what;
                proxy.hold_at("UPDATE");
                tokio::select! {
                    _ = call => panic!("{what}: it ended before its UPDATE arrived"),
                    () = proxy.held() => None,
                }
            }
            _ => vanish_after(self.wakes, call, async || self.hold().await).await,
        };
        self.release().await;
        self.wakes += 1;
        self.vanished = result.is_none();
        self.phase = match self.phase {
            Phase::Wakes if self.vanished => Phase::Wakes,
            Phase::Wakes if self.proxy.is_some() => Phase::Arrival,
            Phase::Wakes | Phase::Arrival | Phase::Over => Phase::Over,
        };
        result
    }

    /// Whether the connection is in order, and the cache right.
    ///
    /// # Panics
    /// When they are not.
    pub async fn check(&mut self) {
        let (what, wakes) = (self.what, self.wakes - 1);
        self.shop.db.settled().await;
        // By the same connection: what it acknowledges is committed.
        let name = format!("seen by all {wakes}");
        let row = category::ActiveModel { id: Unchanged(1), name: Set(name.clone()) };
        row.update(&self.shop.db).await.expect("the connection is in order");
        let seen = category::Entity::find_by_id(1).one(&self.shop.plain).await.expect("an answer");
        assert_eq!(seen.map(|row| row.name), Some(name), "{what}, after {wakes} wakes: a write is lost");
        for id in [1, 2, 3] {
            for _ in 0..2 {
                let (cached, real) = (self.cached_price(id).await, price(&self.shop.plain, id).await);
                assert_eq!(cached, real, "{what}, after {wakes} wakes: product {id}");
                self.shop.db.settled().await;
            }
        }
        let effects = usize::from(price(&self.shop.plain, 1).await == Some(self.price() - 1));
        let statements = self.arrived();
        let mut of_runs = vec![&mut self.all];
        if self.vanished {
            of_runs.push(&mut self.dropped);
        }
        for arrivals in of_runs {
            arrivals.runs += 1;
            arrivals.effects += effects;
            for (statement, count) in &statements {
                *arrivals.statements.entry(statement.clone()).or_default() += count;
            }
        }
    }

    /// Shows what the database saw, and demands that the sweep was worth it: given-up calls arrived there, and each
    /// transaction that began has ended.
    ///
    /// # Panics
    /// When nothing arrived.
    pub fn finish(self) {
        let Sweep { what, backend, dropped, all, .. } = &self;
        let shown = |arrivals: &Arrivals| {
            let count = |(name, count): (&String, &usize)| format!("{name} {count}");
            arrivals.statements.iter().map(count).collect::<Vec<_>>().join(", ")
        };
        println!(
            "| {what} | {backend:?} | {} | {} | {} | {} |",
            dropped.runs,
            if self.proxy.is_some() { shown(dropped) } else { "(no proxy)".to_owned() },
            dropped.effects,
            if self.proxy.is_some() { shown(all) } else { String::new() },
        );
        assert!(all.runs > dropped.runs, "{what}: it ended");
        if self.proxy.is_some() {
            assert!(dropped.effects > 0, "{what}: no call that was given up took effect");
            let count = |kind: &str| all.statements.get(kind).copied().unwrap_or_default();
            assert!(dropped.statements.contains_key("UPDATE"), "{what}: none arrived");
            assert_eq!(count("BEGIN"), count("COMMIT") + count("ROLLBACK"), "{what}: {all:?}");
        }
    }

    /// Has the next answer wait.
    async fn hold(&self) {
        match &self.proxy {
            Some(proxy) => proxy.hold(),
            // Waits for no other lock: there, the call waits for nobody, and is given up in the midst all the same.
            None => drop(self.lock.execute_unprepared("BEGIN IMMEDIATE").await),
        }
    }

    async fn release(&self) {
        match &self.proxy {
            Some(proxy) => proxy.release(),
            None => drop(self.lock.execute_unprepared("ROLLBACK").await),
        }
    }

    async fn cached_price(&self, id: i32) -> Option<i32> {
        price(&self.shop.db, id).await
    }

    /// What arrived since the last call, by kind: all but reads, what `check` sends and what a connection begins with.
    fn arrived(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for statement in self.proxy.iter().flat_map(Proxy::arrived) {
            let mut words = statement.split_ascii_whitespace().map(|word| word.trim_matches(['"', '`']));
            let kind = match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
                ("SELECT" | "SET", _) | (_, "category") => continue,
                ("ROLLBACK", "TO") => "ROLLBACK TO",
                (first, _) => first,
            };
            *kinds.entry(kind.to_owned()).or_default() += 1;
        }
        kinds
    }
}
