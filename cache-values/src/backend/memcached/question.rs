//! What a server is asked, in its meta commands.

use super::lifetime::Lifetime;

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
        match *self {
            Question::Look { name, bytes: true } => format!("mg {name} v f c t\r\n"),
            Question::Look { name, bytes: false } => format!("mg {name} f c t\r\n"),
            Question::Keep { name, bytes, lifetime: Lifetime { flags, seconds }, mode } => {
                let over = match mode {
                    Mode::Anything => String::new(),
                    Mode::Nothing => " ME".to_owned(),
                    Mode::Version(version) => format!(" C{version}"),
                };
                format!("ms {name} {} F{flags} T{seconds}{over}\r\n", bytes.len())
            }
            Question::Remove { name, version: Some(version) } => format!("md {name} C{version}\r\n"),
            Question::Remove { name, version: None } => format!("md {name}\r\n"),
            Question::Add { name, by } => format!("ma {name} D{by} v\r\n"),
            Question::Nothing => "mn\r\n".to_owned(),
        }
    }

    /// What follows the line, but for the end of that line.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Question::Keep { bytes, .. } => Some(bytes),
            _ => None,
        }
    }
}
