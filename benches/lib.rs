//! Measuring alternatives side by side: in turns, so that whatever else the machine does meets all of them.

use std::time::{Duration, Instant};

/// One alternative and its times per call, one for each round.
#[derive(Debug)]
pub struct Measured {
    /// What it is.
    pub name: String,
    rounds: Vec<Duration>,
}

impl Measured {
    /// An alternative that has not been measured yet.
    pub fn new(name: impl Into<String>) -> Self {
        Measured { name: name.into(), rounds: Vec::new() }
    }

    /// Adds a round: `calls` calls that began at `begin` and end now.
    pub fn round(&mut self, begin: Instant, calls: u32) {
        self.rounds.push(begin.elapsed() / calls);
    }

    /// The time per call that a part of the rounds stayed below: 0.5 is the median.
    ///
    /// # Panics
    /// If nothing was measured.
    pub fn quantile(&self, part: f64) -> Duration {
        let mut rounds = self.rounds.clone();
        rounds.sort_unstable();
        rounds[((rounds.len() - 1) as f64 * part).round() as usize]
    }
}

/// A table: median, quartiles, and the ratio of each median to that of the first.
///
/// # Panics
/// If one of them was not measured.
pub fn table(all: &[Measured]) -> String {
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    let first = micros(all[0].quantile(0.5));
    let row = |one: &Measured| {
        let [low, median, high] = [0.25, 0.5, 0.75].map(|part| micros(one.quantile(part)));
        format!("{:<44} {median:>9.2} {low:>9.2} {high:>9.2} {:>8.2}\n", one.name, median / first)
    };
    let head = format!("{:<44} {:>9} {:>9} {:>9} {:>8}\n", "", "median µs", "1st qu.", "3rd qu.", "ratio");
    head + &all.iter().map(row).collect::<String>()
}
