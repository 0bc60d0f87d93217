//! What `cargo xtask test` prepares, and names that no other test uses.

use std::{
    collections::hash_map::RandomState,
    env,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

pub(crate) const POSTGRES_URL: &str = "CACHE_TEST_POSTGRES_URL";
pub(crate) const MYSQL_URL: &str = "CACHE_TEST_MYSQL_URL";
pub(crate) const REDIS_URL: &str = "CACHE_TEST_REDIS_URL";
pub(crate) const REDIS_SERVER: &str = "CACHE_TEST_REDIS_SERVER";

/// The variable's value.
///
/// # Panics
/// When it is not set: a missing server is a failure.
pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, which starts the servers, or set {name} yourself")
    })
}

/// True in a long run (`cargo xtask test --long`): whatever takes samples takes many more.
pub fn is_long() -> bool {
    env::var_os("CACHE_TEST_LONG").is_some()
}

/// A name that no test of this or another run uses: ASCII letters, digits and `_`, at most 48 bytes.
pub fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The keys of a `RandomState` come from the operating system's random numbers.
    let random = RandomState::new().build_hasher().finish();
    format!("cache_test_{random:016x}_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_every_server_and_differ() {
        let (one, other) = (unique_name(), unique_name());
        assert_ne!(one, other);
        assert!(one.len() <= 48 && one.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
    }

    #[test]
    #[should_panic(expected = "CACHE_TEST_OF_NOTHING is not set: run `cargo xtask test`")]
    fn a_missing_variable_is_a_failure_with_a_remedy() {
        variable("CACHE_TEST_OF_NOTHING");
    }
}
