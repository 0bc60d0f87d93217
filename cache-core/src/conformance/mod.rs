//! The asynchronous tests that every [`Store`] must pass.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use std::sync::Arc;
//! use cache_core::{backend::MemoryStore, conformance::check_all, store::Store};
//! check_all(async || Arc::new(MemoryStore::default()) as Arc<dyn Store>).await;
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

mod many;
mod reader;
mod schema;
mod table;
mod writer;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    entry::{Entry, Fingerprint, Payload, Token, Writer},
    key::{Address, Key, Namespace, RowKey, TableKeys},
    store::{Grant, Store, StoreError},
};

/// Longer than any test runs.
const LONG: Duration = Duration::from_secs(3600);
/// What is given this time to live is born expired.
const EXPIRED: Duration = Duration::ZERO;

const WRITER: Writer = Writer(1);
const OTHER_WRITER: Writer = Writer(2);

/// Runs every check, each on the store that `make` returns. The stores may be one and the same: each check
/// works in a namespace of its own.
///
/// A store that keeps nothing, or that holds less than a few kilobytes, does not pass.
///
/// # Panics
/// At the first rule that the store breaks, naming the check and the rule.
pub async fn check_all(make: impl AsyncFn() -> Arc<dyn Store>) {
    macro_rules! run {
        ($($room:ident::$check:ident)*) => {$(
            $room::$check(&Fixture::new(make().await, stringify!($check))).await;
        )*};
    }
    run! {
        reader::an_unknown_slot_is_empty
        reader::a_filled_entry_is_found_again
        reader::an_entry_keeps_every_stamp
        reader::a_lease_is_granted_to_one_reader
        reader::a_forfeited_lease_frees_the_slot
        reader::a_lease_replaces_only_the_entry_its_reader_saw
        reader::only_the_lease_that_stands_may_fill
        reader::what_is_born_expired_is_not_there
        writer::a_fence_removes_the_entry_and_refuses_readers
        writer::a_fence_supersedes_a_lease
        writer::a_fence_stands_until_its_last_holder_releases
        writer::fencing_twice_is_fencing_once
        writer::releasing_twice_is_releasing_once
        writer::a_lost_fence_is_reported_and_empties_the_slot
        writer::many_cells_are_fenced_and_released_together
        writer::an_expired_fence_still_removed_what_the_cell_held
        table::a_fence_on_the_epoch_invalidates_every_row_under_it
        table::a_fence_on_the_epoch_supersedes_the_leases_under_it
        table::a_fenced_epoch_leaves_the_slot_free
        table::a_fence_on_presence_leaves_rows_alone
        table::an_address_without_epoch_is_filled_and_fenced_alone
        many::many_slots_are_seen_as_each_alone
        many::many_leases_are_granted_one_by_one
        many::many_fills_are_judged_one_by_one
        many::a_fence_on_an_epoch_refuses_the_fills_of_many
        many::very_many_slots_are_leased_filled_and_seen
        table::a_namespace_belongs_to_the_first_database
        schema::leases_and_fences_tell_the_generation
        schema::nothing_is_leased_while_the_schema_changes
        schema::a_change_of_the_schema_moves_its_generation_on
        schema::a_record_is_valid_under_its_generation
    }
}

struct Fixture {
    store: Arc<dyn Store>,
    check: &'static str,
    namespace: Namespace,
    table: TableKeys,
}

impl Fixture {
    fn new(store: Arc<dyn Store>, check: &'static str) -> Self {
        let namespace = Namespace::new(format!("conformance-{:016x}", Token::random().0))
            .expect("letters and digits make a valid prefix");
        let table = TableKeys::new(&namespace, "product");
        Fixture { store, check, namespace, table }
    }

    fn schema(&self) -> Key {
        self.namespace.schema()
    }

    fn row(&self, id: i128) -> Address {
        self.table.row(&RowKey::default().with_integer(id))
    }

    fn epoch(&self, id: i128) -> Key {
        self.row(id).epoch.expect("rows have an epoch")
    }

    fn rule(&self, holds: bool, rule: &str) {
        assert!(holds, "{}: {rule}, but not in {:?}", self.check, self.store);
    }

    /// The entry that a reader would serve: with the epoch and presence that stand now.
    async fn hit(&self, at: &Address) -> Option<Entry> {
        let seen = self.done(self.store.lookup(at).await);
        let entry = seen.entry?;
        let epoch_stands = at.epoch.is_none() || (entry.epoch.is_some() && entry.epoch == seen.epoch);
        let presence_stands = entry.presence.is_none() || entry.presence == seen.presence;
        (epoch_stands && presence_stands).then_some(entry)
    }

    async fn try_lease(&self, at: &Address, replaces: Option<Token>) -> Option<Grant> {
        self.done(self.store.lease(&self.schema(), at, replaces, LONG).await)
    }

    async fn lease(&self, at: &Address) -> Grant {
        self.try_lease(at, None)
            .await
            .unwrap_or_else(|| panic!("{}: an empty slot is leased, but not in {:?}", self.check, self.store))
    }

    async fn fill(&self, at: &Address, entry: Entry) -> bool {
        self.done(self.store.fill(at, entry, LONG).await)
    }

    /// Leases and fills.
    async fn put(&self, at: &Address, text: &'static str) -> Entry {
        let entry = row(&self.lease(at).await, text);
        self.rule(self.fill(at, entry.clone()).await, "a standing lease is filled");
        entry
    }

    async fn fence(&self, cells: &[Key], writer: Writer) {
        self.done(self.store.fence(&self.schema(), cells, writer, LONG).await);
    }

    /// How many of the fences were lost.
    async fn release(&self, cells: &[Key], writer: Writer) -> usize {
        self.done(self.store.release(cells, writer).await)
    }

    fn done<T>(&self, answer: Result<T, StoreError>) -> T {
        answer.unwrap_or_else(|error| panic!("{}: {error} ({:?})", self.check, self.store))
    }
}

fn row(grant: &Grant, text: &'static str) -> Entry {
    Entry {
        token: grant.token,
        epoch: grant.epoch,
        presence: None,
        fingerprint: Fingerprint(7),
        payload: Payload::Encoded(Bytes::from_static(text.as_bytes())),
    }
}

fn absent(grant: &Grant) -> Entry {
    Entry { presence: grant.presence, ..row(grant, "key") }
}
