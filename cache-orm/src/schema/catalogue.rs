//! What the catalogue looks like, in one short query: whether the schema has to be learned anew.
//!
//! Two equal answers to one viewer mean that nothing has changed of which [`Schema`](super::Schema) knows. That
//! an answer differs may mean less: a comment, a table that nobody uses.

use sea_orm::{ConnectionTrait, DbErr};

use super::query::rows;

/// What the catalogue looked like at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// Whom it was shown to, where it shows not everybody the same.
    pub(crate) viewer: String,
    /// Changes with the schema.
    pub(crate) fingerprint: String,
}

impl Catalogue {
    /// Asks the database.
    ///
    /// # Errors
    /// The database's own, and [`DbErr::Custom`] for one that the cache does not know.
    pub(crate) async fn look(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let sql = (super::rules(db)?.fingerprint)();
        let [viewer, fingerprint] = rows(db, &sql).await?.into_iter().next().unwrap_or_default();
        Ok(Catalogue { viewer, fingerprint })
    }
}
