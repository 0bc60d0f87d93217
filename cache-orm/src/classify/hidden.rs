//! Session changes in a text that can't be told what it does: transactions that it begins or ends, and settings.
//!
//! A word is a statement's verb only where a statement can begin: at the start, after a semicolon, in a comment that
//! MySQL carries out, in a body, in a string that is executed. There every word that may be about the session counts;
//! elsewhere none does, so that the SET of an UPDATE, of an upsert or of a MERGE never does.

use std::collections::HashSet;

use sea_orm::DbBackend;

use super::{
    pieces::{Backslash, Piece, PieceKind, pieces},
    raw::is_in,
};
use crate::dialect::{Dialect, MYSQL, SessionRules};

/// A string in a string in a string … is not looked into further.
const DEEPEST: usize = 6;

/// How many pieces of one SET, or one call, are looked at.
const LONGEST_LIST: usize = 256;

/// What a text may do to the session that it is sent through.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub(crate) changes: bool,
    /// It may change the schema.
    pub(crate) defines: bool,
    /// Procedures of MySQL that it calls, by last name in lower case: they may change the session in its stead.
    pub(crate) calls: Vec<String>,
}

/// Looks at a text under both readings of a backslash.
pub(crate) fn of(sql: &str, backend: DbBackend) -> Hidden {
    let mut hidden = Hidden::default();
    hidden.look_both_ways(sql, Dialect::of(backend), Scope::Text);
    hidden
}

/// Looks at the body of a MySQL procedure with these parameters.
pub(crate) fn of_body(body: &str, parameters: &[String]) -> Hidden {
    let mut hidden = Hidden::default();
    hidden.look_both_ways(body, &MYSQL, Scope::Body(parameters));
    hidden
}

/// Where a text stands.
#[derive(Clone, Copy)]
enum Scope<'a> {
    /// By itself.
    Text,
    /// In a procedure or block: BEGIN opens a block, and SET may be about variables.
    Body(&'a [String]),
}

impl Hidden {
    fn look_both_ways(&mut self, text: &str, dialect: &'static Dialect, scope: Scope<'_>) {
        self.look(text, dialect, Backslash::Stands, scope, 0);
        if text.contains('\\') {
            self.look(text, dialect, Backslash::Escapes, scope, 0);
        }
    }

    fn look(
        &mut self,
        text: &str,
        dialect: &'static Dialect,
        backslash: Backslash,
        scope: Scope<'_>,
        depth: usize,
    ) {
        self.changes |= depth > DEEPEST;
        if self.changes {
            return;
        }
        let pieces = pieces(text, &dialect.tokens, backslash);
        let (in_body, parameters) = match scope {
            Scope::Text => (false, &[][..]),
            Scope::Body(parameters) => (true, parameters),
        };
        let mut locals = declared(&pieces);
        locals.extend(parameters.iter().map(|name| name.to_lowercase()));
        let blocks = usize::from(in_body);
        Scan {
            pieces: &pieces,
            dialect,
            rules: &dialect.sessions,
            backslash,
            locals,
            blocks,
            in_body,
            depth,
        }
        .run(self);
    }
}

/// The variables that a body declares, in lower case.
fn declared(pieces: &[Piece]) -> HashSet<String> {
    let is = |at: usize, word: &str| pieces.get(at).is_some_and(|piece: &Piece| piece.is(word));
    let mut names = HashSet::new();
    for at in 0..pieces.len() {
        if is(at, "DECLARE") {
            let list = pieces[at + 1..].chunks(2).take(LONGEST_LIST);
            for (number, pair) in list.enumerate() {
                names.insert(pair[0].text.to_lowercase());
                if number > 0 && !matches!(pair[0].kind, PieceKind::Word | PieceKind::Name)
                    || !pair.get(1).is_some_and(|next| next.is_sign(","))
                {
                    break;
                }
            }
        }
        if is(at, "FOR") && is(at + 2, "IN") {
            names.insert(pieces[at + 1].text.to_lowercase());
        }
    }
    names
}

struct Scan<'a> {
    pieces: &'a [Piece<'a>],
    dialect: &'static Dialect,
    /// Those of the dialect.
    rules: &'static SessionRules,
    backslash: Backslash,
    /// Variables of a body, in lower case.
    locals: HashSet<String>,
    /// Open blocks.
    blocks: usize,
    /// The text itself is a body.
    in_body: bool,
    depth: usize,
}

impl Scan<'_> {
    fn run(mut self, hidden: &mut Hidden) {
        // A statement can begin here.
        let mut begins = true;
        // The same at the begin of the comment that this is in: it may as well be skipped.
        let mut before_comment = None;
        let mut statement = StatementSoFar::default();
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece.kind {
                PieceKind::Opens => before_comment = Some((begins, statement, self.blocks)),
                PieceKind::Closes => {
                    let Some((before, was, blocks)) = before_comment.take() else { continue };
                    self.blocks = self.blocks.min(blocks);
                    if before {
                        begins = before;
                        statement = StatementSoFar { creates: statement.creates, ..was };
                    }
                }
                PieceKind::Sign if matches!(piece.text, ";" | "\0") => {
                    statement = StatementSoFar {
                        defines: statement.defines && self.blocks > 0,
                        ..StatementSoFar::default()
                    };
                    begins = true;
                }
                PieceKind::Word => {
                    let (is_first, in_block) = (begins, self.blocks > 0);
                    begins = self.word(at, piece, is_first, &mut statement);
                    let verb = is_first || statement.handles;
                    if statement.defines {
                        continue;
                    }
                    hidden.changes |= verb && self.is_about_the_session(at, in_block);
                    hidden.changes |= self.sets_by_call(at) || self.executes_what_is_not_there(at);
                    hidden.changes |= self.selects_into_temporary(at);
                    hidden.defines |= verb && self.is_about_the_schema(at);
                    if verb && piece.is("CALL") && self.rules.calls_may_change {
                        hidden.calls.push(self.last_name(at + 1));
                    }
                }
                PieceKind::Text { .. } => {
                    begins = false;
                    if statement.executes && !statement.defines {
                        self.look_inside(piece.text, hidden);
                    }
                }
                _ => {
                    hidden.changes |=
                        piece.kind == PieceKind::Name && !statement.defines && self.sets_by_call(at);
                    begins = self.rules.labels && piece.is_sign(":");
                }
            }
            if hidden.changes {
                return;
            }
        }
    }

    /// Takes note of a word; true if a statement can begin after it.
    fn word(&mut self, at: usize, piece: &Piece, is_first: bool, statement: &mut StatementSoFar) -> bool {
        let rules = self.rules;
        let is_one_of = |words: &[&str]| words.iter().any(|word| piece.is(word));
        let next_is = |word: &str| self.is(at + 1, &[word]);
        if is_first {
            statement.creates |= is_one_of(&["CREATE", "ALTER"]);
            statement.executes |= rules.do_runs_string && piece.is("DO");
            statement.declares |= piece.is("DECLARE");
            statement.is_for_one |= rules.set_statement && piece.is("SET") && next_is("STATEMENT");
        }
        statement.executes |= (rules.executes_strings || self.in_body) && is_one_of(&["EXECUTE", "PREPARE"]);
        statement.handles |= statement.declares && piece.is("HANDLER");
        statement.defines |=
            statement.creates && is_one_of(&["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE"]);
        if piece.is("BEGIN") && (statement.defines || self.blocks > 0 || next_is("NOT")) {
            self.blocks += 1;
            return true;
        }
        let blocks = is_first && (self.blocks > 0 || rules.blocks_stand_alone);
        if blocks && is_one_of(&["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "FOREACH"]) {
            self.blocks += 1;
        } else if piece.is("CASE") && self.blocks > 0 && !(at > 0 && self.is(at - 1, &["END"])) {
            // An expression, which ends with END as well.
            self.blocks += 1;
        }
        if piece.is("END") && self.blocks > usize::from(self.in_body) {
            self.blocks -= 1;
        }
        piece.is("ATOMIC")
            || (statement.is_for_one && piece.is("FOR"))
            || (self.blocks > 0 && is_one_of(&["THEN", "ELSE", "LOOP", "DO", "REPEAT"]))
    }

    /// True for the verb of a statement that controls a transaction, or changes the session.
    fn is_about_the_session(&self, at: usize, in_block: bool) -> bool {
        let rules = self.rules;
        let next_is = |words: &[&str]| self.is(at + 1, words);
        match self.pieces[at].text.to_ascii_uppercase().as_str() {
            // Settings for the one statement that follows, which is looked at as well.
            "SET" if next_is(&["STATEMENT"]) => false,
            "SET" if rules.set_local && next_is(&["LOCAL", "TRANSACTION", "CONSTRAINTS"]) => false,
            "SET" if in_block && !rules.set_is_of_settings => self.sets_more_than_variables(at),
            "SET" => !self.pieces.get(at + 1).is_some_and(|next| is_in(next.text, rules.harmless_settings)),
            "RESET" | "DISCARD" | "USE" | "ATTACH" | "DETACH" | "PRAGMA" | "XA" => true,
            "LOCK" | "UNLOCK" => !rules.locks_end_with_transaction,
            "PREPARE" => rules.prepared_transactions && next_is(&["TRANSACTION"]),
            "BEGIN" => !in_block && !next_is(&["NOT"]),
            "START" => next_is(&["TRANSACTION"]) && !(rules.bodies_end_transactions && in_block),
            "COMMIT" | "ROLLBACK" if in_block => !rules.bodies_end_transactions && self.chains(at),
            "COMMIT" | "ROLLBACK" => true,
            "END" => rules.end_commits && !in_block,
            "ABORT" | "SAVEPOINT" | "RELEASE" => !in_block,
            "CREATE" => self.creates_temporary(at),
            "ALTER" => {
                rules.alters_later_sessions
                    && next_is(&["ROLE", "USER", "DATABASE", "SYSTEM"])
                    && self.statement(at).any(|at| self.is(at, &["SET", "RESET"]))
            }
            _ => false,
        }
    }

    fn is_about_the_schema(&self, at: usize) -> bool {
        self.is(at, &["CREATE", "ALTER", "DROP", "RENAME", "GRANT", "REVOKE", "REASSIGN", "IMPORT"])
    }

    /// True for `CREATE … TEMPORARY …`, or of a name in the session's own schema, that outlives its transaction.
    fn creates_temporary(&self, create: usize) -> bool {
        let marks = |at: &usize| {
            self.pieces
                .get(*at)
                .is_some_and(|piece| matches!(piece.kind, PieceKind::Opens | PieceKind::Closes))
        };
        let skips = |at: &usize| marks(at) || self.is(*at, &["OR", "REPLACE", "LOCAL", "GLOBAL"]);
        let what = (create + 1..).find(|at| !skips(at)).unwrap_or(create);
        let is_temporary = self.is(what, &["TEMP", "TEMPORARY"])
            || self.statement(create).any(|at| self.is_schema_of_session(at));
        let on_commit_drop =
            |at: usize| self.is(at, &["ON"]) && self.is(at + 1, &["COMMIT"]) && self.is(at + 2, &["DROP"]);
        is_temporary && !(self.rules.on_commit_drop && self.statement(create).any(on_commit_drop))
    }

    /// True for `SELECT … INTO TEMPORARY …`, which no body has.
    fn selects_into_temporary(&self, into: usize) -> bool {
        if !self.rules.select_into
            || self.in_body
            || !self.is(into, &["INTO"])
            || (into > 0 && self.is(into - 1, &["INSERT", "MERGE"]))
        {
            return false;
        }
        let what = if self.is(into + 1, &["LOCAL", "GLOBAL"]) { into + 2 } else { into + 1 };
        let name = if self.is(what, &["TABLE"]) { what + 1 } else { what };
        self.is(what, &["TEMP", "TEMPORARY"]) || self.is_schema_of_session(name)
    }

    /// True for a name before a dot that means the schema of the session's own tables.
    fn is_schema_of_session(&self, at: usize) -> bool {
        let is_schema = self.pieces.get(at + 1).is_some_and(|next| next.is_sign("."));
        let names = |piece: &Piece| matches!(piece.kind, PieceKind::Word | PieceKind::Name);
        let name =
            self.pieces.get(at).filter(|piece| names(piece)).map(|piece| piece.text.to_ascii_lowercase());
        is_schema && name.is_some_and(|name| self.rules.session_schema.is(&name))
    }

    /// The positions from here to the end of the statement, as far as semicolons tell it; of a long one its begin.
    fn statement(&self, from: usize) -> impl Iterator<Item = usize> {
        (from..self.pieces.len()).take(LONGEST_LIST).take_while(|at| !self.pieces[*at].is_sign(";"))
    }

    /// True for `COMMIT [WORK] AND CHAIN`, which begins the next transaction.
    fn chains(&self, at: usize) -> bool {
        (at + 1..at + 4).any(|at| self.is(at, &["CHAIN"]) && self.is(at - 1, &["AND"]))
    }

    /// True for a SET that assigns anything but variables of the body and the user's own.
    fn sets_more_than_variables(&self, set: usize) -> bool {
        let (mut depth, mut expected) = (0_usize, true);
        for (at, piece) in self.pieces.iter().enumerate().skip(set + 1).take(LONGEST_LIST) {
            if expected {
                let is_user_variable =
                    piece.is_sign("@") && !self.pieces.get(at + 1).is_some_and(|next| next.is_sign("@"));
                let is_local = matches!(piece.kind, PieceKind::Word | PieceKind::Name)
                    && self.locals.contains(&piece.text.to_lowercase());
                if !is_user_variable && !is_local {
                    return true;
                }
            }
            match piece.text {
                ";" if piece.kind == PieceKind::Sign => return false,
                "(" if piece.kind == PieceKind::Sign => depth += 1,
                ")" if piece.kind == PieceKind::Sign => depth = depth.saturating_sub(1),
                _ => {}
            }
            expected = depth == 0 && piece.is_sign(",");
        }
        self.pieces.len() > set + 1 + LONGEST_LIST
    }

    /// True for a call of `set_config` that is not for the transaction alone: whose last argument is not `true`.
    fn sets_by_call(&self, at: usize) -> bool {
        let opens = self.pieces.get(at + 1).is_some_and(|next| next.is_sign("("));
        let is_named = |function: &str| self.pieces[at].text.eq_ignore_ascii_case(function);
        if !opens || !self.rules.setting_function.is_some_and(is_named) {
            return false;
        }
        let mut depth = 0_usize;
        for (at, piece) in self.pieces.iter().enumerate().skip(at + 1).take(LONGEST_LIST) {
            match piece.text {
                "(" if piece.kind == PieceKind::Sign => depth += 1,
                ")" if piece.kind == PieceKind::Sign && depth == 1 => return !self.is(at - 1, &["true"]),
                ")" if piece.kind == PieceKind::Sign => depth -= 1,
                _ => {}
            }
        }
        true
    }

    /// True if it executes a text that is not one string of this text.
    fn executes_what_is_not_there(&self, at: usize) -> bool {
        let executes = self.is(at, &["IMMEDIATE"]) && at > 0 && self.is(at - 1, &["EXECUTE"]);
        let prepares = self.is(at, &["FROM"]) && at > 1 && self.is(at - 2, &["PREPARE"]);
        if !self.rules.executes_strings || !(executes || prepares) {
            return false;
        }
        let is_text = self.pieces.get(at + 1).is_some_and(|next| matches!(next.kind, PieceKind::Text { .. }));
        let ends = self.pieces.get(at + 2).is_none_or(|next| {
            next.is_sign(";") || next.is("USING") || matches!(next.kind, PieceKind::Opens | PieceKind::Closes)
        });
        !(is_text && ends)
    }

    fn look_inside(&self, text: &str, hidden: &mut Hidden) {
        let inside = if text.contains("''") { text.replace("''", "'") } else { text.to_owned() };
        let scope = if self.rules.strings_are_bodies { Scope::Body(&[]) } else { Scope::Text };
        hidden.look(&inside, self.dialect, self.backslash, scope, self.depth + 1);
    }

    /// The last part of a name with dots.
    fn last_name(&self, mut at: usize) -> String {
        while self.pieces.get(at + 1).is_some_and(|next| next.is_sign(".")) {
            at += 2;
        }
        self.pieces.get(at).map(|piece| piece.text.to_lowercase()).unwrap_or_default()
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        self.pieces.get(at).is_some_and(|piece| words.iter().any(|word| piece.is(word)))
    }
}

/// What the statement so far is.
#[derive(Clone, Copy, Default)]
struct StatementSoFar {
    /// It begins with CREATE or ALTER.
    creates: bool,
    /// It defines a routine, whose body it does not carry out.
    defines: bool,
    /// Its strings may be executed.
    executes: bool,
    /// `SET STATEMENT settings FOR` another one.
    is_for_one: bool,
    /// It declares something.
    declares: bool,
    /// `DECLARE … HANDLER FOR conditions statement`.
    handles: bool,
}
