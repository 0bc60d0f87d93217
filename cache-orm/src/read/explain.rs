//! Which cells a read would look into, without reading anything.

use cache_core::key::Key;
use sea_orm::Statement;

use crate::{
    classify::reason::BypassReason,
    read::{Query, QueryMethod, Read, ReadContext},
    registry::{ReadKind, Recognised},
};

impl<'r> ReadContext<'r> {
    /// The slots and aliases of a recognised read, or why it goes to the database.
    pub(crate) fn cells(
        &self,
        recognised: &'r Recognised<'r>,
        statement: &'r Statement,
    ) -> Result<Vec<Key>, BypassReason> {
        let query = Query::of(statement, QueryMethod::All);
        match recognised {
            Recognised::One(shape) => self.plan(shape, &query).map(|(read, key)| vec![read.cell(&key)]),
            Recognised::List(list) => {
                let (read, parts) = self.plan_list(list, &query)?;
                Ok(parts.iter().map(|part| read.cell(part.key())).collect())
            }
            Recognised::ToOne(shape) => {
                self.plan_to_one(shape, &query).map(|to_one| vec![to_one.source_cell()])
            }
        }
    }
}

impl Read<'_> {
    /// The cell that the read looks into first.
    fn cell(&self, key: &cache_core::key::RowKey) -> Key {
        let keys = self.table.keys();
        match self.kind {
            ReadKind::Primary => keys.row(key).slot,
            ReadKind::All => keys.all().slot,
            ReadKind::Unique(unique) => keys.alias(&self.entity.uniques[unique].name, key).slot,
        }
    }
}
