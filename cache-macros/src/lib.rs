//! The `Cacheable` derive.
