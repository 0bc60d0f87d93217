//! What the cache does for the reads of a small shop, measured against the same reads without it.
//!
//! `cargo run --release --example quickstart` needs nothing but Rust: the database is an embedded SQLite, the
//! store is this process's memory. `--help` tells how to use a server instead.

#![allow(clippy::print_stdout, reason = "a program that talks to a person")]

mod measure;
mod reads;
mod seed;

use std::{
    error::Error,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cache_orm::{CachedConnection, MemoryStore, RedisStore, Store};
use clap::Parser;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{Database, DatabaseConnection};

/// Compares the reads of a small shop with and without the cache.
#[derive(Debug, Parser)]
#[command(name = "quickstart")]
struct Options {
    /// Where the rows are: a SQLite, Postgres or MySQL/MariaDB URL. The tables category, product, offer and
    /// stock are created there if they are missing, and left there.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, default_value = "sqlite::memory:")]
    database_url: String,

    /// Where entries are kept: `memory`, or a Redis URL.
    #[arg(long, env = "CACHE_STORE", hide_env_values = true, default_value = "memory")]
    store: String,

    /// The names that this run owns in a shared store.
    #[arg(long, env = "CACHE_NAMESPACE")]
    namespace: Option<String>,

    /// How many products there are.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    products: u32,

    /// How often each read is measured.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=10_000_000))]
    reads: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let base = Database::connect(&options.database_url).await?;
    Migrator::up(&base, None).await?;
    seed::products(&base, options.products).await?;

    let (direct, direct_queries) = counted(&base);
    let (below, cached_queries) = counted(&base);
    let cached = cached(below, &options).await?;

    println!("{} products in {:?}, entries in {}\n", options.products, base.get_database_backend(), cached.1);
    measure::compare(
        &reads::all(options.products),
        options.reads,
        [
            measure::Side { db: &direct, queries: &direct_queries },
            measure::Side { db: &cached.0, queries: &cached_queries },
        ],
    )
    .await?;
    cached.0.settled().await;
    Ok(())
}

/// The one line that an application changes: the connection.
async fn cached(
    db: DatabaseConnection,
    options: &Options,
) -> Result<(CachedConnection, &'static str), Box<dyn Error>> {
    let (store, name): (Arc<dyn Store>, _) = if options.store == "memory" {
        (Arc::new(MemoryStore::default()), "this process's memory")
    } else {
        let namespace = options.namespace.clone();
        // An embedded database is gone with this process, and so must its names be.
        let namespace = namespace.unwrap_or_else(|| format!("quickstart-{}", std::process::id()));
        (Arc::new(RedisStore::connect(&options.store, &namespace).await?), "Redis")
    };
    Ok((CachedConnection::builder(db).shared_store(store).build().await?, name))
}

/// A clone of the connection that counts its queries.
fn counted(base: &DatabaseConnection) -> (DatabaseConnection, Arc<AtomicU64>) {
    let queries = Arc::new(AtomicU64::new(0));
    let mut db = base.clone();
    db.set_metric_callback({
        let queries = queries.clone();
        move |_| {
            queries.fetch_add(1, Ordering::Relaxed);
        }
    });
    (db, queries)
}
