//! Several slots in one call.

use super::{Fixture, LONG, WRITER, absent, row};
use crate::{
    key::Address,
    store::{FillRequest, LeaseRequest},
};

/// More than any store handles in one go.
const VERY_MANY: i128 = 2500;

impl Fixture {
    fn rows(&self, ids: impl IntoIterator<Item = i128>) -> Vec<Address> {
        ids.into_iter().map(|id| self.row(id)).collect()
    }
}

fn wishes(at: &[Address]) -> Vec<LeaseRequest<'_>> {
    at.iter().map(|at| LeaseRequest { at, replaces: None }).collect()
}

pub(super) async fn many_slots_are_seen_as_each_alone(fix: &Fixture) {
    let filled = fix.put(&fix.row(1), "one").await;
    let at = fix.row(2);
    let gone = absent(&fix.lease(&at).await);
    fix.rule(fix.fill(&at, gone.clone()).await, "an absent entry is filled");
    let all = fix.table.all();
    let list = fix.put(&all, "all").await;
    let alias = fix.table.alias("sku", &crate::key::RowKey::default().with_text("A-1"));
    let (one, two, three) = (fix.row(1), fix.row(2), fix.row(3));
    let asked = [&three, &two, &one, &all, &alias, &two];
    let seen = fix.done(fix.store.lookup_many(&asked).await).seen;
    fix.rule(seen.len() == asked.len(), "there is one sighting for each slot");
    for (at, seen) in asked.iter().zip(&seen) {
        let alone = fix.done(fix.store.lookup(at).await);
        fix.rule(*seen == alone, "a slot is seen among others as it is seen alone");
    }
    let entries: Vec<_> = seen.into_iter().map(|seen| seen.entry).collect();
    let expected = [None, Some(gone.clone()), Some(filled), Some(list), None, Some(gone)];
    fix.rule(entries == expected, "sightings come in the order asked");
    let nothing = fix.done(fix.store.lookup_many(&[]).await);
    fix.rule(nothing.seen.is_empty(), "nothing asked, nothing seen");
}

pub(super) async fn many_leases_are_granted_one_by_one(fix: &Fixture) {
    let at = fix.rows(1..=4);
    let entry = fix.put(&at[0], "one").await;
    fix.lease(&at[1]).await;
    fix.fence(std::slice::from_ref(&at[2].slot), WRITER).await;
    let mut wanted = wishes(&at);
    let grants = fix.done(fix.store.lease_many(&fix.schema(), &wanted, LONG).await);
    let granted: Vec<_> = grants.iter().map(Option::is_some).collect();
    fix.rule(
        granted == [false, false, false, true],
        "filled, leased and fenced slots are refused, others not",
    );
    wanted.truncate(1);
    wanted[0].replaces = Some(entry.token);
    let grants = fix.done(fix.store.lease_many(&fix.schema(), &wanted, LONG).await);
    fix.rule(grants[0].is_some(), "the entry that a reader saw may be replaced");
    fix.rule(fix.done(fix.store.lease_many(&fix.schema(), &[], LONG).await).is_empty(), "no wish, no grant");
}

pub(super) async fn many_fills_are_judged_one_by_one(fix: &Fixture) {
    let at = fix.rows(1..=3);
    let grants = fix.done(fix.store.lease_many(&fix.schema(), &wishes(&at), LONG).await);
    let grants: Vec<_> = grants.into_iter().flatten().collect();
    fix.rule(grants.len() == 3, "empty slots are leased");
    let tokens = [grants[0].token, grants[1].token, grants[2].token];
    fix.rule(tokens[0] != tokens[1] && tokens[1] != tokens[2], "two leases never share a token");
    fix.fence(std::slice::from_ref(&at[1].slot), WRITER).await;
    let entries = [row(&grants[0], "one"), row(&grants[1], "two"), absent(&grants[2])];
    let filled =
        at.iter().zip(&entries).map(|(at, entry)| FillRequest { at, entry: entry.clone(), ttl: LONG });
    let stored = fix.done(fix.store.fill_many(filled.collect()).await);
    fix.rule(
        stored == [true, false, true],
        "a fill is refused where a fence overtook its lease, and only there",
    );
    fix.rule(fix.hit(&at[0]).await == Some(entries[0].clone()), "what was stored is found");
    fix.rule(fix.hit(&at[1]).await.is_none(), "what was refused is not");
    fix.rule(fix.hit(&at[2]).await == Some(entries[2].clone()), "an absent entry is stored too");
    fix.rule(fix.done(fix.store.fill_many(Vec::new()).await).is_empty(), "nothing filled, nothing stored");
}

pub(super) async fn a_fence_on_an_epoch_refuses_the_fills_of_many(fix: &Fixture) {
    let at = fix.rows(1..=20);
    let grants = fix.done(fix.store.lease_many(&fix.schema(), &wishes(&at), LONG).await);
    let fenced = fix.epoch(7);
    fix.fence(std::slice::from_ref(&fenced), WRITER).await;
    let filled = at.iter().zip(grants.iter().flatten());
    let filled = filled.map(|(at, grant)| FillRequest { at, entry: row(grant, "row"), ttl: LONG });
    let stored = fix.done(fix.store.fill_many(filled.collect()).await);
    for (at, stored) in at.iter().zip(stored) {
        fix.rule(
            stored != (at.epoch.as_ref() == Some(&fenced)),
            "the fenced epoch's rows are refused, others not",
        );
    }
}

pub(super) async fn very_many_slots_are_leased_filled_and_seen(fix: &Fixture) {
    let at = fix.rows(1..=VERY_MANY);
    let grants = fix.done(fix.store.lease_many(&fix.schema(), &wishes(&at), LONG).await);
    let filled = at.iter().zip(grants.iter().flatten());
    let filled: Vec<_> =
        filled.map(|(at, grant)| FillRequest { at, entry: row(grant, "x"), ttl: LONG }).collect();
    fix.rule(filled.len() == at.len(), "every empty slot is leased");
    let stored = fix.done(fix.store.fill_many(filled).await);
    fix.rule(stored.len() == at.len() && stored.iter().all(|stored| *stored), "every lease is filled");
    let seen = fix.done(fix.store.lookup_many(&at.iter().collect::<Vec<_>>()).await).seen;
    let found = seen.iter().zip(&grants).all(|(seen, grant)| {
        seen.entry.as_ref().map(|entry| entry.token) == grant.as_ref().map(|grant| grant.token)
    });
    fix.rule(found && seen.len() == at.len(), "each slot holds its own entry");
}
