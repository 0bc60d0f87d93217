//! Epochs, presence and namespaces: what the slots of a table share.

use super::{Fixture, WRITER, absent, row};
use crate::{
    entry::{Entry, Epoch},
    key::RowKey,
    store::Claim,
};

pub(super) async fn a_fence_on_the_epoch_invalidates_every_row_under_it(fix: &Fixture) {
    let at = fix.row(1);
    let before = fix.put(&at, "old").await;
    let cells = [fix.epoch(1)];
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.hit(&at).await.is_none(), "no row is a hit under a fenced epoch");
    fix.rule(fix.release(&cells, WRITER).await == 0, "a standing fence is not reported lost");
    fix.rule(fix.hit(&at).await.is_none(), "a missing epoch is a miss");
    let grant = fix.try_lease(&at, Some(before.token)).await;
    fix.rule(
        grant.is_some_and(|grant| grant.epoch.is_some() && grant.epoch != before.epoch),
        "an epoch that was fenced restarts at another number",
    );
}

pub(super) async fn a_fence_on_the_epoch_supersedes_the_leases_under_it(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [fix.epoch(1)];
    let grant = fix.lease(&at).await;
    fix.fence(&cells, WRITER).await;
    fix.rule(!fix.fill(&at, row(&grant, "old")).await, "a fill under a fenced epoch is refused");
    fix.release(&cells, WRITER).await;
    fix.rule(!fix.fill(&at, row(&grant, "old")).await, "a fill under an epoch that is gone is refused");
    let grant = fix.lease(&at).await;
    let stale = Entry { epoch: grant.epoch.map(|epoch| Epoch(epoch.0 ^ 1)), ..row(&grant, "old") };
    fix.rule(!fix.fill(&at, stale).await, "a fill under another epoch is refused");
    fix.rule(!fix.fill(&at, row(&grant, "old")).await, "a refused epoch forfeits the lease");
    fix.put(&at, "new").await;
}

pub(super) async fn a_fenced_epoch_leaves_the_slot_free(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [fix.epoch(1)];
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.try_lease(&at, None).await.is_none(), "no slot is leased under a fenced epoch");
    fix.release(&cells, WRITER).await;
    fix.put(&at, "one").await;
}

pub(super) async fn a_fence_on_presence_leaves_rows_alone(fix: &Fixture) {
    let (here, gone) = (fix.row(1), fix.row(2));
    let entry = fix.put(&here, "one").await;
    let grant = fix.lease(&gone).await;
    fix.rule(fix.fill(&gone, absent(&grant)).await, "an absent entry is filled");
    fix.rule(fix.hit(&gone).await.is_some(), "an absent entry is a hit");
    let cells = [fix.table.presence().clone()];
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.hit(&here).await == Some(entry), "a row is a hit while presence is fenced");
    fix.rule(fix.hit(&gone).await.is_none(), "no absent entry is a hit while presence is fenced");
    let under_fence = fix.lease(&fix.row(3)).await;
    fix.rule(under_fence.presence.is_none(), "a fenced presence stamps no entries");
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
    fix.rule(fix.hit(&gone).await.is_none(), "an absent entry from before a write is no hit after it");
}

pub(super) async fn an_address_without_epoch_is_filled_and_fenced_alone(fix: &Fixture) {
    let alias = fix.table.alias("sku", &RowKey::default().with_text("A-1"));
    let all = fix.table.all();
    for at in [&alias, &all] {
        let grant = fix.lease(at).await;
        fix.rule(grant.epoch.is_none(), "a slot without an epoch cell is granted no epoch");
        fix.rule(
            grant.presence.is_some() == at.presence.is_some(),
            "presence is granted where there is a cell",
        );
        let entry = row(&grant, "~A-1");
        fix.rule(fix.fill(at, entry.clone()).await, "a slot without an epoch cell is filled");
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
    fix.rule(fix.hit(&alias).await.is_some(), "a fence removes its own cells only");
}

pub(super) async fn a_namespace_belongs_to_the_first_database(fix: &Fixture) {
    let claim = async |namespace, identity| fix.done(fix.store.claim(namespace, identity).await);
    fix.rule(claim(&fix.namespace, "one").await == Claim::Held, "the first database claims the namespace");
    fix.rule(claim(&fix.namespace, "one").await == Claim::Held, "a database keeps its namespace");
    fix.rule(
        claim(&fix.namespace, "two").await == Claim::Taken("one".to_owned()),
        "a second database is refused and told whose it is",
    );
    let next = fix.namespace.clone().with_version(2);
    fix.rule(claim(&next, "two").await == Claim::Held, "another version is another namespace");
}
