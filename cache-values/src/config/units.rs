//! Times and sizes as people write them.

use std::time::Duration;

/// `300`, `0.5`, `500ms`, `1h30m`: seconds, or numbers with units.
pub(super) fn time(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let milliseconds = match &rest[..end] {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = &rest[end..];
        sum = sum.checked_add(Duration::from_millis(number.checked_mul(milliseconds)?))?;
    }
    (!text.is_empty()).then_some(sum)
}

/// `1000`, `64KiB`, `64 MiB`, `1GiB`: bytes.
pub(super) fn size(text: &str) -> Option<usize> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number.trim_end(), unit)))
        .unwrap_or((text, 1));
    number.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let read = |text| time(text).map(|time| time.as_millis());
        let known = [
            ("300", 300_000),
            ("0", 0),
            ("0.5", 500),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
        ];
        for (text, wanted) in known {
            assert_eq!(read(text), Some(wanted), "{text}");
        }
        for text in ["", "x", "-1", "5x", "m", "1h30", "1e400", "NaN", "99999999999999999999d"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        let known = [("1000", 1000), ("5B", 5), ("64KiB", 65_536), ("1 MiB", 1 << 20), ("2GiB", 2 << 30)];
        for (text, wanted) in known {
            assert_eq!(size(text), Some(wanted), "{text}");
        }
        for text in ["", "x", "-1", "5KB", "KiB", "99999999999999999999", "99999999999999GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
