//! `cargo xtask test`: servers, tests, summary.

use std::{
    io::{self, Read, Write},
    process::{ExitCode, Stdio},
    thread,
    time::Instant,
};

use crate::{Result, interrupt::Interrupt, process::Group, servers::Servers};

/// Runs `cargo test` with `arguments` beside private servers.
pub(crate) fn run(keep: bool, long: bool, arguments: &[&str], interrupt: &Interrupt) -> Result<ExitCode> {
    let servers = Servers::start(keep, interrupt)?;
    let started = Instant::now();
    let mut cargo = crate::cargo();
    cargo.arg("test").args(defaults(arguments)).args(arguments);
    cargo.envs(servers.variables()).stdout(Stdio::piped());
    if long {
        cargo.env("CACHE_TEST_LONG", "1");
    }

    let mut tests = Group::spawn(&mut cargo, "TERM")?;
    let output = tests.take_stdout().expect("piped above");
    let counting = thread::spawn(move || Counts::of(output, io::stdout()));
    let status = tests.wait(interrupt)?;
    let counts = counting.join().expect("counting does not panic")?;
    drop(servers);
    eprintln!("xtask: {counts} in {:.0?}, servers stopped", started.elapsed());
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What `cargo test` is told unless `arguments` choose packages themselves.
fn defaults(arguments: &[&str]) -> &'static [&'static str] {
    let chosen = |argument: &&str| ["-p", "--package"].iter().any(|option| argument.starts_with(option));
    if arguments.iter().take_while(|argument| **argument != "--").any(chosen) {
        &["--all-features", "--no-fail-fast"]
    } else {
        &["--workspace", "--all-features", "--no-fail-fast"]
    }
}

/// The sums of all `test result` lines.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Passes `output` on to `copy` as it comes, and counts.
    fn of(mut output: impl Read, mut copy: impl Write) -> io::Result<Self> {
        let mut counts = Counts::default();
        let mut line = Vec::new();
        let mut chunk = [0; 8192];
        loop {
            let read = output.read(&mut chunk)?;
            copy.write_all(&chunk[..read])?;
            copy.flush()?;
            for &byte in &chunk[..read] {
                if byte == b'\n' {
                    counts.add(&String::from_utf8_lossy(&line));
                    line.clear();
                } else {
                    line.push(byte);
                }
            }
            if read == 0 {
                return Ok(counts);
            }
        }
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
    fn add(&mut self, line: &str) {
        let Some((_, sums)) = line.strip_prefix("test result: ").and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for sum in sums.split(';') {
            let Some((number, what)) = sum.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_are_added() {
        let output = b"running 4 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s\n\
            test result: 99 passed\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        let counts = Counts::of(&output[..], io::sink()).expect("reading from memory");
        assert_eq!(counts, Counts { passed: 4, failed: 2, ignored: 1 });
    }

    #[test]
    fn chosen_packages_are_not_widened_to_the_workspace() {
        assert_eq!(defaults(&["-p", "tests"])[0], "--all-features");
        assert_eq!(defaults(&["--package=tests"])[0], "--all-features");
        assert_eq!(defaults(&["--test", "coherence"])[0], "--workspace");
        assert_eq!(defaults(&["--", "--package"])[0], "--workspace");
    }
}
