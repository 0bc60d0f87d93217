//! The statements of a transaction: each is noted in the journal before it is sent.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr, ExecResult, QueryResult, Statement, Values};

use crate::{
    classify::{Class, ends_with_transaction, reason::BypassReason, renames},
    connection::{
        query::Route,
        transaction::session::{Calls, Session},
    },
    context::extent,
    write::{self, Asked, Executed, Plan, SchemaChange},
};

/// Whether a statement has run.
enum Ran {
    Exactly(Executed),
    Not(Statement),
}

impl Session {
    /// Notes what a statement will change that is sent as a stream.
    pub(in crate::connection) async fn prepare(&self, statement: &Statement) -> Result<(), DbErr> {
        let (sql, values) = (statement.sql.clone(), statement.values.clone());
        self.call(|calls| async move { calls.prepare(&sql, values.as_ref()).await }).await
    }
}

impl Calls {
    pub(super) async fn execute(self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self.run_exactly(statement, Asked::Count).await? {
            Ran::Exactly(answer) => answer.into_exec_result(),
            Ran::Not(statement) => self.inner.execute_raw(statement).await,
        }
    }

    pub(super) async fn execute_unprepared(self, sql: String) -> Result<ExecResult, DbErr> {
        self.prepare(&sql, None).await?;
        self.inner.execute_unprepared(&sql).await
    }

    pub(super) async fn query_one(self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self.run_exactly(statement, Asked::Rows).await? {
            Ran::Exactly(answer) => Ok(answer.rows.into_iter().next()),
            Ran::Not(statement) => self.inner.query_one_raw(statement).await,
        }
    }

    pub(super) async fn query_all(self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.run_exactly(statement, Asked::Rows).await? {
            Ran::Exactly(answer) => Ok(answer.rows),
            Ran::Not(statement) => self.inner.query_all_raw(statement).await,
        }
    }

    /// Notes what a statement will change, before it is sent as it is.
    async fn prepare(&self, sql: &str, values: Option<&Values>) -> Result<(), DbErr> {
        match self.write(sql) {
            Some(class) => self.record(&class, sql, values).await,
            None => Ok(()),
        }
    }

    /// What a statement does, if it is a write.
    fn write(&self, sql: &str) -> Option<Arc<Class>> {
        match self.shared.route(sql) {
            Route::Cached(read) => {
                read.entity().count_bypass(BypassReason::InTransaction);
                self.record_unjudged(sql);
                self.shared.writing(sql)
            }
            Route::Read => {
                self.record_unjudged(sql);
                None
            }
            Route::Write(class)
                if *class == Class::Session && ends_with_transaction(sql, self.shared.backend) =>
            {
                if renames(sql, self.shared.backend) {
                    self.journal.renames();
                }
                None
            }
            Route::Write(class) => Some(class),
        }
    }

    /// Takes note of a read if nobody can tell whether it writes.
    fn record_unjudged(&self, sql: &str) {
        if self.shared.may_write_unseen() {
            self.journal.reads_blindly(sql);
        }
    }

    /// Runs a write that tells its rows itself, and notes them. Hands the statement back if this is none, once
    /// what it will change has been noted.
    async fn run_exactly(&self, statement: Statement, asked: Asked) -> Result<Ran, DbErr> {
        let Some(class) = self.write(&statement.sql) else { return Ok(Ran::Not(statement)) };
        // What was learned before the transaction may not describe what it has made of the tables since.
        let eligibility = self.shared.current().filter(|_| !self.journal.may_have_renamed());
        let plan =
            eligibility.and_then(|eligibility| Plan::of(&self.shared, &eligibility, &class, &statement));
        if let Some(plan) = plan {
            self.journal.goes_by(plan.generation());
            let at_most = plan.at_most().clone();
            let number = self.journal.open(at_most.clone());
            // Asked now: whatever may commit from here on fences what is undecided.
            if !self.journal.may_commit_early() {
                let ran = plan.run_in(&self.inner, &self.shared, statement, asked).await;
                let affected = ran.as_ref().map_or(at_most, |(_, affected)| affected.clone());
                self.journal.close(number, affected);
                return ran.map(|(answer, _)| Ran::Exactly(answer));
            }
            self.journal.close(number, at_most);
        }
        self.record(&class, &statement.sql, statement.values.as_ref()).await?;
        Ok(Ran::Not(statement))
    }

    async fn record(&self, class: &Class, sql: &str, values: Option<&Values>) -> Result<(), DbErr> {
        // Before the cells are named: what is learned from here on names none of these.
        let change = SchemaChange::by(&self.shared, class);
        let eligibility = self.shared.current();
        if eligibility.as_ref().is_none_or(|eligibility| eligibility.schema.is_none()) {
            self.journal.writes_blindly();
        }
        let affected = if self.journal.may_have_renamed() {
            write::affected::at_worst(&self.shared, eligibility.as_deref(), class)
        } else {
            write::affected::by(&self.shared, eligibility.as_deref(), class, values)
        };
        self.journal.goes_by(eligibility.as_ref().and_then(|eligibility| eligibility.generation()));
        self.journal.record(affected);
        write::record(&self.shared, eligibility.as_deref(), class, sql);
        if let Some(change) = change {
            self.journal.changes_schema(change);
            self.journal.renames();
        }
        // A raw COMMIT or a procedure ends the transaction behind our back; so may DDL.
        let commits = match class {
            Class::Session | Class::Unknown | Class::UnknownSchema | Class::Commits => true,
            Class::Schema => self.shared.dialect().sessions.schema_changes_commit,
            Class::Read(_) | Class::Write(_) => false,
        };
        if commits {
            self.journal.commits_early();
        }
        if self.journal.may_commit_early() {
            self.journal.judge(&self.shared, &self.inner).await;
            if self.journal.is_blind() {
                self.shared.learn_names(&self.inner).await;
                self.journal.record(extent::everything(&self.shared, self.shared.last().as_deref()));
            }
            let unfenced = self.journal.unfenced();
            if !unfenced.is_empty() {
                let generation = self.journal.generation().flatten();
                let fence = write::fence_in_transaction(&self.shared, generation, unfenced.clone()).await?;
                self.journal.keep(fence, unfenced);
            }
        }
        Ok(())
    }
}
