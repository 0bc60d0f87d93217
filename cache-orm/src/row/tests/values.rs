//! Arbitrary values of every kind that the codecs carry.

use proptest::{collection::vec, prelude::*};
use sea_orm::{
    Value,
    prelude::*,
    sea_query::value::prelude::{
        chrono::{FixedOffset, Timelike},
        time::UtcOffset,
    },
};

use crate::row::field::{self, ValueKind};

fn chrono_date() -> impl Strategy<Value = ChronoDate> {
    (-200_000..200_000_i32, 1..=366_u32)
        .prop_filter_map("a day of that year", |(year, day)| ChronoDate::from_yo_opt(year, day))
}

/// With leap seconds where clocks have them, and where only arithmetic leaves them.
fn chrono_time() -> impl Strategy<Value = ChronoTime> {
    (0..86_400_u32, prop_oneof![0..1_000_000_000_u32, 1_000_000_000..2_000_000_000_u32])
        .prop_filter_map("a time", |(second, nano)| {
            ChronoTime::from_num_seconds_from_midnight_opt(second, 0)?.with_nanosecond(nano)
        })
}

fn chrono_moment() -> impl Strategy<Value = ChronoDateTime> {
    (chrono_date(), chrono_time()).prop_map(|(date, time)| ChronoDateTime::new(date, time))
}

fn chrono_zoned() -> impl Strategy<Value = ChronoDateTimeWithTimeZone> {
    (chrono_moment(), -86_399..=86_399_i32).prop_filter_map("an offset", |(utc, offset)| {
        Some(ChronoDateTimeWithTimeZone::from_naive_utc_and_offset(utc, FixedOffset::east_opt(offset)?))
    })
}

fn time_date() -> impl Strategy<Value = TimeDate> {
    (TimeDate::MIN.to_julian_day()..=TimeDate::MAX.to_julian_day())
        .prop_filter_map("a day", |day| TimeDate::from_julian_day(day).ok())
}

fn time_time() -> impl Strategy<Value = TimeTime> {
    (0..24_u8, 0..60_u8, 0..60_u8, 0..1_000_000_000_u32)
        .prop_filter_map("a time", |(hour, minute, second, nano)| {
            TimeTime::from_hms_nano(hour, minute, second, nano).ok()
        })
}

fn time_moment() -> impl Strategy<Value = TimeDateTime> {
    (time_date(), time_time()).prop_map(|(date, time)| TimeDateTime::new(date, time))
}

fn time_zoned() -> impl Strategy<Value = TimeDateTimeWithTimeZone> {
    (time_moment(), -93_599..=93_599_i32).prop_filter_map("an offset", |(local, offset)| {
        Some(local.assume_offset(UtcOffset::from_whole_seconds(offset).ok()?))
    })
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0..=28_u32).prop_map(
        |(low, middle, high, negative, scale)| Decimal::from_parts(low, middle, high, negative, scale),
    )
}

pub(super) fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::hash_map(".{0,4}", inner, 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// A value of the kind that is not null.
pub(super) fn some(kind: ValueKind) -> BoxedStrategy<Value> {
    match kind {
        ValueKind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        ValueKind::TinyInt => any::<i8>().prop_map(Value::from).boxed(),
        ValueKind::SmallInt => any::<i16>().prop_map(Value::from).boxed(),
        ValueKind::Int => any::<i32>().prop_map(Value::from).boxed(),
        ValueKind::BigInt => any::<i64>().prop_map(Value::from).boxed(),
        ValueKind::TinyUnsigned => any::<u8>().prop_map(Value::from).boxed(),
        ValueKind::SmallUnsigned => any::<u16>().prop_map(Value::from).boxed(),
        ValueKind::Unsigned => any::<u32>().prop_map(Value::from).boxed(),
        ValueKind::BigUnsigned => any::<u64>().prop_map(Value::from).boxed(),
        // From bits, for every NaN and both zeros.
        ValueKind::Float => any::<u32>().prop_map(|bits| f32::from_bits(bits).into()).boxed(),
        ValueKind::Double => any::<u64>().prop_map(|bits| f64::from_bits(bits).into()).boxed(),
        ValueKind::String => ".{0,20}".prop_map(Value::from).boxed(),
        ValueKind::Char => any::<char>().prop_map(Value::from).boxed(),
        ValueKind::Bytes => vec(any::<u8>(), 0..20).prop_map(Value::from).boxed(),
        ValueKind::Json => json().prop_map(Value::from).boxed(),
        ValueKind::ChronoDate => chrono_date().prop_map(Value::from).boxed(),
        ValueKind::ChronoTime => chrono_time().prop_map(Value::from).boxed(),
        ValueKind::ChronoDateTime => chrono_moment().prop_map(Value::from).boxed(),
        ValueKind::ChronoDateTimeUtc => chrono_moment().prop_map(|utc| utc.and_utc().into()).boxed(),
        ValueKind::ChronoDateTimeLocal => {
            chrono_moment().prop_map(|utc| ChronoDateTimeLocal::from(utc.and_utc()).into()).boxed()
        }
        ValueKind::ChronoDateTimeWithTimeZone => chrono_zoned().prop_map(Value::from).boxed(),
        ValueKind::TimeDate => time_date().prop_map(Value::from).boxed(),
        ValueKind::TimeTime => time_time().prop_map(Value::from).boxed(),
        ValueKind::TimeDateTime => time_moment().prop_map(Value::from).boxed(),
        ValueKind::TimeDateTimeWithTimeZone => time_zoned().prop_map(Value::from).boxed(),
        ValueKind::Uuid => any::<u128>().prop_map(|bits| Uuid::from_u128(bits).into()).boxed(),
        ValueKind::Decimal => decimal().prop_map(Value::from).boxed(),
        #[cfg(feature = "with-bigdecimal")]
        ValueKind::BigDecimal => ("-?[0-9]{1,60}", any::<i32>())
            .prop_filter_map("a decimal", |(digits, exponent)| {
                format!("{digits}e{exponent}").parse::<BigDecimal>().ok().map(Value::from)
            })
            .boxed(),
        #[cfg(feature = "with-ipnetwork")]
        ValueKind::IpNetwork => prop_oneof![
            (any::<std::net::Ipv4Addr>(), 0..=32_u8)
                .prop_map(|(address, prefix)| format!("{address}/{prefix}")),
            (any::<std::net::Ipv6Addr>(), 0..=128_u8)
                .prop_map(|(address, prefix)| format!("{address}/{prefix}")),
        ]
        .prop_map(|text| Value::IpNetwork(text.parse().ok()))
        .boxed(),
        #[cfg(feature = "with-mac_address")]
        ValueKind::MacAddress => {
            any::<[u8; 6]>().prop_map(|bytes| Value::MacAddress(Some(bytes.into()))).boxed()
        }
    }
}

pub(super) fn kind() -> impl Strategy<Value = ValueKind> {
    proptest::sample::select(ValueKind::ALL)
}

/// Anything that a row may hold.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let one = kind().prop_flat_map(some);
    let null = kind().prop_map(ValueKind::null);
    let list = (kind(), any::<bool>())
        .prop_flat_map(|(kind, some_items)| {
            let items = vec(some(kind), if some_items { 0..4 } else { 0..1 });
            (Just(kind), proptest::option::of(items))
        })
        // Without arrays in this build, a null stands in for one.
        .prop_map(|(kind, items)| field::array(kind, items).unwrap_or(kind.null()));
    prop_oneof![4 => one, 1 => null, 1 => list]
}
