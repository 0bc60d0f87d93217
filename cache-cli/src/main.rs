//! `cachectl`: looks into the caches of an application, and changes them.
//!
//! ```text
//! cachectl --url redis://localhost/0?key_prefix=shop get user:7
//! cachectl --config caches.toml --cache fragments clear
//! ```
//!
//! Exit codes: 0 done, 1 no (there is no such value), 2 used wrongly, 3 the backend failed.

mod arguments;
mod command;
mod config;
mod output;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::{arguments::Arguments, output::Output};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output { json: arguments.json };
    match command::run(&arguments, &output).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}
