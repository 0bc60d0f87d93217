//! Statements as the table shows them.

/// The statement with its lists of columns as `cols`, `"` around names and `?` for parameters, whatever the
/// database.
pub(crate) fn shortened(sql: &str) -> String {
    let sql = parameters(&sql.replace('`', "\""));
    let mut short = String::new();
    let mut rest = sql.as_str();
    while let Some(first) = rest.chars().next() {
        let after = match list(rest) {
            Some(after) => {
                let listed = &rest[..rest.len() - after.len()];
                short.push_str(if listed.contains(r#"" AS "A_"#) { "aliased cols" } else { "cols" });
                after
            }
            // A name is left whole: its second half is no beginning of a list.
            None => {
                let after = name(rest).unwrap_or(&rest[first.len_utf8()..]);
                short.push_str(&rest[..rest.len() - after.len()]);
                after
            }
        };
        rest = after;
    }
    short.trim_end().to_owned()
}

/// `$1` as `?`.
fn parameters(sql: &str) -> String {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push(if after.len() < part.len() { '?' } else { '$' });
        out.push_str(after);
    }
    out
}

/// What follows the columns, two or more, that a statement selects, inserts or returns. Any other list, of key
/// columns say, is what the statement is about.
fn list(text: &str) -> Option<&str> {
    let mut rest = column(text)?.strip_prefix(", ")?;
    loop {
        rest = column(rest)?;
        match rest.strip_prefix(", ") {
            Some(more) => rest = more,
            None => break,
        }
    }
    let is_all = rest.is_empty() || rest.starts_with(" FROM ") || rest.starts_with(") VALUES");
    is_all.then_some(rest)
}

/// What follows a column: `"a"`, `"t"."a"`, `"t"."a" AS "b"`, or one of them under a cast.
fn column(text: &str) -> Option<&str> {
    let rest = match text.strip_prefix("CAST(") {
        Some(inner) => name(dotted(inner)?.strip_prefix(" AS ")?)?.strip_prefix(')')?,
        None => dotted(text)?,
    };
    Some(rest.strip_prefix(" AS ").and_then(name).unwrap_or(rest))
}

fn dotted(text: &str) -> Option<&str> {
    let after = name(text)?;
    Some(after.strip_prefix('.').and_then(name).unwrap_or(after))
}

/// What follows a quoted name.
fn name(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?;
    Some(&inner[inner.find('"')? + 1..])
}

#[test]
fn columns_are_shortened_and_nothing_else() {
    for (sql, short) in [
        (
            r#"SELECT "a"."id", "a"."b" FROM "a" WHERE "a"."id" = $1 LIMIT $2"#,
            r#"SELECT cols FROM "a" WHERE "a"."id" = ? LIMIT ?"#,
        ),
        (
            "SELECT `a`.`id` FROM `a` WHERE `a`.`id` IN (?, ?)",
            r#"SELECT "a"."id" FROM "a" WHERE "a"."id" IN (?, ?)"#,
        ),
        (
            r#"SELECT "a"."id" AS "A_id", CAST("a"."b" AS "text") AS "A_b" FROM "a""#,
            r#"SELECT aliased cols FROM "a""#,
        ),
        (
            r#"INSERT INTO "a" ("x", "y") VALUES ($1, $2) RETURNING "x", "y""#,
            r#"INSERT INTO "a" (cols) VALUES (?, ?) RETURNING cols"#,
        ),
        (
            r#"DELETE FROM "a" WHERE ("x", "y") IN (($1, $2))"#,
            r#"DELETE FROM "a" WHERE ("x", "y") IN ((?, ?))"#,
        ),
        ("DO $$ BEGIN NULL; END $$", "DO $$ BEGIN NULL; END $$"),
    ] {
        assert_eq!(shortened(sql), short);
    }
}
