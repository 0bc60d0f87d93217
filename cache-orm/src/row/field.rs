//! The kinds of value that the codec carries, and how each is taken apart and put together.
//!
//! A codec knows a dozen plain forms ([`Sink`], [`Source`]); this file alone knows which kind of value is
//! made of which form, so a kind is added here and nowhere else.

#[cfg(feature = "postgres-array")]
use sea_orm::sea_query::ArrayType;
use sea_orm::{
    Value,
    prelude::{Decimal, Json, Uuid},
    sea_query::value::prelude::{chrono, time},
};

use super::calendar::{Day, Moment, TimeOfDay};

/// A JSON document nested deeper than this is not carried: `serde_json` refuses to read it back at 128.
const DEEPEST_JSON: usize = 100;

/// A decimal of more characters than this is not carried: reading one takes time with the square of its
/// length. PostgreSQL's longest is shorter.
#[cfg(feature = "with-bigdecimal")]
const LONGEST_DECIMAL: usize = 150_000;

/// Takes one value in its plain form.
pub(super) trait Sink {
    fn bool(&mut self, value: bool);
    fn signed(&mut self, value: i64);
    fn unsigned(&mut self, value: u64);
    fn float(&mut self, value: f32);
    fn double(&mut self, value: f64);
    fn text(&mut self, value: &str);
    fn bytes(&mut self, value: &[u8]);
    fn json(&mut self, value: &Json);
    fn uuid(&mut self, value: &Uuid);
    fn decimal(&mut self, value: &Decimal);
    fn day(&mut self, value: Day);
    fn time_of_day(&mut self, value: TimeOfDay);
    fn moment(&mut self, value: Moment);
    /// A local time with its offset from UTC in seconds.
    fn zoned(&mut self, local: Moment, offset: i32);
}

/// Gives one value in its plain form; `None` if what it holds is something else.
pub(super) trait Source {
    fn bool(&mut self) -> Option<bool>;
    fn signed(&mut self) -> Option<i64>;
    fn unsigned(&mut self) -> Option<u64>;
    fn float(&mut self) -> Option<f32>;
    fn double(&mut self) -> Option<f64>;
    fn text(&mut self) -> Option<String>;
    fn bytes(&mut self) -> Option<Vec<u8>>;
    fn json(&mut self) -> Option<Json>;
    fn uuid(&mut self) -> Option<Uuid>;
    fn decimal(&mut self) -> Option<Decimal>;
    fn day(&mut self) -> Option<Day>;
    fn time_of_day(&mut self) -> Option<TimeOfDay>;
    fn moment(&mut self) -> Option<Moment>;
    fn zoned(&mut self) -> Option<(Moment, i32)>;
}

/// Declares the kinds: the variant of `Value` (and of `ArrayType`), and its number in the store. Numbers are for ever:
/// other versions of the program read them.
macro_rules! kinds {
    ($($(#[$gate:meta])* $kind:ident = $tag:literal,)*) => {
        /// A type of value, without the value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum ValueKind { $($(#[$gate])* $kind = $tag,)* }

        impl ValueKind {
            #[cfg(test)]
            pub(super) const ALL: &[ValueKind] = &[$($(#[$gate])* ValueKind::$kind,)*];

            pub(super) fn tag(self) -> u8 {
                self as u8
            }

            pub(super) fn of_tag(tag: u8) -> Option<Self> {
                match tag {
                    $($(#[$gate])* $tag => Some(ValueKind::$kind),)*
                    _ => None,
                }
            }

            /// `None` for an array and for a value that the codec does not carry. Another crate of the program may
            /// enable kinds of `sea-query` that this one has never heard of.
            pub(super) fn of(value: &Value) -> Option<Self> {
                match value {
                    $($(#[$gate])* Value::$kind(_) => Some(ValueKind::$kind),)*
                    _ => None,
                }
            }

            pub(super) fn null(self) -> Value {
                match self { $($(#[$gate])* ValueKind::$kind => Value::$kind(None),)* }
            }

            #[cfg(feature = "postgres-array")]
            fn array_type(self) -> ArrayType {
                match self { $($(#[$gate])* ValueKind::$kind => ArrayType::$kind,)* }
            }

            #[cfg(feature = "postgres-array")]
            fn of_array(kind: &ArrayType) -> Option<Self> {
                match kind {
                    $($(#[$gate])* ArrayType::$kind => Some(ValueKind::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    Bool = 1,
    TinyInt = 2,
    SmallInt = 3,
    Int = 4,
    BigInt = 5,
    TinyUnsigned = 6,
    SmallUnsigned = 7,
    Unsigned = 8,
    BigUnsigned = 9,
    Float = 10,
    Double = 11,
    String = 12,
    Char = 13,
    Bytes = 14,
    Json = 15,
    ChronoDate = 16,
    ChronoTime = 17,
    ChronoDateTime = 18,
    ChronoDateTimeUtc = 19,
    ChronoDateTimeLocal = 20,
    ChronoDateTimeWithTimeZone = 21,
    TimeDate = 22,
    TimeTime = 23,
    TimeDateTime = 24,
    TimeDateTimeWithTimeZone = 25,
    Uuid = 26,
    Decimal = 27,
    #[cfg(feature = "with-bigdecimal")]
    BigDecimal = 28,
    #[cfg(feature = "with-ipnetwork")]
    IpNetwork = 29,
    #[cfg(feature = "with-mac_address")]
    MacAddress = 30,
}

/// One value of a row, seen as the codec writes it.
#[cfg_attr(not(feature = "postgres-array"), allow(dead_code, reason = "read from a store, never written"))]
pub(super) enum Field<'v> {
    Null(ValueKind),
    One(ValueKind, &'v Value),
    NullArray(ValueKind),
    /// Elements of the kind, none of them null.
    Array(ValueKind, &'v [Value]),
}

impl<'v> Field<'v> {
    /// `None` for a value that the codec does not carry.
    pub(super) fn of(value: &'v Value) -> Option<Self> {
        match value {
            #[cfg(feature = "postgres-array")]
            Value::Array(kind, items) => {
                let kind = ValueKind::of_array(kind)?;
                let Some(items) = items else {
                    return Some(Field::NullArray(kind));
                };
                let regular = |item: &Value| ValueKind::of(item) == Some(kind) && item.is_some();
                items.iter().all(regular).then_some(Field::Array(kind, items))
            }
            value => {
                let kind = ValueKind::of(value)?;
                Some(if value.is_some() { Field::One(kind, value) } else { Field::Null(kind) })
            }
        }
    }
}

/// An array of the kind with elements that [`read`] gave for it, or none at all.
#[cfg(feature = "postgres-array")]
pub(super) fn array(kind: ValueKind, items: Option<Vec<Value>>) -> Option<Value> {
    Some(Value::Array(kind.array_type(), items.map(Box::new)))
}

/// Without arrays in this program there is none.
#[cfg(not(feature = "postgres-array"))]
pub(super) fn array(_kind: ValueKind, _items: Option<Vec<Value>>) -> Option<Value> {
    None
}

/// Writes a value that is neither null nor an array. `None` if the value can't be carried.
pub(super) fn write(value: &Value, sink: &mut impl Sink) -> Option<()> {
    match value {
        Value::Bool(Some(v)) => sink.bool(*v),
        Value::TinyInt(Some(v)) => sink.signed((*v).into()),
        Value::SmallInt(Some(v)) => sink.signed((*v).into()),
        Value::Int(Some(v)) => sink.signed((*v).into()),
        Value::BigInt(Some(v)) => sink.signed(*v),
        Value::TinyUnsigned(Some(v)) => sink.unsigned((*v).into()),
        Value::SmallUnsigned(Some(v)) => sink.unsigned((*v).into()),
        Value::Unsigned(Some(v)) => sink.unsigned((*v).into()),
        Value::BigUnsigned(Some(v)) => sink.unsigned(*v),
        Value::Float(Some(v)) => sink.float(*v),
        Value::Double(Some(v)) => sink.double(*v),
        Value::String(Some(v)) => sink.text(v),
        Value::Char(Some(v)) => sink.text(v.encode_utf8(&mut [0; 4])),
        Value::Bytes(Some(v)) => sink.bytes(v),
        Value::Json(Some(v)) => {
            if !shallow(v, DEEPEST_JSON) {
                return None;
            }
            sink.json(v);
        }
        Value::ChronoDate(Some(v)) => sink.day((*v).into()),
        Value::ChronoTime(Some(v)) => sink.time_of_day((*v).into()),
        Value::ChronoDateTime(Some(v)) => sink.moment((*v).into()),
        Value::ChronoDateTimeUtc(Some(v)) => sink.moment(v.naive_utc().into()),
        // The offset is this process's own; the process that reads it puts its own.
        Value::ChronoDateTimeLocal(Some(v)) => sink.moment(v.naive_utc().into()),
        Value::ChronoDateTimeWithTimeZone(Some(v)) => {
            let local = v.naive_utc().checked_add_offset(*v.offset())?;
            sink.zoned(local.into(), v.offset().local_minus_utc());
        }
        Value::TimeDate(Some(v)) => sink.day((*v).into()),
        Value::TimeTime(Some(v)) => sink.time_of_day((*v).into()),
        Value::TimeDateTime(Some(v)) => sink.moment((*v).into()),
        Value::TimeDateTimeWithTimeZone(Some(v)) => {
            let local = Moment { day: v.date().into(), time_of_day: v.time().into() };
            sink.zoned(local, v.offset().whole_seconds());
        }
        Value::Uuid(Some(v)) => sink.uuid(v),
        Value::Decimal(Some(v)) => sink.decimal(v),
        #[cfg(feature = "with-bigdecimal")]
        Value::BigDecimal(Some(v)) => {
            // The exponent form, because it alone keeps the scale.
            let (digits, scale) = v.as_bigint_and_exponent();
            let text = format!("{digits}e{}", -i128::from(scale));
            if text.len() > LONGEST_DECIMAL {
                return None;
            }
            sink.text(&text);
        }
        #[cfg(feature = "with-ipnetwork")]
        Value::IpNetwork(Some(v)) => sink.text(&v.to_string()),
        #[cfg(feature = "with-mac_address")]
        Value::MacAddress(Some(v)) => sink.text(&v.to_string()),
        _ => return None,
    }
    Some(())
}

/// Reads a value of the kind that is neither null nor an array.
pub(super) fn read(kind: ValueKind, source: &mut impl Source) -> Option<Value> {
    Some(match kind {
        ValueKind::Bool => Value::Bool(Some(source.bool()?)),
        ValueKind::TinyInt => Value::TinyInt(Some(source.signed()?.try_into().ok()?)),
        ValueKind::SmallInt => Value::SmallInt(Some(source.signed()?.try_into().ok()?)),
        ValueKind::Int => Value::Int(Some(source.signed()?.try_into().ok()?)),
        ValueKind::BigInt => Value::BigInt(Some(source.signed()?)),
        ValueKind::TinyUnsigned => Value::TinyUnsigned(Some(source.unsigned()?.try_into().ok()?)),
        ValueKind::SmallUnsigned => Value::SmallUnsigned(Some(source.unsigned()?.try_into().ok()?)),
        ValueKind::Unsigned => Value::Unsigned(Some(source.unsigned()?.try_into().ok()?)),
        ValueKind::BigUnsigned => Value::BigUnsigned(Some(source.unsigned()?)),
        ValueKind::Float => Value::Float(Some(source.float()?)),
        ValueKind::Double => Value::Double(Some(source.double()?)),
        ValueKind::String => Value::String(Some(source.text()?)),
        ValueKind::Char => Value::Char(Some(source.text()?.parse().ok()?)),
        ValueKind::Bytes => Value::Bytes(Some(source.bytes()?)),
        ValueKind::Json => Value::Json(Some(Box::new(source.json()?))),
        ValueKind::ChronoDate => Value::ChronoDate(Some(source.day()?.to_chrono()?)),
        ValueKind::ChronoTime => Value::ChronoTime(Some(source.time_of_day()?.to_chrono()?)),
        ValueKind::ChronoDateTime => Value::ChronoDateTime(Some(source.moment()?.to_chrono()?)),
        ValueKind::ChronoDateTimeUtc => {
            Value::ChronoDateTimeUtc(Some(source.moment()?.to_chrono()?.and_utc()))
        }
        ValueKind::ChronoDateTimeLocal => {
            Value::ChronoDateTimeLocal(Some(source.moment()?.to_chrono()?.and_utc().into()))
        }
        ValueKind::ChronoDateTimeWithTimeZone => {
            let (local, offset) = source.zoned()?;
            let offset = chrono::FixedOffset::east_opt(offset)?;
            let utc = local.to_chrono()?.checked_sub_offset(offset)?;
            let zoned = chrono::DateTime::from_naive_utc_and_offset(utc, offset);
            Value::ChronoDateTimeWithTimeZone(Some(zoned))
        }
        ValueKind::TimeDate => Value::TimeDate(Some(source.day()?.to_time()?)),
        ValueKind::TimeTime => Value::TimeTime(Some(source.time_of_day()?.to_time()?)),
        ValueKind::TimeDateTime => Value::TimeDateTime(Some(source.moment()?.to_time()?)),
        ValueKind::TimeDateTimeWithTimeZone => {
            let (local, offset) = source.zoned()?;
            let offset = time::UtcOffset::from_whole_seconds(offset).ok()?;
            Value::TimeDateTimeWithTimeZone(Some(local.to_time()?.assume_offset(offset)))
        }
        ValueKind::Uuid => Value::Uuid(Some(source.uuid()?)),
        ValueKind::Decimal => Value::Decimal(Some(source.decimal()?)),
        #[cfg(feature = "with-bigdecimal")]
        ValueKind::BigDecimal => {
            let text = source.text().filter(|text| text.len() <= LONGEST_DECIMAL)?;
            Value::BigDecimal(Some(Box::new(text.parse().ok()?)))
        }
        #[cfg(feature = "with-ipnetwork")]
        ValueKind::IpNetwork => Value::IpNetwork(Some(source.text()?.parse().ok()?)),
        #[cfg(feature = "with-mac_address")]
        ValueKind::MacAddress => Value::MacAddress(Some(source.text()?.parse().ok()?)),
    })
}

/// About how many bytes a value holds outside of itself.
pub(super) fn heap(value: &Value) -> usize {
    match value {
        Value::String(Some(v)) => v.len(),
        Value::Bytes(Some(v)) => v.len(),
        Value::Json(Some(v)) => json_size(v, DEEPEST_JSON),
        #[cfg(feature = "with-bigdecimal")]
        Value::BigDecimal(Some(v)) => size_of_val(&**v) + v.digits() as usize / 2,
        #[cfg(feature = "postgres-array")]
        Value::Array(_, Some(items)) => items.iter().map(|item| size_of::<Value>() + heap(item)).sum(),
        _ => 0,
    }
}

/// True if the document has at most `levels` levels of arrays and objects.
fn shallow(json: &Json, levels: usize) -> bool {
    match json {
        Json::Array(items) => levels > 0 && items.iter().all(|item| shallow(item, levels - 1)),
        Json::Object(fields) => levels > 0 && fields.values().all(|field| shallow(field, levels - 1)),
        _ => true,
    }
}

/// The size of a document, down to `levels` levels.
fn json_size(json: &Json, levels: usize) -> usize {
    let Some(below) = levels.checked_sub(1) else {
        return 0;
    };
    size_of::<Json>()
        + match json {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(|item| json_size(item, below)).sum(),
            Json::Object(fields) => fields
                .iter()
                .map(|(key, field)| size_of::<String>() + key.len() + json_size(field, below))
                .sum(),
            _ => 0,
        }
}
