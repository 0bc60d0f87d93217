//! Random programs.

use crate::{
    domain::row,
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
const UNIQUE: [TableName; 4] = [TableName::Person, TableName::Profile, TableName::Article, TableName::Tag];
const GENERATED: [TableName; 4] = [TableName::Person, TableName::Profile, TableName::Tag, TableName::Badge];

/// The program of a seed.
pub(crate) fn program(seed: u64) -> Program {
    let mut random = Random::new(seed);
    let length = 20 + random.below(41);
    let processes = if random.chance(30) { 2 } else { 1 };
    let settled = random.chance(80);
    // Half of the programs read what they write through the cache; the rest rush from write to write.
    let reads = random.pick(&[50, 65, 80]);
    let mut depth = 0;
    let steps = (0..length).map(|_| step(&mut random, processes, reads, &mut depth)).collect();
    Program { steps, settled }
}

fn step(random: &mut Random, processes: usize, reads: usize, depth: &mut usize) -> Step {
    let process = random.below(processes);
    if *depth > 0 && random.chance(25) {
        *depth -= 1;
        return Step::End(random.pick(&ENDS));
    }
    if *depth < 3 && random.chance(if *depth == 0 { 8 } else { 10 }) {
        *depth += 1;
        return Step::Begin { process, how: random.pick(&[Begin::Session, Begin::Session, Begin::Closure]) };
    }
    if *depth > 0 && random.chance(20) {
        return Step::Beside { process, op: read(random) };
    }
    let op = if random.chance(reads) { read(random) } else { write(random) };
    Step::Call { process, op }
}

/// A program whose rows are changed behind the cache's back.
pub(crate) fn betrayal(seed: u64) -> Program {
    let mut random = Random::new(seed);
    let steps = (0..40).map(|_| match random.chance(10) {
        true => Step::BehindTheBack { op: write(&mut random) },
        false => Step::Call { process: 0, op: read(&mut random) },
    });
    Program { steps: steps.collect(), settled: true }
}

fn of(random: &mut Random, tables: &[TableName]) -> Row {
    let table = random.pick(tables);
    row(random, table)
}

/// One to six rows of one table, some of them twice.
fn several(random: &mut Random, table: TableName) -> Vec<Row> {
    (0..1 + random.below(6)).map(|_| row(random, table)).collect()
}

fn read(random: &mut Random) -> Op {
    let r = random;
    match r.below(100) {
        // Half of all reads are those that the cache answers.
        0..30 => Op::Read(Read::ById(r.pick(&DOORS)), of(r, TableName::ALL)),
        30..42 => Op::Read(Read::ByUnique(0, r.pick(&DOORS)), of(r, &UNIQUE)),
        42..50 => Op::Read(Read::All, of(r, TableName::ALL)),
        50..62 => {
            let row = of(r, TableName::ALL);
            Op::Read(other_read(r), row)
        }
        62..74 => {
            let order = r.pick(&ORDERS);
            if r.chance(70) {
                let table = r.pick(TableName::ALL);
                Op::ReadMany(ReadMany::IdIn(order), several(r, table))
            } else {
                let table = r.pick(&UNIQUE);
                Op::ReadMany(ReadMany::UniqueIn(0, order), several(r, table))
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
            Op::RawRead(call, of(r, TableName::ALL))
        }
    }
}

fn other_read(r: &mut Random) -> Read {
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

fn hop(r: &mut Random) -> Op {
    use Relation as R;
    const TO_ONE: [Relation; 6] =
        [R::ProfilePerson, R::FolderOwner, R::ArticleAuthor, R::ArticleFolder, R::CommentArticle, R::CommentPerson];
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
    Op::Hop(Hop { relation, how }, several(r, from))
}

fn graph(r: &mut Random) -> Op {
    use TableName::{Article, Folder, Person};
    let door = r.pick(&DOORS);
    let (call, table) = r.pick(&[
        (Graph::Finder(door), Person),
        (Graph::Finder(door), Article),
        (Graph::Finder(door), TableName::Profile),
        (Graph::Finder(door), TableName::Tag),
        (Graph::IdEqAny, Person),
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
    Op::Graph(call, row(r, table))
}

fn write(random: &mut Random) -> Op {
    let r = random;
    match r.below(100) {
        0..62 => write_one(r),
        62..77 => write_many(r),
        77..87 => nested(r),
        _ => Op::RawWrite(raw_write(r), row(r, TableName::Person)),
    }
}

fn write_one(r: &mut Random) -> Op {
    let (columns, filter, set) = (r.below(256) as u32, r.below(8), r.below(8));
    let returning = r.chance(50);
    match r.below(24) {
        0 => Op::Write(Write::InsertGenerated, of(r, &GENERATED)),
        1 => Op::Write(Write::SaveNew, of(r, &GENERATED)),
        2 => Op::Write(Write::UpsertUnique(0, columns), of(r, &UNIQUE)),
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
            Op::Write(write, of(r, TableName::ALL))
        }
    }
}

fn write_many(r: &mut Random) -> Op {
    let (columns, set) = (r.below(256) as u32, r.below(8));
    if r.chance(20) {
        let table = r.pick(&UNIQUE);
        return Op::WriteMany(WriteMany::MoveUnique(0), several(r, table));
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
    let table = r.pick(TableName::ALL);
    Op::WriteMany(write, several(r, table))
}

fn nested(r: &mut Random) -> Op {
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
    Op::Nested(nested, tables.iter().map(|table| row(r, *table)).collect())
}

fn raw_write(r: &mut Random) -> RawWrite {
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
