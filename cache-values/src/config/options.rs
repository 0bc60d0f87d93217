//! The options of a configuration, each taken once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use super::{
    error::{ConfigError, listed},
    units::{size, time},
};
use crate::{
    codec::Codec,
    settings::{Failure, Settings},
};

/// Names and values.
#[derive(Clone, Default)]
pub(super) struct Options {
    given: BTreeMap<String, String>,
    /// What anybody asked for: what there is.
    known: RefCell<BTreeSet<&'static str>>,
}

/// Shows names alone: a value may be a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

impl Options {
    /// Takes the query off a URL.
    pub(super) fn split_off(url: &mut String) -> Self {
        let mut options = Options::default();
        if let Some(at) = url.find('?') {
            for (name, value) in form_urlencoded::parse(&url.as_bytes()[at + 1..]) {
                options.set(&name, value.into_owned());
            }
            url.truncate(at);
        }
        options
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.given.insert(name.to_lowercase(), value);
    }

    /// The value of an option, if it is given.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.known.borrow_mut().insert(name);
        self.given.get(name).map(String::as_str)
    }

    /// The value, read; an error if it can't be.
    pub(super) fn read<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match read(text) {
            Some(value) => Ok(Some(value)),
            None => Err(ConfigError::Value { option: name.to_owned(), expected }),
        }
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<usize>, ConfigError> {
        self.read(name, "a whole number", |text| text.parse().ok())
    }

    pub(super) fn size(&self, name: &'static str) -> Result<Option<usize>, ConfigError> {
        self.read(name, "a number of bytes, as 1000 or 64MiB", size)
    }

    pub(super) fn time(&self, name: &'static str) -> Result<Option<Duration>, ConfigError> {
        self.read(name, "a time, as 300, 0.5, 500ms or 1h30m", time)
    }

    /// An error if an option was given that nobody asked for.
    pub(super) fn all_taken(&self) -> Result<(), ConfigError> {
        let known = self.known.borrow();
        match self.given.keys().find(|name| !known.contains(name.as_str())) {
            Some(option) => {
                Err(ConfigError::Option { option: option.clone(), known: listed(known.iter().copied()) })
            }
            None => Ok(()),
        }
    }

    /// How long values are kept: `None` is for ever.
    pub(super) fn timeout(&self) -> Result<Option<Option<Duration>>, ConfigError> {
        self.read("timeout", "a time, as 300, 0.5, 500ms or 1h30m, or never", |text| {
            if never(text) { Some(None) } else { time(text).map(Some) }
        })
    }

    /// The settings that all caches have.
    pub(super) fn settings(&self) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        if let Some(ttl) = self.timeout()? {
            settings = settings.ttl(ttl);
        }
        if let Some(version) = self.read("version", "a whole number", |text| text.parse().ok())? {
            settings = settings.version(version);
        }
        if let Some(prefix) = self.text("key_prefix") {
            settings = settings.prefix(prefix);
        }
        if let Some(codec) = self.read("codec", "messagepack or json", |text| match text {
            "messagepack" => Some(Codec::MessagePack),
            "json" => Some(Codec::Json),
            _ => None,
        })? {
            settings = settings.codec(codec);
        }
        let from = "a number of bytes, as 1000 or 1KiB, or never";
        if let Some(from) = self
            .read("compress_from", from, |text| if never(text) { Some(None) } else { size(text).map(Some) })?
        {
            settings = settings.compress_from(from);
        }
        if let Some(longest) = self.size("longest_value")? {
            settings = settings.longest_value(longest);
        }
        let part = |text: &str| text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
        if let Some(jitter) = self.read("jitter", "a number from 0 to 1", part)? {
            settings = settings.jitter(jitter);
        }
        if let Some(failure) = self.read("failure", "degrade or strict", |text| match text {
            "degrade" => Some(Failure::Degrade),
            "strict" => Some(Failure::Strict),
            _ => None,
        })? {
            settings = settings.failure(failure);
        }
        if let Some(time_out) = self.time("call_timeout")? {
            settings = settings.time_out(time_out);
        }
        if let Some(lease) = self.time("lease")? {
            settings = settings.lease(lease);
        }
        if let Some(patience) = self.time("patience")? {
            settings = settings.patience(patience);
        }
        Ok(settings)
    }
}

fn never(text: &str) -> bool {
    text.eq_ignore_ascii_case("never") || text.eq_ignore_ascii_case("none")
}
