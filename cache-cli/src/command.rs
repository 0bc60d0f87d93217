//! The commands.

use std::time::{Duration, Instant};

use cache_values::{Cache, CacheConfig, Caches, Ttl};
use serde_json::{Value, json};

use crate::{
    arguments::{Arguments, Command},
    config,
    output::{Failure, Output},
    table,
};

/// Does what the arguments say. False if there is no such value.
pub(crate) async fn run(arguments: &Arguments, output: &Output) -> Result<bool, Failure> {
    if let Command::CreateCacheTable { dry_run, database, tables } = &arguments.command {
        return table::create(arguments, *dry_run, database.as_deref(), tables, output).await;
    }
    let caches = config::open(arguments).await?;
    if let Command::Stats = arguments.command {
        return Ok(stats(&caches, output).await);
    }
    let cache = config::one(&caches, arguments)?;
    let done = match &arguments.command {
        Command::Get { keys } => get(&cache, keys, output).await?,
        Command::Ttl { key } => ttl(&cache, key, output).await?,
        Command::Set { key, value, ttl } => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.clone()));
            cache.set::<Value>(key, &value, time(ttl.as_deref())?).await?;
            output.answer("kept", &json!({ "key": key, "kept": true }));
            true
        }
        Command::Delete { keys } => {
            let deleted = cache.delete_many(keys.iter().map(String::as_str)).await?;
            output.answer(&format!("{deleted} deleted"), &json!({ "deleted": deleted }));
            deleted > 0
        }
        Command::InvalidateTag { tags } => {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            cache.invalidate_tags(&tags).await?;
            output.answer("invalidated", &json!({ "invalidated": tags }));
            true
        }
        Command::Clear => {
            cache.clear().await?;
            output.answer("cleared", &json!({ "cleared": arguments.cache }));
            true
        }
        Command::Stats | Command::CreateCacheTable { .. } => true,
    };
    caches.close().await;
    Ok(done)
}

async fn get(cache: &Cache, keys: &[String], output: &Output) -> Result<bool, Failure> {
    let found = cache.get_many::<Value, _>(keys).await?;
    for key in keys {
        match (found.get(key), keys.len()) {
            (Some(value), 1) => output.answer(&value.to_string(), &json!({ "key": key, "value": value })),
            (Some(value), _) => {
                output.answer(&format!("{key}: {value}"), &json!({ "key": key, "value": value }));
            }
            (None, _) if output.json => output.answer("", &json!({ "key": key, "missing": true })),
            (None, _) => eprintln!("cachectl: there is no value under {key:?}"),
        }
    }
    Ok(keys.iter().all(|key| found.contains_key(key)))
}

async fn ttl(cache: &Cache, key: &str, output: &Output) -> Result<bool, Failure> {
    let found = cache.ttl(key).await?;
    match found {
        Some(Some(left)) => {
            let seconds = left.as_secs_f64();
            output.answer(&format!("{seconds:.3}"), &json!({ "key": key, "seconds": seconds }));
        }
        Some(None) => output.answer("never", &json!({ "key": key, "seconds": null })),
        None if output.json => output.answer("", &json!({ "key": key, "missing": true })),
        None => eprintln!("cachectl: there is no value under {key:?}"),
    }
    Ok(found.is_some())
}

/// Asks every cache for a key that nobody has.
async fn stats(caches: &Caches, output: &Output) -> bool {
    let mut all_answer = true;
    for (alias, cache) in caches.iter() {
        let mut times = Vec::new();
        let mut error = None;
        for _ in 0..11 {
            let began = Instant::now();
            match cache.delete("cachectl: is anybody there?").await {
                Ok(_) => times.push(began.elapsed()),
                Err(failure) => error = Some(failure.to_string()),
            }
        }
        times.sort_unstable();
        let median = times.get(times.len() / 2).map(Duration::as_secs_f64);
        all_answer &= error.is_none();
        let state = match (&error, median) {
            (None, Some(median)) => format!("answers in {:.3} ms", median * 1000.0),
            (error, _) => format!("fails: {}", error.as_deref().unwrap_or("no answer")),
        };
        output.answer(
            &format!("{alias:<16}{state}"),
            &json!({ "cache": alias, "answers": error.is_none(), "median_seconds": median, "error": error }),
        );
    }
    all_answer
}

/// A time to live as it stands on the command line: what it may be is what a configuration may say.
fn time(text: Option<&str>) -> Result<Ttl, Failure> {
    let Some(text) = text else { return Ok(Ttl::Default) };
    CacheConfig::url("memory:")
        .option("timeout", text)
        .timeout()
        .map_err(|_| Failure::Usage("--ttl is a time, as 300, 0.5, 500ms or 1h30m, or never".to_owned()))
}
