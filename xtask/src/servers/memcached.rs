//! The program of memcached: it has no state worth sharing, so each test starts its own.

use crate::programs::Wanted;

pub(crate) const PROGRAM_VARIABLE: &str = "CACHE_TEST_MEMCACHED_SERVER";

pub(crate) const WANTED: Wanted = Wanted {
    name: "memcached",
    programs: &[&["memcached"]],
    folders: &[],
    apt: &["memcached"],
    dnf: "memcached",
    brew: "memcached",
    variable: PROGRAM_VARIABLE,
};
