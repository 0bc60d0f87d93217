//! The schema of the tests and examples.
