//! One of several tasks that read and write the same few rows.
//!
//! A row carries the number of its state. For articles the number comes from a counter that the same transaction
//! increments first: the database's lock on it puts the transactions of a row in order, also those that delete the
//! article and those that bring it back. A counter of its own is written by single statements.

use std::sync::Arc;

use cache_orm::CachedConnection;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, TransactionSession,
    TransactionTrait,
    prelude::Uuid,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use crate::{
    entities::{article, counter},
    history::{Answer, Commit, History, ROWS, State},
    random::Random,
    run::Transaction,
};

/// The last row is a counter, the others are articles.
const ALONE: usize = ROWS - 1;
const TITLE: &str = "race";
const CALLS: usize = 25;

fn id(row: usize) -> Uuid {
    Uuid::from_u128(100 + row as u128)
}

fn name(row: usize) -> String {
    format!("race {row}")
}

fn article(row: usize, number: i64) -> article::ActiveModel {
    article::ActiveModel {
        id: Set(id(row)),
        title: Set(TITLE.to_owned()),
        edition: Set(row as i32),
        author_id: Set(1),
        folder_path: Set(None),
        published: Set(true),
        written: Set(None),
        words: Set(number),
    }
}

/// The rows, each in its first state.
///
/// # Errors
/// The database's.
pub(crate) async fn prepare(db: &DatabaseConnection, history: &History) -> Result<(), DbErr> {
    let started = history.tick();
    let mut states = [None; ROWS];
    for (row, state) in states.iter_mut().enumerate() {
        let counter = counter::ActiveModel { name: Set(name(row)), value: Set(1) };
        counter.insert(db).await?;
        if row != ALONE {
            article(row, 1).insert(db).await?;
        }
        *state = Some(State { number: 1, present: true });
    }
    history.committed(Commit { started, returned: history.tick(), states });
    Ok(())
}

/// One task: reads through the cache, writes through `writer`, which is the same connection unless the check has
/// to prove that it can fail.
pub(crate) async fn task<W>(
    db: CachedConnection,
    writer: W,
    history: Arc<History>,
    mut random: Random,
) -> Result<(), DbErr>
where
    W: ConnectionTrait + TransactionTrait<Transaction: Transaction>,
{
    for _ in 0..CALLS {
        match random.below(10) {
            0..6 => read(&db, &history, &mut random).await?,
            // Deadlocks and locks that can't be had end a transaction, as they do in any application.
            6 | 7 => drop(write(&writer, &history, &mut random).await),
            8 => drop(write_alone(&writer, &history).await),
            _ => tokio::task::yield_now().await,
        }
    }
    Ok(())
}

async fn read(db: &CachedConnection, history: &History, random: &mut Random) -> Result<(), DbErr> {
    let articles = || 0..ALONE;
    let row = random.below(ALONE);
    let number = |found: Option<article::Model>| vec![(row, found.map(|article| article.words))];
    let numbers = |found: Vec<article::Model>| {
        let number = |row| found.iter().find(|article| article.id == id(row)).map(|article| article.words);
        articles().map(|row| (row, number(row))).collect::<Vec<_>>()
    };
    let started = history.tick();
    let (call, rows) = match random.below(6) {
        0 | 1 => ("by primary key", number(article::Entity::find_by_id(id(row)).one(db).await?)),
        2 => {
            let find = article::Entity::find_by_edition_of((TITLE.to_owned(), row as i32));
            ("by unique key", number(find.one(db).await?))
        }
        3 => ("of all()", numbers(article::Entity::find().all(db).await?)),
        4 => {
            let find = article::Entity::find().filter(article::Column::Id.is_in(articles().map(id)));
            ("by a list of keys", numbers(find.all(db).await?))
        }
        _ => {
            let counter = counter::Entity::find_by_id(name(ALONE)).one(db).await?;
            ("of the counter", vec![(ALONE, counter.map(|counter| counter.value.into()))])
        }
    };
    history.answered(Answer { call, started, returned: history.tick(), rows });
    Ok(())
}

async fn write<W>(db: &W, history: &History, random: &mut Random) -> Result<(), DbErr>
where
    W: TransactionTrait<Transaction: Transaction>,
{
    let tx = db.begin().await?;
    let mut states = [None; ROWS];
    // In ascending order, lest two transactions wait for each other.
    let first = random.below(ALONE);
    let count = if random.chance(50) { 1 } else { ALONE };
    for (row, state) in states[..ALONE].iter_mut().enumerate().skip(first).take(count) {
        let number = next_number(&tx, row).await?;
        let present = change(&tx, row, number, random).await?;
        *state = Some(State { number, present });
    }
    match random.below(10) {
        0 => tx.rollback().await,
        1 => {
            drop(tx);
            Ok(())
        }
        _ => {
            let started = history.tick();
            tx.commit().await.expect("a transaction that holds its locks can commit");
            history.committed(Commit { started, returned: history.tick(), states });
            Ok(())
        }
    }
}

/// Locks the row's counter until the transaction ends.
async fn next_number<T: Transaction>(tx: &T, row: usize) -> Result<i64, DbErr> {
    counter::Entity::update_many()
        .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).add(1))
        .filter(counter::Column::Name.eq(name(row)))
        .exec(tx)
        .await?;
    let counter = counter::Entity::find_by_id(name(row)).one(tx).await?;
    Ok(counter.expect("nobody deletes counters").value.into())
}

/// Brings the article into another state, in one of many ways. True if it is there afterwards.
async fn change<T: Transaction>(tx: &T, row: usize, number: i64, random: &mut Random) -> Result<bool, DbErr> {
    use article::{ActiveModel, Column, Entity};
    let update = || Entity::update_many().col_expr(Column::Words, Expr::value(number));
    match random.below(8) {
        0 | 1 => match (ActiveModel { id: Unchanged(id(row)), words: Set(number), ..Default::default() })
            .update(tx)
            .await
        {
            Ok(_) => Ok(true),
            Err(DbErr::RecordNotUpdated | DbErr::RecordNotFound(_)) => Ok(false),
            Err(error) => Err(error),
        },
        2 => Ok(update().filter(Column::Id.eq(id(row))).exec(tx).await?.rows_affected > 0),
        3 => {
            let filter = Column::Title.eq(TITLE).and(Column::Edition.eq(row as i32));
            Ok(update().filter(filter).exec(tx).await?.rows_affected > 0)
        }
        4 => {
            Entity::delete_by_id(id(row)).exec(tx).await?;
            Ok(false)
        }
        5 => {
            Entity::delete_by_edition_of((TITLE.to_owned(), row as i32)).exec(tx).await?;
            Ok(false)
        }
        _ => {
            let replace = OnConflict::column(Column::Id).update_column(Column::Words).to_owned();
            Entity::insert(article(row, number)).on_conflict(replace).exec_without_returning(tx).await?;
            Ok(true)
        }
    }
}

/// A single statement that commits by itself and tells which state it made.
async fn write_alone<W>(db: &W, history: &History) -> Result<(), DbErr>
where
    W: ConnectionTrait + TransactionTrait<Transaction: Transaction>,
{
    let started = history.tick();
    let number = if db.support_returning() {
        let update = counter::Entity::update_many()
            .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).add(1))
            .filter(counter::Column::Name.eq(name(ALONE)));
        update.exec_with_returning(db).await?[0].value.into()
    } else {
        let tx = db.begin().await?;
        let number = next_number(&tx, ALONE).await?;
        tx.commit().await.expect("a transaction that holds its locks can commit");
        number
    };
    let mut states = [None; ROWS];
    states[ALONE] = Some(State { number, present: true });
    history.committed(Commit { started, returned: history.tick(), states });
    Ok(())
}
