//! Remembers what texts do: most programs send the same few.

use std::{fmt, sync::Arc};

use quick_cache::{Weighter, sync::Cache};
use sea_orm::DbBackend;

use super::{Class, classify};

/// A longer text is classified each time: it is rarely sent twice, and would crowd out many others.
const LONGEST_REMEMBERED: usize = 8 << 10;

/// How many bytes of texts and classes are remembered.
const CAPACITY: u64 = 4 << 20;

/// A bounded cache from text to class, for one backend. A hit costs one hash of the text.
pub(crate) struct Classes {
    backend: DbBackend,
    remembered: Cache<Box<str>, Arc<Class>, Bytes>,
}

impl Classes {
    pub(crate) fn new(backend: DbBackend) -> Self {
        Classes { backend, remembered: Cache::with_weighter(CAPACITY as usize / 1024, CAPACITY, Bytes) }
    }

    /// What the text does.
    pub(crate) fn of(&self, sql: &str) -> Arc<Class> {
        if let Some(class) = self.remembered.get(sql) {
            return class;
        }
        let class = Arc::new(classify(sql, self.backend));
        if sql.len() <= LONGEST_REMEMBERED {
            self.remembered.insert(sql.into(), class.clone());
        }
        class
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classes").field("remembered", &self.remembered.len()).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Box<str>, Arc<Class>> for Bytes {
    fn weight(&self, text: &Box<str>, _: &Arc<Class>) -> u64 {
        // The names in a class are parts of the text; the rest is what a few small allocations take.
        2 * text.len() as u64 + 256
    }
}
