//! The fence of a write: placed ahead of it, or of what is written already, as far as the schema is known.

use std::sync::{Arc, atomic::Ordering};

use cache_core::{
    cache::Refused,
    entry::Generation,
    fence::{Affected, Fence},
    settings::Unreachable,
};
use sea_orm::DbErr;

use crate::{
    classify::Class,
    context::{Context, extent},
    eligibility::Eligibility,
    error::CacheErr,
    write::outcome::is_decided,
};

/// What was learned of the schema is forgotten when this is dropped, so also when the statement's caller
/// vanishes: the database may carry it out all the same.
#[must_use = "the schema is forgotten when this is dropped"]
pub(crate) struct SchemaChange {
    shared: Arc<Context>,
    /// The write's cells have no names: nothing was ever learned. Whoever learns invalidates everything.
    unnamed: bool,
}

impl SchemaChange {
    /// Set if a statement of this class may change the schema (a procedure may hide DDL), or is a write that
    /// can't be fenced because nothing is known of the schema.
    pub(crate) fn by(shared: &Arc<Context>, class: &Class) -> Option<Self> {
        let may = matches!(class, Class::Schema | Class::Session | Class::Unknown | Class::UnknownSchema);
        if may { Some(SchemaChange::of(shared)) } else { SchemaChange::unnamed(shared) }
    }

    /// Set if a write can't be fenced because nothing is known of the schema.
    pub(crate) fn unnamed(shared: &Arc<Context>) -> Option<Self> {
        (!shared.names_cells()).then(|| SchemaChange::of(shared))
    }

    /// The write's cells have got names meanwhile, and are fenced.
    pub(crate) fn is_named(&mut self) {
        self.unnamed = false;
    }

    /// Set in any case.
    pub(crate) fn of(shared: &Arc<Context>) -> Self {
        SchemaChange { shared: shared.clone(), unnamed: !shared.names_cells() }
    }

    /// Forgets at once what was learned.
    pub(crate) fn forget(&self) {
        self.shared.forget();
    }
}

impl Drop for SchemaChange {
    fn drop(&mut self) {
        if self.unnamed {
            self.shared.unnamed_writes.fetch_add(1, Ordering::AcqRel);
        }
        self.forget();
    }
}

/// So often the schema may change while one write is being fenced.
const CHANGES: usize = 3;

/// Fences what a write affects, as `by` tells from what is known of the schema. Where the store knows of a change of
/// it, it is learned anew, and what the write affects besides is fenced too.
///
/// # Errors
/// [`CacheErr`] under the policy `Refuse` when the store can't be reached, or nothing is known of the schema.
pub(crate) async fn fence(
    shared: &Arc<Context>,
    eligibility: &Eligibility,
    by: impl Fn(&Eligibility) -> Affected,
) -> Result<Fence, DbErr> {
    names_what_it_changes(shared)?;
    Fencing::learning(shared, Stage::Ahead, eligibility, by).await.unless_refused().await
}

/// The same for what is written already: it can't be refused any more, and is bypassed until it has been invalidated.
/// What [`fence`] would have given comes beside the fence.
pub(crate) async fn fence_written(
    shared: &Arc<Context>,
    eligibility: &Eligibility,
    by: impl Fn(&Eligibility) -> Affected,
) -> (Fence, Result<(), Refused>) {
    let fencing = Fencing::learning(shared, Stage::Written, eligibility, by).await;
    (fencing.fence, fencing.refused.map_or(Ok(()), Err))
}

/// The same for what was told from knowledge of this generation of the schema, inside a transaction: nothing can be
/// learned on what may be the pool's only connection. Where the store knows of a change of the schema, everything is
/// fenced.
///
/// # Errors
/// As [`fence`].
pub(crate) async fn fence_in_transaction(
    shared: &Context,
    generation: Option<Generation>,
    affected: Affected,
) -> Result<Fence, DbErr> {
    names_what_it_changes(shared)?;
    Fencing::without_learning(shared, Stage::Ahead, generation, affected).await.unless_refused().await
}

/// The same for what is written already, as [`fence_written`].
pub(crate) async fn fence_written_in_transaction(
    shared: &Context,
    generation: Option<Generation>,
    affected: Affected,
) -> Fence {
    Fencing::without_learning(shared, Stage::Written, generation, affected).await.fence
}

/// Whether a write can be refused.
#[derive(Clone, Copy)]
enum Stage {
    Ahead,
    Written,
}

/// What one write has fenced so far.
struct Fencing {
    stage: Stage,
    affected: Affected,
    fence: Fence,
    refused: Option<Refused>,
}

impl Fencing {
    async fn place(shared: &Context, stage: Stage, mut affected: Affected) -> Self {
        if shared.session.is_changed() {
            // Whatever was written before may be committed by what comes now.
            affected.merge(extent::everything(shared, shared.current().as_deref()));
        }
        let mut fencing =
            Fencing { stage, affected: extent::nothing(shared), fence: Fence::default(), refused: None };
        fencing.add(shared, affected).await;
        fencing
    }

    async fn add(&mut self, shared: &Context, affected: Affected) {
        self.affected.merge(affected.clone());
        let (fence, refused) = match self.stage {
            Stage::Ahead => match shared.cache.fence(affected).await {
                Ok(fence) => (Some(fence), None),
                Err(refused) => (None, Some(refused)),
            },
            Stage::Written => {
                let (fence, refused) = shared.cache.fence_written(affected).await;
                (Some(fence), refused.err())
            }
        };
        if let Some(fence) = fence {
            self.fence.join(fence);
        }
        self.refused = self.refused.take().or(refused);
    }

    /// Adds what is not marked yet.
    async fn widen(&mut self, shared: &Context, to: Affected) {
        let rest = to.beyond(&self.affected);
        if !rest.is_empty() {
            self.add(shared, rest).await;
        }
    }

    /// True if there is nothing to add: neither does the store know another schema, nor is the write refused.
    fn suffice(&self, generation: Option<Generation>) -> bool {
        self.fence.is_under(generation) || matches!((self.stage, &self.refused), (Stage::Ahead, Some(_)))
    }

    async fn learning(
        shared: &Arc<Context>,
        stage: Stage,
        eligibility: &Eligibility,
        by: impl Fn(&Eligibility) -> Affected,
    ) -> Self {
        let mut fencing = Fencing::place(shared, stage, by(eligibility)).await;
        let mut generation = eligibility.generation();
        for _ in 0..CHANGES {
            if fencing.suffice(generation) {
                return fencing;
            }
            let learned = shared.relearn().await;
            generation = learned.generation();
            match generation {
                Some(_) => fencing.widen(shared, by(&learned)).await,
                // It is being changed right now, perhaps by this write.
                None => {
                    fencing.widen(shared, everything(shared, &learned).await).await;
                    return fencing;
                }
            }
        }
        if !fencing.suffice(generation) {
            // It changes faster than it is learned.
            let everything = shared.everything_recorded().await;
            fencing.widen(shared, everything).await;
        }
        fencing
    }

    async fn without_learning(
        shared: &Context,
        stage: Stage,
        generation: Option<Generation>,
        mut affected: Affected,
    ) -> Self {
        if affected.is_whole(shared.cache.schema()) {
            // Its own mark will hide the generation, and so the record of it.
            affected.merge(shared.everything_recorded().await);
        }
        let mut fencing = Fencing::place(shared, stage, affected).await;
        if !fencing.suffice(generation) {
            if let Some(generation) = generation {
                shared.forget_generation(generation);
            }
            let everything = shared.everything_recorded().await;
            fencing.widen(shared, everything).await;
        }
        fencing
    }

    /// # Errors
    /// [`CacheErr`] if the write is refused: then nothing stays marked.
    async fn unless_refused(self) -> Result<Fence, DbErr> {
        match self.refused {
            Some(refused) => {
                self.fence.release().await;
                Err(CacheErr::WriteRefused(refused).into())
            }
            None => Ok(self.fence),
        }
    }
}

/// Everything, for whoever could not learn which generation the schema is of.
async fn everything(shared: &Context, learned: &Eligibility) -> Affected {
    let mut everything = shared.everything_recorded().await;
    everything.merge(extent::everything(shared, Some(learned)));
    everything
}

/// Refuses a write of which nobody knows what it invalidates, because nothing is known of the schema: if any table's
/// policy is to refuse, for it may be that table.
///
/// # Errors
/// [`CacheErr::SchemaUnknown`].
pub(crate) fn names_what_it_changes(shared: &Context) -> Result<(), DbErr> {
    let of_entities = shared.registry.entities.iter().filter_map(|entity| entity.policy.when_unreachable);
    let strictest = of_entities.chain([shared.cache.settings().unreachable]).max();
    if !shared.names_cells() && shared.capabilities.is_shared && strictest == Some(Unreachable::Refuse) {
        return Err(CacheErr::SchemaUnknown.into());
    }
    Ok(())
}

/// Fences everything before a transaction begins, if raw SQL has changed a session: MySQL commits what that has
/// written when the next transaction begins on its connection.
///
/// # Errors
/// [`CacheErr`] under the policy `Refuse` when the store can't be reached.
pub(crate) async fn before_begin(shared: &Context) -> Result<Option<Fence>, DbErr> {
    if !shared.session.is_changed() {
        return Ok(None);
    }
    let generation = shared.current().and_then(|eligibility| eligibility.generation());
    fence_in_transaction(shared, generation, extent::nothing(shared)).await.map(Some)
}

/// Ends a write: releases its fence if the outcome is known, else abandons it.
pub(crate) async fn settle<T>(change: Option<SchemaChange>, fence: Fence, result: &Result<T, DbErr>) {
    // What the fence has kept from being cached is judged by what is learned anew.
    if let Some(change) = &change {
        change.forget();
    }
    if is_decided(result) {
        fence.release().await;
    }
    // Once more: what was learned while the fence stood is of no generation.
    drop(change);
}
