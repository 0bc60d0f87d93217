//! `cargo xtask ci`: everything a change must pass.

use std::{
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use crate::{Result, interrupt::Interrupt, process, rooms, test};

/// Cheap steps first: a mistake is best found early. A step about a package looks at the packages below it as well, with
/// the features that it asks of them. Each set of features below has SeaORM checked anew, so one set stands for as much
/// as it can: the examples ask for `redis`, and for the drivers that a newcomer's first command needs.
const BEFORE_TESTS: &[&[&str]] = &[
    &["fmt", "--all", "--check"],
    &[
        "package",
        "--package",
        "cache-core",
        "--package",
        "cache-macros",
        "--package",
        "cache-orm",
        "--package",
        "cache-values",
        "--no-verify",
        "--allow-dirty",
    ],
    &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    &["clippy", "--package", "cache-core", "--features", "conformance,testing", "--", "-D", "warnings"],
    &["clippy", "--package", "cache-values", "--", "-D", "warnings"],
    &["clippy", "--package", "cache-orm", "--", "-D", "warnings"],
    &["clippy", "--package", "examples", "--all-targets", "--", "-D", "warnings"],
    &[
        "clippy",
        "--package",
        "cache-orm",
        "--features",
        "with-bigdecimal,with-ipnetwork,with-mac_address",
        "--",
        "-D",
        "warnings",
    ],
    &["clippy", "--package", "cache-orm", "--no-default-features", "--", "-D", "warnings"],
];

const AFTER_TESTS: &[&[&str]] = &[
    &["doc", "--no-deps", "--workspace", "--all-features"],
    // The tests have built it, with these features; a set of its own would build SeaORM once more.
    &["build", "--workspace", "--all-features", "--example", "quickstart"],
];

/// The steps so far, with what each took.
type Times = Vec<(String, Duration)>;

/// Runs the steps and stops at the first that fails.
pub(crate) fn run(interrupt: &Interrupt) -> Result<ExitCode> {
    let mut times = Times::new();
    let mut passed =
        timed("cargo xtask rooms --check", &mut times, || Ok(rooms::run(true)? == ExitCode::SUCCESS))?;
    passed = passed && steps(BEFORE_TESTS, &mut times, interrupt)?;
    passed = passed
        && timed("cargo xtask test", &mut times, || {
            Ok(test::run(false, false, &[], interrupt)? == ExitCode::SUCCESS)
        })?;
    passed = passed && steps(AFTER_TESTS, &mut times, interrupt)?;
    passed = passed && timed("the quickstart", &mut times, || quickstart(interrupt))?;

    eprintln!();
    for (step, time) in &times {
        eprintln!("xtask: {:>6.1} s  {step}", time.as_secs_f64());
    }
    let (last, _) = times.last().expect("the list of steps is not empty");
    if passed {
        eprintln!("xtask: all steps passed");
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("xtask: failed: {last}");
        Ok(ExitCode::FAILURE)
    }
}

/// What a newcomer runs first: the program that was built beside this one.
fn quickstart(interrupt: &Interrupt) -> Result<bool> {
    let program = std::env::current_exe()?.with_file_name("examples").join("quickstart");
    Ok(process::run(&mut Command::new(program), interrupt)?.success())
}

fn steps(steps: &[&[&str]], times: &mut Times, interrupt: &Interrupt) -> Result<bool> {
    for arguments in steps {
        let mut cargo = crate::cargo();
        // Read by `cargo doc` alone: broken links and the like are mistakes.
        cargo.args(*arguments).env("RUSTDOCFLAGS", "-D warnings");
        let step = format!("cargo {}", arguments.join(" "));
        if !timed(&step, times, || Ok(process::run(&mut cargo, interrupt)?.success()))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Announces a step, and notes how long it took.
fn timed(step: &str, times: &mut Times, run: impl FnOnce() -> Result<bool>) -> Result<bool> {
    eprintln!("\nxtask: ==> {step}");
    let started = Instant::now();
    let passed = run()?;
    times.push((step.to_owned(), started.elapsed()));
    Ok(passed)
}
