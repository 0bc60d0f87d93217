//! What a server answers. It is believed in nothing that can be checked.

use bytes::{Buf, Bytes, BytesMut};

/// What a server says to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is there, or it is done.
    Here(Found),
    /// There is nothing.
    Nothing,
    /// Something else is there.
    Otherwise,
    /// To the command that asks nothing.
    Present,
    /// It could not be done: what the server says of it.
    Failed(String),
}

/// What the server tells of an item, as far as it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) bytes: Bytes,
    pub(super) flags: u32,
    pub(super) version: u64,
    /// The seconds that are left, unless it has no end.
    pub(super) seconds: Option<u64>,
}

/// The answer is none that memcached gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Garbled(pub(super) &'static str);

/// No answer of a server has a longer line.
const LONGEST_LINE: usize = 2048;

/// Of what a server says, so much is shown.
const LONGEST_MESSAGE: usize = 100;

/// Takes the next answer off the buffer, or says how many more bytes it takes at least.
///
/// # Errors
/// If it is none, or its bytes are more than `longest`.
pub(super) fn take(buffer: &mut BytesMut, longest: usize) -> Result<Result<Answer, usize>, Garbled> {
    let seen = &buffer[..buffer.len().min(LONGEST_LINE)];
    let Some(end) = seen.windows(2).position(|two| two == b"\r\n") else {
        return if seen.len() == LONGEST_LINE { Err(Garbled("a line without an end")) } else { Ok(Err(1)) };
    };
    let line = std::str::from_utf8(&buffer[..end]).map_err(|_| Garbled("a line that is no text"))?;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let answer = match word {
        "VA" => {
            let (length, flags) = rest.split_once(' ').unwrap_or((rest, ""));
            let length: usize = length.parse().map_err(|_| Garbled("a value without its length"))?;
            if length > longest {
                return Err(Garbled("a value too long"));
            }
            let whole = end + 2 + length + 2;
            if buffer.len() < whole {
                return Ok(Err(whole - buffer.len()));
            }
            if buffer[whole - 2..whole] != *b"\r\n" {
                return Err(Garbled("a value without an end"));
            }
            // Of its own: a small value must not hold on to the whole buffer.
            let bytes = Bytes::copy_from_slice(&buffer[end + 2..whole - 2]);
            let found = found(flags, bytes)?;
            buffer.advance(whole);
            return Ok(Ok(Answer::Here(found)));
        }
        "HD" => Answer::Here(found(rest, Bytes::new())?),
        "EN" | "NF" => Answer::Nothing,
        "NS" | "EX" => Answer::Otherwise,
        "MN" => Answer::Present,
        "ERROR" | "CLIENT_ERROR" | "SERVER_ERROR" => {
            let shown = line.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE);
            Answer::Failed(shown.collect())
        }
        _ => return Err(Garbled("a line that memcached does not know")),
    };
    buffer.advance(end + 2);
    Ok(Ok(answer))
}

/// `f4 c17 t-1`, in any order.
fn found(text: &str, bytes: Bytes) -> Result<Found, Garbled> {
    let mut found = Found { bytes, ..Found::default() };
    const NO_NUMBER: Garbled = Garbled("a flag without its number");
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word.split_at_checked(1) {
            Some(("f", flags)) => found.flags = flags.parse().map_err(|_| NO_NUMBER)?,
            Some(("c", version)) => found.version = version.parse().map_err(|_| NO_NUMBER)?,
            Some(("t", "-1")) => found.seconds = None,
            Some(("t", seconds)) => found.seconds = Some(seconds.parse().map_err(|_| NO_NUMBER)?),
            // As `W`, `X` and `Z`, which another client may have caused.
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Result<Vec<Answer>, Garbled> {
        let mut buffer = BytesMut::from(text);
        let mut answers = Vec::new();
        while let Ok(answer) = take(&mut buffer, 1000)? {
            answers.push(answer);
        }
        assert!(buffer.is_empty(), "{buffer:?} is left");
        Ok(answers)
    }

    #[test]
    fn answers_are_told_apart() {
        let text = b"VA 4 f7 c12 t-1\r\n\r\n\r\n\r\nVA 0 t5\r\n\r\nHD f1 c2 t3 W\r\nHD\r\nEN\r\nNF \r\nNS\r\nEX\r\nMN\r\nSERVER_ERROR no\r\n";
        let found = |bytes: &'static [u8], flags, version, seconds| {
            Answer::Here(Found { bytes: Bytes::from_static(bytes), flags, version, seconds })
        };
        let wanted = [
            found(b"\r\n\r\n", 7, 12, None),
            found(b"", 0, 0, Some(5)),
            found(b"", 1, 2, Some(3)),
            found(b"", 0, 0, None),
            Answer::Nothing,
            Answer::Nothing,
            Answer::Otherwise,
            Answer::Otherwise,
            Answer::Present,
            Answer::Failed("SERVER_ERROR no".to_owned()),
        ];
        assert_eq!(all(text), Ok(wanted.to_vec()));
    }

    #[test]
    fn an_answer_in_parts_is_waited_for() {
        let whole = b"VA 3 f1\r\nabc\r\n";
        for length in 0..whole.len() {
            let mut buffer = BytesMut::from(&whole[..length]);
            let Ok(Err(missing)) = take(&mut buffer, 1000) else { panic!("{length} bytes are an answer") };
            assert!(missing >= 1 && missing <= whole.len() - length);
            assert_eq!(buffer, whole[..length]);
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            &b"VALUE x 0 1\r\n"[..],
            b"\r\n",
            b"VA\r\n",
            b"VA x\r\n",
            b"VA -1\r\n",
            b"VA 1001\r\n",
            b"VA 18446744073709551615\r\n",
            b"VA 1\r\nabc\r\n",
            b"HD f\r\n",
            b"HD f4294967296\r\n",
            b"HD c-1\r\n",
            b"\xff\r\n",
            &[b'x'; 3000],
        ] {
            assert!(all(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..60), word in "(VA|HD|EN) [0-9fct -]{0,9}\r\n") {
            let mut buffer = BytesMut::from(&[word.as_bytes(), &text].concat()[..]);
            while let Ok(Ok(_)) = take(&mut buffer, 1000) {}
        }
    }
}
