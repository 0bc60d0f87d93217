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

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    entry::{Entry, Epoch, Fingerprint, Payload, Token, Writer},
    key::{Address, Key, Namespace, RowKey, TableKeys},
    store::{Claim, Grant, Store},
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
        ($($check:ident)*) => {$(
            $check(&Fixture::new(make().await, stringify!($check))).await;
        )*};
    }
    run! {
        an_unknown_slot_is_empty
        a_filled_entry_is_found_again
        an_entry_keeps_every_stamp
        a_lease_is_granted_to_one_reader
        a_forfeited_lease_frees_the_slot
        a_lease_replaces_only_the_entry_its_reader_saw
        only_the_lease_that_stands_may_fill
        a_fence_removes_the_entry_and_refuses_readers
        a_fence_supersedes_a_lease
        a_fence_stands_until_its_last_holder_releases
        fencing_twice_is_fencing_once
        releasing_twice_is_releasing_once
        a_lost_fence_is_reported_and_empties_the_slot
        a_fence_on_the_epoch_invalidates_every_row_under_it
        a_fence_on_the_epoch_supersedes_the_leases_under_it
        a_fenced_epoch_leaves_the_slot_free
        a_fence_on_presence_leaves_rows_alone
        an_address_without_epoch_is_filled_and_fenced_alone
        many_cells_are_fenced_and_released_together
        what_is_born_expired_is_not_there
        an_expired_fence_still_removed_what_the_cell_held
        a_namespace_belongs_to_the_first_database
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
        Fixture {
            store,
            check,
            namespace,
            table,
        }
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
        self.done(self.store.lease(at, replaces, LONG).await)
    }

    async fn lease(&self, at: &Address) -> Grant {
        self.try_lease(at, None).await.unwrap_or_else(|| {
            panic!(
                "{}: an empty slot is leased, but not in {:?}",
                self.check, self.store
            )
        })
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
        self.done(self.store.fence(cells, writer, LONG).await);
    }

    /// How many of the fences were lost.
    async fn release(&self, cells: &[Key], writer: Writer) -> usize {
        self.done(self.store.release(cells, writer).await)
    }

    fn done<T>(&self, answer: Result<T, crate::store::StoreError>) -> T {
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
    Entry {
        presence: grant.presence,
        ..row(grant, "key")
    }
}

async fn an_unknown_slot_is_empty(fix: &Fixture) {
    let seen = fix.done(fix.store.lookup(&fix.row(1)).await);
    fix.rule(seen.entry.is_none(), "an unknown slot holds nothing");
    fix.rule(
        seen.epoch.is_none() && seen.presence.is_none(),
        "a lookup starts no epochs",
    );
    fix.done(fix.store.forfeit(&fix.row(1), Token(1)).await);
}

async fn a_filled_entry_is_found_again(fix: &Fixture) {
    let at = fix.row(1);
    let entry = fix.put(&at, "one").await;
    fix.rule(fix.hit(&at).await == Some(entry), "a filled entry is a hit");
    fix.rule(
        fix.hit(&fix.row(2)).await.is_none(),
        "a slot holds its own entry only",
    );
}

async fn an_entry_keeps_every_stamp(fix: &Fixture) {
    let at = fix.row(1);
    let grant = fix.lease(&at).await;
    fix.rule(
        grant.epoch.is_some() && grant.presence.is_some(),
        "a grant has an epoch and a presence",
    );
    let entry = Entry {
        fingerprint: Fingerprint(u64::MAX),
        payload: Payload::Encoded(Bytes::from((0..=255).collect::<Vec<u8>>())),
        ..absent(&grant)
    };
    fix.rule(fix.fill(&at, entry.clone()).await, "an absent entry is filled");
    let seen = fix.done(fix.store.lookup(&at).await);
    fix.rule(seen.entry == Some(entry), "an entry comes back as it was filled");
    fix.rule(
        seen.epoch == grant.epoch,
        "a lookup shows the epoch that was granted",
    );
    fix.rule(
        seen.presence == grant.presence,
        "a lookup shows the presence that was granted",
    );
}

async fn a_lease_is_granted_to_one_reader(fix: &Fixture) {
    let at = fix.row(1);
    let first = fix.lease(&at).await;
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a leased slot is leased once",
    );
    fix.rule(
        fix.try_lease(&at, Some(first.token)).await.is_none(),
        "a lease is not an entry to be replaced",
    );
    fix.rule(fix.hit(&at).await.is_none(), "a leased slot holds no entry");
    fix.rule(
        fix.fill(&at, row(&first, "one")).await,
        "a refused reader does not disturb the lease",
    );
}

async fn a_forfeited_lease_frees_the_slot(fix: &Fixture) {
    let at = fix.row(1);
    let first = fix.lease(&at).await;
    fix.done(fix.store.forfeit(&at, Token(first.token.0 ^ 1)).await);
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a lease is forfeited by its own token only",
    );
    fix.done(fix.store.forfeit(&at, first.token).await);
    fix.done(fix.store.forfeit(&at, first.token).await);
    let second = fix.lease(&at).await;
    fix.rule(second.token != first.token, "two leases never share a token");
    fix.rule(
        second.epoch == first.epoch && second.presence == first.presence,
        "epochs stay until they are fenced",
    );
    fix.rule(
        !fix.fill(&at, row(&first, "old")).await,
        "a forfeited lease fills nothing",
    );
    let entry = row(&second, "one");
    fix.rule(
        fix.fill(&at, entry.clone()).await,
        "the lease after a forfeited one is filled",
    );
    fix.done(fix.store.forfeit(&at, second.token).await);
    fix.rule(
        fix.hit(&at).await == Some(entry),
        "forfeiting a used lease leaves its entry",
    );
}

async fn a_lease_replaces_only_the_entry_its_reader_saw(fix: &Fixture) {
    let at = fix.row(1);
    let entry = fix.put(&at, "one").await;
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a filled slot is not leased",
    );
    let other = Token(entry.token.0 ^ 1);
    fix.rule(
        fix.try_lease(&at, Some(other)).await.is_none(),
        "another's fill is not replaced",
    );
    fix.rule(
        fix.hit(&at).await == Some(entry.clone()),
        "a refused lease leaves the entry",
    );
    let grant = fix.try_lease(&at, Some(entry.token)).await;
    fix.rule(grant.is_some(), "the entry that the reader saw is replaced");
    fix.rule(
        fix.hit(&at).await.is_none(),
        "a lease removes the entry it replaces",
    );
}

async fn only_the_lease_that_stands_may_fill(fix: &Fixture) {
    let at = fix.row(1);
    let never = Grant {
        token: Token(1),
        epoch: Some(Epoch(1)),
        presence: None,
    };
    fix.rule(
        !fix.fill(&at, row(&never, "zero")).await,
        "a fill without a lease is refused",
    );
    let grant = fix.lease(&at).await;
    let stranger = Entry {
        token: Token(grant.token.0 ^ 1),
        ..row(&grant, "zero")
    };
    fix.rule(
        !fix.fill(&at, stranger).await,
        "a fill under another's lease is refused",
    );
    let entry = row(&grant, "one");
    fix.rule(
        fix.fill(&at, entry.clone()).await,
        "a refused fill leaves the lease",
    );
    let again = row(&grant, "two");
    fix.rule(!fix.fill(&at, again).await, "a lease is filled once");
    fix.rule(fix.hit(&at).await == Some(entry), "a refused fill stores nothing");
}

async fn a_fence_removes_the_entry_and_refuses_readers(fix: &Fixture) {
    let at = fix.row(1);
    fix.put(&at, "one").await;
    let cells = [at.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.hit(&at).await.is_none(), "a fenced slot is no hit");
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a fenced slot is not leased",
    );
    fix.rule(
        fix.release(&cells, WRITER).await == 0,
        "a standing fence is not reported lost",
    );
    fix.rule(
        fix.hit(&at).await.is_none(),
        "a released slot does not get its old entry back",
    );
    fix.put(&at, "two").await;
}

async fn a_fence_supersedes_a_lease(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    let grant = fix.lease(&at).await;
    fix.fence(&cells, WRITER).await;
    fix.rule(
        !fix.fill(&at, row(&grant, "old")).await,
        "a fill under a fence is refused",
    );
    fix.release(&cells, WRITER).await;
    fix.rule(
        !fix.fill(&at, row(&grant, "old")).await,
        "a fill after a fence is refused",
    );
    fix.rule(
        fix.hit(&at).await.is_none(),
        "what was loaded before a write is never served",
    );
}

async fn a_fence_stands_until_its_last_holder_releases(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    let writers = || (1..=50).map(Writer);
    for writer in writers() {
        fix.fence(&cells, writer).await;
    }
    for writer in writers() {
        fix.rule(
            fix.try_lease(&at, None).await.is_none(),
            "a fence stands while a holder is left",
        );
        fix.rule(
            fix.release(&cells, writer).await == 0,
            "each holder finds its own fence",
        );
    }
    fix.put(&at, "one").await;
}

async fn fencing_twice_is_fencing_once(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.fence(&cells, WRITER).await;
    fix.rule(
        fix.release(&cells, WRITER).await == 0,
        "a repeated fence is released",
    );
    fix.put(&at, "one").await;
}

async fn releasing_twice_is_releasing_once(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.fence(&cells, OTHER_WRITER).await;
    fix.release(&cells, WRITER).await;
    fix.rule(
        fix.release(&cells, WRITER).await == 1,
        "a fence released already is reported lost",
    );
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a repeated release leaves the other holder",
    );
    fix.rule(
        fix.release(&cells, OTHER_WRITER).await == 0,
        "the other holder finds its own fence",
    );
}

async fn a_lost_fence_is_reported_and_empties_the_slot(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone(), fix.epoch(1)];
    fix.done(fix.store.fence(&cells, WRITER, EXPIRED).await);
    fix.put(&at, "old").await;
    fix.rule(
        fix.release(&cells, WRITER).await == 2,
        "an expired fence is reported lost",
    );
    fix.rule(
        fix.hit(&at).await.is_none(),
        "an entry filled while the write was undecided is removed",
    );
    let grant = fix.lease(&at).await;
    fix.fence(&cells[..1], WRITER).await;
    fix.rule(
        fix.release(&cells[..1], OTHER_WRITER).await == 1,
        "a fence that was never placed is reported lost",
    );
    fix.rule(
        !fix.fill(&at, row(&grant, "old")).await,
        "a release by another leaves the fence",
    );
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a release by another leaves the fence",
    );
}

async fn a_fence_on_the_epoch_invalidates_every_row_under_it(fix: &Fixture) {
    let at = fix.row(1);
    let before = fix.put(&at, "old").await;
    let cells = [fix.epoch(1)];
    fix.fence(&cells, WRITER).await;
    fix.rule(
        fix.hit(&at).await.is_none(),
        "no row is a hit under a fenced epoch",
    );
    fix.rule(
        fix.release(&cells, WRITER).await == 0,
        "a standing fence is not reported lost",
    );
    fix.rule(fix.hit(&at).await.is_none(), "a missing epoch is a miss");
    let grant = fix.try_lease(&at, Some(before.token)).await;
    fix.rule(
        grant.is_some_and(|grant| grant.epoch.is_some() && grant.epoch != before.epoch),
        "an epoch that was fenced restarts at another number",
    );
}

async fn a_fence_on_the_epoch_supersedes_the_leases_under_it(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [fix.epoch(1)];
    let grant = fix.lease(&at).await;
    fix.fence(&cells, WRITER).await;
    fix.rule(
        !fix.fill(&at, row(&grant, "old")).await,
        "a fill under a fenced epoch is refused",
    );
    fix.release(&cells, WRITER).await;
    fix.rule(
        !fix.fill(&at, row(&grant, "old")).await,
        "a fill under an epoch that is gone is refused",
    );
    let grant = fix.lease(&at).await;
    let stale = Entry {
        epoch: grant.epoch.map(|epoch| Epoch(epoch.0 ^ 1)),
        ..row(&grant, "old")
    };
    fix.rule(
        !fix.fill(&at, stale).await,
        "a fill under another epoch is refused",
    );
    fix.rule(
        !fix.fill(&at, row(&grant, "old")).await,
        "a refused epoch forfeits the lease",
    );
    fix.put(&at, "new").await;
}

async fn a_fenced_epoch_leaves_the_slot_free(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [fix.epoch(1)];
    fix.fence(&cells, WRITER).await;
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "no slot is leased under a fenced epoch",
    );
    fix.release(&cells, WRITER).await;
    fix.put(&at, "one").await;
}

async fn a_fence_on_presence_leaves_rows_alone(fix: &Fixture) {
    let (here, gone) = (fix.row(1), fix.row(2));
    let entry = fix.put(&here, "one").await;
    let grant = fix.lease(&gone).await;
    fix.rule(fix.fill(&gone, absent(&grant)).await, "an absent entry is filled");
    fix.rule(fix.hit(&gone).await.is_some(), "an absent entry is a hit");
    let cells = [fix.table.presence().clone()];
    fix.fence(&cells, WRITER).await;
    fix.rule(
        fix.hit(&here).await == Some(entry),
        "a row is a hit while presence is fenced",
    );
    fix.rule(
        fix.hit(&gone).await.is_none(),
        "no absent entry is a hit while presence is fenced",
    );
    let under_fence = fix.lease(&fix.row(3)).await;
    fix.rule(
        under_fence.presence.is_none(),
        "a fenced presence stamps no entries",
    );
    fix.rule(
        fix.fill(&fix.row(3), row(&under_fence, "three")).await,
        "a row is filled while presence is fenced",
    );
    fix.release(&cells, WRITER).await;
    let after = fix.lease(&fix.row(4)).await;
    fix.rule(
        after.presence.is_some() && after.presence != grant.presence,
        "presence that was fenced restarts at another number",
    );
    fix.rule(
        fix.hit(&gone).await.is_none(),
        "an absent entry from before a write is no hit after it",
    );
}

async fn an_address_without_epoch_is_filled_and_fenced_alone(fix: &Fixture) {
    let alias = fix.table.alias("sku", &RowKey::default().with_text("A-1"));
    let all = fix.table.all();
    for at in [&alias, &all] {
        let grant = fix.lease(at).await;
        fix.rule(
            grant.epoch.is_none(),
            "a slot without an epoch cell is granted no epoch",
        );
        fix.rule(
            grant.presence.is_some() == at.presence.is_some(),
            "presence is granted where there is a cell",
        );
        let entry = row(&grant, "~A-1");
        fix.rule(
            fix.fill(at, entry.clone()).await,
            "a slot without an epoch cell is filled",
        );
        let seen = fix.done(fix.store.lookup(at).await);
        fix.rule(seen.entry == Some(entry), "a slot without an epoch cell is a hit");
        fix.rule(
            seen.epoch.is_none() && seen.presence == grant.presence,
            "a lookup shows the cells of its address",
        );
    }
    let cells = [all.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.hit(&all).await.is_none(), "a fenced slot is no hit");
    fix.rule(
        fix.hit(&alias).await.is_some(),
        "a fence removes its own cells only",
    );
}

async fn many_cells_are_fenced_and_released_together(fix: &Fixture) {
    let kept = fix.row(0);
    fix.put(&kept, "zero").await;
    let rows: Vec<_> = (1..=20).map(|id| fix.row(id)).collect();
    for at in &rows {
        fix.put(at, "old").await;
    }
    let cells: Vec<_> = (1..=2000).map(|id| fix.row(id).slot).collect();
    fix.fence(&cells, WRITER).await;
    for at in &rows {
        fix.rule(fix.hit(at).await.is_none(), "every cell is fenced");
    }
    fix.rule(
        fix.try_lease(&fix.row(2000), None).await.is_none(),
        "an empty cell is fenced as well",
    );
    fix.rule(fix.hit(&kept).await.is_some(), "no other cell is fenced");
    fix.rule(
        fix.release(&cells, WRITER).await == 0,
        "every fence is found again",
    );
    fix.put(&fix.row(2000), "new").await;
    fix.fence(&[], WRITER).await;
    fix.rule(
        fix.release(&[], WRITER).await == 0,
        "a write that affects nothing fences nothing",
    );
}

async fn what_is_born_expired_is_not_there(fix: &Fixture) {
    let at = fix.row(1);
    let expired = fix.done(fix.store.lease(&at, None, EXPIRED).await);
    fix.rule(expired.is_some(), "a lease is granted however short");
    let grant = fix.lease(&at).await;
    fix.rule(
        expired.is_some_and(|old| old.token != grant.token),
        "an expired lease makes room for another",
    );
    let filled = fix.done(fix.store.fill(&at, row(&grant, "one"), EXPIRED).await);
    fix.rule(filled, "an entry is stored however short-lived");
    fix.rule(fix.hit(&at).await.is_none(), "an expired entry is no hit");
    fix.put(&at, "two").await;
}

async fn an_expired_fence_still_removed_what_the_cell_held(fix: &Fixture) {
    let at = fix.row(1);
    fix.put(&at, "old").await;
    let cells = [at.slot.clone()];
    fix.done(fix.store.fence(&cells, WRITER, EXPIRED).await);
    fix.rule(fix.hit(&at).await.is_none(), "a fence removes the entry");
    fix.fence(&cells, OTHER_WRITER).await;
    fix.done(fix.store.fence(&cells, WRITER, EXPIRED).await);
    fix.rule(
        fix.try_lease(&at, None).await.is_none(),
        "a holder that expired leaves the others",
    );
    fix.rule(
        fix.release(&cells, OTHER_WRITER).await == 0,
        "a standing fence is not reported lost",
    );
    fix.put(&at, "new").await;
}

async fn a_namespace_belongs_to_the_first_database(fix: &Fixture) {
    let claim = async |namespace, identity| fix.done(fix.store.claim(namespace, identity).await);
    fix.rule(
        claim(&fix.namespace, "one").await == Claim::Held,
        "the first database claims the namespace",
    );
    fix.rule(
        claim(&fix.namespace, "one").await == Claim::Held,
        "a database keeps its namespace",
    );
    fix.rule(
        claim(&fix.namespace, "two").await == Claim::Taken("one".to_owned()),
        "a second database is refused and told whose it is",
    );
    let next = fix.namespace.clone().with_version(2);
    fix.rule(
        claim(&next, "two").await == Claim::Held,
        "another version is another namespace",
    );
}
