//! The cache from text to class.

use std::sync::Arc;

use super::{super::Classes, *};

#[test]
fn a_text_is_classified_once() {
    let classes = Classes::new(Postgres);
    let first = classes.of("DELETE FROM t");
    assert_eq!(shown(&first), "delete t");
    assert!(Arc::ptr_eq(&first, &classes.of("DELETE FROM t")));
    assert_eq!(shown(&classes.of("DELETE FROM u")), "delete u");
}

#[test]
fn a_long_text_is_not_remembered() {
    let classes = Classes::new(Postgres);
    let text = format!("DELETE FROM t WHERE a = '{}'", "x".repeat(8 << 10));
    let first = classes.of(&text);
    assert_eq!(shown(&first), "delete t");
    assert!(!Arc::ptr_eq(&first, &classes.of(&text)));
}

#[test]
fn each_backend_has_its_own_rules() {
    assert_eq!(shown(&Classes::new(Postgres).of("TRUNCATE t")), "truncate t");
    assert_eq!(shown(&Classes::new(MySql).of("TRUNCATE t")), "schema");
}
