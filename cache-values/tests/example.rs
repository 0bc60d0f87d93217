//! What `cargo run -p cache-values --example values` prints is what its own comment and the README say that it prints.

use std::{env, fs, path::Path, process::Command};

#[test]
fn the_example_prints_what_is_said_of_it() {
    // Beside this program, in `target/<profile>/deps`: cargo builds examples with the tests.
    let own = env::current_exe().expect("a program has a path");
    let folder = own.ancestors().nth(2).expect("it is in `deps`").join("examples");
    let output = Command::new(folder.join("values")).output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("it prints text");
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));

    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(folder.join("examples/values.rs")).expect("a source");
    let comment = source.lines().filter_map(|line| line.strip_prefix("//! "));
    let comment: String = comment.map(|line| format!("{line}\n")).collect();
    assert!(comment.contains(&printed), "its comment says something else than\n{printed}");
    let readme = fs::read_to_string(folder.join("../README.md")).expect("a README");
    assert!(readme.contains(&printed), "the README says something else than\n{printed}");
    let program = source.find("use std").map(|start| &source[start..]);
    assert!(program.is_some_and(|program| readme.contains(program)), "the README shows another program");
}
