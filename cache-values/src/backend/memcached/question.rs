//! What a server is asked, in its meta commands.

use std::fmt::Write;

use super::lifetime::Lifetime;

/// The most that is put beside a name: `ms`, a length, flags, a time, a version.
const BESIDE: usize = 100;

/// One command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question<'a> {
    /// What is there; its bytes too if they are wanted.
    Look { name: &'a str, bytes: bool },
    /// Keeps these bytes.
    Keep { name: &'a str, bytes: &'a [u8], lifetime: Lifetime, mode: Mode },
    /// Removes what is there; with a version only that.
    Remove { name: &'a str, version: Option<u64> },
    /// Adds to the number that is there.
    Add { name: &'a str, by: u64 },
    /// Nothing at all: whether anybody is there.
    Nothing,
}

/// Over what a server keeps something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Anything,
    Nothing,
    Version(u64),
}

impl Question<'_> {
    /// The line of the command.
    pub(super) fn line(&self) -> String {
        let mut line = String::with_capacity(BESIDE);
        // Writing to a text never fails.
        let _ = match *self {
            Question::Look { name, bytes: true } => write!(line, "mg {name} v f c t\r\n"),
            Question::Look { name, bytes: false } => write!(line, "mg {name} f c t\r\n"),
            Question::Keep { name, bytes, lifetime, mode } => {
                let Lifetime { flags, seconds } = lifetime;
                let _ = write!(line, "ms {name} {} F{flags} T{seconds}", bytes.len());
                match mode {
                    Mode::Anything => writeln!(line, "\r"),
                    Mode::Nothing => writeln!(line, " ME\r"),
                    Mode::Version(version) => writeln!(line, " C{version}\r"),
                }
            }
            Question::Remove { name, version: Some(version) } => write!(line, "md {name} C{version}\r\n"),
            Question::Remove { name, version: None } => write!(line, "md {name}\r\n"),
            Question::Add { name, by } => write!(line, "ma {name} D{by} v\r\n"),
            Question::Nothing => write!(line, "mn\r\n"),
        };
        line
    }

    /// What follows the line, but for the end of that line.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Question::Keep { bytes, .. } => Some(bytes),
            _ => None,
        }
    }
}
