//! What the command line says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Looks into the caches of an application, and changes them.
#[derive(Debug, Parser)]
#[command(
    name = "cachectl",
    version,
    after_help = "Exit codes: 0 done, 1 there is no such value, 2 used wrongly, 3 the backend failed."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) place: Place,

    /// The cache to use, of those in the configuration
    #[arg(long, global = true, default_value = "default", value_name = "NAME")]
    pub(crate) cache: String,

    /// The version of the keys, instead of the configured one
    #[arg(long, global = true, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) key_version: Option<i64>,

    /// Answer in JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the caches are.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct Place {
    /// One cache, by its URL [env: CACHECTL_URL, which does not show in the list of processes]
    #[arg(long, global = true)]
    pub(crate) url: Option<String>,

    /// The caches of a TOML file, as `[default]` with `url = "..."` [env: CACHECTL_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the values under keys, as JSON
    Get {
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Tells how long the value under a key is still kept
    Ttl {
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Keeps a value under a key
    Set {
        #[arg(value_name = "KEY")]
        key: String,
        /// The value, as JSON; what is no JSON is a text
        #[arg(value_name = "VALUE", allow_hyphen_values = true)]
        value: String,
        /// How long it is kept: seconds, or `never`; if it is not said, as the configuration says
        #[arg(long, value_name = "SECONDS")]
        ttl: Option<String>,
    },
    /// Removes the values under keys
    Delete {
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Invalidates all values with these tags
    InvalidateTag {
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
    },
    /// Empties the cache: its prefix and version, and nothing else
    Clear,
    /// Tells whether each cache answers, and how fast
    Stats,
    /// Creates the tables of the caches that are kept in a database, where they are not there yet
    #[command(name = "createcachetable")]
    CreateCacheTable {
        /// Only show the statements
        #[arg(long)]
        dry_run: bool,
        /// The database, instead of those in the configuration [env: CACHECTL_DATABASE]
        #[arg(long, value_name = "URL")]
        database: Option<String>,
        /// The tables; if none is named, those in the configuration
        #[arg(value_name = "TABLE")]
        tables: Vec<String>,
    },
}
