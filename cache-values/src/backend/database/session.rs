//! One connection (a pool of them), and what is done once more when others were in the way.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait,
};

use super::{
    super::StoreError,
    error::{passes, translated},
};

/// A statement is tried so often before an error that would pass is the call's.
const ATTEMPTS: u32 = 20;

/// The longest pause between two attempts is so many milliseconds.
const LONGEST_PAUSE: u64 = 32;

/// The connection of a backend. Every statement is a transaction of its own.
pub(super) struct Session {
    db: DatabaseConnection,
    /// For messages.
    table: String,
}

impl Session {
    pub(super) fn new(db: DatabaseConnection, table: String) -> Self {
        Session { db, table }
    }

    /// The rows of a query, or of what a statement returns.
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>, StoreError> {
        let mut attempt = 0;
        loop {
            match self.db.query_all_raw(statement.clone()).await {
                Err(error) => self.pause(error, &mut attempt).await?,
                Ok(rows) => return Ok(rows),
            }
        }
    }

    /// How many rows a statement changed.
    pub(super) async fn execute(&self, statement: Statement) -> Result<ExecResult, StoreError> {
        let mut attempt = 0;
        loop {
            match self.db.execute_raw(statement.clone()).await {
                Err(error) => self.pause(error, &mut attempt).await?,
                Ok(result) => return Ok(result),
            }
        }
    }

    /// A transaction: dropped, it changes nothing.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.db.begin().await
    }

    /// Waits for a moment before another attempt, or gives up.
    pub(super) async fn pause(&self, error: DbErr, attempt: &mut u32) -> Result<(), StoreError> {
        *attempt += 1;
        if *attempt == ATTEMPTS || !passes(&error) {
            return Err(translated(error, &self.table));
        }
        // Those who were in each other's way don't come back at the same instant.
        let most = LONGEST_PAUSE.min(1 << *attempt);
        tokio::time::sleep(Duration::from_micros(rand::random_range(0..most * 1000))).await;
        Ok(())
    }

    pub(super) fn translated(&self, error: DbErr) -> StoreError {
        translated(error, &self.table)
    }

    pub(super) async fn close(&self) {
        // Only a pool that is not there fails to close.
        let _ = self.db.clone().close().await;
    }
}
