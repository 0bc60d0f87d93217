//! How long a value is kept.

use std::time::Duration;

/// How long a value is kept.
///
/// ```
/// use std::time::Duration;
/// use cache_values::Ttl;
/// assert_eq!(Ttl::from(Duration::from_secs(60)), Ttl::After(Duration::from_secs(60)));
/// // As Django's `timeout=None`: for ever.
/// assert_eq!(Ttl::from(None), Ttl::Never);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ttl {
    /// As long as the cache's settings say.
    #[default]
    Default,
    /// For ever, or until there is no room.
    Never,
    /// For so long. Nothing at all means that the value is not kept, and what was under its key is removed.
    After(Duration),
}

impl Ttl {
    /// So many seconds.
    pub const fn secs(seconds: u64) -> Self {
        Ttl::After(Duration::from_secs(seconds))
    }

    /// The time, with what stands for the default.
    pub(crate) fn or(self, default: Option<Duration>) -> Option<Duration> {
        match self {
            Ttl::Default => default,
            Ttl::Never => None,
            Ttl::After(time) => Some(time),
        }
    }
}

impl From<Duration> for Ttl {
    fn from(time: Duration) -> Self {
        Ttl::After(time)
    }
}

impl From<Option<Duration>> for Ttl {
    fn from(time: Option<Duration>) -> Self {
        time.map_or(Ttl::Never, Ttl::After)
    }
}
