//! Room and time in a memory store.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    pin::pin,
    slice,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::*;
use crate::{
    entry::{Decoded, Fingerprint, Payload},
    key::{RowKey, TableKeys},
    testing::ManualClock,
};

const TTL: Duration = Duration::from_millis(100);

fn row(id: i128) -> Address {
    let namespace = Namespace::new("shop").unwrap();
    TableKeys::new(&namespace, "product").row(&RowKey::default().with_integer(id))
}

fn schema() -> Key {
    Namespace::new("shop").unwrap().schema()
}

fn entry(grant: Grant, bytes: usize) -> Entry {
    Entry {
        token: grant.token,
        epoch: grant.epoch,
        presence: None,
        fingerprint: Fingerprint(1),
        payload: Payload::Encoded(Bytes::from(vec![0; bytes])),
    }
}

async fn fill(store: &MemoryStore, at: &Address, bytes: usize) -> bool {
    let grant = store.lease(&schema(), at, None, TTL).await.unwrap().unwrap();
    store.fill(at, entry(grant, bytes), TTL).await.unwrap()
}

fn pinned(store: &MemoryStore) -> usize {
    store.inner.shards.iter().map(|shard| unpoisoned(shard).pinned()).sum()
}

fn weight(store: &MemoryStore) -> u64 {
    store.inner.shards.iter().map(|shard| unpoisoned(shard).weight()).sum()
}

#[tokio::test]
async fn entries_leases_and_fences_expire_to_the_millisecond() {
    let clock = ManualClock::default();
    let store = MemoryStore::with_clock(1 << 20, clock.clone());
    let (at, last) = (row(1), TTL - Duration::from_millis(1));

    assert!(fill(&store, &at, 10).await);
    clock.advance(last);
    assert!(store.lookup(&at).await.unwrap().entry.is_some());
    clock.advance(Duration::from_millis(1));
    assert!(store.lookup(&at).await.unwrap().entry.is_none());

    let grant = store.lease(&schema(), &at, None, TTL).await.unwrap().unwrap();
    clock.advance(last);
    assert!(store.lease(&schema(), &at, None, TTL).await.unwrap().is_none());
    clock.advance(Duration::from_millis(1));
    assert!(!store.fill(&at, entry(grant, 10), TTL).await.unwrap());

    let cells = [at.slot.clone()];
    store.fence(&schema(), &cells, Writer(1), TTL).await.unwrap();
    clock.advance(last);
    assert!(store.lease(&schema(), &at, None, TTL).await.unwrap().is_none());
    clock.advance(Duration::from_millis(1));
    assert!(store.lease(&schema(), &at, None, TTL).await.unwrap().is_some());
    assert_eq!(store.release(&cells, Writer(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn an_entry_that_does_not_fit_is_refused_and_its_lease_forfeited() {
    let store = MemoryStore::with_clock(100_000, ManualClock::default());
    let at = row(1);
    assert!(!fill(&store, &at, 100_000).await);
    assert!(store.lookup(&at).await.unwrap().entry.is_none());
    assert!(fill(&store, &at, 10_000).await);
}

#[tokio::test]
async fn a_store_without_room_keeps_nothing() {
    let store = MemoryStore::with_clock(0, ManualClock::default());
    assert!(!fill(&store, &row(1), 0).await);
    assert!(store.lookup(&row(1)).await.unwrap().entry.is_none());
}

#[tokio::test]
async fn room_evicts_entries_and_never_fences_or_epochs() {
    let capacity = 100_000;
    let store = MemoryStore::with_clock(capacity, ManualClock::default());
    let fenced = row(-1);
    store.fence(&schema(), slice::from_ref(&fenced.slot), Writer(1), TTL).await.unwrap();
    let first = store.lease(&schema(), &row(0), None, TTL).await.unwrap().unwrap();

    for id in 1..1000 {
        assert!(fill(&store, &row(id), 1000).await);
        assert!(weight(&store) <= capacity as u64);
    }

    let mut kept = 0;
    for id in 1..1000 {
        kept += usize::from(store.lookup(&row(id)).await.unwrap().entry.is_some());
    }
    assert!((40..100).contains(&kept), "{kept} entries of 1000 bytes were kept");
    assert!(store.lease(&schema(), &fenced, None, TTL).await.unwrap().is_none());
    assert_eq!(store.lookup(&row(0)).await.unwrap().epoch, first.epoch);
}

#[tokio::test]
async fn abandoned_fences_are_swept() {
    let clock = ManualClock::default();
    let store = MemoryStore::with_clock(1 << 20, clock.clone());
    for writer in 0..10_000 {
        let cells = [Key::from(format!("cell {writer}"))];
        store.fence(&schema(), &cells, Writer(writer), TTL).await.unwrap();
        clock.advance(Duration::from_millis(1));
    }
    assert!(pinned(&store) <= 300, "{} cells are pinned", pinned(&store));
}

#[tokio::test]
async fn released_cells_leave_nothing_behind() {
    let store = MemoryStore::with_clock(1 << 20, ManualClock::default());
    // The schema cell stays.
    store.generation(&schema()).await.unwrap();
    let before = (pinned(&store), weight(&store));
    let cells: Vec<_> = (0..100).map(|id| row(id).slot).collect();
    store.fence(&schema(), &cells, Writer(1), TTL).await.unwrap();
    assert_eq!(pinned(&store), before.0 + 100);
    assert_eq!(store.release(&cells, Writer(1)).await.unwrap(), 0);
    assert_eq!((pinned(&store), weight(&store)), before);
}

#[tokio::test]
async fn clones_are_the_same_store() {
    let store = MemoryStore::default();
    assert!(fill(&store, &row(1), 10).await);
    assert!(store.clone().lookup(&row(1)).await.unwrap().entry.is_some());
}

/// Does its work when the store lets go of it: in the midst of the call that does.
struct Interrupts(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Decoded for Interrupts {
    fn encode(&self) -> Bytes {
        Bytes::new()
    }

    fn weight(&self) -> usize {
        0
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        if let Some(work) = unpoisoned(&self.0).take() {
            work();
        }
    }
}

/// The answer of a call that never waits.
fn at_once<T>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("it waits"),
    }
}

/// Else a reader that goes by the old schema fills what it was changed for, under the number of the old one.
#[tokio::test]
async fn a_lease_is_not_granted_under_a_generation_that_ended_before_its_slot_was_taken() {
    let store = MemoryStore::with_capacity(64 << 20);
    let (before, schema) = (store.generation(&schema()).await.unwrap(), schema());
    // A row whose shard has neither its epoch nor the schema in it: those can be reached while it is held.
    let apart = |at: &Address| {
        let others = [Some(&schema), at.epoch.as_ref()];
        others.into_iter().flatten().all(|other| store.place(other) != store.place(&at.slot))
    };
    let at = (0..).map(row).find(apart).unwrap();
    let change = {
        let (store, cells) = (store.clone(), [schema.clone(), at.epoch.clone().unwrap()]);
        move || {
            let writer = Writer(1);
            let fence = |now| Operation::Fence { writer, until: now + 60_000 };
            cells.iter().for_each(|cell| assert_eq!(at_once(store.apply(cell, fence)), Outcome::Fenced));
            let release = |_| Operation::Release { writer };
            cells.iter().for_each(|cell| assert_eq!(at_once(store.apply(cell, release)), Outcome::Released));
        }
    };
    let grant = store.lease(&schema, &at, None, TTL).await.unwrap().unwrap();
    let payload = Payload::Decoded(Arc::new(Interrupts(Mutex::new(Some(Box::new(change))))));
    let stale = Entry { payload, ..entry(grant, 0) };
    assert!(store.fill(&at, stale, TTL).await.unwrap());

    let granted = store.lease(&schema, &at, Some(grant.token), TTL).await.unwrap();
    let named = store.generation(&schema).await.unwrap();
    assert_ne!(named, before, "the schema has changed in the midst of the lease");
    assert!(granted.is_none_or(|grant| Some(grant.generation) == named), "{granted:?}");
}
