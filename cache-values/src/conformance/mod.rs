//! What every backend must do: Django's behaviours, and those that Django's backends differ in.
//!
//! ```
//! # #[cfg(feature = "conformance")]
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! use std::sync::Arc;
//! use cache_values::{backend::MemoryBackend, conformance};
//! let report = conformance::suite(Arc::new(MemoryBackend::default())).await;
//! println!("{report}");
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clearing;
mod computing;
mod contract;
mod counters;
mod garbage;
mod keys;
mod nothing;
mod reading;
mod time;
mod versions;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    Cache, Settings,
    backend::{Backend, Item, Put, Stored, When},
    name::Name,
};

/// What a backend was found to do: how many checks it passed, by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name of a group, and how many checks it has.
    pub groups: Vec<(&'static str, usize)>,
}

impl Report {
    /// How many checks it passed.
    pub fn checks(&self) -> usize {
        self.groups.iter().map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, count) in &self.groups {
            writeln!(f, "{group:<34}{count:>4}")?;
        }
        write!(f, "{:<34}{:>4}", "all", self.checks())
    }
}

/// Runs all checks against a backend, each under names of its own. Takes a few seconds: the time of values passes.
///
/// # Panics
/// When a check fails. The message names it.
pub async fn suite(backend: Arc<dyn Backend>) -> Report {
    if !backend.capabilities().keeps {
        return run(Subject::new(backend), &[("N  nothing is kept", nothing::checks())]).await;
    }
    let groups = [
        ("-  the backend's contract", contract::checks()),
        ("A  keys", keys::checks()),
        ("B  reading and writing", reading::checks()),
        ("C  time", time::checks()),
        ("D  counters", counters::checks()),
        ("E  one computation", computing::checks()),
        ("F  versions", versions::checks()),
        ("H  clear and tags", clearing::checks()),
        ("I  garbage", garbage::checks()),
    ];
    run(Subject::new(backend), &groups).await
}

/// The same with a backend whose clock the test moves: no time passes.
///
/// # Panics
/// As [`suite`].
#[cfg(any(test, feature = "testing"))]
pub async fn suite_with_clock(backend: Arc<dyn Backend>, clock: cache_core::testing::ManualClock) -> Report {
    let subject = Subject { clock: Some(clock), ..Subject::new(backend) };
    let groups = [("-  the backend's contract", contract::checks()), ("C  time", time::checks())];
    run(subject, &groups).await
}

async fn run(subject: Subject, groups: &[(&'static str, Vec<Check>)]) -> Report {
    let mut report = Report { groups: Vec::new() };
    for (group, checks) in groups {
        for check in checks {
            // A task of its own, so that a failure can be named.
            if tokio::spawn((check.run)(subject.clone())).await.is_err() {
                panic!("{:?} does not conform: {}: {}", subject.backend, group, check.name);
            }
        }
        report.groups.push((group, checks.len()));
    }
    report
}

/// One thing that a backend must do.
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    run: fn(Subject) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A list of checks, each a function.
macro_rules! checks {
    ($($(#[$attribute:meta])* async fn $name:ident($subject:ident) $body:block)*) => {
        pub(super) fn checks() -> Vec<$crate::conformance::Check> {
            vec![$($crate::conformance::Check {
                name: stringify!($name),
                run: |subject| Box::pin($name(subject)),
            }),*]
        }

        $($(#[$attribute])* async fn $name($subject: $crate::conformance::Subject) $body)*
    };
}
use checks;

/// The backend under test.
#[derive(Clone)]
struct Subject {
    backend: Arc<dyn Backend>,
    #[cfg(any(test, feature = "testing"))]
    clock: Option<cache_core::testing::ManualClock>,
    #[cfg(not(any(test, feature = "testing")))]
    clock: Option<std::convert::Infallible>,
}

impl Subject {
    fn new(backend: Arc<dyn Backend>) -> Self {
        Subject { backend, clock: None }
    }

    /// A cache that shares its keys with no other.
    fn cache(&self) -> Cache {
        self.cache_with(Settings::default())
    }

    /// The same with other settings. Without a prefix, it gets one of its own.
    fn cache_with(&self, settings: Settings) -> Cache {
        let settings = if settings.prefix.is_empty() { settings.prefix(unique()) } else { settings };
        // Slow machines are no failures here.
        let settings = settings.time_out(Duration::from_secs(60));
        Cache::shared(Arc::clone(&self.backend), settings).expect("the prefix is short")
    }

    /// A name that nobody else has.
    fn name(&self) -> Name {
        Name::new(unique(), false)
    }

    async fn get(&self, name: &Name) -> Option<Item> {
        self.backend.get(std::slice::from_ref(name), true).await.expect("it answers").remove(0)
    }

    async fn put(&self, name: &Name, bytes: &[u8], ttl: Option<Duration>, when: When) -> Stored {
        let put = Put { name: name.clone(), bytes: bytes.to_vec().into(), ttl, when };
        self.backend.put(&[put]).await.expect("it answers").remove(0)
    }

    /// Lets time pass.
    async fn pass(&self, time: Duration) {
        #[cfg(any(test, feature = "testing"))]
        if let Some(clock) = &self.clock {
            return clock.advance(time);
        }
        sleep(time).await;
    }

    /// Waits until something is so, and fails after a minute. How much time passed, at most.
    async fn until<F: Future<Output = bool>>(
        &self,
        what: &str,
        began: Instant,
        mut is_so: impl FnMut() -> F,
    ) -> Duration {
        while !is_so().await {
            assert!(began.elapsed() < Duration::from_secs(60), "still not so: {what}");
            self.pass(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }
}

/// A text that nobody else has.
fn unique() -> String {
    format!("t{:016x}", rand::random::<u64>())
}
