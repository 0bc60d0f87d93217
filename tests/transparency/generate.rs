//! Random programs.

use std::ops::{Deref, DerefMut};

use crate::{
    domain,
    program::{
        Begin, Door, End, Follow, Graph, Hop, Nested, Op, Order, Program, RawRead, RawWrite, Read, ReadMany,
        Relation, Step, Write, WriteMany,
    },
    random::Random,
    tables::{Row, TableName},
};

const DOORS: [Door; 2] = [Door::One, Door::All];
const ORDERS: [Order; 3] = [Order::Any, Order::Ascending, Order::Descending];
const ENDS: [End; 4] = [End::Commit, End::Commit, End::Rollback, End::Drop];
const BEGINS: [Begin; 7] = [
    Begin::Session,
    Begin::Session,
    Begin::Session,
    Begin::Closure,
    Begin::Closure,
    Begin::Serializable,
    Begin::ReadOnly,
];
const UNIQUE: [TableName; 4] = [TableName::Person, TableName::Profile, TableName::Article, TableName::Tag];
const GENERATED: [TableName; 4] = [TableName::Person, TableName::Profile, TableName::Tag, TableName::Badge];

/// The tables of which many programs are about: those with most relations twice.
const FAVOURITES: &[TableName] = &[
    TableName::Person,
    TableName::Person,
    TableName::Profile,
    TableName::Folder,
    TableName::Article,
    TableName::Article,
    TableName::Comment,
    TableName::Tag,
    TableName::ArticleTag,
    TableName::Badge,
    TableName::Counter,
];

/// The program of a seed.
pub(crate) fn program(seed: u64) -> Program {
    let mut generator = Generator::new(seed);
    let r = &mut generator;
    let length = 20 + r.below(41);
    let processes = if r.chance(30) { 2 } else { 1 };
    let settled = r.chance(80);
    // Some programs read again what they have read; others rush from write to write.
    let reads = r.pick(&[50, 65, 80]);
    let mut depth = 0;
    let steps = (0..length).map(|_| step(r, processes, reads, &mut depth)).collect();
    Program { steps, settled }
}

/// A program whose rows are changed behind the cache's back.
pub(crate) fn betrayal(seed: u64) -> Program {
    let mut generator = Generator::new(seed);
    let r = &mut generator;
    let steps = (0..40).map(|_| {
        if r.chance(10) {
            Step::BehindTheBack { op: write(r) }
        } else {
            Step::Call { process: 0, op: read(r) }
        }
    });
    Program { steps: steps.collect(), settled: true }
}

/// Random numbers, and the tables that a program is mostly about: it must come back to the same rows.
struct Generator {
    random: Random,
    favourites: Vec<TableName>,
    seed: Vec<Row>,
    /// Rows that the program has named: most steps name one of them again.
    rows: Vec<Row>,
    /// What it has read.
    reads: Vec<Op>,
}

impl Generator {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = random.pick(&[1, 2, 3]);
        let favourites = (0..count).map(|_| random.pick(FAVOURITES)).collect();
        Generator { random, favourites, seed: domain::seed(), rows: Vec::new(), reads: Vec::new() }
    }

    /// One of these tables, a favourite if there is any among them.
    fn table(&mut self, tables: &[TableName]) -> TableName {
        let favourites = self.favourites.iter().copied().filter(|table| tables.contains(table));
        let favourites: Vec<_> = favourites.collect();
        let from = if favourites.is_empty() || self.random.chance(20) { tables } else { &favourites };
        self.random.pick(from)
    }

    fn row(&mut self, table: TableName) -> Row {
        let named: Vec<_> = self.rows.iter().filter(|row| row.table() == table).cloned().collect();
        if !named.is_empty() && self.chance(50) {
            return named[self.below(named.len())].clone();
        }
        let row = domain::row(&mut self.random, table);
        self.rows.push(row.clone());
        row
    }

    /// A row of one of these tables.
    fn row_of(&mut self, tables: &[TableName]) -> Row {
        let table = self.table(tables);
        self.row(table)
    }

    /// A row that is likely not there yet.
    fn new_row(&mut self, table: TableName) -> Row {
        let mut row = self.row(table);
        for _ in 0..6 {
            if !self.seed.iter().any(|there| there.table() == table && there.key() == row.key()) {
                break;
            }
            row = self.row(table);
        }
        row
    }

    /// One or two rows of one table that are likely not there yet.
    fn new_rows(&mut self, table: TableName) -> Vec<Row> {
        let mut rows = vec![self.new_row(table), self.new_row(table)];
        rows.dedup_by_key(|row| row.key());
        rows
    }

    /// One to six rows of one table, some of them twice.
    fn rows(&mut self, table: TableName) -> Vec<Row> {
        (0..1 + self.below(6)).map(|_| self.row(table)).collect()
    }

    /// None, one or two columns outside the primary key.
    fn columns(&mut self) -> u32 {
        match self.below(10) {
            0 => 0,
            1..7 => 1 << self.below(5),
            _ => 1 << self.below(5) | 1 << self.below(8),
        }
    }
}

impl Deref for Generator {
    type Target = Random;

    fn deref(&self) -> &Random {
        &self.random
    }
}

impl DerefMut for Generator {
    fn deref_mut(&mut self) -> &mut Random {
        &mut self.random
    }
}

fn step(r: &mut Generator, processes: usize, reads: usize, depth: &mut usize) -> Step {
    let process = r.below(processes);
    if *depth > 0 && r.chance(25) {
        *depth -= 1;
        return Step::End(r.pick(&ENDS));
    }
    if *depth < 3 && r.chance(if *depth == 0 { 8 } else { 10 }) {
        *depth += 1;
        return Step::Begin { process, how: r.pick(&BEGINS) };
    }
    if *depth > 0 && r.chance(20) {
        return Step::Beside { process, op: read_beside(r) };
    }
    let op = if r.chance(reads) { read(r) } else { write(r) };
    Step::Call { process, op }
}

/// A read that does not wait for the transaction that is open: nobody would end that meanwhile.
fn read_beside(r: &mut Generator) -> Op {
    loop {
        let op = read(r);
        if !matches!(op, Op::Read(Read::LockById { .. }, _)) {
            return op;
        }
    }
}

/// A read, often one that the program has made before.
fn read(r: &mut Generator) -> Op {
    if !r.reads.is_empty() && r.chance(35) {
        return r.reads[r.random.below(r.reads.len())].clone();
    }
    let read = new_read(r);
    r.reads.push(read.clone());
    read
}

fn new_read(r: &mut Generator) -> Op {
    match r.below(100) {
        // Half of all reads are those that the cache answers.
        0..30 => Op::Read(Read::ById(r.pick(&DOORS)), r.row_of(TableName::ALL)),
        30..42 => Op::Read(Read::ByUnique(0, r.pick(&DOORS)), r.row_of(&UNIQUE)),
        42..50 => Op::Read(Read::All, r.row_of(TableName::ALL)),
        50..62 => {
            let row = r.row_of(TableName::ALL);
            Op::Read(other_read(r), row)
        }
        62..74 => {
            let order = r.pick(&ORDERS);
            if r.chance(70) {
                let table = r.table(TableName::ALL);
                let call = match r.below(12) {
                    0 => ReadMany::IdInNothing,
                    1 => ReadMany::IdInLongList,
                    _ => ReadMany::IdIn(order),
                };
                Op::ReadMany(call, r.rows(table))
            } else {
                let table = r.table(&UNIQUE);
                Op::ReadMany(ReadMany::UniqueIn(0, order), r.rows(table))
            }
        }
        74..86 => hop(r),
        86..94 => graph(r),
        _ => {
            let call = r.pick(&[
                RawRead::ById(Door::One),
                RawRead::ById(Door::All),
                RawRead::FromRawSql,
                RawRead::Literal,
                RawRead::Join,
                RawRead::CommonTable,
                RawRead::Comment,
            ]);
            Op::RawRead(call, r.row_of(TableName::ALL))
        }
    }
}

fn other_read(r: &mut Generator) -> Read {
    let column = r.below(8);
    let flag = r.chance(50);
    r.pick(&[
        Read::ByIdAnd(column),
        Read::ByIdOr(column),
        Read::ByColumn(column),
        Read::ByColumnIsNull(column),
        Read::AllOrdered { descending: flag },
        Read::First,
        Read::Exists,
        Read::ExistsById,
        Read::Count,
        Read::CountById,
        Read::CountByColumn(column),
        Read::Paginate(1 + column as u64 % 3),
        Read::Cursor { after: flag },
        Read::Stream,
        Read::StreamById,
        Read::LockById { share: flag },
        Read::SelectOnly(column),
        Read::IntoJson,
        Read::IntoJsonAll,
        Read::Bypassed,
    ])
}

fn hop(r: &mut Generator) -> Op {
    use Relation as R;
    const TO_ONE: [Relation; 6] = [
        R::ProfilePerson,
        R::FolderOwner,
        R::ArticleAuthor,
        R::ArticleFolder,
        R::CommentArticle,
        R::CommentPerson,
    ];
    const TO_MANY: [Relation; 5] =
        [R::PersonArticles, R::FolderArticles, R::ArticleComments, R::ArticleTags, R::TagArticles];
    let (relation, loads) = match r.below(5) {
        0 | 1 => (r.pick(&TO_ONE), Follow::LoadOne),
        2 => (R::PersonProfile, Follow::LoadOne),
        _ => (r.pick(&TO_MANY), Follow::LoadMany),
    };
    let how = r.pick(&[
        Follow::RelatedOne,
        Follow::RelatedOne,
        Follow::RelatedAll,
        Follow::AlsoRelated,
        Follow::WithRelated,
        loads,
        loads,
    ]);
    let from = match relation {
        R::PersonProfile | R::PersonArticles => TableName::Person,
        R::ProfilePerson => TableName::Profile,
        R::FolderOwner | R::FolderArticles => TableName::Folder,
        R::ArticleAuthor | R::ArticleFolder | R::ArticleComments | R::ArticleTags => TableName::Article,
        R::TagArticles => TableName::Tag,
        R::CommentArticle | R::CommentPerson => TableName::Comment,
    };
    Op::Hop(Hop { relation, how }, r.rows(from))
}

fn graph(r: &mut Generator) -> Op {
    use TableName::{Article, Folder, Person};
    let door = r.pick(&DOORS);
    let (call, table) = r.pick(&[
        (Graph::Finder(door), Person),
        (Graph::Finder(door), Article),
        (Graph::Finder(door), TableName::Profile),
        (Graph::Finder(door), TableName::Tag),
        (Graph::IdEqAny, Person),
        (Graph::WideKey, Person),
        (Graph::IntoTuple, Person),
        (Graph::IntoTuple, Person),
        (Graph::IntoOtherModel, Person),
        (Graph::BossLinked, Person),
        (Graph::ReportsLinked, Person),
        (Graph::AlsoBoss, Person),
        (Graph::LoadBoss, Person),
        (Graph::LoadReports, Person),
        (Graph::OwnerOfFolderLinked, Article),
        (Graph::WithOwnerOfFolder, Article),
        (Graph::PersonLoader, Person),
        (Graph::PeopleLoader, Person),
        (Graph::ArticleLoader, Article),
        (Graph::FolderLoader, Folder),
        (Graph::PartialModel, Person),
        (Graph::PartialNested, Article),
    ]);
    Op::Graph(call, r.row(table))
}

fn write(r: &mut Generator) -> Op {
    match r.below(100) {
        0..62 => write_one(r),
        62..77 => write_many(r),
        77..87 => nested(r),
        _ => Op::RawWrite(raw_write(r), r.row(TableName::Person)),
    }
}

fn write_one(r: &mut Generator) -> Op {
    let (columns, filter, set) = (r.columns(), r.below(8), r.below(8));
    let returning = r.chance(50);
    match r.below(24) {
        0 => Op::Write(Write::InsertGenerated, r.row_of(&GENERATED)),
        1 => Op::Write(Write::SaveNew, r.row_of(&GENERATED)),
        2 => Op::Write(Write::UpsertUnique(0, columns), r.row_of(&UNIQUE)),
        _ => {
            let write = r.pick(&[
                Write::Insert,
                Write::Insert,
                Write::InsertExec,
                Write::InsertWithoutReturning,
                Write::InsertReturning,
                Write::InsertIgnore,
                Write::Upsert(columns),
                Write::Update(columns),
                Write::Update(columns),
                Write::Update(columns),
                Write::UpdateExec(columns),
                Write::UpdateWithoutReturning(columns),
                Write::Save(columns),
                Write::DeleteModel,
                Write::DeleteActive,
                Write::DeleteById,
                Write::DeleteByIdReturning,
                Write::UpdateBy { filter, set, returning },
                Write::UpdateAll { set },
                Write::DeleteBy { filter, returning },
            ]);
            let table = r.table(TableName::ALL);
            let inserts = format!("{write:?}").starts_with("Insert");
            Op::Write(write, if inserts && r.chance(80) { r.new_row(table) } else { r.row(table) })
        }
    }
}

fn write_many(r: &mut Generator) -> Op {
    let (columns, set) = (r.columns(), r.below(8));
    if r.chance(20) {
        let table = r.table(&UNIQUE);
        return Op::WriteMany(WriteMany::MoveUnique(0), r.rows(table));
    }
    let write = r.pick(&[
        WriteMany::InsertMany,
        WriteMany::InsertManyWithoutReturning,
        WriteMany::InsertManyReturning,
        WriteMany::UpsertMany(columns),
        WriteMany::UpdateIdIn { set },
        WriteMany::DeleteIdIn,
        WriteMany::MoveKey,
    ]);
    let table = r.table(TableName::ALL);
    let inserts = format!("{write:?}").starts_with("Insert");
    Op::WriteMany(write, if inserts && r.chance(80) { r.new_rows(table) } else { r.rows(table) })
}

fn nested(r: &mut Generator) -> Op {
    use TableName::{Article, Person, Profile, Tag};
    let nested = r.pick(&[
        Nested::InsertPersonWithProfile,
        Nested::SavePersonWithArticles,
        Nested::ReplaceArticles,
        Nested::SaveArticleWithAuthor,
        Nested::SaveArticleWithTags,
        Nested::ReplaceTags,
        Nested::DeletePerson,
        Nested::DeleteArticle,
        Nested::DeleteByEmail,
        Nested::DeleteByEditionOf,
    ]);
    let tables: &[TableName] = match nested {
        Nested::InsertPersonWithProfile => &[Person, Profile],
        Nested::SavePersonWithArticles | Nested::ReplaceArticles => &[Person, Article, Article],
        Nested::SaveArticleWithAuthor => &[Article, Person],
        Nested::SaveArticleWithTags | Nested::ReplaceTags => &[Article, Tag, Tag],
        Nested::DeletePerson | Nested::DeleteByEmail => &[Person],
        Nested::DeleteArticle | Nested::DeleteByEditionOf => &[Article],
    };
    let new = matches!(nested, Nested::SaveArticleWithAuthor | Nested::InsertPersonWithProfile);
    Op::Nested(
        nested,
        tables.iter().map(|table| if new { r.new_row(*table) } else { r.row(*table) }).collect(),
    )
}

fn raw_write(r: &mut Generator) -> RawWrite {
    r.pick(&[
        RawWrite::Update,
        RawWrite::UpdateParameters,
        RawWrite::UpdateLiteralSpelledOtherwise,
        RawWrite::UpdateQuoted,
        RawWrite::UpdateSubquery,
        RawWrite::UpdateAllUnprepared,
        RawWrite::DeleteUnprepared,
        RawWrite::DeleteComment,
        RawWrite::InsertSelect,
        RawWrite::TwoStatements,
        RawWrite::DataModifyingCommonTable,
        RawWrite::UpdateQueryAll,
        RawWrite::DeleteQueryOne,
        RawWrite::UpdateStreamed,
        RawWrite::UniqueViolation,
        RawWrite::ForeignKeyViolation,
        RawWrite::NotNullViolation,
        RawWrite::SyntaxError,
        RawWrite::MoveKeyCascade,
        RawWrite::MoveKeyBack,
    ])
}
