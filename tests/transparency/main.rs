//! A program can't tell the cached connection from the plain one, except by its speed.
//!
//! Random [programs](program) of everything that SeaORM can send run on two equal databases: through SeaORM's own
//! connection on one, through the cache on the other. Every result, every error and the final tables must be
//! equal, and so must whatever the cache still holds afterwards ([`compare`]). A program that fails is
//! [shrunk](mod@shrink) and printed, with its seed:
//!
//! ```text
//! TRANSPARENCY_SEED=417 TRANSPARENCY_PROGRAMS=1 cargo xtask test -p tests --test transparency sqlite_memory
//! ```
//!
//! In the second mode several tasks use one database at once, and each answer must be a committed state of its
//! interval ([`concurrent`]).
//!
//! To teach the harness a new call: a variant in [`program`], how it is made in one of the files beside `run`, and a
//! line in [`generate`]. A read that the cache has learnt to answer belongs in [`kinds`], lest it silently stop.
#![allow(clippy::print_stdout, reason = "the counts are read by people")]
#![allow(missing_docs, reason = "fields of entities are named after columns")]

mod compare;
mod concurrent;
mod domain;
mod entities;
mod generate;
mod graph;
mod history;
mod hop;
mod kinds;
mod nested;
mod outcome;
mod print;
mod processes;
mod program;
mod racer;
mod random;
mod raw_write;
mod read;
mod run;
mod schema;
mod seeds;
mod sequential;
mod shrink;
mod tables;
mod write;
