//! Raw statements that write, through every door.

use futures_util::TryStreamExt;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, QueryResult, Statement};

use crate::{
    entities::person,
    outcome::{bag, value},
    program::RawWrite,
    run::Connection,
};

pub(crate) async fn raw_write<C: Connection>(db: &C, call: RawWrite, row: &person::Model) -> String {
    let backend = ConnectionTrait::get_database_backend(db);
    let id = row.id;
    let quote =
        |name: &str| if backend == DbBackend::MySql { format!("`{name}`") } else { format!("\"{name}\"") };
    let unprepared =
        async |sql: String| value(db.execute_unprepared(&sql).await.map(|result| result.rows_affected()));
    match call {
        RawWrite::Update => unprepared(format!("UPDATE person SET nickname = 'raw' WHERE id = {id}")).await,
        RawWrite::UpdateParameters => {
            let sql = match backend {
                DbBackend::Postgres => "UPDATE person SET nickname = $1 WHERE id = $2",
                _ => "UPDATE person SET nickname = ? WHERE id = ?",
            };
            let values = [row.nickname.clone().into(), id.into()];
            let result = db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await;
            value(result.map(|result| result.rows_affected()))
        }
        RawWrite::UpdateLiteralSpelledOtherwise => {
            unprepared(format!("uPdAtE person set NickName='other' whERE +{id}=(ID) ")).await
        }
        RawWrite::UpdateQuoted => {
            let (table, nickname, key) = (quote("person"), quote("nickname"), quote("id"));
            let qualified = match backend {
                DbBackend::Postgres => format!("\"public\".{table}"),
                DbBackend::Sqlite => format!("\"main\".{table}"),
                _ => table.clone(),
            };
            unprepared(format!(
                "UPDATE {qualified} SET {nickname} = 'it''s; \"quoted\"' WHERE {table}.{key} IN ({id}, 9)"
            ))
            .await
        }
        RawWrite::UpdateSubquery => {
            let sql = "UPDATE article SET words = words + 1 WHERE author_id IN (SELECT id FROM person WHERE role = 'admin')";
            unprepared(sql.to_owned()).await
        }
        RawWrite::UpdateAllUnprepared => unprepared("UPDATE person SET nickname = email".to_owned()).await,
        RawWrite::DeleteUnprepared => unprepared(format!("DELETE FROM person WHERE id = {id}")).await,
        RawWrite::DeleteComment => {
            unprepared(format!("/* SELECT */ DELETE -- nothing\n FROM folder WHERE owner_id = {id}")).await
        }
        RawWrite::InsertSelect => {
            unprepared(format!("INSERT INTO tag (id, name) SELECT id, email FROM person WHERE id = {id}"))
                .await
        }
        RawWrite::TwoStatements => unprepared(format!(
            "UPDATE person SET nickname = 'first' WHERE id = {id}; DELETE FROM profile WHERE person_id = {id}"
        ))
        .await,
        RawWrite::DataModifyingCommonTable => {
            let sql = match backend {
                DbBackend::Postgres => format!(
                    "WITH gone AS (DELETE FROM comment WHERE person_id = {id} RETURNING article_id) \
                     UPDATE article SET words = words + 10 WHERE id IN (SELECT article_id FROM gone)"
                ),
                _ => format!(
                    "WITH chosen AS (SELECT article_id FROM comment WHERE person_id = {id}) \
                     UPDATE article SET words = words + 10 WHERE id IN (SELECT article_id FROM chosen)"
                ),
            };
            unprepared(sql).await
        }
        RawWrite::UpdateQueryAll => {
            let sql = format!("UPDATE person SET nickname = 'returned' WHERE id >= {id} RETURNING *");
            let rows = db.query_all_raw(Statement::from_string(backend, sql)).await;
            bag(decoded(rows))
        }
        RawWrite::DeleteQueryOne => {
            let sql = format!("DELETE FROM profile WHERE person_id = {id} RETURNING person_id");
            let row = db.query_one_raw(Statement::from_string(backend, sql)).await;
            value(row.and_then(|row| row.map(|row| row.try_get::<i32>("", "person_id")).transpose()))
        }
        RawWrite::UpdateStreamed => {
            let sql = format!("UPDATE person SET nickname = 'streamed' WHERE id = {id} RETURNING *");
            bag(decoded(streamed(db, Statement::from_string(backend, sql)).await))
        }
        RawWrite::UniqueViolation => unprepared("UPDATE person SET email = 'a@x'".to_owned()).await,
        RawWrite::ForeignKeyViolation => {
            unprepared(format!("UPDATE profile SET person_id = 99 WHERE person_id = {id}")).await
        }
        RawWrite::NotNullViolation => {
            unprepared(format!("UPDATE person SET email = NULL WHERE id = {id}")).await
        }
        RawWrite::SyntaxError => unprepared("UPDATE person SET WHERE".to_owned()).await,
        RawWrite::MoveKeyCascade => unprepared(format!("UPDATE person SET id = 9 WHERE id = {id}")).await,
        RawWrite::MoveKeyBack => unprepared(format!("UPDATE person SET id = {id} WHERE id = 9")).await,
    }
}

fn decoded(rows: Result<Vec<QueryResult>, DbErr>) -> Result<Vec<person::Model>, DbErr> {
    rows?.iter().map(|row| person::Model::from_query_result(row, "")).collect()
}

async fn streamed<C: Connection>(db: &C, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
    db.stream_raw(statement).await?.try_collect().await
}
