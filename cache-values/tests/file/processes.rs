//! Several processes: this program, started again with a part to play.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "this is how the other processes answer")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use cache_values::backend::{Backend, Counted, Start, Stored, When, file::FileBackend};

use super::{Folder, get, name, put, set};

const PART: &str = "CACHE_TEST_FILE_PART";
const FOLDER: &str = "CACHE_TEST_FILE_FOLDER";

/// How often each process adds and counts.
const ROUNDS: usize = 100;

/// The part of the other processes. As a test of its own it has none.
#[tokio::test(flavor = "multi_thread")]
async fn other_process() {
    let Ok(part) = env::var(PART) else { return };
    let backend = FileBackend::open(env::var(FOLDER).expect("a folder")).await.expect("it can be used");
    match part.as_str() {
        "compete" => compete(&backend).await,
        "set" => set(&backend, "a", b"1").await,
        "too much" => {
            let error =
                backend.put(&[put("a", &[7; 100_000], When::Always)]).await.expect_err("a file too large");
            println!("heard: {error}");
        }
        part => panic!("there is no part {part:?}"),
    }
}

/// Says what it won.
async fn compete(backend: &FileBackend) {
    let start = Some(Start { value: 1, ttl: Some(Duration::from_secs(600)) });
    for round in 0..ROUNDS {
        let add = put(format!("add{round}"), b"1", When::Vacant);
        if backend.put(&[add]).await.expect("it answers") == [Stored::Kept] {
            println!("heard: added {round}");
        }
        match backend.count(&name("sum"), 1, start).await.expect("it answers") {
            Counted::Is(sum) => println!("heard: sum {sum}"),
            other => panic!("{other:?}"),
        }
        if backend
            .rename(&name(format!("move{round}")), &name(format!("moved{round}")))
            .await
            .expect("it answers")
        {
            println!("heard: moved {round}");
        }
        let removed = backend.remove(&[name(format!("remove{round}"))]).await.expect("it answers");
        if removed == [true] {
            println!("heard: removed {round}");
        }
    }
}

/// This program, with a part to play. `before` is said to the shell first.
fn process(part: &str, folder: &Folder, before: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{before} exec \"$0\" \"$@\""))
        .arg(env::current_exe().expect("this program"));
    command.args(["--exact", "processes::other_process", "--nocapture"]);
    command.env(PART, part).env(FOLDER, folder.cache()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a process said.
fn heard(output: &Output) -> Vec<String> {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // What comes first may stand behind the name of the test.
    said.lines().filter_map(|line| line.split_once("heard: ")).map(|(_, said)| said.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_agree_on_who_was_first() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    for round in 0..ROUNDS {
        set(&backend, format!("move{round}"), b"1").await;
        set(&backend, format!("remove{round}"), b"1").await;
    }
    let processes: Vec<_> =
        (0..4).map(|_| process("compete", &folder, "").spawn().expect("sh is there")).collect();
    let wait =
        |process: std::process::Child| thread::spawn(move || process.wait_with_output().expect("it ends"));
    let outputs: Vec<_> = processes.into_iter().map(wait).collect();
    let mut all = Vec::new();
    for output in outputs {
        all.extend(heard(&output.join().expect("no panic")));
    }
    all.sort();
    let mut expected: Vec<String> = (1..=4 * ROUNDS).map(|sum| format!("sum {sum}")).collect();
    for round in 0..ROUNDS {
        expected.extend(["added", "moved", "removed"].map(|what| format!("{what} {round}")));
    }
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(get(&backend, "sum").await.expect("it was counted").bytes, (4 * ROUNDS).to_string());
}

#[test]
fn whatever_the_umask_nobody_else_may_look() {
    for umask in ["000", "077", "777", "277"] {
        let folder = Folder::new();
        let output = process("set", &folder, &format!("umask {umask};")).output().expect("sh is there");
        heard(&output);
        let mode =
            |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
        let file = folder.file();
        let shard = file.parent().expect("a shard").to_owned();
        for (path, expected) in [
            (folder.cache(), 0o700),
            (shard.clone(), 0o700),
            (file, 0o600),
            (shard.join("lock"), 0o600),
            (folder.cache().join("account"), 0o600),
        ] {
            assert_eq!(mode(&path), expected, "umask {umask}: {}", path.display());
        }
    }
}

/// The system refuses to write more, as it does when a disk is full.
#[tokio::test]
async fn a_full_disk_leaves_nothing_old() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "a", b"old").await;
    let output = process("too much", &folder, "trap '' XFSZ; ulimit -f 20;").output().expect("sh is there");
    let heard = heard(&output);
    assert!(heard.len() == 1 && heard[0].contains("large"), "{heard:?}");
    assert!(get(&backend, "a").await.is_none());
    assert!(folder.files().is_empty());
    set(&backend, "a", b"new").await;
    assert_eq!(get(&backend, "a").await.expect("it was put").bytes, "new");
}
