//! What a cache may not hold, or not share: namespaces and the databases that own them, entities that share a
//! table, tables of special kinds, and keys that may be spelled in several ways. Whatever it is, every answer
//! equals the plain connection's, before and after writes.

mod entities;
mod keys;
mod lists;
mod owners;
mod places;
mod privileges;
mod relations;
mod roles;
mod schemas;
mod search_paths;
mod servers;
mod tables;
mod temporary;
mod unnamed;
