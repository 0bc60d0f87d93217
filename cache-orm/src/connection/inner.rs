//! A net for writers that forget the cached connection: statements of SeaORM's own connection, as far as it
//! reports them.

use std::sync::Arc;

use sea_orm::DatabaseConnection;

use crate::{
    classify::{Class, ends_with_transaction},
    context::Context,
    write::{self, SchemaChange},
};

/// A clone of the connection below, whose writes are invalidated right after they were sent. It reports them to
/// nobody else: a connection has one metric callback.
pub(super) fn watched(shared: &Arc<Context>, db: &DatabaseConnection) -> DatabaseConnection {
    let mut watched = db.clone();
    let shared = Arc::downgrade(shared);
    watched.set_metric_callback(move |info| {
        let Some(shared) = shared.upgrade() else { return };
        let sql = &info.statement.sql;
        let class = shared.classes.of(sql);
        let class = shared.widened(&class, sql).unwrap_or(class);
        let changes_nothing = matches!(*class, Class::Read(_))
            || (*class == Class::Session && ends_with_transaction(sql, shared.backend));
        if changes_nothing {
            return;
        }
        write::record(&shared, shared.current().as_deref(), &class, sql);
        let values = info.statement.values.clone();
        let cache = shared.cache.clone();
        cache.spawn(async move {
            let change = SchemaChange::by(&shared, &class);
            // Not asked for now: the caller may hold the pool's only connection.
            let eligibility = shared.current();
            let affected = write::affected::by(&shared, eligibility.as_deref(), &class, values.as_ref());
            // The statement was sent already: there is nobody to refuse it to, and nobody who tells how it ends.
            let generation = eligibility.and_then(|eligibility| eligibility.generation());
            write::fence_written_in_transaction(&shared, generation, affected).await.leave();
            drop(change);
        });
    });
    watched
}
