//! Fence and release on slots.

use super::{EXPIRED, Fixture, OTHER_WRITER, WRITER, row};
use crate::entry::Writer;

pub(super) async fn a_fence_removes_the_entry_and_refuses_readers(fix: &Fixture) {
    let at = fix.row(1);
    fix.put(&at, "one").await;
    let cells = [at.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.hit(&at).await.is_none(), "a fenced slot is no hit");
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a fenced slot is not leased");
    fix.rule(fix.release(&cells, WRITER).await == 0, "a standing fence is not reported lost");
    fix.rule(fix.hit(&at).await.is_none(), "a released slot does not get its old entry back");
    fix.put(&at, "two").await;
}

pub(super) async fn a_fence_supersedes_a_lease(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    let grant = fix.lease(&at).await;
    fix.fence(&cells, WRITER).await;
    fix.rule(!fix.fill(&at, row(&grant, "old")).await, "a fill under a fence is refused");
    fix.release(&cells, WRITER).await;
    fix.rule(!fix.fill(&at, row(&grant, "old")).await, "a fill after a fence is refused");
    fix.rule(fix.hit(&at).await.is_none(), "what was loaded before a write is never served");
}

pub(super) async fn a_fence_stands_until_its_last_holder_releases(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    let writers = || (1..=50).map(Writer);
    for writer in writers() {
        fix.fence(&cells, writer).await;
    }
    for writer in writers() {
        fix.rule(fix.try_lease(&at, None).await.is_none(), "a fence stands while a holder is left");
        fix.rule(fix.release(&cells, writer).await == 0, "each holder finds its own fence");
    }
    fix.put(&at, "one").await;
}

pub(super) async fn fencing_twice_is_fencing_once(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.fence(&cells, WRITER).await;
    fix.rule(fix.release(&cells, WRITER).await == 0, "a repeated fence is released");
    fix.put(&at, "one").await;
}

pub(super) async fn releasing_twice_is_releasing_once(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone()];
    fix.fence(&cells, WRITER).await;
    fix.fence(&cells, OTHER_WRITER).await;
    fix.release(&cells, WRITER).await;
    fix.rule(fix.release(&cells, WRITER).await == 1, "a fence released already is reported lost");
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a repeated release leaves the other holder");
    fix.rule(fix.release(&cells, OTHER_WRITER).await == 0, "the other holder finds its own fence");
}

pub(super) async fn a_lost_fence_is_reported_and_empties_the_slot(fix: &Fixture) {
    let at = fix.row(1);
    let cells = [at.slot.clone(), fix.epoch(1)];
    fix.done(fix.store.fence(&fix.schema(), &cells, WRITER, EXPIRED).await);
    fix.put(&at, "old").await;
    fix.rule(fix.release(&cells, WRITER).await == 2, "an expired fence is reported lost");
    fix.rule(fix.hit(&at).await.is_none(), "an entry filled while the write was undecided is removed");
    let grant = fix.lease(&at).await;
    fix.fence(&cells[..1], WRITER).await;
    fix.rule(
        fix.release(&cells[..1], OTHER_WRITER).await == 1,
        "a fence that was never placed is reported lost",
    );
    fix.rule(!fix.fill(&at, row(&grant, "old")).await, "a release by another leaves the fence");
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a release by another leaves the fence");
}

pub(super) async fn many_cells_are_fenced_and_released_together(fix: &Fixture) {
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
    fix.rule(fix.try_lease(&fix.row(2000), None).await.is_none(), "an empty cell is fenced as well");
    fix.rule(fix.hit(&kept).await.is_some(), "no other cell is fenced");
    fix.rule(fix.release(&cells, WRITER).await == 0, "every fence is found again");
    fix.put(&fix.row(2000), "new").await;
    fix.fence(&[], WRITER).await;
    fix.rule(fix.release(&[], WRITER).await == 0, "a write that affects nothing fences nothing");
}

pub(super) async fn an_expired_fence_still_removed_what_the_cell_held(fix: &Fixture) {
    let at = fix.row(1);
    fix.put(&at, "old").await;
    let cells = [at.slot.clone()];
    fix.done(fix.store.fence(&fix.schema(), &cells, WRITER, EXPIRED).await);
    fix.rule(fix.hit(&at).await.is_none(), "a fence removes the entry");
    fix.fence(&cells, OTHER_WRITER).await;
    fix.done(fix.store.fence(&fix.schema(), &cells, WRITER, EXPIRED).await);
    fix.rule(fix.try_lease(&at, None).await.is_none(), "a holder that expired leaves the others");
    fix.rule(fix.release(&cells, OTHER_WRITER).await == 0, "a standing fence is not reported lost");
    fix.put(&at, "new").await;
}
