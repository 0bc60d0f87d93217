//! Writes that name no row: what they return, and that they invalidate exactly the rows that they change where
//! the database tells which those are (Postgres, SQLite), and the table where it does not (MariaDB, MySQL).

mod failures;
mod keys;
mod limits;
mod old_knowledge;
mod products;
mod schedules;
mod statements;
