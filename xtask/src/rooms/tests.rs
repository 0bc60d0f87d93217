//! Small houses, and what is seen of them.

use super::{
    check,
    house::House,
    picture,
    tree::{Sources, Tree},
};

fn house(files: &[(&str, &str)]) -> House {
    let mut sources: Sources =
        files.iter().map(|(file, code)| ((*file).to_owned(), (*code).to_owned())).collect();
    for root in ["cache-core/src/lib.rs", "cache-orm/src/lib.rs"] {
        sources.entry(root.to_owned()).or_default();
    }
    House::of(&Tree::of(&sources, &["cache-core", "cache-orm"]).expect("these are modules"))
}

/// The arrows between files of `cache-orm`, without what is the same in all.
fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let house = house(files);
    let short = |file: &str| file.replace("cache-orm/src/", "").replace(".rs", "");
    house
        .uses
        .iter()
        .map(|((from, to), names)| {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            format!("{} -> {}: {}", short(from), short(to), names.join(" "))
        })
        .collect()
}

const LIB: &str = "cache-orm/src/lib.rs";
const A: &str = "cache-orm/src/a.rs";
const B: &str = "cache-orm/src/b.rs";
const B_INSIDE: &str = "cache-orm/src/b/inside.rs";

#[test]
fn an_import_is_an_arrow_in_each_of_its_forms() {
    for code in [
        "use crate::b::Thing;",
        "use crate::{b::{self, Thing}};",
        "use super::b::Thing as Other;",
        "use crate::b; fn f(_: b::Thing) {}",
        "use crate::b as other; fn f() { other::Thing::new(); }",
        "use crate::b::*; fn f() -> Thing { Thing }",
        "fn f() -> crate::b::Thing { loop {} }",
        "fn f() { use super::b::Thing; }",
        "fn f() { vec![crate::b::Thing] }",
        "macro_rules! m { () => { $crate::b::Thing }; }",
        "mod inner { use super::super::b::Thing; }",
    ] {
        let found = arrows(&[(LIB, "mod a; mod b;"), (A, code), (B, "pub struct Thing;")]);
        assert_eq!(found, ["a -> b: Thing"], "{code}");
    }
}

#[test]
fn a_declaration_and_a_re_export_are_no_arrows() {
    let found = arrows(&[
        (LIB, "pub mod a; pub mod b; pub use a::One; pub use b::*;"),
        (A, "pub struct One; pub(crate) use crate::b::Two;"),
        (B, "mod inside; pub use inside::Two;"),
        (B_INSIDE, "pub struct Two;"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_arrow_leads_to_where_the_item_is_defined() {
    let found = arrows(&[
        (LIB, "mod a; mod b; pub use b::Two as Three;"),
        (A, "use crate::Three; use cache_core::key::Key; fn f() { ::cache_core::Named::new(); }"),
        (B, "mod inside; pub use inside::*; fn f(_: Two) {}"),
        (B_INSIDE, "pub struct Two;"),
        ("cache-core/src/lib.rs", "pub mod key; pub use key::Name as Named;"),
        ("cache-core/src/key.rs", "pub struct Key; pub struct Name;"),
    ]);
    assert_eq!(found, ["a -> cache-core/src/key: Key Name", "a -> b/inside: Two", "b -> b/inside: Two"]);
}

#[test]
fn a_module_and_a_function_of_one_name_are_told_apart() {
    let found = arrows(&[
        (LIB, "mod a; mod b;"),
        (A, "use crate::b::inside; fn f() { inside::other(); inside(); }"),
        (B, "pub mod inside; pub use inside::inside;"),
        (B_INSIDE, "pub fn inside() {} pub fn other() {}"),
    ]);
    assert_eq!(found, ["a -> b/inside: inside other"]);
}

#[test]
fn a_variable_is_not_the_item_whose_name_it_bears() {
    let b = "mod inside; pub use inside::count; fn f() { let count = 1; g(count); }";
    let files = [(LIB, "mod b;"), (B, b), (B_INSIDE, "pub fn count() {}")];
    assert!(arrows(&files).is_empty());
    let b = "mod inside; pub use inside::count; fn f() { let count = count(); g(count); }";
    let files = [(LIB, "mod b;"), (B, b), (B_INSIDE, "pub fn count() {}")];
    assert_eq!(arrows(&files), ["b -> b/inside: count"]);
}

#[test]
fn macros_are_found_around_a_module_and_names_that_they_define() {
    let found = arrows(&[
        (LIB, "mod a; mod b;"),
        (A, "use crate::b::Made;"),
        (B, "macro_rules! make { ($name:ident) => { pub struct $name; }; } make! { Made } mod inside;"),
        (B_INSIDE, "make! { Other }"),
    ]);
    assert_eq!(found, ["a -> b: Made", "b/inside -> b: make!"]);
}

#[test]
fn what_is_for_tests_is_not_looked_at() {
    let tests = "#[cfg(test)] mod tests; #[cfg(all(unix, feature = \"testing\"))] mod faults;
        #[cfg(any(test, feature = \"conformance\"))] use crate::b::Thing;
        struct Own { #[cfg(test)] thing: crate::b::Thing }
        impl Own { #[cfg(test)] fn thing() -> crate::b::Thing { loop {} } }";
    assert!(arrows(&[(LIB, "mod a; mod b;"), (A, tests), (B, "pub struct Thing;")]).is_empty());
    let real =
        "#[cfg(not(test))] use crate::b::Thing; #[cfg(any(test, feature = \"redis\"))] use crate::b::Other;";
    let found = arrows(&[(LIB, "mod a; mod b;"), (A, real), (B, "pub struct Thing; pub struct Other;")]);
    assert_eq!(found, ["a -> b: Other Thing"]);
}

#[test]
fn re_exports_that_name_each_other_end() {
    let found = arrows(&[
        (LIB, "mod a; mod b;"),
        (A, "pub use crate::b::Lost; pub use crate::b::*; fn f(_: Lost) {}"),
        (B, "pub use crate::a::Lost; pub use crate::a::*;"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

/// Two rooms name each other, over different files; and so do two files of one room.
const CIRCLES: [(&str, &str); 5] = [
    (LIB, "mod a; mod b;"),
    (A, "pub struct One; use crate::b::Two;"),
    (B, "mod inside; mod other; pub struct Two; use inside::Three;"),
    (B_INSIDE, "pub struct Three; use super::other::Four;"),
    ("cache-orm/src/b/other.rs", "pub struct Four; use super::inside::Three; use crate::a::One;"),
];

#[test]
fn every_circle_is_named_with_what_ties_it() {
    let found = check::circles(&house(&CIRCLES));
    let [rooms, files] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(
        rooms,
        "a circle of 2 rooms, the shortest way around cache-orm/a -> cache-orm/b -> cache-orm/a\n    \
         cache-orm/src/a.rs -> cache-orm/src/b.rs: Two\n    \
         cache-orm/src/b/other.rs -> cache-orm/src/a.rs: One"
    );
    assert!(
        files.starts_with(
            "a circle of 4 files, the shortest way around cache-orm/src/b/inside.rs -> \
             cache-orm/src/b/other.rs -> cache-orm/src/b/inside.rs\n"
        ),
        "{files}"
    );
    assert!(files.contains("\n    cache-orm/src/b.rs -> cache-orm/src/b/inside.rs: Three"), "{files}");
}

#[test]
fn without_a_circle_nothing_is_told() {
    let house = house(&[(LIB, "mod a; mod b;"), (A, "use crate::b::Two;"), (B, "pub struct Two;")]);
    assert!(check::circles(&house).is_empty());
    let drawn = picture::draw(&house);
    assert_eq!(check::picture("docs/rooms.svg", &house, &drawn, &drawn), None);
}

#[test]
fn a_picture_that_lacks_an_arrow_is_told_with_what_draws_it() {
    let before = house(&[(LIB, "mod a; mod b;"), (A, "struct One;"), (B, "pub struct Two;")]);
    let after = house(&[(LIB, "mod a; mod b;"), (A, "use crate::b::Two;"), (B, "pub struct Two;")]);
    let (old, new) = (picture::draw(&before), picture::draw(&after));
    let told = check::picture("docs/rooms.svg", &after, &old, &new).expect("an arrow is new");
    assert!(told.contains("it lacks: cache-orm/a names cache-orm/b\n"), "{told}");
    assert!(told.contains("cache-orm/src/a.rs -> cache-orm/src/b.rs: Two\n"), "{told}");
    assert!(told.contains("run `cargo xtask rooms`"), "{told}");
    let told = check::picture("docs/rooms.svg", &before, &new, &old).expect("an arrow is gone");
    assert!(told.contains("the code has not: cache-orm/a names cache-orm/b\n"), "{told}");
}

/// `a` names `b` and `c`, `b` names `c`: the arrow from `a` to `c` is not drawn, but missed.
#[test]
fn an_arrow_that_is_not_drawn_is_checked_too() {
    let c = ("cache-orm/src/c.rs", "pub struct Three;");
    let b = (B, "pub struct Two; use crate::c::Three;");
    let lib = (LIB, "mod a; mod b; mod c;");
    let before = house(&[lib, (A, "use crate::b::Two;"), b, c]);
    let after = house(&[lib, (A, "use crate::b::Two; use crate::c::Three;"), b, c]);
    assert_eq!(before.without_detours(), after.without_detours());
    let told = check::picture("docs/rooms.svg", &after, &picture::draw(&before), &picture::draw(&after))
        .expect("an arrow is new");
    assert!(told.contains("it lacks: cache-orm/a names cache-orm/c\n"), "{told}");
}

#[test]
fn a_room_stands_above_all_that_it_names() {
    let house = house(&[
        (LIB, "mod a; mod b;"),
        (A, "use crate::b::Two;"),
        (B, "pub struct Two;"),
        ("cache-core/src/lib.rs", "pub mod key; pub mod slot;"),
        ("cache-core/src/key.rs", "pub struct Key;"),
        ("cache-core/src/slot.rs", "use crate::key::Key;"),
    ]);
    let floors = house.floors("cache-core");
    let floors: Vec<_> = floors.iter().map(|(room, floor)| (room.as_str(), *floor)).collect();
    let wanted = [("cache-core/key", 0), ("cache-core/slot", 1), ("cache-orm/a", 3), ("cache-orm/b", 2)];
    assert_eq!(floors, wanted);
}

#[test]
fn the_same_code_gives_the_same_picture() {
    assert_eq!(picture::draw(&house(&CIRCLES)), picture::draw(&house(&CIRCLES)));
}
