//! One call of SeaORM's, to be made on a plain and on a cached connection.

use std::fmt::Debug;

use cache_orm::CachedConnection;
use futures_util::future::BoxFuture;
use sea_orm::{DatabaseConnection, DbErr};
use tests::{Backend, backends};

/// What the call returned, as `Debug` shows it.
pub(crate) type Answer<'c> = BoxFuture<'c, String>;

/// A call, written once and compiled for both connections.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    only: &'static [Backend],
    pub(crate) plain: fn(&DatabaseConnection) -> Answer<'_>,
    pub(crate) cached: fn(&CachedConnection) -> Answer<'_>,
}

impl Call {
    pub(crate) fn new(
        name: &'static str,
        plain: fn(&DatabaseConnection) -> Answer<'_>,
        cached: fn(&CachedConnection) -> Answer<'_>,
    ) -> Self {
        Call { name, only: &[], plain, cached }
    }

    /// What other databases don't understand, or SeaORM refuses to send them.
    pub(crate) fn only(self, only: &'static [Backend]) -> Self {
        Call { only, ..self }
    }

    /// The databases that it is for.
    pub(crate) fn backends(&self) -> impl Iterator<Item = Backend> {
        backends().into_iter().filter(|backend| self.only.is_empty() || self.only.contains(backend))
    }
}

/// Shows what a call returned. None of them may fail.
pub(crate) fn shown(name: &str, outcome: Result<impl Debug, DbErr>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// A list of calls: a name, optionally the only databases, and what to do with `db`.
macro_rules! calls {
    ($($name:literal $([$($Backend:ident),+])? => |$db:ident| $body:expr,)+) => {
        vec![$({
            fn plain($db: &sea_orm::DatabaseConnection) -> $crate::call::Answer<'_> {
                Box::pin(async move {
                    let outcome = async { $body }.await;
                    $crate::call::shown($name, outcome)
                })
            }
            fn cached($db: &cache_orm::CachedConnection) -> $crate::call::Answer<'_> {
                Box::pin(async move {
                    let outcome = async { $body }.await;
                    $crate::call::shown($name, outcome)
                })
            }
            $crate::call::Call::new($name, plain, cached)$(.only(&[$(tests::Backend::$Backend),+]))?
        },)+]
    };
}
pub(crate) use calls;
