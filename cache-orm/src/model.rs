//! What the derive says about an entity.

use std::time::Duration;

use cache_core::settings::Unreachable;
use sea_orm::{EntityTrait, FromQueryResult, ModelTrait};

use crate::decoders::Decoders;

/// A model whose rows may be cached. Implemented by `#[derive(Cacheable)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not cacheable",
    note = "add `Cacheable` to the derives of the model: `#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]`"
)]
pub trait CacheModel:
    ModelTrait<Entity: EntityTrait<Model = Self>> + FromQueryResult + Compared + Clone + Send + Sync + 'static
{
    /// What `#[cacheable(…)]` says.
    const POLICY: Policy;
}

/// A model that can be compared: what is stored must give back the model that it was taken from. Whatever is
/// `PartialEq` is this too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is cacheable, and not `PartialEq`",
    label = "can't be compared",
    note = "a row is stored only if it gives back an equal model: add `PartialEq` to the derives of the model"
)]
pub trait Compared {
    /// Whether this is the other model, as its own `PartialEq` sees it.
    fn is_equal(&self, other: &Self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<M: PartialEq> Compared for M {
    fn is_equal(&self, other: &Self) -> bool {
        self == other
    }
}

/// What `#[cacheable(…)]` says about one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long an entry lives; `None`: the connection's default.
    pub ttl: Option<Duration>,
    /// The largest result of `find().all()` that is cached, in rows; `None`: none is.
    pub all_max_rows: Option<usize>,
    /// Whether "no such row" is cached.
    pub absent: bool,
    /// For whom a cached row is right, besides the model.
    pub decoders: Decoders,
    /// A column's type may convert what the database gave: the JSON of each row is compared.
    pub converts: bool,
    /// What becomes of writes while the store can't be reached; `None`: what the connection says.
    pub when_unreachable: Option<Unreachable>,
}
