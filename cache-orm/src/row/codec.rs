//! How rows become bytes for a store outside of the process: compactly, about the size of the values.
//!
//! ```text
//! version  rows  columns  then for every field: kind | ARRAY | NULL,  its value
//! ```
//!
//! Counts, lengths and integers are variable-length (seven bits a byte, low ones first; signed ones zigzag),
//! text and bytes follow their length, floats are their bits.

use bytes::Bytes;
use sea_orm::{
    Value,
    prelude::{Decimal, Json, Uuid},
};

use super::{
    Shape,
    calendar::{Day, Moment, TimeOfDay},
    field::{self, Field, Sink, Source, ValueKind},
};

/// The first byte. Below any that could open a text.
const VERSION: u8 = 1;

const ARRAY: u8 = 0x40;
const NULL: u8 = 0x80;

/// Bytes that were not written for the entity. Never shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored rows are not in a form that this version can read")]
pub(crate) struct Malformed;

/// The rows, each as long as the shape, as bytes. `None` if a value is not carried: an enum (a captured
/// row has it as text), an array with nulls in it, a JSON document nested deeper than 100 levels, a local
/// time beyond the calendar, or a type whose cargo feature is off here.
pub(crate) fn encode<'r>(shape: &Shape, rows: impl ExactSizeIterator<Item = &'r [Value]>) -> Option<Bytes> {
    let mut out = Writer(Vec::with_capacity(16 + rows.len() * shape.len() * 10));
    out.0.push(VERSION);
    out.unsigned(rows.len() as u64);
    out.unsigned(shape.len() as u64);
    for value in rows.flatten() {
        match Field::of(value)? {
            Field::Null(kind) => out.0.push(kind.tag() | NULL),
            Field::NullArray(kind) => out.0.push(kind.tag() | ARRAY | NULL),
            Field::One(kind, value) => {
                out.0.push(kind.tag());
                field::write(value, &mut out)?;
            }
            Field::Array(kind, items) => {
                out.0.push(kind.tag() | ARRAY);
                out.unsigned(items.len() as u64);
                items.iter().try_for_each(|item| field::write(item, &mut out))?;
            }
        }
    }
    Some(out.0.into())
}

/// The rows in these bytes, each as long as the shape. Takes memory in proportion to the input, whatever the input
/// says: at most about a hundred times its length.
///
/// # Errors
/// [`Malformed`] for anything but what [`encode`] returns for a shape with the same columns.
pub(crate) fn decode(bytes: &[u8], shape: &Shape) -> Result<Vec<Vec<Value>>, Malformed> {
    read(bytes, shape).ok_or(Malformed)
}

fn read(bytes: &[u8], shape: &Shape) -> Option<Vec<Vec<Value>>> {
    let mut input = Reader(bytes.strip_prefix(&[VERSION])?);
    let rows = input.count()?;
    if input.unsigned()? != shape.len() as u64 {
        return None;
    }
    // Each row takes at least a byte for every column.
    if rows.checked_mul(shape.len().max(1))? > input.0.len() {
        return None;
    }
    let mut decoded = Vec::with_capacity(rows);
    for _ in 0..rows {
        let mut row = Vec::with_capacity(shape.len());
        for _ in 0..shape.len() {
            row.push(input.field()?);
        }
        decoded.push(row);
    }
    input.0.is_empty().then_some(decoded)
}

struct Writer(Vec<u8>);

impl Sink for Writer {
    fn bool(&mut self, value: bool) {
        self.0.push(value.into());
    }

    fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)) as u64);
    }

    fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn float(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    fn double(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        self.unsigned(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn json(&mut self, value: &Json) {
        self.text(&value.to_string());
    }

    fn uuid(&mut self, value: &Uuid) {
        self.0.extend_from_slice(value.as_bytes());
    }

    fn decimal(&mut self, value: &Decimal) {
        self.0.extend_from_slice(&value.serialize());
    }

    fn day(&mut self, value: Day) {
        self.signed(value.year.into());
        self.0.extend_from_slice(&[value.month, value.day]);
    }

    fn time_of_day(&mut self, value: TimeOfDay) {
        self.unsigned(value.second.into());
        self.unsigned(value.nano.into());
    }

    fn moment(&mut self, value: Moment) {
        self.day(value.day);
        self.time_of_day(value.time_of_day);
    }

    fn zoned(&mut self, local: Moment, offset: i32) {
        self.moment(local);
        self.signed(offset.into());
    }
}

/// What is left of the input.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn field(&mut self) -> Option<Value> {
        let [tag] = *self.take_array()?;
        let kind = ValueKind::of_tag(tag & !(ARRAY | NULL))?;
        match (tag & ARRAY != 0, tag & NULL != 0) {
            (false, false) => field::read(kind, self),
            (false, true) => Some(kind.null()),
            (true, true) => field::array(kind, None),
            (true, false) => {
                let count = self.count()?;
                let items = (0..count).map(|_| field::read(kind, self)).collect::<Option<Vec<_>>>()?;
                field::array(kind, Some(items))
            }
        }
    }

    /// How many things follow: at most one for every byte that is left. What is allocated for them stays in
    /// proportion to the input.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.unsigned()?).ok().filter(|count| *count <= self.0.len())
    }

    fn take(&mut self) -> Option<&'b [u8]> {
        let count = self.count()?;
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }
}

impl Source for Reader<'_> {
    fn bool(&mut self) -> Option<bool> {
        match self.take_array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = *self.take_array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn float(&mut self) -> Option<f32> {
        self.take_array().map(|bits| f32::from_bits(u32::from_le_bytes(*bits)))
    }

    fn double(&mut self) -> Option<f64> {
        self.take_array().map(|bits| f64::from_bits(u64::from_le_bytes(*bits)))
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.take()?).ok().map(str::to_owned)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        self.take().map(<[u8]>::to_vec)
    }

    fn json(&mut self) -> Option<Json> {
        serde_json::from_slice(self.take()?).ok()
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.take_array().copied().map(Uuid::from_bytes)
    }

    fn decimal(&mut self) -> Option<Decimal> {
        let bytes = *self.take_array()?;
        let decimal = Decimal::deserialize(bytes);
        // It repairs what it does not understand; what we wrote needs no repair.
        (decimal.serialize() == bytes).then_some(decimal)
    }

    fn day(&mut self) -> Option<Day> {
        let year = self.signed()?.try_into().ok()?;
        let [month, day] = *self.take_array()?;
        Some(Day { year, month, day })
    }

    fn time_of_day(&mut self) -> Option<TimeOfDay> {
        Some(TimeOfDay { second: self.unsigned()?.try_into().ok()?, nano: self.unsigned()?.try_into().ok()? })
    }

    fn moment(&mut self) -> Option<Moment> {
        Some(Moment { day: self.day()?, time_of_day: self.time_of_day()? })
    }

    fn zoned(&mut self) -> Option<(Moment, i32)> {
        Some((self.moment()?, self.signed()?.try_into().ok()?))
    }
}
