//! What is printed: for people, or for programs.

use serde_json::Value;

/// Why a command ended without an answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was used wrongly.
    Usage(String),
    /// The backend failed.
    Backend(String),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Backend(_) => 3,
        }
    }
}

impl From<cache_values::Error> for Failure {
    fn from(error: cache_values::Error) -> Self {
        Failure::Backend(error.to_string())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// An answer: a line for people, an object for programs.
    #[expect(clippy::print_stdout, reason = "this is the command's result")]
    pub(crate) fn answer(&self, line: &str, object: &Value) {
        match self.json {
            true => println!("{object}"),
            false => println!("{line}"),
        }
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        let (Failure::Usage(text) | Failure::Backend(text)) = failure;
        match self.json {
            true => eprintln!("{}", serde_json::json!({ "error": text })),
            false => eprintln!("cachectl: {text}"),
        }
    }
}
