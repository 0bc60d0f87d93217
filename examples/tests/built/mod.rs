//! The examples that `cargo test` has built beside the tests.

use std::{env, path::Path, process::Command};

/// A built example, ready to run.
pub(crate) fn example(name: &str) -> Command {
    let test = env::current_exe().expect("a test is a file");
    let folder = test.parent().and_then(Path::parent).expect("tests are built in a folder of their own");
    let example = folder.join("examples").join(name);
    assert!(example.exists(), "build it first: cargo build --example {name}");
    Command::new(example)
}
