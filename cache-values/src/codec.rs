//! How a value becomes bytes, and bytes a value.

use serde::{Serialize, de::DeserializeOwned};

use crate::backend::number;

/// The encoding of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Codec {
    /// [MessagePack](https://msgpack.org), with the names of fields: fields may be added, taken away and change places.
    #[default]
    MessagePack,
    /// JSON, which can be read in the tools of a backend.
    Json,
}

/// Deeper values are not read, as in JSON: what comes from a backend must not exhaust the stack.
const DEEPEST: usize = 128;

/// What a value is in a backend.
#[derive(Debug, PartialEq)]
pub(crate) enum Encoded {
    /// A number of at most 64 bits: decimal digits, which backends can count.
    Number(i64),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Codec {
    /// The value as bytes.
    ///
    /// # Errors
    /// What the value's `Serialize` says, or what the encoding has no form for (JSON: a map with keys that are no text).
    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Encoded, String> {
        let bytes = match self {
            Codec::MessagePack => rmp_serde::to_vec_named(value).map_err(|error| error.to_string())?,
            Codec::Json => serde_json::to_vec(value).map_err(|error| error.to_string())?,
        };
        let number = match self {
            Codec::MessagePack if is_integer(&bytes) => rmp_serde::from_slice(&bytes).ok(),
            Codec::MessagePack => None,
            Codec::Json => number(&bytes),
        };
        Ok(number.map_or(Encoded::Bytes(bytes), Encoded::Number))
    }

    /// A number as other values are encoded.
    pub(crate) fn encode_number(self, value: i64) -> Vec<u8> {
        match self {
            Codec::MessagePack => rmp_serde::to_vec(&value).expect("a number has a form"),
            Codec::Json => value.to_string().into(),
        }
    }

    /// The value in these bytes; `None` if they are no such value.
    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Option<T> {
        match self {
            Codec::MessagePack => {
                let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
                deserializer.set_max_depth(DEEPEST);
                T::deserialize(&mut deserializer).ok()
            }
            Codec::Json => serde_json::from_slice(bytes).ok(),
        }
    }

    /// A number as the type that was asked for.
    pub(crate) fn decode_number<T: DeserializeOwned>(value: i64) -> Option<T> {
        Codec::MessagePack.decode(&Codec::MessagePack.encode_number(value))
    }
}

/// Whether these bytes of MessagePack are an integer: <https://github.com/msgpack/msgpack/blob/master/spec.md>.
fn is_integer(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    fn through<T: Serialize + DeserializeOwned>(codec: Codec, value: &T) -> Option<T> {
        match codec.encode(value).unwrap() {
            Encoded::Number(value) => Codec::decode_number(value),
            Encoded::Bytes(bytes) => codec.decode(&bytes),
        }
    }

    proptest! {
        #[test]
        fn integers_of_64_bits_are_numbers(value in any::<i64>()) {
            for codec in [Codec::MessagePack, Codec::Json] {
                prop_assert_eq!(codec.encode(&value).unwrap(), Encoded::Number(value));
                prop_assert_eq!(through(codec, &value), Some(value));
                prop_assert_eq!(through(codec, &Some(value)), Some(Some(value)));
            }
        }

        #[test]
        fn other_values_survive(value in any::<(u64, f64, bool, Option<String>, Vec<u8>, char)>()) {
            prop_assume!(value.1.is_finite());
            for codec in [Codec::MessagePack, Codec::Json] {
                prop_assert_eq!(through(codec, &value), Some(value.clone()));
                prop_assert_eq!(through(codec, &value.1), Some(value.1));
                prop_assert_eq!(through(codec, &value.0), Some(value.0));
            }
        }

        #[test]
        fn garbage_is_no_value(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for codec in [Codec::MessagePack, Codec::Json] {
                let _ = codec.decode::<BTreeMap<String, Vec<u64>>>(&bytes);
                let _ = codec.decode::<serde_json::Value>(&bytes);
            }
        }
    }

    #[test]
    fn nothing_is_a_value() {
        for codec in [Codec::MessagePack, Codec::Json] {
            assert_eq!(through(codec, &None::<i64>), Some(None));
            assert_eq!(through(codec, &()), Some(()));
            assert!(matches!(codec.encode(&5.0).unwrap(), Encoded::Bytes(_)));
        }
    }

    #[test]
    fn what_is_too_deep_is_no_value() {
        let nested = |depth: usize| [vec![0x91; depth], vec![0x01]].concat();
        assert!(Codec::MessagePack.decode::<serde_json::Value>(&nested(100)).is_some());
        for depth in [200, 100_000, 10_000_000] {
            assert_eq!(Codec::MessagePack.decode::<serde_json::Value>(&nested(depth)), None);
        }
    }

    #[test]
    fn a_field_more_or_less_is_no_obstacle() {
        #[derive(Serialize)]
        struct Before {
            b: u8,
            a: String,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct After {
            a: String,
            #[serde(default)]
            c: Vec<u8>,
        }
        for codec in [Codec::MessagePack, Codec::Json] {
            let Encoded::Bytes(bytes) = codec.encode(&Before { b: 1, a: "x".into() }).unwrap() else {
                panic!()
            };
            assert_eq!(codec.decode(&bytes), Some(After { a: "x".into(), c: vec![] }));
            assert_eq!(codec.decode::<String>(&bytes), None);
        }
    }
}
