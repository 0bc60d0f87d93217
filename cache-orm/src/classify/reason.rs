//! Why a read was sent to the database untouched.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)*) => {
        /// Why a read was sent to the database untouched.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum BypassReason {
            $($(#[$doc])* $variant,)*
        }

        impl BypassReason {
            /// Every reason, in the order of their numbers.
            pub(crate) const ALL: &[BypassReason] = &[$(BypassReason::$variant,)*];

            /// The reason as a short phrase.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(BypassReason::$variant => $text,)*
                }
            }
        }
    };
}

reasons! {
    /// It is not one of the reads that are cached: by primary key, by unique key, or `find().all()`.
    NotAKeyLookup => "not a key lookup",
    /// It locks rows (`FOR UPDATE`, `FOR SHARE`).
    Locking => "locking read",
    /// It runs inside a transaction, which may see rows that are not committed.
    InTransaction => "inside a transaction",
    /// It came through `db.bypass()`.
    Requested => "bypass requested",
    /// The null store, or a namespace that belongs to another database.
    Disabled => "cache disabled",
    /// The store could not be asked, or may not be trusted yet after an outage.
    StoreUnavailable => "store unavailable",
    /// The schema is being changed, here or by another process.
    SchemaChanging => "schema being changed",
    /// A key value is NULL or not of its column's type.
    KeyValue => "key value of another type, or NULL",
    /// The database compares a key column in a way that is not known to be exact.
    KeyType => "key type",
    /// A list of keys is to be ordered by a key whose order only the database knows.
    KeyOrder => "order of a text key",
    /// No unique index of the database guarantees that the key leads to one row.
    NotUnique => "key is not unique in the database",
    /// The entity's table was not found, or the database's schema could not be read.
    TableUnknown => "table unknown",
    /// A view, a partitioned, temporary or foreign table, or one of several with the same name.
    TableKind => "table kind",
    /// The table's engine has no transactions.
    NotTransactional => "table without transactions",
    /// The pool reads at READ UNCOMMITTED: what it sees may never be committed.
    DirtyReads => "reads see uncommitted rows",
    /// Row-level security: what a query returns depends on who asks.
    RowSecurity => "row-level security",
    /// The database's user may not read a column of the entity, or there is none of its name.
    ColumnNotReadable => "column not readable",
    /// A logger listens at trace level, and SeaORM would show it cached rows.
    TraceLogged => "rows would be logged",
    /// The entity does not cache `find().all()`.
    AllNotCached => "all() not cached",
    /// Another entity reads the same columns of the same table with the same text.
    AmbiguousEntity => "two entities with the same statement",
    /// `into_json` would see a column in another form than this database gives it, and the entity does not say
    /// `model_only`.
    UnlikeAsJson => "column unlike as JSON",
    /// A statement changed the session (`SET search_path`, a raw `BEGIN`): what later ones mean is not known.
    SessionState => "session state changed by raw SQL",
}

impl fmt::Display for BypassReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As the phrase of [`as_str`](BypassReason::as_str).
impl serde::Serialize for BypassReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
