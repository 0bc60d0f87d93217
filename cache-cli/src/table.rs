//! Creating the tables of caches that are kept in a database.

use std::env;

use cache_values::backend::database::Table;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use serde_json::json;

use crate::{
    arguments::Arguments,
    config,
    output::{Failure, Output},
};

const NO_DATABASE: &str =
    "which database? give --database URL, set CACHECTL_DATABASE, or give the cache the option `connection`";

/// Creates the tables, or only shows how.
pub(crate) async fn create(
    arguments: &Arguments,
    dry_run: bool,
    database: Option<&str>,
    tables: &[String],
    output: &Output,
) -> Result<bool, Failure> {
    let given = database.map(str::to_owned).or_else(|| env::var("CACHECTL_DATABASE").ok());
    let mut wanted: Vec<(String, String)> = Vec::new();
    if tables.is_empty() {
        for (_, config) in config::configs(arguments)? {
            let Some(table) = config.table().map_err(|error| Failure::Usage(error.to_string()))? else {
                continue;
            };
            let url = given.clone().or_else(|| config.connection().map(str::to_owned));
            wanted.push((url.ok_or_else(no_database)?, table.to_string()));
        }
    } else {
        let url = given.ok_or_else(no_database)?;
        wanted.extend(tables.iter().map(|table| (url.clone(), table.clone())));
    }
    for (url, name) in &wanted {
        let table = Table::new(name).map_err(|error| Failure::Usage(error.to_string()))?;
        let db = connect(url).await?;
        let statements =
            table.statements(db.get_database_backend()).map_err(|error| Failure::Usage(error.to_string()))?;
        if dry_run {
            for statement in statements {
                output.answer(&format!("{};", statement.sql), &json!({ "statement": statement.sql }));
            }
        } else {
            table.create(&db).await.map_err(|error| Failure::Backend(error.to_string()))?;
            output.answer(&format!("table {name} is there"), &json!({ "table": name }));
        }
        // What was done is done.
        let _ = db.close().await;
    }
    if wanted.is_empty() {
        output.answer("no cache is kept in a database", &json!({ "tables": 0 }));
    }
    Ok(true)
}

fn no_database() -> Failure {
    Failure::Usage(NO_DATABASE.to_owned())
}

/// The error of the driver may repeat the URL, and with it the password.
async fn connect(url: &str) -> Result<DatabaseConnection, Failure> {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).max_connections(1);
    Database::connect(options).await.map_err(|_| {
        Failure::Backend("the database can't be connected to by the URL that is given".to_owned())
    })
}
