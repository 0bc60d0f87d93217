//! The service with the cache gives the answers of the service without, and the README shows what is between them.

mod built;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Reads twice, writes in between, refused orders, pages.
const CALLS: &[(&str, &str, &str)] = &[
    ("GET", "/publishers", ""),
    ("GET", "/publishers", ""),
    ("GET", "/books?page=2", ""),
    ("GET", "/books/1", ""),
    ("GET", "/books/1", ""),
    ("GET", "/books/99", ""),
    ("GET", "/books/99", ""),
    ("PUT", "/books/1/price", r#"{"price": 777}"#),
    ("GET", "/books/1", ""),
    (
        "POST",
        "/orders",
        r#"{"email": "ada@example.org", "books": [{"id": 1, "quantity": 2}, {"id": 2, "quantity": 1}]}"#,
    ),
    ("GET", "/books/1", ""),
    (
        "POST",
        "/orders",
        r#"{"email": "ada@example.org", "books": [{"id": 3, "quantity": 1}, {"id": 1, "quantity": 4}]}"#,
    ),
    (
        "POST",
        "/orders",
        r#"{"email": "ada@example.org", "books": [{"id": 3, "quantity": 1}, {"id": 3, "quantity": 1}]}"#,
    ),
    ("POST", "/orders", r#"{"email": "nobody", "books": []}"#),
    ("POST", "/orders", r#"{"email": "ada@example.org", "books": [{"id": 3, "quantity": 0}]}"#),
    ("GET", "/books/1", ""),
    ("GET", "/books/3", ""),
    ("GET", "/readers/ada@example.org/orders", ""),
    ("GET", "/readers/ada@example.org/orders", ""),
];

#[test]
fn the_cache_changes_no_answer() {
    let [mut plain, mut cached] = ["axum-plain", "axum"].map(Service::start);
    for (method, path, body) in CALLS {
        let [expected, answer] = [&plain, &cached].map(|service| service.call(method, path, body));
        assert_eq!(answer, expected, "{method} {path} {body}");
    }
    let stats = cached.call("GET", "/stats", "");
    assert!(
        stats.contains("\nbook: ") && !stats.contains("book: 0 hits"),
        "nothing came from the cache: {stats}"
    );
    assert!(plain.call("GET", "/stats", "").starts_with("HTTP/1.1 404"), "the plain service has no cache");
    for service in [&mut plain, &mut cached] {
        assert_eq!(service.stop(), "closed in good order\n");
    }
}

#[test]
fn the_readme_shows_what_the_diff_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [readme, diff] = ["../README.md", "axum/cached.diff"]
        .map(|file| fs::read_to_string(folder.join(file)).expect("a file of the repository"));
    let blocks = readme.split("```diff\n").skip(1).filter_map(|block| block.split("```").next());
    let shown: Vec<_> = blocks.collect();
    assert!(!shown.is_empty(), "the README shows no difference");
    for block in shown {
        assert!(diff.contains(block), "axum/cached.diff does not have\n{block}");
    }
}

/// A service that runs, on a port that was free.
struct Service {
    process: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Service {
    fn start(name: &str) -> Self {
        let mut command = built::example(name);
        let command =
            command.env_remove("DATABASE_URL").env_remove("REDIS_URL").env("ADDRESS", "127.0.0.1:0");
        let mut process = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("listening on http://").expect("an address").to_owned();
        Service { process, output, address }
    }

    /// The whole answer but its date.
    fn call(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer.lines().filter(|line| !line.starts_with("date: ")).map(|line| format!("{line}\n")).collect()
    }

    /// What it says when it is asked to end.
    fn stop(&mut self) -> String {
        let id = self.process.id().to_string();
        let asked = Command::new("sh").args(["-c", "kill -s TERM \"$1\"", "sh", &id]).status();
        assert!(asked.expect("a shell").success(), "it runs until it is asked to end");
        let mut said = String::new();
        self.output.read_to_string(&mut said).expect("it says how it ended");
        assert!(self.process.wait().expect("it ends").success());
        said
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails where it has ended, which is as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
