//! What the database says about itself: learnt once per connection pool, before anything is cached.
//!
//! An entity says what its author believes of a table. Whether a key names one row, whether a write stays
//! in its table and whether a rollback undoes it are decided by the database, so it is asked: for the tables
//! and their columns ([`table`]), for what foreign keys carry a change to ([`cascades`]), and for its identity.
//! Wherever the catalog leaves a doubt, the answer is the one that caches less or invalidates more.
//!
//! What can't be seen from one connection, and so is not known here:
//! - temporary tables of other sessions, which hide a table of the same name there;
//! - tables, triggers and foreign keys created later: learn again after a schema change;
//! - on MySQL and MariaDB, the definitions of views that the user may not see (SHOW VIEW);
//! - on MySQL and MariaDB, foreign keys of tables on which the user has no privilege at all. The user can't
//!   read those tables either, but a cascade that passes through one reaches further unseen. Grant the
//!   connection's user any privilege on every table that takes part in a cascade.
//! - on MySQL and MariaDB, triggers of tables on which the user has not the TRIGGER privilege, granted to
//!   the user and not by a role: those tables count as tables with triggers, and
//!   [`Schema::triggers_hidden`] says so.

mod cascades;
mod catalogue;
mod draft;
mod file;
mod learned;
mod mysql;
mod postgres;
mod privileges;
mod procedures;
mod query;
mod sqlite;
mod table;
#[cfg(feature = "testing")]
pub(crate) mod testing;
mod writers;

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};

use crate::dialect::{CatalogueKind, CatalogueRules, Dialect};

pub(crate) use catalogue::Catalogue;
pub(crate) use learned::Schema;
pub(crate) use table::{Column, ColumnKind, TableSchema, TextEquality};

/// Asks the database what the cache must know of it. Changes nothing, and holds no connection while it asks
/// for another.
///
/// # Errors
/// The database's own error when a catalog can't be read, and [`DbErr::Custom`] for a database that is none
/// of SQLite, Postgres, MySQL and MariaDB.
///
/// `named` are the schemas that entities name: the columns of their tables are learnt, as those of tables that a
/// bare name means.
pub(crate) async fn learn(db: &impl ConnectionTrait, named: &BTreeSet<String>) -> Result<Schema, DbErr> {
    match rules(db)?.kind {
        CatalogueKind::Pragmas => sqlite::learn(db).await,
        CatalogueKind::PgCatalog => postgres::learn(db, named).await,
        CatalogueKind::InformationSchema => mysql::learn(db, named).await,
    }
}

/// How to ask this database.
fn rules(db: &impl ConnectionTrait) -> Result<&'static CatalogueRules, DbErr> {
    let backend = db.get_database_backend();
    let rules = Dialect::of(backend).catalogue.as_ref();
    rules.ok_or_else(|| DbErr::Custom(format!("the cache does not know {}", backend.as_str())))
}
