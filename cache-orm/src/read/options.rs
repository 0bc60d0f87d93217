//! What a connection wants of its reads, and how a read came in.

use std::time::Duration;

/// What one handle of a connection wants of its reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// How long an entry lives that such a read fills; `None`: what the entity says.
    pub(crate) ttl: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Entries are used and filled.
    #[default]
    Cached,
    /// Entries are filled and not used.
    Refresh,
    /// Entries are neither used nor filled.
    Bypass,
}

/// The method by which a read came in, and goes to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryMethod {
    One,
    All,
}
