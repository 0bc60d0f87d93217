//! Runs each read on both connections, compares the answers, and prints what each took.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use rand::Rng;

use crate::reads::{Answer, Read, Reads};

/// A connection, and the number of queries that it sent to the database.
pub(crate) struct Side<'a> {
    pub(crate) db: &'a dyn Reads,
    pub(crate) queries: &'a AtomicU64,
}

/// What one read took on one side.
struct Taken {
    times: Vec<Duration>,
    queries: u64,
}

/// Prints a row for each read: direct against cached. Before a read is measured, every one of its keys is read
/// twice on both sides; the queries of that are counted, its time is not.
pub(crate) async fn compare(reads: &[Read], times: u32, sides: [Side<'_>; 2]) -> Result<(), Box<dyn Error>> {
    println!("{:<28} {:>21} {:>17} {:>17} {:>8}", "read", "database queries", "p50 (µs)", "p99 (µs)", "p50");
    println!(
        "{:<28} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "direct", "cached", "direct", "cached", "direct", "cached", "ratio"
    );
    for read in reads {
        let [mut direct, mut cached] = measured(*read, times, &sides).await?;
        let micros =
            |taken: &mut Taken, quantile| percentile(&mut taken.times, quantile).as_nanos() as f64 / 1e3;
        let p50 = [micros(&mut direct, 0.5), micros(&mut cached, 0.5)];
        let p99 = [micros(&mut direct, 0.99), micros(&mut cached, 0.99)];
        println!(
            "{:<28} {:>10} {:>10} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>7.1}x",
            read.name,
            direct.queries,
            cached.queries,
            p50[0],
            p50[1],
            p99[0],
            p99[1],
            p50[0] / p50[1]
        );
    }
    println!("\nEvery answer of the cached connection was equal to that of the direct one.");
    Ok(())
}

/// Both sides take turns, so that whatever else the machine does meets both.
async fn measured(read: Read, times: u32, sides: &[Side<'_>; 2]) -> Result<[Taken; 2], Box<dyn Error>> {
    let before = sides.each_ref().map(|side| side.queries.load(Ordering::Relaxed));
    let warm_up = (0..2).flat_map(|_| 1..=read.keys as i32);
    let random = (0..times).map(|_| rand::rng().random_range(1..=read.keys as i32));
    let progress = ProgressBar::new(u64::from(read.keys) * 2 + u64::from(times));
    let style = ProgressStyle::with_template("{msg:28} {bar:40} {pos}/{len}").expect("a valid template");
    progress.set_style(style);
    progress.set_message(read.name);

    let mut taken = [const { Vec::new() }; 2];
    for (count, key) in warm_up.map(|key| (false, key)).chain(random.map(|key| (true, key))) {
        let mut answers: [Option<Answer>; 2] = [None, None];
        for (side, (answer, taken)) in sides.iter().zip(answers.iter_mut().zip(&mut taken)) {
            let begin = Instant::now();
            *answer = Some(side.db.run(read, key).await?);
            if count {
                taken.push(begin.elapsed());
            }
        }
        if answers[0] != answers[1] {
            return Err(format!("{} with key {key}: {answers:?}", read.name).into());
        }
        progress.inc(1);
    }
    progress.finish_and_clear();

    let after = sides.each_ref().map(|side| side.queries.load(Ordering::Relaxed));
    let [direct, cached] = taken;
    Ok([
        Taken { times: direct, queries: after[0] - before[0] },
        Taken { times: cached, queries: after[1] - before[1] },
    ])
}

fn percentile(times: &mut [Duration], quantile: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * quantile).round() as usize]
}
