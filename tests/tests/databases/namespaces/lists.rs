//! Lists of keys, as users may write them: spelled in several ways, repeated, NULL, of the wrong type, in writes too.

use cache_orm::{CachedConnection, CachedEntity};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, ExprTrait},
};
use tests::{Backend, Env, matrix, shop::store};

use super::{
    entities::{ITEM, narrow, wide},
    keys::{fixed, folded, large, nullable},
    places::{Place, agree_in_any_order, beside, by_backend, execute},
};

/// One row, spelled in many ways; another row; none at all.
const LISTS: &[&[&str]] = &[
    &["abc"],
    &["ABC"],
    &["abc", "ABC", "abc"],
    &["ABC", "aBc"],
    &["abc ", "xyz"],
    &["ábc", "XYZ", "none"],
    &["none"],
    &["xyz", "abc", "  abc", ""],
];

fn by_id(list: &[&str]) -> Select<folded::Entity> {
    folded::Entity::find().filter(folded::Column::Id.is_in(list.iter().copied()))
}

fn by_label(list: &[&str]) -> Select<folded::Entity> {
    folded::Entity::find().filter(folded::Column::Label.is_in(list.iter().copied()))
}

async fn every_list_agrees(place: &Place, other: &CachedConnection, when: &str) {
    for list in LISTS {
        let when = format!("{list:?} {when}");
        agree_in_any_order(&place.db, &place.plain, by_id(list), &when).await;
        agree_in_any_order(&place.db, &place.plain, by_label(list), &when).await;
        agree_in_any_order(other, &place.plain, by_id(list), &when).await;
        let ordered = by_id(list).order_by_asc(folded::Column::Id);
        assert_eq!(ordered.clone().all(&place.db).await, ordered.all(&place.plain).await, "{when}");
    }
    place.agree(folded::Entity::find_by_id("abc"), when).await;
    agree_in_any_order(&place.db, &place.plain, folded::Entity::find(), when).await;
}

fn priced(price: i32) -> folded::ActiveModel {
    folded::ActiveModel { price: Set(price), ..Default::default() }
}

/// Reads and writes by every list.
async fn listed_in_every_way(env: &Env, column: &str) {
    let create = format!(
        "CREATE TABLE folded (id {column} PRIMARY KEY NOT NULL, label {column} NOT NULL UNIQUE, \
         price INTEGER NOT NULL)"
    );
    let place = Place::with(env, &[&create]).await;
    let other = beside(env).await;
    every_list_agrees(&place, &other, "before there is a row").await;
    execute(&place.db, "INSERT INTO folded VALUES ('abc', 'abc', 0), ('xyz', 'xyz', 0)").await;
    place.db.settled().await;
    every_list_agrees(&place, &other, "after raw SQL").await;
    for (price, list) in (1..).zip(LISTS) {
        let update = folded::Entity::update_many().set(priced(price));
        let by_list = update.filter(folded::Column::Id.is_in(list.iter().copied()));
        by_list.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        every_list_agrees(&place, &other, &format!("after an update of {list:?}")).await;
    }
    let label = Expr::col(folded::Column::Label);
    let conditions = [
        Condition::any().add(folded::Column::Id.eq("ABC")).add(folded::Column::Id.eq("none")),
        Condition::all().add(folded::Column::Id.eq("aBC")).add(folded::Column::Price.gt(0)),
        Condition::all().add(folded::Column::Label.like("AB%")),
        Condition::all().add(folded::Column::Label.between("ab", "abd")),
        Condition::all().add(label.eq("xyz ").not()),
        Condition::all().add(folded::Column::Label.is_not_in(["ABC"])),
    ];
    for (price, condition) in (50..).zip(conditions) {
        let update = folded::Entity::update_many().set(priced(price)).filter(condition.clone());
        // (Postgres has no LIKE for some collations.)
        let _ = update.exec(&place.db).await;
        place.db.settled().await;
        every_list_agrees(&place, &other, &format!("after an update where {condition:?}")).await;
    }
    for list in [&["ABC", "none"][..], &["xyz ", "XYZ"]] {
        let delete = folded::Entity::delete_many().filter(folded::Column::Label.is_in(list.iter().copied()));
        delete.exec(&place.db).await.expect("the delete goes through");
        place.db.settled().await;
        every_list_agrees(&place, &other, &format!("after a delete of {list:?}")).await;
        // It may be there still: that is the database's business.
        let row = |spelling: &str| folded::ActiveModel {
            id: Set(spelling.to_owned()),
            label: Set(spelling.to_owned()),
            price: Set(7),
        };
        let rows = folded::Entity::insert_many([row(list[0]), row("other")]);
        let _ = rows.exec_without_returning(&place.db).await;
        place.db.settled().await;
        every_list_agrees(&place, &other, &format!("after an insert of {list:?}")).await;
    }
}

async fn prepare(env: &Env, sql: &str) {
    if env.backend() == Backend::Postgres {
        execute(&env.connect().await, sql).await;
    }
}

/// The type of a column whose texts are compared without regard to case.
pub(crate) async fn without_case(env: &Env) -> &'static str {
    let folding =
        "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
    prepare(env, folding).await;
    by_backend(
        env.backend(),
        "TEXT COLLATE NOCASE",
        "TEXT COLLATE folding",
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    )
}

/// The type of a column whose texts are compared byte by byte, on MySQL without regard to trailing spaces.
pub(crate) fn byte_by_byte(env: &Env) -> &'static str {
    by_backend(
        env.backend(),
        "TEXT",
        "TEXT COLLATE \"C\"",
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    )
}

/// The type of a column that folds texts, or forgets trailing spaces.
pub(crate) async fn folding_type(env: &Env) -> &'static str {
    prepare(env, "CREATE EXTENSION citext").await;
    by_backend(
        env.backend(),
        "VARCHAR(20) COLLATE RTRIM",
        "CITEXT",
        "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
    )
}

matrix! {
    stores: store;

    async fn keys_without_regard_to_case(env: Env) {
        listed_in_every_way(&env, without_case(&env).await).await;
    }

    async fn keys_byte_by_byte(env: Env) {
        listed_in_every_way(&env, byte_by_byte(&env)).await;
    }

    async fn keys_of_a_type_that_folds(env: Env) {
        listed_in_every_way(&env, folding_type(&env).await).await;
    }

    /// Typed reads looked for the text that was asked for among the texts of the rows, and missed these.
    async fn typed_lists_find_rows_that_spell_their_keys_otherwise(env: Env) {
        for column in [without_case(&env).await, byte_by_byte(&env), folding_type(&env).await] {
            let create = format!(
                "CREATE TABLE folded (id {column} PRIMARY KEY NOT NULL, label VARCHAR(20) NOT NULL, \
                 price INTEGER NOT NULL)"
            );
            let rows = "INSERT INTO folded VALUES ('abc', 'abc', 0), ('xyz', 'xyz', 0)";
            let place = Place::with(&env, &["DROP TABLE IF EXISTS folded", &create, rows]).await;
            for list in LISTS {
                let mut truth = Vec::new();
                for key in *list {
                    truth.push(folded::Entity::find_by_id(*key).one(&place.plain).await.expect("an answer"));
                }
                let warm = folded::Entity::warm(&place.db, list.iter().copied()).await.expect("an answer");
                assert_eq!(warm, truth.iter().flatten().count(), "{list:?} of {column}");
                place.db.settled().await;
                let many = folded::Entity::get_many(&place.db, list.iter().copied()).await.expect("an answer");
                let many: Vec<_> = many.into_iter().map(|row| row.as_deref().cloned()).collect();
                assert_eq!(many, truth, "{list:?} of {column}");
            }
        }
    }

    async fn keys_of_fixed_width(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE fixed (id CHAR(8) PRIMARY KEY NOT NULL, price INTEGER NOT NULL)",
            "INSERT INTO fixed VALUES ('ab', 1), ('cd', 2)",
        ])
        .await;
        let lists = [&["ab"][..], &["ab ", "ab      "], &["AB", "ab"], &["x", "cd ", "cd"]];
        let all_agree = async |when: &str| {
            for list in lists {
                let select = fixed::Entity::find().filter(fixed::Column::Id.is_in(list.iter().copied()));
                agree_in_any_order(&place.db, &place.plain, select, &format!("{list:?} {when}")).await;
            }
        };
        all_agree("at first").await;
        for (price, list) in (10..).zip(lists) {
            let update = fixed::Entity::update_many()
                .set(fixed::ActiveModel { price: Set(price), ..Default::default() })
                .filter(fixed::Column::Id.is_in(list.iter().copied()));
            update.exec(&place.db).await.expect("the update goes through");
            place.db.settled().await;
            all_agree(&format!("after an update of {list:?}")).await;
        }
    }

    async fn keys_that_are_null_in_a_list(env: Env) {
        let create = by_backend(
            env.backend(),
            "CREATE TABLE nullable (id INTEGER PRIMARY KEY NOT NULL, code TEXT UNIQUE, price INTEGER NOT NULL)",
            "CREATE TABLE nullable (id INTEGER PRIMARY KEY NOT NULL, code TEXT UNIQUE, price INTEGER NOT NULL)",
            "CREATE TABLE nullable (id INTEGER PRIMARY KEY NOT NULL, \
             code VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin UNIQUE, price INTEGER NOT NULL)",
        );
        let rows = "INSERT INTO nullable VALUES (1, NULL, 10), (2, NULL, 20), (3, 'c', 30), (4, 'd', 40)";
        let place = Place::with(&env, &[create, rows]).await;
        let codes = |codes: &[Option<&str>]| codes.iter().map(|code| code.map(str::to_owned)).collect::<Vec<_>>();
        let reads = async |when: &str| {
            for list in [&[None][..], &[Some("c"), None], &[None, Some("c"), None, Some("c"), Some("d")]] {
                use nullable::Column::Code;
                let inside = nullable::Entity::find().filter(Code.is_in(codes(list)));
                agree_in_any_order(&place.db, &place.plain, inside, &format!("{list:?} {when}")).await;
                let outside = nullable::Entity::find().filter(Code.is_not_in(codes(list)));
                agree_in_any_order(&place.db, &place.plain, outside, &format!("none of {list:?} {when}")).await;
            }
            for list in [&[Some(1), None][..], &[None], &[Some(3), Some(3), None, Some(9)]] {
                let select = nullable::Entity::find().filter(nullable::Column::Id.is_in(list.iter().copied()));
                agree_in_any_order(&place.db, &place.plain, select, &format!("{list:?} {when}")).await;
            }
        };
        reads("at first").await;
        let update = nullable::Entity::update_many()
            .set(nullable::ActiveModel { price: Set(7), ..Default::default() })
            .filter(nullable::Column::Code.is_in(codes(&[Some("c"), None])));
        update.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        reads("after an update of such a list").await;
        let coded = nullable::ActiveModel { code: Set(None), ..Default::default() };
        let update = nullable::Entity::update_many().set(coded).filter(nullable::Column::Id.is_in([3, 4]));
        update.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        reads("after codes became NULL").await;
        let delete = nullable::Entity::delete_many().filter(nullable::Column::Id.is_in([Some(1), None]));
        delete.exec(&place.db).await.expect("the delete goes through");
        place.db.settled().await;
        reads("after a delete of such a list").await;
    }

    async fn keys_of_the_wrong_type_in_a_list(env: Env) {
        let place = Place::with(&env, ITEM).await;
        let find = wide::Entity::find;
        use wide::Column::{Code, Id};
        for time in ["cold", "warm"] {
            let lists = [
                find().filter(Id.is_in(["1", "2"])),
                find().filter(Id.is_in(["1 ", "1abc", "abc"])),
                find().filter(Id.is_in([true, false, true, true])),
                find().filter(Id.is_in([1.0, 1.5, 2.0, 0.0, 9.0])),
                find().filter(Id.is_in([1, 2, 1 << 40, i64::MAX, i64::MIN, 0])),
                find().filter(Code.is_in([1, 2, 3, 4, 5, 6, 7])),
                find().filter(Code.is_in([b"one".to_vec(), b"two".to_vec(), b"o".to_vec()])),
            ];
            for (n, list) in lists.into_iter().enumerate() {
                // Where the database refuses, it refuses both.
                agree_in_any_order(&place.db, &place.plain, list, &format!("list {n}, {time}")).await;
            }
            for id in 1..=3 {
                place.agree(wide::Entity::find_by_id(id), time).await;
            }
            place.agree(narrow::Entity::find().filter(narrow::Column::Id.is_in([1])), time).await;
        }
        if env.backend() != Backend::Postgres {
            let price = wide::ActiveModel { price: Set(77), ..Default::default() };
            let update = wide::Entity::update_many().set(price).filter(Id.is_in(["1", "3"]));
            update.exec(&place.db).await.expect("the update goes through");
            place.db.settled().await;
            place.agree(wide::Entity::find_by_id(1), "after an update of texts").await;
            agree_in_any_order(&place.db, &place.plain, find().filter(Id.is_in([1, 2])), "after it").await;
        }
    }

    async fn lists_over_one_table_by_two_entities(env: Env) {
        let place = Place::with(&env, ITEM).await;
        let other = beside(&env).await;
        let both = async |when: &str| {
            for db in [&place.db, &other] {
                for list in [&[1, 2, 3][..], &[2], &[3, 1, 3]] {
                    let ids = || list.iter().copied();
                    let of_wide = wide::Entity::find().filter(wide::Column::Id.is_in(ids()));
                    agree_in_any_order(db, &place.plain, of_wide, when).await;
                    let of_narrow = narrow::Entity::find().filter(narrow::Column::Id.is_in(ids()));
                    agree_in_any_order(db, &place.plain, of_narrow, when).await;
                }
                let codes = wide::Entity::find().filter(wide::Column::Code.is_in(["one", "two", "three"]));
                agree_in_any_order(db, &place.plain, codes, when).await;
            }
        };
        both("at first").await;
        let price = narrow::ActiveModel { price: Set(5), ..Default::default() };
        let update = narrow::Entity::update_many().set(price).filter(narrow::Column::Id.is_in([1, 3]));
        update.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        both("after an update through the narrow one").await;
        let code = wide::ActiveModel { code: Set("three".into()), ..Default::default() };
        let update = wide::Entity::update_many().set(code).filter(wide::Column::Code.is_in(["two"]));
        update.exec(&other).await.expect("the update goes through");
        other.settled().await;
        both("after an update of the unique column").await;
        let delete = narrow::Entity::delete_many().filter(narrow::Column::Price.is_in([5, 6]));
        delete.exec(&place.db).await.expect("the delete goes through");
        place.db.settled().await;
        both("after a delete by price").await;
    }

    async fn a_list_with_a_row_of_ten_megabytes(env: Env) {
        let place = Place::with(&env, &[by_backend(
            env.backend(),
            "CREATE TABLE large (id INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
            "CREATE TABLE large (id INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
            "CREATE TABLE large (id INTEGER PRIMARY KEY NOT NULL, body LONGTEXT NOT NULL)",
        )])
        .await;
        let body = "x".repeat(10 << 20);
        for (id, body) in [(1, "small"), (2, &body)] {
            let row = large::ActiveModel { id: Set(id), body: Set(body.to_owned()) };
            large::Entity::insert(row).exec_without_returning(&place.db).await.expect("the insert goes through");
        }
        place.db.settled().await;
        let lengths = async || {
            let select = large::Entity::find().filter(large::Column::Id.is_in([2, 1, 9]));
            let rows = select.order_by_asc(large::Column::Id).all(&place.db).await.expect("an answer");
            place.db.settled().await;
            rows.into_iter().map(|row| (row.id, row.body.len())).collect::<Vec<_>>()
        };
        for _ in 0..3 {
            assert_eq!(lengths().await, [(1, 5), (2, 10 << 20)]);
        }
        let update = large::Entity::update_many()
            .set(large::ActiveModel { id: Unchanged(2), body: Set("now small".to_owned()) })
            .filter(large::Column::Id.is_in([2]));
        update.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        for _ in 0..3 {
            assert_eq!(lengths().await, [(1, 5), (2, 9)]);
        }
    }
}
