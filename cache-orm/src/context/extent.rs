//! How far a write may extend of which nobody knows what it changes: to everything that anybody may have cached.

use cache_core::fence::Affected;

use crate::{context::Context, eligibility::Eligibility, schema::Schema};

/// Where a list of what is affected begins.
pub(crate) fn nothing(shared: &Context) -> Affected {
    Affected::nothing(shared.cache.settings().max_fenced_rows)
}

/// Every table that anybody may have cached.
pub(crate) fn everything(shared: &Context, eligibility: Option<&Eligibility>) -> Affected {
    let mut affected = nothing(shared);
    for table in shared.registry.tables.kept() {
        affected.add_table(&table);
    }
    // Another connection to the store may cache tables that no entity means here. What was forgotten still names
    // them.
    let last = shared.last();
    let schema = schema_of(eligibility).or_else(|| schema_of(last.as_deref()));
    for table in schema.into_iter().flat_map(Schema::tables).filter(|table| is_cached(shared, table.bare())) {
        for name in table.names() {
            affected.add_table(&shared.registry.tables.of(name));
        }
    }
    affected
}

/// True if somebody may cache tables of this last name: of a store that other processes use too, nobody knows; the
/// connections of one process have the same entities.
pub(crate) fn is_cached(shared: &Context, name: &str) -> bool {
    shared.capabilities.is_shared || shared.registry.names(name)
}

/// Every table, and the schema itself.
pub(crate) fn with_schema(shared: &Context, eligibility: Option<&Eligibility>) -> Affected {
    let mut affected = everything(shared, eligibility);
    affected.add_table(shared.cache.schema());
    affected
}

pub(crate) fn schema_of(eligibility: Option<&Eligibility>) -> Option<&Schema> {
    eligibility.and_then(|eligibility| eligibility.schema.as_ref())
}
