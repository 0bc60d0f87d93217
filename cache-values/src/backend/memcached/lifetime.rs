//! How long an item lives, to the millisecond, though memcached counts seconds.
//!
//! memcached keeps 32 bits beside each item, the client's flags, which stay with a number that is counted. Their bits:
//!
//! | 31 | 30 | 29 to 0 |
//! |---|---|---|
//! | 1 | promise | the deadline in milliseconds since 1970, modulo 2^30: it is less than six days away |
//! | 0 | promise | the deadline in seconds since 2020; 0: it has none here, and memcached's own is all there is |
//!
//! The server gets a time that ends a little later: it makes room, and these bits decide.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::backend::Left;

const IN_MILLISECONDS: u32 = 1 << 31;
const PROMISE: u32 = 1 << 30;
const DEADLINE: u32 = PROMISE - 1;

/// Further away, a deadline is counted in seconds: half of what the bits hold, so that past and future can be told apart.
const NEAR: u64 = 1 << 29;

/// The year 2020, in seconds since 1970.
const YEAR_2020: u64 = 1_577_836_800;

/// More seconds are a point in time to memcached, since 1970.
const MONTH: u64 = 30 * 86_400;

/// The milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What memcached is told of an item's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// The client's flags.
    pub(super) flags: u32,
    /// Seconds from now, or since 1970; 0 is for ever.
    pub(super) seconds: u64,
}

impl Lifetime {
    /// That of an item that is put now.
    pub(super) fn new(ttl: Option<Duration>, is_promise: bool, now: u64) -> Self {
        let mark = if is_promise { PROMISE } else { 0 };
        let Some(ttl) = ttl else { return Lifetime { flags: mark, seconds: 0 } };
        let milliseconds = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let deadline = now.saturating_add(milliseconds);
        let flags = if milliseconds < NEAR {
            IN_MILLISECONDS | low(deadline)
        } else {
            let since_2020 = deadline.div_ceil(1000).saturating_sub(YEAR_2020);
            since_2020.clamp(1, u64::from(DEADLINE)) as u32
        };
        Lifetime { flags: flags | mark, seconds: seconds(milliseconds, now) }
    }

    /// That of a value which takes the place of another one with these flags, and has the rest of its time.
    pub(super) fn rest(flags: u32, left: Left, now: u64) -> Self {
        let milliseconds = left.ttl().map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        Lifetime { flags: flags & !PROMISE, seconds: milliseconds.map_or(0, |left| seconds(left, now)) }
    }
}

/// What the server is told: a second more, since its first one may be about to end.
fn seconds(milliseconds: u64, now: u64) -> u64 {
    let seconds = milliseconds.div_ceil(1000).saturating_add(1);
    if seconds <= MONTH {
        return seconds;
    }
    let at = (now / 1000).saturating_add(seconds);
    // What the server can't count is left to the flags.
    if at <= i32::MAX as u64 { at } else { 0 }
}

/// How much is left of the time of an item with these flags, of which the server says that it ends in so many seconds. `None`
/// if it is over.
pub(super) fn left(flags: u32, server: Option<u64>, now: u64) -> Option<Left> {
    let deadline = flags & DEADLINE;
    let left = if flags & IN_MILLISECONDS != 0 {
        let left = u64::from(deadline.wrapping_sub(low(now)) & DEADLINE);
        if left < NEAR { left } else { 0 }
    } else if deadline != 0 {
        match ((u64::from(deadline) + YEAR_2020) * 1000).saturating_sub(now) {
            0 => 0,
            // It was rounded up: never more is told than there was.
            left => left.saturating_sub(999).max(1),
        }
    } else {
        return Some(server.map_or(Left::Forever, |seconds| Left::For(Duration::from_secs(seconds))));
    };
    (left > 0).then(|| Left::For(Duration::from_millis(left)))
}

/// Whether an item with these flags is a promise.
pub(super) fn is_promise(flags: u32) -> bool {
    flags & PROMISE != 0
}

fn low(milliseconds: u64) -> u32 {
    (milliseconds & u64::from(DEADLINE)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In November 2026, and when the bits of a deadline overflow.
    const NOWS: [u64; 3] = [1_795_000_000_123, (1 << 40) + (1 << 30) - 1, 1 << 41];

    #[test]
    fn times_are_exact_to_the_millisecond() {
        for now in NOWS {
            for ttl in [1, 150, 999, 1000, 60_000, 5 * 86_400_000, NEAR - 1] {
                let lifetime = Lifetime::new(Some(Duration::from_millis(ttl)), false, now);
                assert_eq!(lifetime.seconds, ttl.div_ceil(1000) + 1);
                let left = |now| left(lifetime.flags, Some(lifetime.seconds), now);
                assert_eq!(left(now), Some(Left::For(Duration::from_millis(ttl))));
                assert_eq!(left(now + ttl - 1), Some(Left::For(Duration::from_millis(1))));
                assert_eq!(left(now + ttl), None);
                // As long as the server may keep it, and a clock that is a day behind.
                assert_eq!(left(now + ttl + 86_400_000), None);
                assert!(!is_promise(lifetime.flags));
            }
        }
    }

    #[test]
    fn parts_of_a_millisecond_are_rounded_up() {
        let lifetime = Lifetime::new(Some(Duration::from_nanos(1)), true, NOWS[0]);
        assert_eq!(left(lifetime.flags, None, NOWS[0]), Some(Left::For(Duration::from_millis(1))));
        assert!(is_promise(lifetime.flags));
    }

    #[test]
    fn long_times_are_rounded_up_to_seconds() {
        let now = NOWS[0];
        for days in [7, 31, 365, 20 * 365] {
            let ttl = Duration::from_secs(days * 86_400);
            let lifetime = Lifetime::new(Some(ttl), false, now);
            let Some(Left::For(left)) = left(lifetime.flags, None, now) else { panic!("{days} days") };
            assert!(left <= ttl && left + Duration::from_secs(1) > ttl, "{days} days: {left:?}");
            let is_there = |now| super::left(lifetime.flags, None, now).is_some();
            let milliseconds = days * 86_400_000;
            assert!(is_there(now + milliseconds - 1) && !is_there(now + milliseconds + 999));
            match days {
                7 => assert_eq!(lifetime.seconds, 7 * 86_400 + 1),
                31 | 365 => assert_eq!(lifetime.seconds, now / 1000 + days * 86_400 + 1),
                // After the last second that the server knows.
                _ => assert_eq!(lifetime.seconds, 0),
            }
        }
    }

    #[test]
    fn the_longest_time_has_an_end() {
        let lifetime = Lifetime::new(Some(Duration::MAX), false, NOWS[0]);
        assert!(
            matches!(left(lifetime.flags, None, NOWS[0]), Some(Left::For(left)) if left.as_secs() > 25 * 365 * 86_400)
        );
    }

    #[test]
    fn without_a_deadline_the_server_knows() {
        for flags in [Lifetime::new(None, false, 5).flags, Lifetime::new(None, true, 5).flags] {
            assert_eq!(left(flags, None, 5), Some(Left::Forever));
            assert_eq!(left(flags, Some(7), 5), Some(Left::For(Duration::from_secs(7))));
        }
    }

    #[test]
    fn the_rest_of_a_time_ends_when_it_did() {
        let [now, _, _] = NOWS;
        let first = Lifetime::new(Some(Duration::from_millis(2500)), true, now);
        let rest = Lifetime::rest(
            first.flags,
            left(first.flags, None, now + 1000).expect("it is there"),
            now + 1000,
        );
        assert_eq!(rest, Lifetime { flags: first.flags & !PROMISE, seconds: 3 });
        assert_eq!(left(rest.flags, None, now + 2499), Some(Left::For(Duration::from_millis(1))));
        assert_eq!(left(rest.flags, None, now + 2500), None);
        assert_eq!(Lifetime::rest(0, Left::Forever, now), Lifetime { flags: 0, seconds: 0 });
    }
}
