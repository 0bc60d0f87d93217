//! The memory store and the Redis scripts agree with `slot.rs` on random sequences of operations: equal answers
//! to every call, and equal cells at the end.
//!
//! Time plays no part: what is given no time to live is born expired, everything else outlives the test.

#![allow(clippy::unwrap_used, reason = "a test")]

mod redis_server;

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use cache_core::{
    backend::MemoryStore,
    cellwise::{self, CellStore},
    entry::{Entry, Epoch, Fingerprint, Generation, Payload, Token, Writer},
    key::{Address, Key, Namespace, RowKey, TableKeys},
    slot::{Holder, Millis, Operation, Outcome, Slot, apply},
    store::{Capabilities, Claim, Grant, LookupResult, Store, StoreError},
    testing::Cells,
};
use proptest::{collection::vec, prelude::*, sample::select};

/// The contract, executed cell by cell on a map.
#[derive(Debug, Default)]
struct Reference {
    cells: Mutex<HashMap<Key, Slot>>,
}

/// The reference's clock stands still; a deadline is the time to live.
const NOW: u64 = 0;

impl Reference {
    fn cells(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        self.cells.lock().unwrap()
    }
}

impl CellStore for Reference {
    async fn apply(
        &self,
        cell: &Key,
        operation: impl Fn(Millis) -> Operation + Send + Sync,
    ) -> Result<Outcome, StoreError> {
        let mut cells = self.cells();
        let (slot, outcome) = apply(cells.remove(cell).unwrap_or_default(), operation(NOW), NOW);
        cells.insert(cell.clone(), slot);
        Ok(outcome)
    }
}

#[async_trait]
impl Store for Reference {
    async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError> {
        cellwise::lookup(self, at).await
    }

    async fn lease(
        &self,
        schema: &Key,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        cellwise::lease(self, schema, at, replaces, ttl).await
    }

    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
        cellwise::fill(self, at, entry, ttl).await
    }

    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
        cellwise::forfeit(self, at, token).await
    }

    async fn fence(
        &self,
        schema: &Key,
        cells: &[Key],
        writer: Writer,
        ttl: Duration,
    ) -> Result<Option<Generation>, StoreError> {
        cellwise::fence(self, schema, cells, writer, ttl).await
    }

    async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError> {
        cellwise::generation(self, schema).await
    }

    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
        cellwise::release(self, cells, writer).await
    }

    async fn claim(&self, _: &Namespace, _: &str) -> Result<Claim, StoreError> {
        Ok(Claim::Held)
    }

    fn default_namespace(&self) -> Option<Namespace> {
        None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::IN_PROCESS
    }
}

#[async_trait]
impl Cells for Reference {
    async fn cell(&self, key: &Key) -> Result<Slot, StoreError> {
        match self.apply(key, |_| Operation::Lookup).await? {
            Outcome::Seen(slot) => Ok(slot),
            other => panic!("{other:?}"),
        }
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.cells().remove(key);
        Ok(())
    }
}

/// One call. Addresses and cells are numbers into the lists of [`Names`]; leases are numbers of grants, the
/// latest first.
#[derive(Clone, Debug)]
enum Step {
    Lookup { at: usize },
    Lease { at: usize, replaces: Option<usize>, ttl: Duration },
    Fill { at: usize, lease: usize, epoch_of: usize, absent: bool, payload: Vec<u8>, ttl: Duration },
    Forfeit { at: usize, lease: usize },
    Fence { cells: Vec<usize>, writer: u64, ttl: Duration },
    Release { cells: Vec<usize>, writer: u64 },
    Evict { cell: usize },
}

const ADDRESSES: usize = 4;
const CELLS: usize = 7;

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..ADDRESSES;
    // Mostly the latest grant: the one that may still stand.
    let lease = || prop_oneof![4 => Just(0_usize), 1 => 0..4_usize];
    let ttl = || prop_oneof![5 => Just(Duration::from_secs(3600)), 1 => Just(Duration::ZERO)];
    let cells = || vec(0..CELLS, 1..4);
    let writer = || select(&[1, 2, u64::MAX][..]);
    prop_oneof![
        2 => at().prop_map(|at| Step::Lookup { at }),
        6 => (at(), proptest::option::of(lease()), ttl())
            .prop_map(|(at, replaces, ttl)| Step::Lease { at, replaces, ttl }),
        6 => (at(), lease(), lease(), any::<bool>(), vec(any::<u8>(), 0..5), ttl()).prop_map(
            |(at, lease, epoch_of, absent, payload, ttl)| {
                Step::Fill { at, lease, epoch_of, absent, payload, ttl }
            }
        ),
        1 => (at(), lease()).prop_map(|(at, lease)| Step::Forfeit { at, lease }),
        2 => (cells(), writer(), ttl()).prop_map(|(cells, writer, ttl)| Step::Fence { cells, writer, ttl }),
        2 => (cells(), writer()).prop_map(|(cells, writer)| Step::Release { cells, writer }),
        1 => (0..CELLS).prop_map(|cell| Step::Evict { cell }),
    ]
}

/// The cells of one run.
struct Names {
    addresses: Vec<Address>,
    cells: Vec<Key>,
    schema: Key,
}

impl Names {
    fn new() -> Self {
        let namespace = Namespace::new(redis_server::unique()).unwrap();
        let (table, schema) = (TableKeys::new(&namespace, "t"), namespace.schema());
        let row = |id| table.row(&RowKey::default().with_integer(id));
        // Two rows under one epoch, so that they meet.
        let first = row(1);
        let second = (2..).map(row).find(|at| at.epoch == first.epoch).unwrap();
        let alias = table.alias("sku", &RowKey::default().with_text("A-1"));
        let addresses = vec![first, second, alias, table.all()];
        let mut cells: Vec<_> = addresses.iter().map(|at| at.slot.clone()).collect();
        cells.extend(addresses[0].epoch.clone());
        cells.extend([table.presence().clone(), schema.clone()]);
        assert_eq!((addresses.len(), cells.len()), (ADDRESSES, CELLS));
        Names { addresses, cells, schema }
    }
}

/// Gives random numbers names in the order in which they appear, so that two runs can be compared.
#[derive(Default)]
struct Renaming(HashMap<u64, u64>);

impl Renaming {
    fn name(&mut self, number: u64) -> u64 {
        let next = self.0.len() as u64;
        *self.0.entry(number).or_insert(next)
    }

    fn grant(&mut self, grant: &Grant) -> Grant {
        Grant {
            token: Token(self.name(grant.token.0)),
            epoch: grant.epoch.map(|epoch| Epoch(self.name(epoch.0))),
            presence: grant.presence.map(|epoch| Epoch(self.name(epoch.0))),
            generation: Generation(self.name(grant.generation.0)),
        }
    }

    fn entry(&mut self, entry: Entry) -> Entry {
        Entry {
            token: Token(self.name(entry.token.0)),
            epoch: entry.epoch.map(|epoch| Epoch(self.name(epoch.0))),
            presence: entry.presence.map(|epoch| Epoch(self.name(epoch.0))),
            ..entry
        }
    }

    /// Without deadlines, of which stores on different clocks need not agree.
    fn slot(&mut self, slot: Slot) -> Slot {
        match slot {
            Slot::Empty => Slot::Empty,
            Slot::Filled { entry, .. } => Slot::Filled { entry: self.entry(entry), until: 0 },
            Slot::Leased { token, .. } => Slot::Leased { token: Token(self.name(token.0)), until: 0 },
            Slot::Fenced(holders) => {
                Slot::Fenced(holders.into_iter().map(|holder| Holder { until: 0, ..holder }).collect())
            }
            Slot::Epoch(epoch) => Slot::Epoch(Epoch(self.name(epoch.0))),
        }
    }
}

/// Executes the steps and returns what was seen: an answer for each step, then each cell.
async fn run(store: &impl Cells, steps: &[Step], names: &Names) -> Vec<String> {
    let (mut seen, mut renaming) = (Vec::new(), Renaming::default());
    let mut grants: Vec<Grant> = Vec::new();
    let no_grant =
        Grant { token: Token(1), epoch: Some(Epoch(2)), presence: Some(Epoch(3)), generation: Generation(4) };
    for step in steps {
        let grant = |back: &usize| match grants.len() {
            0 => no_grant,
            count => grants[count - 1 - back % count],
        };
        let cells = |cells: &[usize]| cells.iter().map(|cell| names.cells[*cell].clone()).collect::<Vec<_>>();
        let answer: Box<dyn Debug> = match step {
            Step::Lookup { at } => {
                let sighting = store.lookup(&names.addresses[*at]).await.unwrap();
                Box::new((
                    sighting.entry.map(|entry| renaming.entry(entry)),
                    sighting.epoch.map(|epoch| renaming.name(epoch.0)),
                    sighting.presence.map(|epoch| renaming.name(epoch.0)),
                ))
            }
            Step::Lease { at, replaces, ttl } => {
                let replaces = replaces.as_ref().map(|back| grant(back).token);
                let granted =
                    store.lease(&names.schema, &names.addresses[*at], replaces, *ttl).await.unwrap();
                grants.extend(granted);
                Box::new(granted.map(|granted| renaming.grant(&granted)))
            }
            Step::Fill { at, lease, epoch_of, absent, payload, ttl } => {
                let entry = Entry {
                    token: grant(lease).token,
                    epoch: grant(epoch_of).epoch,
                    presence: grant(lease).presence.filter(|_| *absent),
                    fingerprint: Fingerprint(5),
                    payload: Payload::Encoded(Bytes::copy_from_slice(payload)),
                };
                Box::new(store.fill(&names.addresses[*at], entry, *ttl).await.unwrap())
            }
            Step::Forfeit { at, lease } => {
                store.forfeit(&names.addresses[*at], grant(lease).token).await.unwrap();
                Box::new("done")
            }
            Step::Fence { cells: fenced, writer, ttl } => {
                let seen = store.fence(&names.schema, &cells(fenced), Writer(*writer), *ttl).await.unwrap();
                Box::new(seen.map(|generation| renaming.name(generation.0)))
            }
            Step::Release { cells: released, writer } => {
                Box::new(store.release(&cells(released), Writer(*writer)).await.unwrap())
            }
            Step::Evict { cell } => {
                store.remove(&names.cells[*cell]).await.unwrap();
                Box::new("done")
            }
        };
        seen.push(format!("{step:?} → {answer:?}"));
    }
    for key in &names.cells {
        let slot = renaming.slot(store.cell(key).await.unwrap());
        let payload = match &slot {
            Slot::Filled { entry, .. } => entry.payload.to_bytes(),
            _ => Bytes::new(),
        };
        seen.push(format!("{} holds {slot:?} {payload:?}", key.as_str()));
    }
    seen
}

fn compare(cases: u32, run_on: impl AsyncFn(&[Step], &Names) -> Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in vec(step(), 1..60))| {
        let names = Names::new();
        let expected = runtime.block_on(run(&Reference::default(), &steps, &names));
        let actual = runtime.block_on(run_on(&steps, &names));
        prop_assert_eq!(expected, actual);
    });
}

#[test]
fn the_memory_store_agrees_with_the_transition_function() {
    compare(1000, async |steps, names| run(&MemoryStore::with_capacity(1 << 20), steps, names).await);
}

#[test]
fn the_redis_scripts_agree_with_the_transition_function() {
    let store = tokio::sync::OnceCell::new();
    compare(500, async |steps, names| {
        let store = store.get_or_init(redis_server::store).await;
        let seen = run(store, steps, names).await;
        for key in &names.cells {
            store.remove(key).await.unwrap();
        }
        seen
    });
}
