//! A net for writers that forget the cached connection: statements of SeaORM's own connection, as far as it
//! reports them.

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::runtime::Handle;

use crate::{
    classify::{Class, ends_with_transaction},
    connection::Shared,
    hooks,
    write::{self, SchemaChange},
};

/// A clone of the connection below, whose writes are invalidated right after they were sent. It reports them to
/// nobody else: a connection has one metric callback.
pub(super) fn watched(shared: &Arc<Shared>, db: &DatabaseConnection) -> DatabaseConnection {
    let mut watched = db.clone();
    let shared = Arc::downgrade(shared);
    watched.set_metric_callback(move |info| {
        let Some(shared) = shared.upgrade() else { return };
        let sql = &info.statement.sql;
        let class = shared.classes.of(sql);
        let changes_nothing = matches!(*class, Class::Read(_))
            || (*class == Class::Session && ends_with_transaction(sql, shared.backend));
        let Ok(runtime) = Handle::try_current() else { return };
        if changes_nothing {
            return;
        }
        write::note(&shared, shared.known().as_deref(), &class, sql);
        let values = info.statement.values.clone();
        runtime.spawn(async move {
            let change = SchemaChange::by(&shared, &class);
            // The statement was sent already: there is nobody to refuse it to.
            drop(hooks::fence(&shared, &class, values.as_ref()).await);
            drop(change);
        });
    });
    watched
}
