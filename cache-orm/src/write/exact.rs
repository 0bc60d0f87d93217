//! Writes whose rows the statement itself tells: it runs with RETURNING inside a transaction, and what it
//! returned is fenced before the commit.

use std::sync::Arc;

use cache_core::{cache::Table, entry::Generation, fence::Affected, key::RowKey};
use futures_util::StreamExt;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, StreamTrait,
    TransactionTrait,
};

use crate::{
    classify::{Class, ReturnedColumns},
    context::{Context, extent},
    dialect::Dialect,
    eligibility::{Eligibility, Group},
    keys::{self, KeyClass},
    shield::Caller,
    write::{
        self, SchemaChange, affected,
        executed::Executed,
        returned::{self, Place},
    },
};

/// How a statement is run so that it names the rows that it affects.
pub(crate) struct Plan {
    table: Arc<Table>,
    /// Of the schema that it goes by.
    generation: Option<Generation>,
    /// For each entity over the table, where the result holds the columns of its primary key.
    keys: Vec<KeyPlaces>,
    /// The text with the RETURNING that it lacks.
    text: Option<String>,
    /// What else changes if any row does.
    beside: Affected,
    /// What changes at most.
    at_most: Affected,
}

/// Where a result holds the columns of a key, and how their values become part of it.
type KeyPlaces = Vec<(Place, KeyClass)>;

/// Which text of a statement is sent.
#[derive(Clone, Copy)]
enum Text {
    /// The plan's.
    Own,
    AsItIs,
}

/// What the caller of a statement wants of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// How many rows it affected.
    Count,
    /// The rows that it returned.
    Rows,
}

impl Plan {
    /// The plan for a statement; `None` if its rows can't be had from it, or need not: it names them already,
    /// or invalidates the whole table in any case.
    pub(crate) fn of(
        shared: &Context,
        eligibility: &Eligibility,
        class: &Class,
        statement: &Statement,
    ) -> Option<Self> {
        let Class::Write(writes) = class else { return None };
        let [write] = writes.as_slice() else { return None };
        let returning = write.returning.as_ref()?;
        if !shared.capabilities.keeps
            || shared.cache.settings().max_fenced_rows == 0
            || !shared.db.support_returning()
            // After a raw BEGIN through the pool, a transaction of ours might end that one.
            || shared.session.is_changed()
        {
            return None;
        }
        let schema = eligibility.schema.as_ref()?;
        let facts = schema.table(&write.table)?;
        // Who may write a row under row-level security may not be allowed to see it.
        if facts.row_security {
            return None;
        }
        let group = eligibility.group(facts)?;
        let table = group.table.clone();
        let values = statement.values.as_ref();
        if affected::is_told_by_text(eligibility, group, write, values) {
            return None;
        }
        let beside = affected::beside_rows(shared, schema, facts, group, write)?;
        let at_most = affected::by(shared, Some(eligibility), class, values);
        let (keys, appended) = places(eligibility, group, &returning.columns)?;
        let text = (!appended.is_empty()).then(|| returning_too(shared.dialect(), &statement.sql, &appended));
        Some(Plan { table, generation: eligibility.generation(), keys, text, beside, at_most })
    }

    /// The generation of the schema that the plan goes by.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// What the statement changes at most, for as long as its rows are not known.
    pub(crate) fn at_most(&self) -> &Affected {
        &self.at_most
    }

    /// Runs the statement in a transaction of its own.
    ///
    /// # Errors
    /// The database's own, as it gives them without the transaction; or [`DbErr::Custom`] under the policy
    /// `Refuse` when the store can't be reached. Nothing is written then.
    ///
    /// # Cancel safety
    /// The transaction ends in any case, and whatever it holds goes back to the pool in order. Dropped before the
    /// statement was sent, it is rolled back; after that, it goes on to its commit, as a statement does that commits
    /// by itself.
    pub(crate) async fn run(
        self,
        shared: &Arc<Context>,
        statement: Statement,
        asked: Asked,
    ) -> Result<Executed, DbErr> {
        let own = shared.clone();
        let run = shared.shields.raise(|caller| async move {
            let knows_better = self.text.is_some().then(|| statement.clone());
            match self.commit_one(&own, &caller, statement, asked, Text::Own).await {
                Err(error) if write::may_be_of_returning(&error) => match knows_better {
                    Some(statement) => self.commit_one(&own, &caller, statement, asked, Text::AsItIs).await,
                    None => Err(error),
                },
                ended => ended,
            }
            .map_err(|error| asked.error(error))
        });
        run.await
    }

    /// Runs the statement between BEGIN and COMMIT, and fences what it has changed in between.
    async fn commit_one(
        &self,
        shared: &Arc<Context>,
        caller: &Caller,
        statement: Statement,
        asked: Asked,
        text: Text,
    ) -> Result<Executed, DbErr> {
        let transaction = shared.db.begin().await?;
        let fenced = async {
            if caller.is_gone() {
                return Err(write::unheard());
            }
            let (executed, affected) = match text {
                Text::Own => self.collect(&transaction, shared, statement, asked).await?,
                Text::AsItIs => self.send_as_it_is(&transaction, shared, statement, asked).await?,
            };
            Ok((executed, write::fence_in_transaction(shared, self.generation, affected).await?))
        };
        let (executed, fence) = match fenced.await {
            Ok(fenced) => fenced,
            Err(error) => {
                // The statement's own error is the one to tell; a rollback that fails is made up for when the
                // connection is used again.
                drop(transaction.rollback().await);
                return Err(error);
            }
        };
        let committed = transaction.commit().await;
        write::settle(None, fence, &committed).await;
        committed.map(|()| executed)
    }

    /// Runs the statement in an open transaction, and tells what it has changed.
    ///
    /// # Errors
    /// The database's own. What it had changed until then is [`at_most`](Self::at_most).
    pub(crate) async fn run_in(
        &self,
        transaction: &DatabaseTransaction,
        shared: &Arc<Context>,
        statement: Statement,
        asked: Asked,
    ) -> Result<(Executed, Affected), DbErr> {
        let knows_better = self.text.is_some().then(|| statement.clone());
        match self.collect(transaction, shared, statement, asked).await {
            Err(error) if write::may_be_of_returning(&error) => match knows_better {
                Some(statement) if shared.dialect().sessions.failure_keeps_transaction => {
                    self.send_as_it_is(transaction, shared, statement, asked).await
                }
                // Elsewhere the transaction is lost. The next one knows.
                Some(_) => {
                    drop(SchemaChange::of(shared));
                    Err(error)
                }
                None => Err(error),
            },
            ended => ended,
        }
        .map_err(|error| asked.error(error))
    }

    /// Sends the statement without the RETURNING that made it fail: the table is not what it was when the schema was
    /// learned, and nobody knows what else has changed.
    async fn send_as_it_is(
        &self,
        transaction: &DatabaseTransaction,
        shared: &Arc<Context>,
        statement: Statement,
        asked: Asked,
    ) -> Result<(Executed, Affected), DbErr> {
        let mut executed = Executed::default();
        match asked {
            Asked::Count => {
                let result = transaction.execute_raw(statement).await?;
                executed.affected = result.rows_affected();
                executed.last_insert_id = last_insert_id(transaction, shared).await?;
            }
            Asked::Rows => executed.rows = transaction.query_all_raw(statement).await?,
        }
        // It succeeded, so the RETURNING was wrong.
        let everything = extent::everything(shared, shared.current().as_deref());
        drop(SchemaChange::of(shared));
        Ok((executed, everything))
    }

    async fn collect(
        &self,
        transaction: &DatabaseTransaction,
        shared: &Context,
        mut statement: Statement,
        asked: Asked,
    ) -> Result<(Executed, Affected), DbErr> {
        // A caller who did not ask for rows gets none.
        let keeps = asked == Asked::Rows && self.text.is_none();
        if let Some(text) = &self.text {
            statement.sql.clone_from(text);
        }
        let mut executed = Executed::default();
        let mut affected = extent::nothing(shared);
        {
            let mut rows = transaction.stream_raw(statement).await?;
            while let Some(row) = rows.next().await {
                let row = row?;
                executed.affected += 1;
                self.record(&row, shared.backend, &mut affected);
                if keeps {
                    executed.rows.push(row);
                }
            }
        }
        if executed.affected > 0 {
            affected.merge(self.beside.clone());
        }
        if asked == Asked::Count {
            executed.last_insert_id = last_insert_id(transaction, shared).await?;
        }
        Ok((executed, affected))
    }

    /// Adds a row by its keys; the whole table if one can't be told.
    fn record(&self, row: &QueryResult, backend: DbBackend, affected: &mut Affected) {
        if affected.is_whole(&self.table) {
            return;
        }
        for places in &self.keys {
            match row_key(row, places, backend) {
                Some(key) => affected.add_row(&self.table, &key),
                None => return affected.add_table(&self.table),
            }
        }
    }
}

impl Asked {
    /// The error as the caller would have had it from the connection itself.
    fn error(self, error: DbErr) -> DbErr {
        match (self, error) {
            (Asked::Count, DbErr::Query(error)) => DbErr::Exec(error),
            (_, error) => error,
        }
    }
}

/// Where the result holds the keys of the entities over a table, and the columns that it must return in
/// addition.
fn places<'s>(
    eligibility: &Eligibility,
    group: &'s Group,
    columns: &ReturnedColumns,
) -> Option<(Vec<KeyPlaces>, Vec<&'s str>)> {
    let mut appended: Vec<&str> = Vec::new();
    let mut keys = Vec::new();
    for entity in &group.entities {
        if !eligibility.has_primary_key(entity) {
            return None;
        }
        let names: Vec<&str> = entity.shape.names().collect();
        let mut places = Vec::new();
        for (column, class) in entity.primary.iter().zip(eligibility.classes(entity, &entity.primary)) {
            let name = names[*column];
            let place = match columns {
                ReturnedColumns::None => Place::At(match appended.iter().position(|known| *known == name) {
                    Some(position) => position,
                    None => {
                        appended.push(name);
                        appended.len() - 1
                    }
                }),
                ReturnedColumns::At(found) => {
                    Place::At(found.iter().find(|(_, known)| *known == entity.columns[*column])?.0)
                }
                ReturnedColumns::All => Place::Named(name.to_owned()),
            };
            places.push((place, class?));
        }
        keys.push(places);
    }
    Some((keys, appended))
}

/// The text with a RETURNING clause.
fn returning_too(dialect: &Dialect, sql: &str, columns: &[&str]) -> String {
    let columns = columns.iter().map(|column| dialect.quoted(column)).collect::<Vec<_>>().join(", ");
    format!("{sql}\nRETURNING {columns}")
}

fn row_key(row: &QueryResult, places: &[(Place, KeyClass)], backend: DbBackend) -> Option<RowKey> {
    let values =
        places.iter().map(|(place, class)| Some((*class, returned::value(row, place, *class, backend)?)));
    let values = values.collect::<Option<Vec<_>>>()?;
    keys::canonical(values.iter().map(|(class, value)| (*class, value)))
}

/// What the database says of the transaction's connection, if it tells that at all.
async fn last_insert_id(transaction: &DatabaseTransaction, shared: &Context) -> Result<u64, DbErr> {
    let Some(sql) = shared.dialect().sessions.last_insert_id else { return Ok(0) };
    let asks = Statement::from_string(shared.backend, sql);
    let row = transaction.query_one_raw(asks).await?;
    let id: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    // (SeaORM can't tell a negative one either.)
    Ok(u64::try_from(id).unwrap_or_default())
}
