//! What a client of Postgres asks.

use std::collections::HashMap;

use super::Spy;

/// One connection, as far as it is needed to tell which statements are executed.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    unread: Vec<u8>,
    begun: bool,
    /// By name.
    statements: HashMap<Vec<u8>, String>,
    /// The statement that was bound last, to the portal without a name.
    bound: String,
}

impl Spy for Conversation {
    fn asked(&mut self, bytes: &[u8]) -> Vec<String> {
        self.unread.extend(bytes);
        let mut executed = Vec::new();
        while let Some((kind, body)) = self.next() {
            match kind {
                b'Q' => executed.push(text(&body)),
                b'P' => {
                    let (name, rest) = split(&body);
                    self.statements.insert(name.to_vec(), text(rest));
                }
                b'B' => {
                    let (_, rest) = split(&body);
                    self.bound = self.statements.get(split(rest).0).cloned().unwrap_or_default();
                }
                b'E' => executed.push(self.bound.clone()),
                _ => {}
            }
        }
        executed
    }

    fn answered(&mut self, _bytes: &[u8]) {}
}

impl Conversation {
    /// The next whole message. The first one has no kind.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = usize::from(self.begun);
        let length: [u8; 4] = self.unread.get(head..head + 4)?.try_into().ok()?;
        let end = head + usize::try_from(u32::from_be_bytes(length)).ok()?;
        if self.unread.len() < end {
            return None;
        }
        let message: Vec<u8> = self.unread.drain(..end).collect();
        let kind = if self.begun { message[0] } else { 0 };
        self.begun = true;
        Some((kind, message[head + 4..].to_vec()))
    }
}

/// A text that ends with a zero, and what follows.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(split(bytes).0).into_owned()
}
