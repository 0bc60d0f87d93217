//! Servers that answer what memcached never does, or not at all.

use std::time::Duration;

use cache_values::backend::{Backend, MemcachedBackend, MemcachedError, StoreError, Stored, Version, When};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use crate::{look, name, put};

/// Answers whatever comes on a connection with these bytes, once, and then closes it or says nothing more.
async fn saying(answer: &'static [u8], closes: bool) -> MemcachedBackend {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut some = [0; 1024];
            if stream.read(&mut some).await.is_ok_and(|length| length > 0) {
                let _ = stream.write_all(answer).await;
            }
            if !closes {
                open.push(stream);
            }
        }
    });
    MemcachedBackend::builder([address]).max_value(1000).open().unwrap()
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"VA 1001 f0 c1 t-1\r\n",
        b"VA 99999999999999999999999 f0 c1 t-1\r\n",
        b"VA 3 f0 c1 t-1\r\nabcdef\r\n",
        b"VA 3 f0 c1 t-1\r\nabc\r\nEN\r\n",
        b"HD f0 c1 t99999999999999999999999\r\n",
        b"\0\0\0\0\r\n",
    ] {
        let backend = saying(answer, false).await;
        let said = String::from_utf8_lossy(answer);
        assert!(matches!(backend.get(&[name("n")], true).await, Err(StoreError::Unexpected(_))), "{said}");
        assert!(backend.remove(&[name("n")]).await.is_err(), "{said}");
        assert!(backend.count(&name("n"), 1, None).await.is_err(), "{said}");
        assert!(backend.put(&[put("n", "v", When::Vacant)]).await.is_err(), "{said}");
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_an_error() {
    for answer in [&b"NS\r\n"[..], b"MN\r\n", b"SERVER_ERROR busy\r\n"] {
        let backend = saying(answer, false).await;
        let error = backend.get(&[name("n")], true).await.unwrap_err();
        assert!(matches!(error, StoreError::Unexpected(_)), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_midway_is_an_error() {
    for answer in [&b"VA 3 f0 c1 t-1\r\nab"[..], b"VA", b""] {
        let backend = saying(answer, true).await;
        assert!(matches!(backend.get(&[name("n")], true).await, Err(StoreError::Unreachable(_))));
    }
}

/// A server that was started anew may give another item the version that was seen before.
#[tokio::test]
async fn what_was_seen_counts_on_the_same_connection_alone() {
    let backend = saying(b"HD f0 c5 t-1\r\n", true).await;
    assert!(matches!(backend.remove(&[name("n")]).await, Err(StoreError::Unreachable(_))));
    let backend = saying(b"VA 1 f0 c5 t-1\r\n7\r\n", true).await;
    assert!(matches!(backend.count(&name("n"), -1, None).await, Err(StoreError::Unreachable(_))));
    assert!(matches!(backend.rename(&name("n"), &name("m")).await, Err(StoreError::Unreachable(_))));
}

/// The time that a call may take is the caller's to say.
#[tokio::test]
async fn an_answer_that_never_comes_is_waited_for_as_long_as_the_caller_likes() {
    let backend = saying(b"VA 3 f0 c1 t-1\r\nab", false).await;
    assert!(tokio::time::timeout(Duration::from_millis(30), look(&backend, "n")).await.is_err());
}

#[tokio::test]
async fn what_does_not_know_the_commands_is_refused_at_once() {
    let backend = saying(b"ERROR\r\n", false).await;
    let shown = format!("{backend:?}");
    let address = shown.split('"').nth(1).unwrap().to_owned();
    let refused = MemcachedBackend::connect([address]).await.unwrap_err();
    assert!(matches!(refused, MemcachedError::Unsuitable(_)), "{refused}");
}

/// memcached removes what was there before when something too large is to take its place; not every server that speaks as it does.
#[tokio::test]
async fn what_is_too_large_is_removed_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = MemcachedBackend::builder([listener.local_addr().unwrap().to_string()]).open().unwrap();
    let serving = tokio::spawn(async move {
        let mut lines = BufReader::new(listener.accept().await.unwrap().0).lines();
        let mut asked = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let answer = match line.split(' ').next().unwrap() {
                "mg" => "VA 0 f0 c5 t-1\r\n\r\n",
                "ms" => "SERVER_ERROR object too large for cache\r\n",
                "md" => "HD\r\n",
                // The bytes of a value.
                _ => continue,
            };
            asked.push(line);
            lines.get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    let version = Version::of(b"");
    for when in [When::Always, When::Unchanged(Some(version))] {
        assert_eq!(backend.put(&[put("n", "v", when)]).await.unwrap(), [Stored::TooLarge]);
    }
    drop(backend);
    let asked = serving.await.unwrap();
    let removed: Vec<_> = asked.iter().filter(|line| line.starts_with("md")).collect();
    assert_eq!(removed, ["md n", "md n C5"], "{asked:?}");
}
