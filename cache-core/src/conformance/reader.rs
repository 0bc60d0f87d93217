//! Lookup, lease, fill and forfeit on one slot.

use bytes::Bytes;

use super::{EXPIRED, Fixture, absent, row};
use crate::{
    entry::{Entry, Epoch, Fingerprint, Generation, Payload, Token},
    store::Grant,
};

pub(super) async fn an_unknown_slot_is_empty(fix: &Fixture) {
    let seen = fix.done(fix.store.lookup(&fix.row(1)).await);
    fix.rule(seen.entry.is_none(), "an unknown slot holds nothing");
    fix.rule(seen.epoch.is_none() && seen.presence.is_none(), "a lookup starts no epochs");
    fix.done(fix.store.forfeit(&fix.row(1), Token(1)).await);
}

pub(super) async fn a_filled_entry_is_found_again(fix: &Fixture) {
    let at = fix.row(1);
    let entry = fix.put(&at, "one").await;
    fix.rule(fix.hit(&at).await == Some(entry), "a filled entry is a hit");
    fix.rule(fix.hit(&fix.row(2)).await.is_none(), "a slot holds its own entry only");
}

pub(super) async fn an_entry_keeps_every_stamp(fix: &Fixture) {
    let at = fix.row(1);
    let grant = fix.lease(&at).await;
    fix.rule(grant.epoch.is_some() && grant.presence.is_some(), "a grant has an epoch and a presence");
    let entry = Entry {
        fingerprint: Fingerprint(u64::MAX),
        payload: Payload::Encoded(Bytes::from((0..=255).collect::<Vec<u8>>())),
        ..absent(&grant)
    };
    fix.rule(fix.fill(&at, entry.clone()).await, "an absent entry is filled");
    let seen = fix.done(fix.store.lookup(&at).await);
    fix.rule(seen.entry == Some(entry), "an entry comes back as it was filled");
    fix.rule(seen.epoch == grant.epoch, "a lookup shows the epoch that was granted");
    fix.rule(seen.presence == grant.presence, "a lookup shows the presence that was granted");
}

pub(super) async fn a_lease_is_granted_to_one_reader(fix: &Fixture) {
    let at = fix.row(1);
    let first = fix.lease(&at).await;
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a leased slot is leased once");
    fix.rule(fix.try_lease(&at, Some(first.token)).await.is_none(), "a lease is not an entry to be replaced");
    fix.rule(fix.hit(&at).await.is_none(), "a leased slot holds no entry");
    fix.rule(fix.fill(&at, row(&first, "one")).await, "a refused reader does not disturb the lease");
}

pub(super) async fn a_forfeited_lease_frees_the_slot(fix: &Fixture) {
    let at = fix.row(1);
    let first = fix.lease(&at).await;
    fix.done(fix.store.forfeit(&at, Token(first.token.0 ^ 1)).await);
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a lease is forfeited by its own token only");
    fix.done(fix.store.forfeit(&at, first.token).await);
    fix.done(fix.store.forfeit(&at, first.token).await);
    let second = fix.lease(&at).await;
    fix.rule(second.token != first.token, "two leases never share a token");
    fix.rule(
        second.epoch == first.epoch && second.presence == first.presence,
        "epochs stay until they are fenced",
    );
    fix.rule(!fix.fill(&at, row(&first, "old")).await, "a forfeited lease fills nothing");
    let entry = row(&second, "one");
    fix.rule(fix.fill(&at, entry.clone()).await, "the lease after a forfeited one is filled");
    fix.done(fix.store.forfeit(&at, second.token).await);
    fix.rule(fix.hit(&at).await == Some(entry), "forfeiting a used lease leaves its entry");
}

pub(super) async fn a_lease_replaces_only_the_entry_its_reader_saw(fix: &Fixture) {
    let at = fix.row(1);
    let entry = fix.put(&at, "one").await;
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a filled slot is not leased");
    let other = Token(entry.token.0 ^ 1);
    fix.rule(fix.try_lease(&at, Some(other)).await.is_none(), "another's fill is not replaced");
    fix.rule(fix.hit(&at).await == Some(entry.clone()), "a refused lease leaves the entry");
    let grant = fix.try_lease(&at, Some(entry.token)).await;
    fix.rule(grant.is_some(), "the entry that the reader saw is replaced");
    fix.rule(fix.hit(&at).await.is_none(), "a lease removes the entry it replaces");
}

pub(super) async fn only_the_lease_that_stands_may_fill(fix: &Fixture) {
    let at = fix.row(1);
    let never = Grant { token: Token(1), epoch: Some(Epoch(1)), presence: None, generation: Generation(1) };
    fix.rule(!fix.fill(&at, row(&never, "zero")).await, "a fill without a lease is refused");
    let grant = fix.lease(&at).await;
    let stranger = Entry { token: Token(grant.token.0 ^ 1), ..row(&grant, "zero") };
    fix.rule(!fix.fill(&at, stranger).await, "a fill under another's lease is refused");
    let entry = row(&grant, "one");
    fix.rule(fix.fill(&at, entry.clone()).await, "a refused fill leaves the lease");
    let again = row(&grant, "two");
    fix.rule(!fix.fill(&at, again).await, "a lease is filled once");
    fix.rule(fix.hit(&at).await == Some(entry), "a refused fill stores nothing");
}

pub(super) async fn what_is_born_expired_is_not_there(fix: &Fixture) {
    let at = fix.row(1);
    let expired = fix.done(fix.store.lease(&fix.schema(), &at, None, EXPIRED).await);
    fix.rule(expired.is_some(), "a lease is granted however short");
    let grant = fix.lease(&at).await;
    fix.rule(expired.is_some_and(|old| old.token != grant.token), "an expired lease makes room for another");
    let filled = fix.done(fix.store.fill(&at, row(&grant, "one"), EXPIRED).await);
    fix.rule(filled, "an entry is stored however short-lived");
    fix.rule(fix.hit(&at).await.is_none(), "an expired entry is no hit");
    fix.put(&at, "two").await;
}
