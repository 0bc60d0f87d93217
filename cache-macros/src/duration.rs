//! How a duration is written: whole numbers, each with its unit.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// Longer lives overflow the clocks of some stores; nobody needs them.
const LONGEST: Duration = Duration::from_secs(36_500 * DAY);

/// The units and their milliseconds, from the largest to the smallest.
const UNITS: [(&str, u64); 5] =
    [("d", DAY * 1000), ("h", 60 * 60 * 1000), ("m", 60 * 1000), ("s", 1000), ("ms", 1)];

/// "500ms", "90s", "10m", "1h30m", "2d".
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut units = &UNITS[..];
    let mut millis = Some(0_u64);
    while !rest.is_empty() || millis == Some(0) && units.len() == UNITS.len() {
        let (number, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        if number.is_empty() {
            return Err(
                "expected whole numbers and their units, as in \"500ms\", \"90s\", \"10m\", \"1h30m\" or \
                        \"2d\"\nhelp: the units are d, h, m, s, ms"
                    .into(),
            );
        }
        let Some(at) = units.iter().position(|(name, _)| *name == unit) else { return Err(wrong(unit)) };
        // A number that does not fit is as much too long as one that only overflows when it is multiplied.
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(units[at].1));
        millis = millis.zip(part).and_then(|(sum, part)| sum.checked_add(part));
        units = &units[at + 1..];
        rest = after;
    }
    match millis.map(Duration::from_millis) {
        Some(Duration::ZERO) => Err("expected more than zero: an entry must live to be of use".into()),
        Some(duration) if duration <= LONGEST => Ok(duration),
        _ => Err("too long, expected at most \"36500d\"".into()),
    }
}

fn wrong(unit: &str) -> String {
    match unit {
        "" => "a unit is missing: expected one of d, h, m, s, ms after each number".into(),
        unit if UNITS.iter().any(|(name, _)| *name == unit) => {
            format!("`{unit}` is out of place: each unit stands once, the largest first: d, h, m, s, ms")
        }
        unit => format!("unknown unit `{unit}`, expected one of d, h, m, s, ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_alone_and_together() {
        for (text, millis) in [
            ("500ms", 500),
            ("90s", 90_000),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("2d", 172_800_000),
            ("1h30m", 5_400_000),
            ("0h30m", 1_800_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("36500d", 3_153_600_000_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_means_nothing() {
        for (text, message) in [
            ("", "expected whole numbers and their units"),
            ("m", "expected whole numbers and their units"),
            ("-5m", "expected whole numbers and their units"),
            ("10", "a unit is missing"),
            ("1h30", "a unit is missing"),
            ("10 m", "unknown unit ` m`"),
            ("1h 30m", "unknown unit `h `"),
            ("1.5h", "unknown unit `.`"),
            ("10min", "unknown unit `min`"),
            ("10M", "unknown unit `M`"),
            ("10µs", "unknown unit `µs`"),
            ("30m1h", "`h` is out of place"),
            ("1h1h", "`h` is out of place"),
            ("0s", "expected more than zero"),
            ("0h0m", "expected more than zero"),
            ("36501d", "too long"),
            ("36500d1ms", "too long"),
            ("18446744073709551615s", "too long"),
            ("18446744073709551615ms", "too long"),
            ("213503982334d18446744073709551615ms", "too long"),
            ("99999999999999999999999ms", "too long"),
        ] {
            let error = duration(text).expect_err(text);
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
