//! Names behind which a write may hide: a text that mentions one is no plain read.

use std::collections::BTreeSet;

use sea_orm::DbBackend;

use super::{Class, TableName, TableWrite, WriteKind, both, lexer, statement::Statement, token::Kind};
use crate::dialect::POSTGRES;

/// What the database says may write when it is merely used, by last name in lower case.
#[derive(Debug, Default)]
pub(crate) struct Writers {
    /// Views, and tables whose policies call a function that may write.
    pub(crate) relations: BTreeSet<String>,
    /// Domains whose constraints or defaults do.
    pub(crate) types: BTreeSet<String>,
    pub(crate) operators: BTreeSet<String>,
    /// Tables whose defaults or constraints do: a text must write them to call those.
    pub(crate) tables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Writers {
    /// Adds a function of Postgres. A text that calls it is not understood anyway, unless its name is a built-in one as
    /// well.
    pub(crate) fn add_function(&mut self, name: String) {
        if POSTGRES.is_built_in(&name) {
            self.functions.insert(name);
        }
    }

    /// What a text of this class does, if it mentions one of the names: it may write anything.
    pub(crate) fn widen(&self, class: &Class, sql: &str, backend: DbBackend) -> Option<Class> {
        self.mentioned(sql, backend)?;
        let write = TableWrite::of_any_row(TableName::of_any(), WriteKind::Update { assigned: Vec::new() });
        Some(both(class.clone(), Class::Write(vec![write])))
    }

    /// The first of the names that the text mentions. A text that can't be read is not understood anyway.
    fn mentioned(&self, sql: &str, backend: DbBackend) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let lexed = lexer::lex(sql, backend)?;
        lexed
            .statements()
            .find_map(|statement| statement.kinds().find_map(|(at, kind)| self.at(&statement, at, kind)))
    }

    fn at(&self, statement: &Statement, at: usize, kind: Kind) -> Option<String> {
        let name = match kind {
            Kind::Operator => statement.text(at).to_owned(),
            _ => statement.name(at)?,
        };
        let writes = match kind {
            Kind::Operator => self.operators.contains(&name),
            Kind::Word if ["like", "ilike"].contains(&name.as_str()) => {
                self.operators.iter().any(|operator| operator.contains("~~"))
            }
            _ => {
                self.relations.contains(&name)
                    || (self.functions.contains(&name) && statement.kind(at + 1) == Some(Kind::Open))
                    || (self.types.contains(&name) && is_type(statement, at))
            }
        };
        writes.then_some(name)
    }

    /// All of them, for people to read.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let sets = [&self.relations, &self.tables, &self.types, &self.operators, &self.functions];
        sets.into_iter().flatten().map(String::as_str)
    }

    fn is_empty(&self) -> bool {
        [&self.relations, &self.types, &self.operators, &self.functions].iter().all(|names| names.is_empty())
    }
}

/// True if a value is cast to what is named here: `x::t`, `CAST(x AS t)`, `t 'x'`. (`t(x)` is a call.)
fn is_type(statement: &Statement, mut at: usize) -> bool {
    let next = statement.kind(at + 1);
    while statement.kind_before(at, 1) == Some(Kind::Dot) && at >= 2 {
        at -= 2;
    }
    next == Some(Kind::Text)
        || at.checked_sub(1).is_some_and(|before| statement.is_operator(before, ":"))
        || (statement.was(at, 1, &["AS"])
            && matches!(next, Some(Kind::Open | Kind::Close | Kind::OpenBracket)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentioned(sql: &str) -> Option<String> {
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let mut writers = Writers {
            relations: set("raised"),
            types: set("checked"),
            operators: BTreeSet::from(["+".to_owned(), "~~*".to_owned()]),
            tables: set("with_default"),
            ..Writers::default()
        };
        writers.add_function("lower".to_owned());
        writers.add_function("mine".to_owned());
        writers.mentioned(sql, DbBackend::Postgres)
    }

    #[test]
    fn names_are_found_wherever_a_text_uses_them() {
        for (sql, name) in [
            ("SELECT * FROM raised", "raised"),
            ("SELECT 1; SELECT * FROM a JOIN public.\"raised\" ON true", "raised"),
            ("UPDATE a SET b = (SELECT max(x) FROM RAISED)", "raised"),
            ("SELECT a + b FROM c", "+"),
            ("SELECT a FROM b WHERE c ILIKE 'd'", "ilike"),
            ("SELECT lower(a) FROM b", "lower"),
            ("SELECT a::checked", "checked"),
            ("SELECT a::public.checked[]", "checked"),
            ("SELECT CAST(a AS checked)", "checked"),
            ("SELECT checked 'a'", "checked"),
        ] {
            assert_eq!(mentioned(sql).as_deref(), Some(name), "{sql}");
        }
    }

    #[test]
    fn other_things_of_the_same_name_are_let_through() {
        for sql in [
            "SELECT 'raised' AS a -- raised",
            "SELECT checked, a.checked AS b, c AS checked FROM with_default",
            "SELECT lower, mine(1) FROM a",
            "SELECT a - b, a LIKE_it FROM c",
        ] {
            assert_eq!(mentioned(sql), None, "{sql}");
        }
    }
}
