//! What the derive names, besides `hooks`. Not part of the public interface.

pub use crate::{
    decoders::{Decoders, Otherwise, Probe},
    model::{CacheModel, Policy},
    registry::Registration,
};
pub use async_trait;
pub use inventory;
pub use sea_orm::{ActiveModelBehavior, ConnectionTrait, DbErr};
