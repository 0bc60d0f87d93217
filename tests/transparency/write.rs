//! Writes that every table has.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, IdenStatic, IntoActiveModel, Iterable, ModelTrait, QueryFilter,
    prelude::Expr,
    sea_query::{OnConflict, SimpleExpr},
};

use crate::{
    outcome::{bag, value},
    program::{Write, WriteMany},
    read::{among, equal, id},
    run::Connection,
    tables::Table,
};

/// Every column set.
fn whole<E: Table>(model: E::Model) -> E::ActiveModel {
    model.into_active_model().reset_all()
}

/// Every column set but the primary key.
fn keyless<E: Table>(model: E::Model) -> E::ActiveModel {
    let mut active = whole::<E>(model);
    E::key().into_iter().for_each(|column| active.not_set(column));
    active
}

/// The key, and of the other columns those whose bits are set.
fn partial<E: Table>(model: E::Model, columns: u32) -> E::ActiveModel {
    let mut active: E::ActiveModel = model.into_active_model();
    for column in chosen::<E>(!columns) {
        active.not_set(column);
    }
    for column in chosen::<E>(columns) {
        active.reset(column);
    }
    active
}

/// The columns outside the primary key whose bits are set.
fn chosen<E: Table>(bits: u32) -> Vec<E::Column> {
    let key: Vec<_> = E::key().iter().map(|column| column.as_str()).collect();
    let others = E::Column::iter().filter(|column| !key.contains(&column.as_str()));
    others.enumerate().filter(|(number, _)| bits >> number & 1 == 1).map(|(_, column)| column).collect()
}

fn upsert<E: Table>(key: &[E::Column], columns: u32) -> OnConflict {
    let mut on_conflict = OnConflict::columns(key.iter().copied());
    match &chosen::<E>(columns)[..] {
        [] => on_conflict.do_nothing_on(key.iter().copied()),
        columns => on_conflict.update_columns(columns.iter().copied()),
    };
    on_conflict
}

pub(crate) async fn write<E: Table, C: Connection>(db: &C, call: Write, model: E::Model) -> String {
    match call {
        Write::Insert => value(whole::<E>(model).insert(db).await),
        Write::InsertGenerated => value(keyless::<E>(model).insert(db).await),
        Write::InsertExec => {
            value(E::insert(whole::<E>(model)).exec(db).await.map(|result| result.last_insert_id))
        }
        Write::InsertWithoutReturning => value(E::insert(whole::<E>(model)).exec_without_returning(db).await),
        Write::InsertReturning => value(E::insert(whole::<E>(model)).exec_with_returning(db).await),
        Write::InsertIgnore => {
            let insert = E::insert(whole::<E>(model)).on_conflict_do_nothing_on(E::key());
            value(insert.exec_without_returning(db).await)
        }
        Write::Upsert(columns) => {
            let insert = E::insert(whole::<E>(model)).on_conflict(upsert::<E>(&E::key(), columns));
            value(insert.exec(db).await.map(|result| result.last_insert_id))
        }
        Write::UpsertUnique(number, columns) => {
            let unique = E::UNIQUES[number % E::UNIQUES.len()];
            let insert = E::insert(whole::<E>(model)).on_conflict(upsert::<E>(unique, columns));
            value(insert.exec_with_returning(db).await)
        }
        Write::Update(columns) => value(partial::<E>(model, columns).update(db).await),
        Write::UpdateExec(columns) => value(E::update(partial::<E>(model, columns)).exec(db).await),
        Write::UpdateWithoutReturning(columns) => {
            let update = partial::<E>(model, columns).update_without_returning(db);
            value(update.await.map(|result| result.rows_affected))
        }
        Write::Save(columns) => value(partial::<E>(model, columns).save(db).await),
        Write::SaveNew => value(keyless::<E>(model).save(db).await),
        Write::DeleteModel => value(model.delete(db).await.map(|result| result.rows_affected)),
        Write::DeleteActive => {
            let active: E::ActiveModel = model.into_active_model();
            value(active.delete(db).await.map(|result| result.rows_affected))
        }
        Write::DeleteById => {
            value(E::delete_by_id(id::<E>(&model)).exec(db).await.map(|result| result.rows_affected))
        }
        Write::DeleteByIdReturning => value(E::delete_by_id(id::<E>(&model)).exec_with_returning(db).await),
        Write::UpdateBy { filter, set, returning } => {
            let (filter, set) = (E::column(filter), E::column(set));
            let update = E::update_many()
                .col_expr(set, column_value::<E>(&model, set))
                .filter(filter.eq(model.get(filter)));
            if returning {
                bag(update.exec_with_returning(db).await)
            } else {
                value(update.exec(db).await.map(|result| result.rows_affected))
            }
        }
        Write::UpdateAll { set } => {
            let set = E::column(set);
            let update = E::update_many().col_expr(set, column_value::<E>(&model, set));
            value(update.exec(db).await.map(|result| result.rows_affected))
        }
        Write::DeleteBy { filter, returning } => {
            let filter = E::column(filter);
            let delete = E::delete_many().filter(filter.eq(model.get(filter)));
            if returning {
                bag(delete.exec_with_returning(db).await)
            } else {
                value(delete.exec(db).await.map(|result| result.rows_affected))
            }
        }
    }
}

pub(crate) async fn write_many<E: Table, C: Connection>(
    db: &C,
    call: WriteMany,
    models: Vec<E::Model>,
) -> String {
    let insert = || E::insert_many(models.iter().cloned().map(whole::<E>));
    match call {
        WriteMany::InsertMany => value(insert().exec(db).await.map(|result| result.last_insert_id)),
        WriteMany::InsertManyWithoutReturning => value(insert().exec_without_returning(db).await),
        WriteMany::InsertManyReturning => bag(insert().exec_with_returning(db).await),
        WriteMany::UpsertMany(columns) => {
            let insert = insert().on_conflict(upsert::<E>(&E::key(), columns));
            value(insert.exec_without_returning(db).await)
        }
        WriteMany::UpdateIdIn { set } => {
            let set = E::column(set);
            let update = E::update_many()
                .col_expr(set, column_value::<E>(&models[0], set))
                .filter(among::<E>(&models, &E::key()));
            value(update.exec(db).await.map(|result| result.rows_affected))
        }
        WriteMany::DeleteIdIn => {
            let delete = E::delete_many().filter(among::<E>(&models, &E::key()));
            value(delete.exec(db).await.map(|result| result.rows_affected))
        }
        WriteMany::MoveKey => give_columns::<E, C>(db, &models, &E::key()).await,
        WriteMany::MoveUnique(number) => {
            give_columns::<E, C>(db, &models, E::UNIQUES[number % E::UNIQUES.len()]).await
        }
    }
}

/// Gives the first row the last row's values of these columns.
async fn give_columns<E: Table, C: Connection>(db: &C, models: &[E::Model], columns: &[E::Column]) -> String {
    let (first, last) = (&models[0], &models[models.len() - 1]);
    let update = columns
        .iter()
        .fold(E::update_many(), |update, column| update.col_expr(*column, column_value::<E>(last, *column)))
        .filter(equal::<E>(first, &E::key()));
    value(update.exec(db).await.map(|result| result.rows_affected))
}

/// The row's value of a column, for an assignment.
fn column_value<E: Table>(model: &E::Model, column: E::Column) -> SimpleExpr {
    column.save_as(Expr::val(model.get(column)))
}
