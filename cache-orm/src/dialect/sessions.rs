//! What a text may do to the session that it is sent through, and to its transaction.

use sea_orm::IsolationLevel;

/// What may outlive a statement. A pool hands a changed session on to whoever comes next, and a transaction that is
/// committed behind the cache's back makes writes visible that are not fenced.
#[derive(Debug)]
pub(crate) struct SessionRules {
    /// What SET may be about without changing what a statement does: only when it fails, or how fast it is.
    pub(crate) harmless_settings: &'static str,
    /// What SET LOCAL may be about without changing where a name is looked for.
    pub(crate) settings_of_no_name: &'static str,
    /// SET LOCAL, and SET CONSTRAINTS, end with the transaction. (MySQL's SET LOCAL is SET SESSION.)
    pub(crate) set_local: bool,
    /// SET is always about a setting: it assigns no variables in a body.
    pub(crate) set_is_of_settings: bool,
    /// `SET STATEMENT settings FOR` another statement, which is carried out.
    pub(crate) set_statement: bool,
    /// The function that is a SET inside of a query. What it sets ends with the transaction if its last argument is
    /// true.
    pub(crate) setting_function: Option<&'static str>,
    /// `ALTER ROLE … SET` and the like decide what later sessions begin with: a pool would have some with and some
    /// without.
    pub(crate) alters_later_sessions: bool,
    /// A lock on a table ends with the transaction. Elsewhere LOCK and UNLOCK commit.
    pub(crate) locks_end_with_transaction: bool,
    /// PREPARE TRANSACTION takes the transaction out of the session.
    pub(crate) prepared_transactions: bool,
    /// A bare END commits; elsewhere it only ends a block.
    pub(crate) end_commits: bool,
    /// A change of the schema commits the transaction that it is in.
    pub(crate) schema_changes_commit: bool,
    /// A statement that fails leaves its transaction as it was; elsewhere the transaction is lost.
    pub(crate) failure_keeps_transaction: bool,
    /// The level on which a transaction reads one snapshot. `None` where each one does, and asking for a level is
    /// complained about in the log.
    pub(crate) snapshot: Option<IsolationLevel>,
    /// BEGIN NOT ATOMIC, IF, LOOP and others are carried out by themselves, with the semicolons inside them.
    pub(crate) blocks_stand_alone: bool,
    /// A statement may have a label, `a: LOOP`.
    pub(crate) labels: bool,
    /// PREPARE and EXECUTE IMMEDIATE carry out a string, wherever they stand; elsewhere in a body only.
    pub(crate) executes_strings: bool,
    /// DO carries out a block that is written as a string.
    pub(crate) do_runs_string: bool,
    /// A string is carried out inside of a procedure or block only, so that BEGIN in it opens a block.
    pub(crate) strings_are_bodies: bool,
    /// A procedure or block leaves no transaction open.
    pub(crate) bodies_end_transactions: bool,
    /// A procedure may leave a transaction open or a setting changed, so it matters which ones a text calls.
    pub(crate) calls_may_change: bool,
    /// A text that reads, as far as it shows, may call a function of the user's that writes.
    pub(crate) functions_may_write: bool,
    /// `SELECT … INTO` makes a table.
    pub(crate) select_into: bool,
    /// A temporary table may be dropped with its transaction, and outside of one at once: `ON COMMIT DROP`.
    pub(crate) on_commit_drop: bool,
    pub(crate) session_schema: SessionSchema,
    /// Asks for the key of the row that this session inserted last, where a caller of `execute` is told it.
    pub(crate) last_insert_id: Option<&'static str>,
}

/// How the schema of a session's own tables is called, which hide others of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionSchema {
    /// It has no name.
    Unnamed,
    Named(&'static str),
    /// It begins like this, and goes on with a number.
    Prefixed(&'static str),
}

impl SessionSchema {
    /// True for its name, in lower case.
    pub(crate) fn is(self, name: &str) -> bool {
        match self {
            SessionSchema::Unnamed => false,
            SessionSchema::Named(own) => name == own,
            SessionSchema::Prefixed(prefix) => name.starts_with(prefix),
        }
    }
}
