//! The table as a migration.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::{dialect::Dialect, error::DatabaseError, table::Table};

/// `create_cache_table_` and the table's name.
impl MigrationName for Table {
    #[expect(clippy::misnamed_getters, reason = "the name of the migration, not of the table")]
    fn name(&self) -> &str {
        &self.migration
    }
}

/// Creates the table, and drops it.
#[async_trait]
impl MigrationTrait for Table {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.create(manager.get_connection()).await.map_err(as_db_err)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::try_from(db.get_database_backend()).map_err(as_db_err)?;
        db.execute_unprepared(&format!("DROP TABLE {}", self.quoted(dialect))).await.map(|_| ())
    }
}

fn as_db_err(error: DatabaseError) -> DbErr {
    match error {
        DatabaseError::Database(error) => error,
        other => DbErr::Migration(other.to_string()),
    }
}
