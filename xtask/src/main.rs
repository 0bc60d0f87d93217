//! `cargo xtask`: the commands of a developer. `cargo xtask --help` lists them.

mod ci;
mod interrupt;
mod process;
mod programs;
mod rooms;
mod servers;
mod test;

use std::{path::PathBuf, process::ExitCode};

use interrupt::{Interrupt, Interrupted};

/// Whatever went wrong, in words for the person at the terminal.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const HELP: &str = "\
Commands for developers of this project

  cargo xtask test [--keep] [--long] [-- <arguments of cargo test>]
      Starts private PostgreSQL, MariaDB (or MySQL) and Redis (or Valkey) servers in a temporary folder, runs
      all tests, stops the servers and removes the folder. Servers that are not installed, and memcached, which
      tests start themselves, are installed with apt-get. Without arguments it runs
      `cargo test --workspace --all-features --no-fail-fast`.
      --keep    keep the folder with the servers' data and logs, and say where it is
      --long    explore the large models, and compare many more programs with the plain connection: takes hours,
                and gigabytes

  cargo xtask servers [--keep]
      Starts the same servers, prints the variables that lead to them, and stops them at Ctrl-C.

  cargo xtask rooms [--check]
      Draws docs/rooms*.svg, the modules of the libraries and who names whom, from the code.
      --check   only tells whether those pictures are right, and whether modules or files name each other in a circle

  cargo xtask ci
      Everything a change must pass: rooms, format, lints, feature combinations, tests, documentation, examples.

Variables (a running server is used instead of a private one where its URL is set)
  CACHE_TEST_POSTGRES_URL      e.g. postgres://user:password@localhost/postgres; may create databases
  CACHE_TEST_MYSQL_URL         e.g. mysql://user:password@localhost/mysql; may create databases
  CACHE_TEST_REDIS_URL         e.g. redis://localhost/0
  CACHE_TEST_REDIS_SERVER      the program that tests start when they need a Redis to kill
  CACHE_TEST_MEMCACHED_SERVER  the program that tests start when they need memcached
  CACHE_TEST_LONG              what --long sets
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("xtask: {error}");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "help that was asked for is the command's result")]
fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut words = arguments.iter().map(String::as_str);
    match words.next() {
        None | Some("--help" | "-h" | "help") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some("test") => {
            let mut own: Vec<&str> = words.collect();
            let for_cargo = match own.iter().position(|word| *word == "--") {
                Some(at) => own.split_off(at).split_off(1),
                None => Vec::new(),
            };
            let [keep, long] = given(&own, ["--keep", "--long"])?;
            test::run(keep, long, &for_cargo, &Interrupt::install()?)
        }
        Some("servers") => {
            let [keep] = given(&words.collect::<Vec<_>>(), ["--keep"])?;
            servers(keep, &Interrupt::install()?)
        }
        Some("rooms") => {
            let [check] = given(&words.collect::<Vec<_>>(), ["--check"])?;
            rooms::run(check)
        }
        Some("ci") if words.next().is_none() => ci::run(&Interrupt::install()?),
        Some(_) => Err(format!("unknown command `{}`\n\n{HELP}", arguments.join(" ")).into()),
    }
}

/// Whether each of the known options is given. Any other is an error.
fn given<const N: usize>(options: &[&str], known: [&str; N]) -> Result<[bool; N]> {
    match options.iter().find(|option| !known.contains(option)) {
        Some(other) => Err(format!("unknown option `{other}`\n\n{HELP}").into()),
        None => Ok(known.map(|option| options.contains(&option))),
    }
}

/// Prints the variables to standard output, so that they can be copied or redirected, and waits.
#[expect(clippy::print_stdout, reason = "this is the command's result")]
fn servers(keep: bool, interrupt: &Interrupt) -> Result<ExitCode> {
    let servers = servers::Servers::start(keep, interrupt)?;
    for (name, value) in servers.variables() {
        println!("export {name}='{value}'");
    }
    eprintln!("xtask: the servers run until Ctrl-C");
    interrupt.wait();
    Ok(ExitCode::SUCCESS)
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// The cargo that runs this program, or the one of the path.
fn cargo() -> std::process::Command {
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    // What `cargo run` tells this program of itself: build scripts that ask for it would run anew each time.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}
