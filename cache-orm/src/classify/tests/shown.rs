//! Texts as they are shown: no value of a text may be in it.

use proptest::prelude::*;

use super::{super::shown, *};

#[test]
fn literals_and_comments_are_left_out() {
    for (backend, sql, expected) in [
        (Postgres, "CALL  p('secret', 42, $1) -- secret", "CALL p(?, ?, $1)"),
        (Postgres, "DO $$ BEGIN PERFORM 'secret'; END $$", "DO ?"),
        (Postgres, "SELECT E'it\\'s secret', U&'secret' FROM \"t\"", "SELECT E?, U&? FROM \"t\""),
        (Postgres, "CREATE ROLE x /* secret */ PASSWORD 'secret'", "CREATE ROLE x PASSWORD ?"),
        (MySql, "/*!40101 SET NAMES utf8 */", "/*!40101 SET NAMES utf8 */"),
        (MySql, "SELECT f(\"secret\", 0xdead)", "SELECT f(?, ?)"),
        // A setting decides where the string ends.
        (MySql, "SELECT f('it\\'s secret')", "SELECT f(?…"),
        (MySql, "SET x = 'secret", "SET x = ?"),
        (Sqlite, "SELECT f(\"secret\") FROM \"t\"", "SELECT f(?) FROM \"t\""),
    ] {
        assert_eq!(shown(sql, backend), expected, "{sql}");
    }
}

#[test]
fn a_long_text_is_cut_off() {
    let long = shown(&format!("SELECT {}", "é, ".repeat(1000)), Postgres);
    assert!(long.ends_with('…') && long.len() <= 123, "{long}");
}

proptest! {
    #[test]
    fn no_value_is_shown(before in "[a-zA-Z(),;=/*\\-\" ]{0,20}", quotes in any::<bool>(), after in ".{0,20}") {
        prop_assume!(!before.contains('"'));
        let (value, mark) = if quotes { ("'zxqvk'", "zxqvk") } else { ("31415", "31415") };
        for backend in EVERY {
            let text = format!("{before} {value} {after}");
            prop_assert!(!shown(&text, backend).contains(mark), "{} {:?}", text, backend);
        }
    }
}
