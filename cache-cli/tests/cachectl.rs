//! The program itself, run as people run it.

use std::{env, fs, path::PathBuf, process::Command};

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("cachectl-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("there is room");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What it printed, what it complained, and how it ended.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachectl"));
    command.env_remove("CACHECTL_URL").env_remove("CACHECTL_CONFIG").env_remove("CACHECTL_DATABASE");
    let output = command.args(arguments).envs(variables.iter().copied()).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    (text(output.stdout), text(output.stderr), output.status.code().expect("it ends by itself"))
}

fn done(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (printed, complaint, code) = run(arguments, variables);
    assert_eq!((code, complaint.as_str()), (0, ""), "{arguments:?}: {printed}");
    printed
}

#[test]
fn values_are_kept_shown_and_removed() {
    let folder = Folder::new("values");
    let url = format!("file:{}/cache?key_prefix=shop", folder.0.display());
    let variables = [("CACHECTL_URL", url.as_str())];
    assert_eq!(done(&["set", "user:7", r#"{"name":"Ada"}"#, "--ttl", "never"], &variables), "kept\n");
    assert_eq!(done(&["get", "user:7"], &variables), "{\"name\":\"Ada\"}\n");
    assert_eq!(done(&["ttl", "user:7"], &variables), "never\n");
    done(&["set", "text", "no JSON", "--ttl", "1h"], &variables);
    assert_eq!(
        done(&["get", "text", "user:7"], &variables),
        "text: \"no JSON\"\nuser:7: {\"name\":\"Ada\"}\n"
    );
    let left: f64 = done(&["ttl", "text"], &variables).trim().parse().expect("a number");
    assert!(left <= 3600.0, "{left}");
    assert_eq!(done(&["--json", "get", "text"], &variables), "{\"key\":\"text\",\"value\":\"no JSON\"}\n");
    let (printed, complaint, code) = run(&["get", "other"], &variables);
    assert_eq!((printed.as_str(), code), ("", 1));
    assert_eq!(complaint, "cachectl: there is no value under \"other\"\n");
    assert_eq!(run(&["--key-version", "2", "get", "text"], &variables).2, 1);
    assert_eq!(done(&["delete", "text", "other"], &variables), "1 deleted\n");
    assert_eq!(run(&["delete", "text"], &variables).2, 1);
    assert_eq!(done(&["clear"], &variables), "cleared\n");
    assert_eq!(run(&["get", "user:7"], &variables).2, 1);
    assert!(done(&["stats"], &variables).starts_with("default         answers in "));
}

#[test]
fn tables_are_made_and_shown() {
    let folder = Folder::new("tables");
    let database = format!("sqlite://{}/cache.sqlite?mode=rwc", folder.0.display());
    let file = folder.0.join("caches.toml");
    let config = format!(
        "[default]\nurl = \"database:cache_entries\"\ntimeout = 60\n[default.options]\nconnection = \"{database}\"\n\
         [other]\nLOCATION = \"memory:\"\nTIMEOUT = 5\n"
    );
    fs::write(&file, config).expect("there is room");
    let file = file.to_str().expect("a path").to_owned();
    let arguments = ["--config", &file];
    let (_, complaint, code) = run(&[&arguments[..], &["get", "key"]].concat(), &[]);
    assert_eq!(code, 3, "{complaint}");
    assert!(complaint.contains("createcachetable"), "the remedy is named: {complaint}");
    let shown = done(&[&arguments[..], &["createcachetable", "--dry-run"]].concat(), &[]);
    assert!(shown.starts_with("CREATE TABLE IF NOT EXISTS \"cache_entries\" ("), "{shown}");
    assert_eq!(run(&[&arguments[..], &["get", "key"]].concat(), &[]).2, 3, "a dry run changes nothing");
    for _ in 0..2 {
        let made = done(&[&arguments[..], &["createcachetable"]].concat(), &[]);
        assert_eq!(made, "table cache_entries is there\n");
    }
    done(&[&arguments[..], &["set", "key", "5"]].concat(), &[]);
    assert_eq!(done(&[&arguments[..], &["get", "key"]].concat(), &[]), "5\n");
    let variables = [("CACHECTL_DATABASE", database.as_str())];
    assert_eq!(
        done(&["createcachetable", "one", "two"], &variables),
        "table one is there\ntable two is there\n"
    );
}

#[test]
fn what_is_used_wrongly_is_said_with_the_remedy_and_without_passwords() {
    let (_, complaint, code) = run(&["get", "key"], &[]);
    assert_eq!(code, 2);
    assert!(complaint.contains("give --url URL or --config FILE"), "{complaint}");
    let (_, complaint, code) = run(&["--url", "memroy:", "get", "key"], &[]);
    assert_eq!(code, 2);
    assert!(complaint.contains("there are `memory`"), "{complaint}");
    assert_eq!(run(&["--url", "memory:", "set", "a", "1", "--ttl", "soon"], &[]).2, 2);
    assert_eq!(run(&["--url", "memory:"], &[]).2, 2);
    assert_eq!(run(&["--help"], &[]).2, 0);
    let down = "redis://user:secret@127.0.0.1:1/0?call_timeout=100ms";
    for command in [&["get", "key"][..], &["set", "key", "1"], &["clear"]] {
        let (printed, complaint, code) = run(command, &[("CACHECTL_URL", down)]);
        assert_eq!((printed.as_str(), code), ("", 3), "{complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
    let (printed, _, code) = run(&["--json", "stats"], &[("CACHECTL_URL", down)]);
    assert_eq!(code, 1);
    assert!(printed.contains("\"answers\":false"), "{printed}");
    let folder = Folder::new("wrong");
    let file = folder.0.join("caches.toml");
    fs::write(&file, "[default]\nurl = \"redis://:secret@host\"\ntimeout = \n").expect("there is room");
    let (_, complaint, code) = run(&["--config", file.to_str().expect("a path"), "stats"], &[]);
    assert_eq!(code, 2);
    assert!(complaint.contains("line 3") && !complaint.contains("secret"), "{complaint}");
}
