//! How a store connects, and what it makes of servers that it can't use. The servers are threads that answer
//! from a list.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    thread,
};

use crate::unpoisoned;

use super::*;

/// Answers every connection in turn, each from its own list: what a command begins with, and the answer.
/// Commands that are not on the list are answered with OK.
struct FakeServer {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

type Answers = Vec<(&'static str, String)>;

impl FakeServer {
    fn start(connections: Vec<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let record = heard.clone();
        thread::spawn(move || {
            for answers in connections {
                let (stream, _) = listener.accept().unwrap();
                serve(stream, &answers, &record);
            }
        });
        FakeServer { address, heard }
    }

    fn url(&self) -> String {
        format!("redis://user:hunter2@{}/0", self.address)
    }

    /// The commands so far, without those that only introduce the client.
    fn heard(&self) -> Vec<String> {
        let heard = unpoisoned::lock(&self.heard);
        heard.iter().filter(|line| !line.starts_with("CLIENT")).cloned().collect()
    }

    /// The same, each by its first two words.
    fn verbs(&self) -> Vec<String> {
        let two = |line: &String| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        self.heard().iter().map(two).collect()
    }
}

/// Until the client hangs up or an answer is empty, which hangs up on the client.
fn serve(stream: TcpStream, answers: &Answers, heard: &Mutex<Vec<String>>) {
    let mut input = BufReader::new(stream.try_clone().unwrap());
    while let Some(words) = command(&mut input) {
        let line = words.join(" ");
        let answer = answers.iter().find(|(start, _)| line.starts_with(start));
        unpoisoned::lock(heard).push(line);
        let answer = answer.map_or("+OK\r\n", |(_, answer)| answer);
        if answer.is_empty() || (&stream).write_all(answer.as_bytes()).is_err() {
            break;
        }
    }
}

fn command(input: &mut impl BufRead) -> Option<Vec<String>> {
    let number = |input: &mut dyn BufRead| {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        line.get(1..)?.trim().parse::<usize>().ok()
    };
    let count = number(input)?;
    (0..count)
        .map(|_| {
            let mut word = vec![0; number(input)? + 2];
            input.read_exact(&mut word).ok()?;
            word.truncate(word.len() - 2);
            Some(String::from_utf8_lossy(&word).into_owned())
        })
        .collect()
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn server(role: &str, mode: &str, run_id: &str) -> Answers {
    vec![
        ("INFO server", bulk(&format!("redis_mode:{mode}\r\nrun_id:{run_id}\r\n"))),
        ("INFO replication", bulk(&format!("role:{role}\r\n"))),
        // The number of the incarnation.
        ("EVAL ", bulk(&format!("{run_id:>8}"))),
    ]
}

fn master(run_id: &str) -> Answers {
    server("master", "standalone", run_id)
}

fn with(mut answers: Answers, command: &'static str, answer: &str) -> Answers {
    answers.insert(0, (command, answer.to_owned()));
    answers
}

async fn refused(answers: Answers) -> ConnectError {
    let server = FakeServer::start(vec![answers]);
    let error = RedisStore::connect(&server.url(), "shop").await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains(&server.address), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    error
}

fn slot(name: &str) -> Address {
    Address { slot: Key::from(name.to_owned()), epoch: None, presence: None }
}

#[tokio::test]
async fn a_wrong_password_is_told_from_an_unreachable_server() {
    for answer in ["-WRONGPASS invalid username-password pair\r\n", "-ERR invalid password\r\n"] {
        match refused(with(master("a"), "AUTH", answer)).await {
            ConnectError::AuthenticationFailed { user, .. } => assert_eq!(user, "user"),
            other => panic!("{other:?}"),
        }
    }
    let unauthenticated = with(master("a"), "INFO", "-NOAUTH Authentication required.\r\n");
    assert!(matches!(refused(unauthenticated).await, ConnectError::AuthenticationFailed { .. }));
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_with_cells_is_refused() {
    assert!(matches!(refused(server("slave", "standalone", "a")).await, ConnectError::Replica { .. }));
    for unusable in [
        server("master", "cluster", "a"),
        server("sentinel", "sentinel", "a"),
        with(master("a"), "INFO server", &bulk("redis_mode:standalone\r\n")),
        with(master("a"), "INFO", "-NOPERM this user has no permissions to run the 'info' command\r\n"),
    ] {
        let error = refused(unusable).await;
        assert!(matches!(error, ConnectError::Unusable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    match RedisStore::connect(&format!("redis://{address}"), "shop").await {
        Err(ConnectError::Unreachable { address: named, .. }) => assert_eq!(named, address),
        other => panic!("{other:?}"),
    }
    // It hangs up instead of answering.
    assert!(matches!(refused(with(master("a"), "AUTH", "")).await, ConnectError::Unreachable { .. }));
}

#[tokio::test]
async fn a_namespace_that_is_not_usable_is_refused_before_connecting() {
    let error = RedisStore::connect("redis://nowhere.invalid", "a:b").await.unwrap_err();
    assert!(matches!(error, ConnectError::InvalidNamespace(_)));
}

#[tokio::test]
async fn a_store_shows_no_password() {
    let server = FakeServer::start(vec![master("a")]);
    let builder = RedisStore::builder(server.url()).namespace(Namespace::new("shop").unwrap());
    assert!(!format!("{builder:?}").contains("hunter2"));
    let store = builder.connect().await.unwrap();
    let shown = format!("{store:?}");
    assert!(!shown.contains("hunter2") && shown.contains(&server.address), "{shown}");
    assert_eq!(store.default_namespace(), Some(Namespace::new("shop").unwrap()));
}

/// A cell as the first server stored it.
fn cell(incarnation: &str) -> String {
    format!("*1\r\n{}", bulk(&format!("F2-token--{incarnation:>8}-finger-\0row")))
}

#[tokio::test]
async fn an_entry_of_another_incarnation_is_not_seen() {
    let server = FakeServer::start(vec![
        with(master("first"), "MGET", &cell("first")),
        with(master("second"), "MGET", &cell("first")),
    ]);
    for seen in [true, false] {
        let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
        assert_eq!(store.lookup(&slot("{a}")).await.unwrap().entry.is_some(), seen);
    }
}

#[tokio::test]
async fn scripts_are_loaded_before_anything_else_is_sent() {
    let server =
        FakeServer::start(vec![with(master("a"), "MGET", ""), with(master("a"), "MGET", "*1\r\n$-1\r\n")]);
    let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
    store.lookup(&slot("{a}")).await.unwrap_err();
    store.lookup(&slot("{a}")).await.unwrap();
    let mut expected = vec!["AUTH user", "INFO server", "INFO replication", "EVAL --"];
    expected.extend(["SCRIPT LOAD"; 7]);
    expected.push("MGET {a}");
    assert_eq!(server.verbs(), [expected.clone(), expected].concat());
}

#[tokio::test]
async fn a_server_that_answers_with_no_incarnation_is_refused() {
    for number in ["$-1\r\n", "$3\r\nabc\r\n", ":5\r\n", "+OK\r\n", "$9\r\n123456789\r\n"] {
        let error = refused(with(master("a"), "EVAL ", number)).await;
        assert!(matches!(error, ConnectError::Unusable { .. }), "{number:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_store_that_comes_to_another_incarnation_first_invalidates_its_tables() {
    let answers = |run| with(with(master(run), "EVALSHA", ":10\r\n"), "MGET", "*1\r\n$-1\r\n");
    let lost = |run| with(master(run), "MGET", "");
    let server = FakeServer::start(vec![lost("a"), lost("a"), answers("b")]);
    let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
    store.know(&TableKeys::new(&Namespace::new("shop").unwrap(), "product"));
    for lost in [true, true, false] {
        assert_eq!(store.lookup(&slot("{a}")).await.is_err(), lost);
    }
    let fences: Vec<_> = server.heard().into_iter().filter(|line| line.starts_with("EVALSHA")).collect();
    let [fence] = fences.try_into().unwrap();
    let [last, before] = [1, 2].map(|back| server.verbs().into_iter().rev().nth(back - 1).unwrap());
    assert!(before.starts_with("EVALSHA") && last == "MGET {a}", "{before}, {last}");
    for cell in ["product.0}", "product.7}", "product.all}", "product.here}"] {
        assert!(fence.contains(cell), "{fence}");
    }
}

#[tokio::test]
async fn a_master_that_became_a_replica_is_left() {
    let server = FakeServer::start(vec![
        with(master("a"), "EVALSHA", "-READONLY You can't write against a read only replica.\r\n"),
        server("slave", "standalone", "a"),
    ]);
    let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
    let (schema, cells) = (Key::from("{s}".to_owned()), [Key::from("{a}".to_owned())]);
    for expected in ["READONLY", "is a replica"] {
        match store.fence(&schema, &cells, Writer(1), Duration::from_secs(60)).await {
            Err(StoreError::Unreachable(reason)) => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_error_without_its_content() {
    let secret = "$6\r\nsecret\r\n";
    let answers = || with(with(master("a"), "MGET", ":5\r\n"), "EVALSHA", secret);
    let server = FakeServer::start(vec![answers(), answers()]);
    let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
    let (schema, at) = (Key::from("{s}".to_owned()), slot("{a}"));
    let lookup = store.lookup(&at).await.map(|_| ());
    let lease = store.lease(&schema, &at, None, Duration::from_secs(60)).await.map(|_| ());
    for answer in [lookup, lease] {
        match answer {
            Err(StoreError::Unexpected(reason)) => assert!(!reason.contains("secret"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_with_too_few_cells_is_an_error() {
    let server = FakeServer::start(vec![with(master("a"), "MGET", "*1\r\n$-1\r\n")]);
    let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
    let at = Address { epoch: Some(Key::from("{a}".to_owned())), ..slot("{a}:1") };
    let answer = store.lookup(&at).await;
    assert!(matches!(answer, Err(StoreError::Unexpected(_))), "{answer:?}");
}

#[tokio::test]
async fn callers_share_one_attempt_to_connect_again() {
    let server =
        FakeServer::start(vec![with(master("a"), "MGET", ""), with(master("a"), "MGET", "*1\r\n$-1\r\n")]);
    let store = RedisStore::connect(&server.url(), "shop").await.unwrap();
    store.lookup(&slot("{a}")).await.unwrap_err();
    let at = slot("{a}");
    let (one, two, three) = tokio::join!(store.lookup(&at), store.lookup(&at), store.lookup(&at));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let connected = server.heard().iter().filter(|line| line.starts_with("INFO server")).count();
    assert_eq!(connected, 2);
}
