//! The schema's generation: what leases and fences tell of it, and what moves it on.

use super::{Fixture, LONG, OTHER_WRITER, WRITER, row};
use crate::{entry::Generation, store::LeaseRequest};

impl Fixture {
    async fn generation(&self) -> Option<Generation> {
        self.done(self.store.generation(&self.schema()).await)
    }
}

pub(super) async fn leases_and_fences_tell_the_generation(fix: &Fixture) {
    let generation = fix.generation().await;
    fix.rule(generation.is_some(), "a missing generation is started");
    fix.rule(fix.generation().await == generation, "it stays until the schema changes");
    fix.rule(Some(fix.lease(&fix.row(1)).await.generation) == generation, "a lease is granted under it");
    let seen = fix.done(fix.store.fence(&fix.schema(), &[fix.row(2).slot], WRITER, LONG).await);
    fix.rule(seen == generation, "a fence is answered with it");
    let seen = fix.done(fix.store.fence(&fix.schema(), &[], WRITER, LONG).await);
    fix.rule(seen == generation, "so is a fence of nothing");
}

pub(super) async fn nothing_is_leased_while_the_schema_changes(fix: &Fixture) {
    let (schema, at) = (fix.schema(), fix.row(1));
    let cells = [schema.clone()];
    let seen = fix.done(fix.store.fence(&schema, &cells, WRITER, LONG).await);
    fix.rule(seen.is_none(), "who changes the schema is told no generation");
    let seen = fix.done(fix.store.fence(&schema, &[fix.row(2).slot], OTHER_WRITER, LONG).await);
    fix.rule(seen.is_none(), "nor is any other writer");
    fix.rule(fix.generation().await.is_none(), "nor who asks for it alone");
    fix.rule(fix.try_lease(&at, None).await.is_none(), "nothing is leased");
    let wishes = [LeaseRequest { at: &at, replaces: None }];
    let grants = fix.done(fix.store.lease_many(&schema, &wishes, LONG).await);
    fix.rule(grants == [None], "nor is any of several slots");
    fix.release(&cells, WRITER).await;
    fix.put(&at, "one").await;
}

pub(super) async fn a_change_of_the_schema_moves_its_generation_on(fix: &Fixture) {
    let before = fix.generation().await;
    let cells = [fix.schema()];
    fix.fence(&cells, WRITER).await;
    fix.fence(&cells, OTHER_WRITER).await;
    fix.rule(fix.release(&cells, WRITER).await == 0, "a standing fence is not reported lost");
    fix.rule(fix.generation().await.is_none(), "the schema changes until the last one is done");
    fix.release(&cells, OTHER_WRITER).await;
    let after = fix.generation().await;
    fix.rule(after.is_some() && after != before, "it is of another generation then");
}

pub(super) async fn a_record_is_valid_under_its_generation(fix: &Fixture) {
    let at = fix.namespace.schema_record("somebody");
    let entry = row(&fix.lease(&at).await, "what was seen");
    fix.rule(entry.epoch.map(|epoch| epoch.0) == fix.generation().await.map(|number| number.0), "one number");
    fix.rule(fix.fill(&at, entry.clone()).await, "a record is kept");
    fix.rule(fix.hit(&at).await.as_ref() == Some(&entry), "and found");
    let cells = [fix.schema()];
    fix.fence(&cells, WRITER).await;
    fix.release(&cells, WRITER).await;
    fix.rule(fix.hit(&at).await.is_none(), "until the schema changes");
    fix.rule(fix.try_lease(&at, Some(entry.token)).await.is_some(), "then it is replaced");
}
