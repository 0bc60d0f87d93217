//! Writes what is derived from other files.
//!
//! The example `axum-plain` is the service of `axum/` as it was before the cache. `axum/cached.diff` is what the cache adds to
//! it, and is taken back from the files that it names: it can't tell anything else than what they say.
//!
//! The documents whose snippets are compiled as tests get lines before each that their readers need not see.

use std::{
    env, fs,
    iter::Peekable,
    path::{Path, PathBuf},
    str::Lines,
};

/// What every snippet may name.
const PRELUDE: &str = "\
# #![allow(unused)]
# use cache_orm::*;
# use sea_orm::{*, entity::prelude::*};
# use examples::shop::product;
";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    for input in ["axum", "build.rs", "../README.md", "../docs/adopting.md"] {
        println!("cargo:rerun-if-changed={input}");
    }
    plain_service(&out.join("plain"));
    write(&out.join("README.md"), with_prelude(&read(Path::new("../README.md"))));
    write(&out.join("adopting.md"), with_prelude(&read(Path::new("../docs/adopting.md"))));
}

/// The document with the prelude at the begin of each snippet.
fn with_prelude(document: &str) -> String {
    let mut written = String::new();
    for line in document.lines() {
        written.push_str(line);
        written.push('\n');
        if let Some((indent, _)) = line.split_once("```rust") {
            written.extend(PRELUDE.lines().map(|line| format!("{indent}{line}\n")));
        }
    }
    written
}

fn plain_service(plain: &Path) {
    copy(Path::new("axum"), plain);

    let diff = read(Path::new("axum/cached.diff"));
    let mut lines = diff.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(file) = line.strip_prefix("+++ cached/") {
            write(&plain.join(file), taken_back(file, &read(&Path::new("axum").join(file)), &mut lines));
        }
    }

    // An included file can't begin with what is said of a whole file.
    let main = read(&plain.join("main.rs"));
    let items = main.lines().skip_while(|line| !line.starts_with("mod "));
    write(&plain.join("main.rs"), items.map(|line| format!("{line}\n")).collect());
}

/// The file as it was before the hunks that follow in the diff. They are found by what they say, and not by the
/// numbers of lines: a change elsewhere in the file leaves the diff as it is.
fn taken_back(file: &str, source: &str, diff: &mut Peekable<Lines>) -> String {
    let mut rest: Vec<&str> = source.lines().collect();
    let mut plain = Vec::new();
    while diff.next_if(|line| line.starts_with("@@ ")).is_some() {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        while let Some(line) =
            diff.next_if(|line| !line.starts_with("@@ ") && !line.starts_with("--- plain/"))
        {
            let (sign, text) = line.split_at_checked(1).unwrap_or((" ", ""));
            before.extend((sign != "+").then_some(text));
            after.extend((sign != "-").then_some(text));
        }
        let place = rest.windows(after.len()).position(|lines| lines == after);
        let place = place.unwrap_or_else(|| panic!("axum/{file} has no such lines:\n{}", after.join("\n")));
        plain.extend(rest.drain(..place).chain(before));
        rest.drain(..after.len());
    }
    plain.extend(rest);
    plain.iter().map(|line| format!("{line}\n")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("OUT_DIR can be written");
    for entry in fs::read_dir(from).expect("axum is a folder") {
        let entry = entry.expect("axum is a folder");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            write(&to, read(&entry.path()));
        }
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn write(file: &Path, text: String) {
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
