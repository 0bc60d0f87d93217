//! How items are asked for, and how they come back.

use std::time::Duration;

use bytes::Bytes;
use redis::{Value, cmd};

use super::{script::LOOK, wire::Question};
use crate::{
    backend::{Item, Left},
    name::Name,
};

/// A longer time to live is cut to this: ten years, far from where the server's arithmetic overflows.
const LONGEST_LIFE: Duration = Duration::from_secs(315_360_000);

/// A time to live in milliseconds, rounded up; nothing is for ever.
pub(super) fn life(ttl: Option<Duration>) -> Bytes {
    let millis = |ttl: Duration| ttl.min(LONGEST_LIFE).as_nanos().div_ceil(1_000_000).max(1);
    ttl.map_or_else(Bytes::new, |ttl| millis(ttl).to_string().into())
}

/// What is under these names, so many of them in each command.
pub(super) fn look(names: &[Name], left: bool, at_once: usize) -> Vec<Question> {
    let question = |names: &[Name]| {
        if left {
            return Question::Script { script: &LOOK, names: names.to_vec(), arguments: Vec::new() };
        }
        let mut command = cmd("MGET");
        for name in names {
            command.arg(name.as_str());
        }
        Question::Command(names[0].clone(), command)
    };
    names.chunks(at_once).map(question).collect()
}

/// The answers to [`look`]: so many items, or something else.
pub(super) fn seen(answers: Vec<Value>, left: bool, names: usize) -> Option<Vec<Option<Item>>> {
    let mut items = Vec::with_capacity(names);
    for answer in answers {
        let Value::Array(values) = answer else { return None };
        for value in values {
            items.push(if left { item_with_left(value)? } else { item(value, Left::Unknown) });
        }
    }
    (items.len() == names).then_some(items)
}

fn item(value: Value, left: Left) -> Option<Item> {
    match value {
        Value::BulkString(bytes) => Some(Item::new(bytes.into(), left)),
        _ => None,
    }
}

fn item_with_left(pair: Value) -> Option<Option<Item>> {
    let Value::Array(pair) = pair else { return None };
    let Ok([value, Value::Int(left)]) = <[Value; 2]>::try_from(pair) else { return None };
    let left = match u64::try_from(left) {
        Ok(left) => Left::For(Duration::from_millis(left)),
        Err(_) => Left::Forever,
    };
    Some(item(value, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_rounded_up_and_cut_at_ten_years() {
        for (ttl, millis) in [
            (None, ""),
            (Some(Duration::from_nanos(1)), "1"),
            (Some(Duration::from_micros(1500)), "2"),
            (Some(Duration::from_secs(60)), "60000"),
            (Some(Duration::MAX), "315360000000"),
        ] {
            assert_eq!(life(ttl), millis, "{ttl:?}");
        }
    }

    #[test]
    fn too_few_items_or_others_are_no_answer() {
        let two = vec![Value::Array(vec![Value::BulkString(b"a".to_vec()), Value::Nil])];
        assert_eq!(seen(two.clone(), false, 2).map(|items| items[0].is_some()), Some(true));
        assert_eq!(seen(two.clone(), false, 3), None);
        assert_eq!(seen(two, true, 2), None);
        assert_eq!(seen(vec![Value::Int(1)], false, 1), None);
    }
}
