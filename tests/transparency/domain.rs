//! The values that programs use. Few, so that programs meet the same rows again and again.

use sea_orm::prelude::{Date, DateTime, Decimal, Json, Uuid};

use crate::{
    entities::{article, article_tag, badge, comment, counter, folder, person, profile, tag},
    random::Random,
    tables::{Row, TableName},
};

/// Two differ in their case alone: databases disagree on whether they are the same.
const EMAILS: [&str; 5] = ["a@x", "b@x", "c@x", "A@x", "d'\"@x"];
const PATHS: [&str; 5] = ["a", "b", "A", "a/ü", "it's"];
const TITLES: [&str; 2] = ["one", "two"];
/// One ends in a space, which some collations don't see.
const NAMES: [&str; 4] = ["red", "blue", "red ", ""];
const COUNTERS: [&str; 2] = ["badges", "Badges"];
const ROLES: [person::Role; 3] = [person::Role::Admin, person::Role::Member, person::Role::Guest];

fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(number.into())
}

fn date(day: u32) -> Option<Date> {
    Date::from_ymd_opt(2001, 2, day)
}

fn time(hour: u32) -> Option<DateTime> {
    date(3)?.and_hms_opt(hour, 30, 15)
}

/// Most often one of those that the seed has.
fn id(random: &mut Random, last: i32) -> i32 {
    let last = if random.chance(65) { 2 } else { last };
    random.between(1, last)
}

fn maybe<T>(random: &mut Random, value: T) -> Option<T> {
    random.chance(70).then_some(value)
}

/// A row whose every value is chosen at random.
pub(crate) fn row(random: &mut Random, table: TableName) -> Row {
    let r = random;
    match table {
        TableName::Person => Row::Person(person::Model {
            id: id(r, 5),
            email: r.pick(&EMAILS).to_owned(),
            nickname: r.chance(60).then(|| r.pick(&NAMES).to_owned()),
            role: r.pick(&ROLES),
            boss_id: r.chance(50).then(|| id(r, 5)),
        }),
        TableName::Profile => Row::Profile(profile::Model {
            id: id(r, 4).into(),
            person_id: id(r, 5),
            born: date(r.between(1, 28) as u32).filter(|_| r.chance(70)),
            rating: Decimal::new(r.between(-999, 999).into(), 2),
            extra: extra(r),
            photo: r.chance(50).then(|| vec![0xFF, 0, r.between(0, 255) as u8]),
        }),
        TableName::Folder => Row::Folder(folder::Model {
            path: r.pick(&PATHS).to_owned(),
            parent_path: r.chance(50).then(|| r.pick(&PATHS).to_owned()),
            owner_id: r.chance(50).then(|| id(r, 5)),
        }),
        TableName::Article => Row::Article(article::Model {
            id: uuid(id(r, 4) as u32),
            title: r.pick(&TITLES).to_owned(),
            edition: r.between(1, 2),
            author_id: id(r, 4),
            folder_path: r.chance(50).then(|| r.pick(&PATHS).to_owned()),
            published: r.chance(50),
            written: time(r.between(0, 23) as u32).filter(|_| r.chance(70)),
            words: i64::from(r.between(0, 3)) << 33,
        }),
        TableName::Comment => Row::Comment(comment::Model {
            article_id: uuid(id(r, 4) as u32),
            number: r.between(1, 2),
            text: r.pick(&NAMES).to_owned(),
            person_id: r.chance(60).then(|| id(r, 5)),
        }),
        TableName::Tag => {
            let id = id(r, 5);
            let name = r.pick(&NAMES).to_owned();
            Row::Tag(tag::Model { id, name: maybe(r, name) })
        }
        TableName::ArticleTag => {
            Row::ArticleTag(article_tag::Model { article_id: uuid(id(r, 4) as u32), tag_id: id(r, 4) })
        }
        TableName::Badge => {
            Row::Badge(badge::Model { id: id(r, 3), person_id: id(r, 5), label: "new".to_owned() })
        }
        TableName::Counter => {
            Row::Counter(counter::Model { name: r.pick(&COUNTERS).to_owned(), value: r.between(0, 9) })
        }
    }
}

fn extra(random: &mut Random) -> Json {
    match random.below(4) {
        0 => Json::Null,
        1 => serde_json::json!({ "a": [1, 2.5, "é", null], "b": {} }),
        2 => serde_json::json!([]),
        _ => serde_json::json!(random.between(-3, 3)),
    }
}

/// The rows with which every program starts.
pub(crate) fn seed() -> Vec<Row> {
    let person = |id, email: &str, boss_id| {
        let (email, nickname) = (email.to_owned(), Some("red".to_owned()));
        Row::Person(person::Model { id, email, nickname, role: ROLES[id as usize % 3], boss_id })
    };
    let profile = |id, person_id| {
        let (rating, extra) = (Decimal::new(125, 2), serde_json::json!({ "n": id }));
        Row::Profile(profile::Model { id, person_id, born: date(1), rating, extra, photo: None })
    };
    let folder = |path: &str, parent: Option<&str>, owner_id| {
        let (path, parent_path) = (path.to_owned(), parent.map(str::to_owned));
        Row::Folder(folder::Model { path, parent_path, owner_id })
    };
    let article = |id, edition, author_id, folder: Option<&str>| {
        Row::Article(article::Model {
            id: uuid(id),
            title: "one".to_owned(),
            edition,
            author_id,
            folder_path: folder.map(str::to_owned),
            published: true,
            written: time(3),
            words: 100,
        })
    };
    let comment = |article, number, person_id| {
        let (article_id, text) = (uuid(article), "blue".to_owned());
        Row::Comment(comment::Model { article_id, number, text, person_id })
    };
    let tag = |id, name: &str| Row::Tag(tag::Model { id, name: Some(name.to_owned()) });
    let article_tag =
        |article, tag_id| Row::ArticleTag(article_tag::Model { article_id: uuid(article), tag_id });
    vec![
        person(1, "a@x", None),
        person(2, "b@x", Some(1)),
        person(3, "c@x", Some(2)),
        profile(1, 1),
        profile(2, 2),
        folder("a", None, Some(1)),
        folder("b", Some("a"), None),
        article(1, 1, 1, Some("a")),
        article(2, 2, 2, Some("b")),
        comment(1, 1, Some(2)),
        comment(1, 2, None),
        comment(2, 1, Some(1)),
        tag(1, "red"),
        tag(2, "blue"),
        article_tag(1, 1),
        article_tag(1, 2),
        article_tag(2, 1),
    ]
}
