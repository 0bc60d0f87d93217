//! Keys that may be spelled in several ways, keys that are NULL, and rows that are too large.

use cache_orm::CachedConnection;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter,
};
use tests::{Env, matrix, shop::store};

use super::places::{Place, agree, beside, by_backend, entity, execute};

entity! {
    /// Named by a text that is compared without regard to case.
    folded, "folded", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: String,
        #[sea_orm(unique)]
        label: String,
        price: i32,
    }
}

entity! {
    /// Named by a text of fixed width.
    fixed, "fixed", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: String,
        price: i32,
    }
}

entity! {
    /// A unique key that may be NULL.
    nullable, "nullable", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        #[sea_orm(unique)]
        code: Option<String>,
        price: i32,
    }
}

entity! {
    /// Its unique key holds a column that is in none of the database's.
    held, "held", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        #[sea_orm(unique_key = "sku_in_shop")]
        sku: String,
        #[sea_orm(unique_key = "sku_in_shop")]
        shop: i32,
    }
}

entity! {
    large, "large", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        body: String,
    }
}

/// Different words for the same row, as far as some collation goes.
const SPELLINGS: &[&str] = &["abc", "ABC", "aBc", "abc ", "ábc", "ab", "none"];

async fn every_spelling_agrees(place: &Place, other: &CachedConnection, when: &str) {
    for db in [&place.db, other] {
        for spelling in SPELLINGS {
            let when = format!("{spelling:?} {when}");
            agree(db, &place.plain, folded::Entity::find_by_id(*spelling), &when).await;
            let by_label = folded::Entity::find().filter(folded::Column::Label.eq(*spelling));
            agree(db, &place.plain, by_label, &when).await;
        }
        agree(db, &place.plain, folded::Entity::find(), when).await;
    }
}

/// Reads by every spelling, writes by every spelling.
async fn spelled_in_every_way(env: &Env, ddl: &[&str]) {
    let place = Place::with(env, ddl).await;
    let other = beside(env).await;
    every_spelling_agrees(&place, &other, "before there is a row").await;
    execute(&place.db, "INSERT INTO folded VALUES ('abc', 'abc', 0)").await;
    place.db.settled().await;
    every_spelling_agrees(&place, &other, "after raw SQL").await;
    for (price, spelling) in (1..).zip(SPELLINGS) {
        let row = folded::ActiveModel {
            id: Unchanged((*spelling).to_owned()),
            price: Set(price),
            ..Default::default()
        };
        // Some find a row, some don't: that is the database's business.
        let _ = row.update(&place.db).await;
        place.db.settled().await;
        every_spelling_agrees(&place, &other, &format!("after an update as {spelling:?}")).await;
        let many = folded::Entity::update_many()
            .set(folded::ActiveModel { price: Set(100 + price), ..Default::default() })
            .filter(folded::Column::Label.eq(*spelling));
        many.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        every_spelling_agrees(&place, &other, &format!("after an update by the label {spelling:?}")).await;
    }
    for spelling in SPELLINGS {
        folded::Entity::delete_by_id(*spelling).exec(&place.db).await.expect("the delete goes through");
        place.db.settled().await;
        every_spelling_agrees(&place, &other, &format!("after a delete as {spelling:?}")).await;
        let row = folded::ActiveModel {
            id: Set((*spelling).to_owned()),
            label: Set((*spelling).to_owned()),
            price: Set(7),
        };
        // It may be there already, spelled otherwise.
        let _ = row.insert(&place.db).await;
        place.db.settled().await;
        every_spelling_agrees(&place, &other, &format!("after an insert as {spelling:?}")).await;
    }
    let renamed = folded::Entity::update_many()
        .set(folded::ActiveModel { label: Set("ABC".to_owned()), ..Default::default() })
        .filter(folded::Column::Id.eq("none"));
    let _ = renamed.exec(&place.db).await;
    place.db.settled().await;
    every_spelling_agrees(&place, &other, "after a new label").await;
    assert!(place.hits("folded") > 0, "reads do use the cache: {:?}", place.db.stats().entities["folded"]);
}

matrix! {
    stores: store;

    /// NOCASE, a non-deterministic collation of ICU, and MariaDB's default.
    async fn a_key_without_regard_to_case(env: Env) {
        let create = by_backend(
            env.backend(),
            "CREATE TABLE folded (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, \
             label TEXT COLLATE NOCASE NOT NULL UNIQUE, price INTEGER NOT NULL)",
            "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             CREATE TABLE folded (id TEXT COLLATE folding PRIMARY KEY NOT NULL, \
             label TEXT COLLATE folding NOT NULL UNIQUE, price INTEGER NOT NULL)",
            "CREATE TABLE folded (id VARCHAR(20) PRIMARY KEY NOT NULL, label VARCHAR(20) NOT NULL UNIQUE, \
             price INTEGER NOT NULL)",
        );
        spelled_in_every_way(&env, &[create]).await;
    }

    /// The bytes decide; MySQL's collation pads with spaces.
    async fn a_key_byte_by_byte(env: Env) {
        let create = by_backend(
            env.backend(),
            "CREATE TABLE folded (id TEXT PRIMARY KEY NOT NULL, label TEXT NOT NULL UNIQUE, \
             price INTEGER NOT NULL)",
            "CREATE TABLE folded (id TEXT PRIMARY KEY NOT NULL, label TEXT NOT NULL UNIQUE, \
             price INTEGER NOT NULL)",
            "CREATE TABLE folded (id VARCHAR(20) PRIMARY KEY NOT NULL, label VARCHAR(20) NOT NULL UNIQUE, \
             price INTEGER NOT NULL) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        );
        spelled_in_every_way(&env, &[create]).await;
    }

    async fn a_key_of_a_type_that_folds_case(env: Env) {
        let create = by_backend(
            env.backend(),
            "CREATE TABLE folded (id VARCHAR(20) PRIMARY KEY NOT NULL COLLATE RTRIM, \
             label VARCHAR(20) NOT NULL COLLATE RTRIM UNIQUE, price INTEGER NOT NULL)",
            "CREATE EXTENSION citext; CREATE TABLE folded (id CITEXT PRIMARY KEY NOT NULL, \
             label CITEXT NOT NULL UNIQUE, price INTEGER NOT NULL)",
            "CREATE TABLE folded (id VARCHAR(20) PRIMARY KEY NOT NULL, label VARCHAR(20) NOT NULL UNIQUE, \
             price INTEGER NOT NULL) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
        );
        spelled_in_every_way(&env, &[create]).await;
    }

    /// An update of that column did not count as one that makes keys appear: "no such row" outlived it.
    async fn a_unique_key_with_a_column_that_no_key_of_the_database_holds(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE held (id INTEGER PRIMARY KEY NOT NULL, sku VARCHAR(20) NOT NULL UNIQUE, \
             shop INTEGER NOT NULL)",
            "INSERT INTO held VALUES (1, 'a', 1)",
        ])
        .await;
        let of = |shop: i32| {
            held::Entity::find().filter(held::Column::Sku.eq("a")).filter(held::Column::Shop.eq(shop))
        };
        for (shop, next) in [(1, 2), (2, 1)] {
            place.agree(of(shop), "where it is").await;
            place.agree(of(next), "where it is not yet").await;
            let update = held::ActiveModel { id: Unchanged(1), shop: Set(next), ..Default::default() };
            update.update(&place.db).await.expect("the update goes through");
            place.db.settled().await;
            place.agree(of(shop), "where it was").await;
            place.agree(of(next), "where it is now").await;
        }
    }

    async fn a_key_of_fixed_width(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE fixed (id CHAR(8) PRIMARY KEY NOT NULL, price INTEGER NOT NULL)",
            "INSERT INTO fixed VALUES ('ab', 1), ('cd', 2)",
        ])
        .await;
        let other = beside(&env).await;
        let spellings = ["ab", "ab ", "ab      ", "AB", "x", "x  "];
        let all_agree = async |when: &str| {
            for db in [&place.db, &other] {
                for spelling in spellings {
                    let when = format!("{spelling:?} {when}");
                    agree(db, &place.plain, fixed::Entity::find_by_id(spelling), &when).await;
                }
                agree(db, &place.plain, fixed::Entity::find(), when).await;
            }
        };
        all_agree("at first").await;
        for (price, spelling) in (10..).zip(spellings) {
            let row = fixed::ActiveModel { id: Unchanged(spelling.to_owned()), price: Set(price) };
            let _ = row.update(&place.db).await;
            place.db.settled().await;
            all_agree(&format!("after an update as {spelling:?}")).await;
            let row = fixed::ActiveModel { id: Set(spelling.to_owned()), price: Set(price + 100) };
            let _ = row.insert(&place.db).await;
            place.db.settled().await;
            all_agree(&format!("after an insert as {spelling:?}")).await;
        }
        for spelling in spellings {
            fixed::Entity::delete_by_id(spelling).exec(&place.db).await.expect("the delete goes through");
            place.db.settled().await;
            all_agree(&format!("after a delete as {spelling:?}")).await;
        }
    }

    async fn a_unique_key_that_is_null(env: Env) {
        let place = Place::with(&env, &[
            by_backend(
                env.backend(),
                "CREATE TABLE nullable (id INTEGER PRIMARY KEY NOT NULL, code TEXT UNIQUE, \
                 price INTEGER NOT NULL)",
                "CREATE TABLE nullable (id INTEGER PRIMARY KEY NOT NULL, code TEXT UNIQUE, \
                 price INTEGER NOT NULL)",
                "CREATE TABLE nullable (id INTEGER PRIMARY KEY NOT NULL, \
                 code VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin UNIQUE, price INTEGER NOT NULL)",
            ),
            "INSERT INTO nullable VALUES (1, NULL, 10), (2, NULL, 20), (3, 'c', 30)",
        ])
        .await;
        let reads = async |when: &str| {
            for id in 1..=3 {
                place.agree(nullable::Entity::find_by_id(id), when).await;
            }
            for code in ["a", "c"] {
                place.agree(nullable::Entity::find().filter(nullable::Column::Code.eq(code)), when).await;
            }
            let nobody = nullable::Entity::find().filter(nullable::Column::Code.eq(None::<String>));
            place.agree(nobody, when).await;
            place.agree(nullable::Entity::find().filter(nullable::Column::Code.is_null()), when).await;
            place.agree(nullable::Entity::find(), when).await;
        };
        let coded = |id, code: Option<&str>| nullable::ActiveModel {
            id: Unchanged(id),
            code: Set(code.map(str::to_owned)),
            ..Default::default()
        };
        reads("at first").await;
        assert!(place.hits("nullable") > 0);
        for (id, code) in [(1, Some("a")), (3, None), (2, Some("c")), (1, None), (2, None), (2, Some("a"))] {
            coded(id, code).update(&place.db).await.expect("the update goes through");
            reads(&format!("after the code of {id} became {code:?}")).await;
        }
    }

    async fn a_row_of_ten_megabytes_is_answered_and_not_kept(env: Env) {
        let place = Place::with(&env, &[by_backend(
            env.backend(),
            "CREATE TABLE large (id INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
            "CREATE TABLE large (id INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
            "CREATE TABLE large (id INTEGER PRIMARY KEY NOT NULL, body LONGTEXT NOT NULL)",
        )])
        .await;
        let body = |letter: &str| letter.repeat(10 << 20);
        let read = async || {
            let row = large::Entity::find_by_id(1).one(&place.db).await.expect("an answer").expect("a row");
            place.db.settled().await;
            row.body
        };
        let row = large::ActiveModel { id: Set(1), body: Set(body("a")) };
        row.insert(&place.db).await.expect("the insert goes through");
        place.db.settled().await;
        // (On MySQL, SeaORM reads what it has written.)
        let before = place.db.stats().entities["large"].counts.oversized;
        for _ in 0..2 {
            assert!(read().await == body("a"));
        }
        let counts = place.db.stats().entities["large"].counts;
        assert_eq!((counts.oversized, counts.fills, counts.hits), (before + 2, 0, 0), "{counts:?}");
        let small = large::ActiveModel { id: Unchanged(1), body: Set("small".to_owned()) };
        small.update(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        for _ in 0..2 {
            assert_eq!(read().await, "small");
        }
        assert!(place.hits("large") > 0);
        let large = large::ActiveModel { id: Unchanged(1), body: Set(body("b")) };
        large.update(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        assert!(read().await == body("b"));
    }
}
