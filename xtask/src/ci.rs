//! `cargo xtask ci`: everything a change must pass.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::{Result, interrupt::Interrupt, process, test};

/// Cheap steps first: a mistake is best found early. A step about a package looks at the packages below it as well, with
/// the features that it asks of them.
const BEFORE_TESTS: &[&[&str]] = &[
    &["fmt", "--all", "--check"],
    &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    &["clippy", "--package", "cache-core", "--features", "conformance,testing", "--", "-D", "warnings"],
    &["clippy", "--package", "cache-orm", "--", "-D", "warnings"],
    &["clippy", "--package", "cache-orm", "--features", "redis", "--", "-D", "warnings"],
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
    // The command that a newcomer runs first, without the minutes that a release build takes.
    &["run", "--example", "quickstart"],
];

/// Runs the steps and stops at the first that fails.
pub(crate) fn run(interrupt: &Interrupt) -> Result<ExitCode> {
    let mut times = Vec::new();
    let mut passed = steps(BEFORE_TESTS, &mut times, interrupt)?;
    if passed {
        eprintln!("\nxtask: ==> cargo xtask test");
        let started = Instant::now();
        passed = test::run(false, false, &[], interrupt)? == ExitCode::SUCCESS;
        times.push(("cargo xtask test".to_owned(), started.elapsed()));
    }
    passed = passed && steps(AFTER_TESTS, &mut times, interrupt)?;

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

fn steps(steps: &[&[&str]], times: &mut Vec<(String, Duration)>, interrupt: &Interrupt) -> Result<bool> {
    for arguments in steps {
        let step = format!("cargo {}", arguments.join(" "));
        eprintln!("\nxtask: ==> {step}");
        let started = Instant::now();
        let mut cargo = crate::cargo();
        // Read by `cargo doc` alone: broken links and the like are mistakes.
        let status = process::run(cargo.args(*arguments).env("RUSTDOCFLAGS", "-D warnings"), interrupt)?;
        times.push((step, started.elapsed()));
        if !status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}
