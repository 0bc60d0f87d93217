//! `cargo xtask rooms`: the house as the code gives it.
//!
//! A room is a top-level module of a library crate, a file or a folder. A file has an arrow to each file that defines
//! an item which it names. What exists for tests alone (`cfg(test)`, the features `testing` and `conformance`) is left
//! out: tests may look at everything.
//!
//! ```text
//! conditions  what is for tests
//! tree        files → modules, and the names that each declares
//! names       a path → the items that it leads to, through every re-export
//! uses        which file names an item of which other
//! circles     who reaches each other
//! house       files → rooms, rooms → floors
//! order       who stands beside whom on a floor
//! plan        where rooms and arrows stand
//! picture     the plan as SVG
//! check       what is wrong, in words
//! ```

mod check;
mod circles;
mod conditions;
mod house;
mod names;
mod order;
mod picture;
mod plan;
mod tree;
mod uses;

#[cfg(test)]
mod tests;

use std::{fs, io, path::Path, process::ExitCode};

use house::House;
use tree::{Sources, Tree};

use crate::Result;

/// The pictures, with the libraries that each shows.
const PICTURES: [(&str, &[&str]); 2] = [
    ("docs/rooms.svg", &["cache-core", "cache-macros", "cache-orm"]),
    ("docs/rooms-of-values.svg", &["cache-values"]),
];

/// Draws the pictures, or only checks that each shows what the code has, and that the code has no circle.
pub(crate) fn run(check: bool) -> Result<ExitCode> {
    let mut faults = Vec::new();
    for (name, crates) in PICTURES {
        let mut sources = Sources::new();
        for folder in crates {
            read(&crate::root(), &format!("{folder}/src"), &mut sources)?;
        }
        let house = House::of(&Tree::of(&sources, crates)?);
        let drawn = picture::draw(&house);
        let file = crate::root().join(name);
        faults.extend(check::circles(&house));
        if check {
            let on_disk = match fs::read_to_string(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                other => other?,
            };
            faults.extend(check::picture(name, &house, &on_disk, &drawn));
        } else {
            fs::write(&file, drawn)?;
            eprintln!("xtask: {} is drawn", file.display());
        }
    }
    for fault in &faults {
        eprintln!("xtask: {fault}");
    }
    Ok(if check && !faults.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Adds the Rust files below `folder`.
fn read(root: &Path, folder: &str, sources: &mut Sources) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name =
            entry.file_name().into_string().map_err(|name| format!("{} is no Unicode", name.display()))?;
        let path = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            read(root, &path, sources)?;
        } else if name.ends_with(".rs") {
            sources.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}
