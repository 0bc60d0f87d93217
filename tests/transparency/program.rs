//! A program: what is generated, run on both sides, shrunk and printed.

use crate::tables::{Row, TableName};

/// Calls in the order in which one caller makes them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// Wait for the cache's background calls before every step: more hits, and the same hits each time.
    pub(crate) settled: bool,
}

/// One line of a program.
///
/// Transactions are marks in a flat list, so that any line can be left out: an end without a beginning does
/// nothing, and what nobody ends is rolled back when the program ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A transaction, or a savepoint inside one.
    Begin {
        process: usize,
        how: Begin,
    },
    End(End),
    /// A call of one of the processes; inside a transaction, a call through the transaction.
    Call {
        process: usize,
        op: Op,
    },
    /// A call beside the open transaction, by one of the processes.
    Beside {
        process: usize,
        op: Op,
    },
    /// A call through a connection that does not invalidate. Only to prove that the comparison finds it.
    BehindTheBack {
        op: Op,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Begin {
    /// `begin()`.
    Session,
    /// `begin_with_config` with an isolation level.
    Serializable,
    /// `begin_with_config` with an access mode. Writes fail, where the database knows such transactions.
    ReadOnly,
    /// `transaction(|tx| …)`: ends by its result.
    Closure,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Commit,
    Rollback,
    Drop,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Op {
    Read(Read, Row),
    ReadMany(ReadMany, Vec<Row>),
    Hop(Hop, Vec<Row>),
    Graph(Graph, Row),
    RawRead(RawRead, Row),
    Write(Write, Row),
    WriteMany(WriteMany, Vec<Row>),
    Nested(Nested, Vec<Row>),
    RawWrite(RawWrite, Row),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Door {
    One,
    All,
}

/// Reads that every table has. A number of a column or key counts round and round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Read {
    ById(Door),
    ByUnique(usize, Door),
    ByIdAnd(usize),
    ByIdOr(usize),
    ByColumn(usize),
    ByColumnIsNull(usize),
    All,
    AllOrdered {
        descending: bool,
    },
    First,
    Exists,
    ExistsById,
    Count,
    CountById,
    CountByColumn(usize),
    Paginate(u64),
    Cursor {
        after: bool,
    },
    Stream,
    StreamById,
    LockById {
        share: bool,
    },
    SelectOnly(usize),
    /// This and the next go through `bypass()` where the entity does not promise JSON, as documented.
    IntoJson,
    IntoJsonAll,
    /// Goes through `bypass()`.
    Bypassed,
}

/// Reads of several keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ReadMany {
    /// `is_in([])`.
    IdInNothing,
    /// Longer than a list that is answered in one go.
    IdInLongList,
    IdIn(Order),
    UniqueIn(usize, Order),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    Any,
    Ascending,
    Descending,
}

/// From rows to related rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hop {
    pub(crate) relation: Relation,
    pub(crate) how: Follow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    PersonProfile,
    PersonArticles,
    ProfilePerson,
    FolderOwner,
    FolderArticles,
    ArticleAuthor,
    ArticleFolder,
    ArticleComments,
    ArticleTags,
    TagArticles,
    CommentArticle,
    CommentPerson,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Follow {
    RelatedOne,
    RelatedAll,
    AlsoRelated,
    WithRelated,
    LoadOne,
    LoadMany,
}

/// Reads that only some tables have: generated finders, links over several hops, self-references, the entity
/// loader, and models of other shapes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Graph {
    /// `find_by_email` and so on.
    Finder(Door),
    /// `= ANY` where the database has it.
    IdEqAny,
    /// A key that is wider than its column.
    WideKey,
    IntoTuple,
    /// Through `bypass()`, as documented.
    IntoOtherModel,
    BossLinked,
    ReportsLinked,
    AlsoBoss,
    LoadBoss,
    LoadReports,
    OwnerOfFolderLinked,
    WithOwnerOfFolder,
    PersonLoader,
    PeopleLoader,
    ArticleLoader,
    FolderLoader,
    PartialModel,
    PartialNested,
}

/// Raw statements that read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RawRead {
    /// The text of `find_by_id`, sent by hand.
    ById(Door),
    /// The same, decoded by `from_raw_sql`.
    FromRawSql,
    Literal,
    Join,
    CommonTable,
    Comment,
}

/// Writes of one row. Numbers are sets of columns (bits) or columns (counting round and round).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Write {
    Insert,
    InsertGenerated,
    InsertExec,
    InsertWithoutReturning,
    InsertReturning,
    InsertIgnore,
    Upsert(u32),
    UpsertUnique(usize, u32),
    Update(u32),
    UpdateExec(u32),
    UpdateWithoutReturning(u32),
    Save(u32),
    SaveNew,
    DeleteModel,
    DeleteActive,
    DeleteById,
    DeleteByIdReturning,
    UpdateBy { filter: usize, set: usize, returning: bool },
    UpdateAll { set: usize },
    DeleteBy { filter: usize, returning: bool },
}

/// Writes of several rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WriteMany {
    InsertMany,
    InsertManyWithoutReturning,
    InsertManyReturning,
    UpsertMany(u32),
    UpdateIdIn {
        set: usize,
    },
    DeleteIdIn,
    /// Gives the first row the key of the second.
    MoveKey,
    /// The same with a unique key.
    MoveUnique(usize),
}

/// Writes that only some tables have: object graphs, saved and deleted by `ActiveModelEx`, and generated
/// deleters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nested {
    InsertPersonWithProfile,
    SavePersonWithArticles,
    ReplaceArticles,
    SaveArticleWithAuthor,
    SaveArticleWithTags,
    ReplaceTags,
    DeletePerson,
    DeleteArticle,
    DeleteByEmail,
    DeleteByEditionOf,
}

/// Raw statements that write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RawWrite {
    Update,
    UpdateParameters,
    UpdateLiteralSpelledOtherwise,
    UpdateQuoted,
    UpdateSubquery,
    UpdateAllUnprepared,
    DeleteUnprepared,
    DeleteComment,
    InsertSelect,
    TwoStatements,
    DataModifyingCommonTable,
    UpdateQueryAll,
    DeleteQueryOne,
    UpdateStreamed,
    UniqueViolation,
    ForeignKeyViolation,
    NotNullViolation,
    SyntaxError,
    MoveKeyCascade,
    MoveKeyBack,
}

impl Program {
    /// How many processes it has: one or two.
    pub(crate) fn processes(&self) -> usize {
        let second = |step: &Step| match step {
            Step::Begin { process, .. } | Step::Call { process, .. } | Step::Beside { process, .. } => {
                *process == 1
            }
            Step::End(_) | Step::BehindTheBack { .. } => false,
        };
        if self.steps.iter().any(second) { 2 } else { 1 }
    }
}

impl Step {
    /// The call, if it is one.
    pub(crate) fn op(&self) -> Option<&Op> {
        match self {
            Step::Call { op, .. } | Step::Beside { op, .. } | Step::BehindTheBack { op } => Some(op),
            Step::Begin { .. } | Step::End(_) => None,
        }
    }
}

impl Op {
    /// The kind that is counted: the call without its arguments.
    pub(crate) fn kind(&self) -> String {
        let call = match self {
            Op::Read(call, _) => format!("{call:?}"),
            Op::ReadMany(call, _) => format!("{call:?}"),
            Op::Hop(Hop { relation, how }, _) => format!("{how:?} {relation:?}"),
            Op::Graph(call, _) => format!("{call:?}"),
            Op::RawRead(call, _) => format!("Raw{call:?}"),
            Op::Write(call, _) => format!("{call:?}"),
            Op::WriteMany(call, _) => format!("{call:?}"),
            Op::Nested(call, _) => format!("{call:?}"),
            Op::RawWrite(call, _) => format!("Raw{call:?}"),
        };
        let end = call.find(['(', '{']).unwrap_or(call.len());
        call[..end].trim_end().to_owned()
    }

    /// True for reads that decode a row as what its entity does not promise, which are documented to need `bypass()`.
    pub(crate) fn is_bypassed(&self) -> bool {
        matches!(
            self,
            Op::Read(Read::IntoJson | Read::IntoJsonAll, Row::Person(_) | Row::Profile(_) | Row::Article(_),)
                | Op::Read(Read::Bypassed, _)
                | Op::Graph(Graph::IntoOtherModel, _)
        )
    }

    /// The table of its first row.
    pub(crate) fn table(&self) -> Option<TableName> {
        self.rows().first().map(Row::table)
    }

    /// The rows that it names.
    pub(crate) fn rows(&self) -> &[Row] {
        match self {
            Op::Read(_, row)
            | Op::Graph(_, row)
            | Op::RawRead(_, row)
            | Op::Write(_, row)
            | Op::RawWrite(_, row) => std::slice::from_ref(row),
            Op::ReadMany(_, rows) | Op::Hop(_, rows) | Op::WriteMany(_, rows) | Op::Nested(_, rows) => rows,
        }
    }
}
