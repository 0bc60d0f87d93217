//! The codec that people can read.
//!
//! ```json
//! {"version":1,"rows":[{"id":{"int":7},"title":"Emma","price":{"decimal":"9.50"},"sold":{"null":"chrono_date"}}]}
//! ```
//!
//! Text and truth values stand for themselves, any other value is in an object under the name of its kind,
//! a null is `{"null": kind}`, an array is `{"kind[]": [...]}`.

use std::io::Write;

use bytes::Bytes;
use sea_orm::{
    Value,
    prelude::{Decimal, Json, Uuid},
};

use super::{
    Shape,
    calendar::{Clock, Day, Moment},
    cell::{self, Cell, Kind, Sink, Source},
};

/// The first byte.
pub(super) const OPENING: u8 = b'{';

const VERSION: u64 = 1;

/// Writes formatted text to a vector.
macro_rules! put {
    ($out:expr, $($text:tt)*) => {
        write!($out, $($text)*).expect("a vector takes every write")
    };
}

pub(super) fn encode<'r>(shape: &Shape, rows: impl ExactSizeIterator<Item = &'r [Value]>) -> Option<Bytes> {
    let mut out = Writer(Vec::with_capacity(32 + rows.len() * shape.len() * 32));
    put!(out.0, r#"{{"version":{VERSION},"rows":["#);
    for (index, row) in rows.enumerate() {
        out.separate(index);
        out.0.push(b'{');
        for (index, (name, value)) in shape.names().zip(row).enumerate() {
            out.separate(index);
            out.text(name);
            out.0.push(b':');
            out.cell(value)?;
        }
        out.0.push(b'}');
    }
    out.0.extend_from_slice(b"]}");
    Some(out.0.into())
}

pub(super) fn decode(bytes: &[u8], shape: &Shape) -> Option<Vec<Vec<Value>>> {
    let Ok(Json::Object(mut whole)) = serde_json::from_slice(bytes) else {
        return None;
    };
    let (Some(version), Some(Json::Array(rows)), true) =
        (whole.remove("version"), whole.remove("rows"), whole.is_empty())
    else {
        return None;
    };
    if version.as_u64() != Some(VERSION) {
        return None;
    }
    let row = |row| match row {
        Json::Object(mut row) if row.len() == shape.len() => {
            shape.names().map(|name| read_cell(row.remove(name)?)).collect()
        }
        _ => None,
    };
    rows.into_iter().map(row).collect()
}

struct Writer(Vec<u8>);

impl Writer {
    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.0.push(b',');
        }
    }

    fn cell(&mut self, value: &Value) -> Option<()> {
        match Cell::of(value)? {
            Cell::Null(kind) => put!(self.0, r#"{{"null":"{}"}}"#, kind.name()),
            Cell::NullArray(kind) => put!(self.0, r#"{{"null":"{}[]"}}"#, kind.name()),
            Cell::One(Kind::Bool | Kind::String, value) => cell::write(value, self)?,
            Cell::One(kind, value) => {
                put!(self.0, r#"{{"{}":"#, kind.name());
                cell::write(value, self)?;
                self.0.push(b'}');
            }
            Cell::Array(kind, items) => {
                put!(self.0, r#"{{"{}[]":["#, kind.name());
                for (index, item) in items.iter().enumerate() {
                    self.separate(index);
                    cell::write(item, self)?;
                }
                self.0.extend_from_slice(b"]}");
            }
        }
        Some(())
    }

    fn serialize(&mut self, json: impl Into<Json>) {
        put!(self.0, "{}", json.into());
    }
}

impl Sink for Writer {
    fn bool(&mut self, value: bool) {
        put!(self.0, "{value}");
    }

    fn signed(&mut self, value: i64) {
        put!(self.0, "{value}");
    }

    fn unsigned(&mut self, value: u64) {
        put!(self.0, "{value}");
    }

    /// A number if JSON has it, the bits in hexadecimal if not.
    fn float(&mut self, value: f32) {
        if value.is_finite() {
            self.serialize(f64::from(value));
        } else {
            put!(self.0, "\"{:08x}\"", value.to_bits());
        }
    }

    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.serialize(value);
        } else {
            put!(self.0, "\"{:016x}\"", value.to_bits());
        }
    }

    fn text(&mut self, value: &str) {
        serde_json::to_writer(&mut self.0, value).expect("a vector takes every write");
    }

    fn bytes(&mut self, value: &[u8]) {
        self.0.push(b'"');
        value.iter().for_each(|byte| put!(self.0, "{byte:02x}"));
        self.0.push(b'"');
    }

    fn json(&mut self, value: &Json) {
        put!(self.0, "{value}");
    }

    fn uuid(&mut self, value: &Uuid) {
        put!(self.0, "\"{value}\"");
    }

    fn decimal(&mut self, value: &Decimal) {
        put!(self.0, "\"{value}\"");
    }

    fn day(&mut self, value: Day) {
        put!(self.0, "\"{}\"", day_text(value));
    }

    fn clock(&mut self, value: Clock) {
        put!(self.0, "\"{}\"", clock_text(value));
    }

    fn moment(&mut self, value: Moment) {
        put!(self.0, "\"{} {}\"", day_text(value.day), clock_text(value.clock));
    }

    fn zoned(&mut self, local: Moment, offset: i32) {
        put!(self.0, "\"{} {} {offset:+}\"", day_text(local.day), clock_text(local.clock));
    }
}

fn day_text(Day { year, month, day }: Day) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// Nine digits of nanoseconds; a leap second has ten.
fn clock_text(Clock { second, nano }: Clock) -> String {
    format!("{:02}:{:02}:{:02}.{nano:09}", second / 3600, second / 60 % 60, second % 60)
}

fn read_cell(json: Json) -> Option<Value> {
    match json {
        Json::Bool(value) => Some(Value::Bool(Some(value))),
        Json::String(text) => Some(Value::String(Some(text))),
        Json::Object(tagged) if tagged.len() == 1 => {
            let (name, json) = tagged.into_iter().next()?;
            if name == "null" {
                let name = json.as_str()?;
                return match name.strip_suffix("[]") {
                    Some(name) => cell::array(Kind::of_name(name)?, None),
                    None => Some(Kind::of_name(name)?.null()),
                };
            }
            match (name.strip_suffix("[]"), json) {
                (Some(name), Json::Array(items)) => {
                    let kind = Kind::of_name(name)?;
                    let items = items.into_iter().map(|item| cell::read(kind, &mut Reader(item)));
                    cell::array(kind, Some(items.collect::<Option<_>>()?))
                }
                (Some(_), _) => None,
                (None, json) => cell::read(Kind::of_name(&name)?, &mut Reader(json)),
            }
        }
        _ => None,
    }
}

/// One value.
struct Reader(Json);

impl Source for Reader {
    fn bool(&mut self) -> Option<bool> {
        self.0.as_bool()
    }

    fn signed(&mut self) -> Option<i64> {
        self.0.as_i64()
    }

    fn unsigned(&mut self) -> Option<u64> {
        self.0.as_u64()
    }

    fn float(&mut self) -> Option<f32> {
        match &self.0 {
            Json::String(bits) => u32::from_str_radix(bits, 16).ok().map(f32::from_bits),
            number => number.as_f64().map(|number| number as f32),
        }
    }

    fn double(&mut self) -> Option<f64> {
        match &self.0 {
            Json::String(bits) => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
            number => number.as_f64(),
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.0.take() {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let pair = |pair: &[u8]| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok();
        let text = self.0.as_str()?.as_bytes();
        if text.len() % 2 != 0 {
            return None;
        }
        text.chunks_exact(2).map(pair).collect()
    }

    fn json(&mut self) -> Option<Json> {
        Some(self.0.take())
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.0.as_str()?.parse().ok()
    }

    fn decimal(&mut self) -> Option<Decimal> {
        Decimal::from_str_exact(self.0.as_str()?).ok()
    }

    fn day(&mut self) -> Option<Day> {
        read_day(self.0.as_str()?)
    }

    fn clock(&mut self) -> Option<Clock> {
        read_clock(self.0.as_str()?)
    }

    fn moment(&mut self) -> Option<Moment> {
        let (day, clock) = self.0.as_str()?.split_once(' ')?;
        Some(Moment { day: read_day(day)?, clock: read_clock(clock)? })
    }

    fn zoned(&mut self) -> Option<(Moment, i32)> {
        let (day, rest) = self.0.as_str()?.split_once(' ')?;
        let (clock, offset) = rest.split_once(' ')?;
        Some((Moment { day: read_day(day)?, clock: read_clock(clock)? }, offset.parse().ok()?))
    }
}

fn read_day(text: &str) -> Option<Day> {
    // From the end: a year may be negative.
    let (rest, day) = text.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    Some(Day { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? })
}

fn read_clock(text: &str) -> Option<Clock> {
    let (time, nano) = text.split_once('.')?;
    let (hours, rest) = time.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let [hours, minutes, seconds] =
        [hours, minutes, seconds].map(|part| part.parse::<u8>().ok().map(u32::from));
    Some(Clock { second: (hours? * 60 + minutes?) * 60 + seconds?, nano: nano.parse().ok()? })
}
