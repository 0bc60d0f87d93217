//! What a client of MySQL or MariaDB asks.

use std::collections::{HashMap, VecDeque};

use super::Spy;

const QUIT: u8 = 0x01;
const QUERY: u8 = 0x03;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const CLOSE: u8 = 0x19;

/// One connection, as far as it is needed to tell which statements are executed.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    from_client: Vec<u8>,
    from_server: Vec<u8>,
    /// Commands without an answer yet, and what they prepare.
    unanswered: VecDeque<Option<String>>,
    /// By number.
    statements: HashMap<[u8; 4], String>,
}

impl Spy for Conversation {
    fn asked(&mut self, bytes: &[u8]) -> Vec<String> {
        self.from_client.extend(bytes);
        let mut executed = Vec::new();
        while let Some((number, payload)) = next(&mut self.from_client) {
            // A command is the first packet of a conversation; others belong to the log-in.
            let (0, Some((command, rest))) = (number, payload.split_first()) else { continue };
            let text = || String::from_utf8_lossy(rest).into_owned();
            match *command {
                QUERY => executed.push(text()),
                EXECUTE => executed.push(
                    rest.first_chunk().and_then(|id| self.statements.get(id)).cloned().unwrap_or_default(),
                ),
                _ => {}
            }
            if !matches!(*command, QUIT | CLOSE) {
                self.unanswered.push_back((*command == PREPARE).then(text));
            }
        }
        executed
    }

    fn answered(&mut self, bytes: &[u8]) {
        self.from_server.extend(bytes);
        while let Some((number, payload)) = next(&mut self.from_server) {
            // The first packet of an answer.
            if number != 1 {
                continue;
            }
            if let Some(Some(text)) = self.unanswered.pop_front()
                && let Some((0, rest)) = payload.split_first()
                && let Some(id) = rest.first_chunk()
            {
                self.statements.insert(*id, text);
            }
        }
    }
}

/// The next whole packet: its number within the conversation, and what it holds.
fn next(unread: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let [a, b, c, number] = *unread.first_chunk()?;
    let end = 4 + usize::try_from(u32::from_le_bytes([a, b, c, 0])).ok()?;
    if unread.len() < end {
        return None;
    }
    let packet: Vec<u8> = unread.drain(..end).collect();
    Some((number, packet[4..].to_vec()))
}
