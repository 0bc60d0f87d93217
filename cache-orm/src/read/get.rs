//! The journey of a read by one key: look into the slot, and at a miss lease or join, load, fill.

use cache_core::key::{Address, RowKey};
use sea_orm::DbErr;

use crate::{
    read::{
        found::{Answer, Look, open},
        load::Load,
        plan::Read,
        query::Query,
    },
    registry::ReadKind,
};

impl Read<'_> {
    /// The rows of one key; all of them if the read is of all.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn get(&self, key: &RowKey, query: &Query<'_>) -> Result<Answer, DbErr> {
        let at = match self.kind {
            ReadKind::Primary => self.table.keys().row(key),
            ReadKind::All => self.table.keys().all(),
            ReadKind::Unique(unique) => return self.by_alias(unique, key, query).await,
        };
        let look = self.look(key, &at).await;
        self.after_look(look, key, &at, query).await
    }

    /// The same after a look into the slot.
    pub(super) async fn after_look(
        &self,
        look: Look,
        key: &RowKey,
        at: &Address,
        query: &Query<'_>,
    ) -> Result<Answer, DbErr> {
        let replaces = match look {
            Look::Hit(found, _) => return Ok(Answer::Cached(found)),
            Look::Miss(replaces) => replaces,
            Look::Unavailable => return query.load(self.shared()).await.map(Answer::Loaded),
        };
        match self.load_or_join(at, replaces, query, |entry| open(self, key, entry)).await? {
            Load::Joined(found) => Ok(Answer::Cached(found)),
            Load::Loaded(rows, lease) => {
                if let Some(lease) = lease {
                    self.fill(lease, key, &rows).await;
                }
                Ok(Answer::Loaded(rows))
            }
        }
    }
}
