//! MySQL and MariaDB: whose triggers the user may see.

use sea_orm::{ConnectionTrait, DbErr};

use super::query::rows;

/// Where the user has the TRIGGER privilege: pairs of database and table, an empty table for a whole
/// database, whose name is then a pattern.
///
/// A privilege that comes by a role, or that is revoked for part of what was granted, is not seen.
pub(super) struct Privileges(Vec<[String; 2]>);

const GRANTS: &str = "SELECT CAST(GRANTEE AS CHAR), CAST('%' AS CHAR), CAST('' AS CHAR) \
        FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER' \
    UNION ALL SELECT CAST(GRANTEE AS CHAR), CAST(TABLE_SCHEMA AS CHAR), CAST('' AS CHAR) \
        FROM information_schema.SCHEMA_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER' \
    UNION ALL SELECT CAST(GRANTEE AS CHAR), CAST(TABLE_SCHEMA AS CHAR), CAST(TABLE_NAME AS CHAR) \
        FROM information_schema.TABLE_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER'";

impl Privileges {
    /// The privileges of `user`, written `name@host`.
    pub(super) async fn of(db: &impl ConnectionTrait, user: &str) -> Result<Self, DbErr> {
        Ok(Privileges::granted(user, rows(db, GRANTS).await?))
    }

    /// An administrator is shown everybody's grants.
    fn granted(user: &str, grants: impl IntoIterator<Item = [String; 3]>) -> Self {
        let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
        let me = format!("'{name}'@'{host}'");
        let mine = grants.into_iter().filter(|[grantee, ..]| *grantee == me);
        Privileges(mine.map(|[_, database, table]| [database, table]).collect())
    }

    /// True if the triggers of this table, had it any, would be shown.
    pub(super) fn show_triggers(&self, database: &str, table: &str) -> bool {
        self.0.iter().any(|[granted, only]| match only.is_empty() {
            true => matches(granted, database),
            false => granted == database && only == table,
        })
    }
}

/// `LIKE` with `%`, `_` and the escape `\`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let literal = if wanted == '\\' { rest.next() } else { Some(wanted).filter(|c| *c != '_') };
            let mut text = text.chars();
            let found = text.next();
            found.is_some()
                && (literal.is_none() || literal == found)
                && matches(rest.as_str(), text.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user: &str, grants: &[[&str; 3]]) -> Privileges {
        Privileges::granted(user, grants.iter().map(|grant| grant.map(String::from)))
    }

    #[test]
    fn a_grant_covers_the_server_a_pattern_of_databases_or_one_table() {
        assert!(of("app@%", &[["'app'@'%'", "%", ""]]).show_triggers("shop", "order"));
        let pattern = of("app@%", &[["'app'@'%'", r"shop\_%", ""]]);
        assert!(pattern.show_triggers("shop_eu", "order"));
        assert!(!pattern.show_triggers("shopxeu", "order"));
        assert!(of("app@%", &[["'app'@'%'", "sh_p", ""]]).show_triggers("shøp", "order"));
        let table = of("a@b@%", &[["'a@b'@'%'", "sh_p", "order"]]);
        assert!(table.show_triggers("sh_p", "order"));
        assert!(!table.show_triggers("shop", "order") && !table.show_triggers("sh_p", "line"));
    }

    #[test]
    fn a_grant_to_somebody_else_covers_nothing() {
        assert!(!of("app@%", &[["'app'@'localhost'", "%", ""]]).show_triggers("shop", "order"));
    }
}
