//! Reads that every table has.

use futures_util::TryStreamExt;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, FromQueryResult, IdenStatic, ModelTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select, SelectExt, Statement, Value,
    prelude::Expr,
    sea_query::{ExprTrait, FromValueTuple, IntoIden, SimpleExpr, ValueTuple},
};

use crate::{
    outcome::{bag, list, value},
    program::{Door, Order, RawRead, Read, ReadMany},
    run::Connection,
    tables::Table,
};

/// The primary key of a row as SeaORM's finders take it.
pub(crate) fn id<E: Table>(model: &E::Model) -> <E::PrimaryKey as sea_orm::PrimaryKeyTrait>::ValueType {
    FromValueTuple::from_value_tuple(tuple::<E>(model, &E::key()))
}

fn tuple<E: Table>(model: &E::Model, columns: &[E::Column]) -> ValueTuple {
    match columns {
        [one] => ValueTuple::One(model.get(*one)),
        [one, two] => ValueTuple::Two(model.get(*one), model.get(*two)),
        more => ValueTuple::Many(more.iter().map(|column| model.get(*column)).collect()),
    }
}

/// The condition that the row's columns give.
pub(crate) fn equal<E: Table>(model: &E::Model, columns: &[E::Column]) -> Condition {
    columns.iter().fold(Condition::all(), |condition, column| condition.add(column.eq(model.get(*column))))
}

/// The condition that a row's columns are those of one of these rows.
pub(crate) fn among<E: Table>(models: &[E::Model], columns: &[E::Column]) -> SimpleExpr {
    if let [column] = columns {
        return column.is_in(models.iter().map(|model| model.get(*column)));
    }
    let names = Expr::tuple(columns.iter().map(|column| Expr::col(column.as_column_ref())));
    names.in_tuples(models.iter().map(|model| tuple::<E>(model, columns)))
}

fn ordered<E: Table>(select: Select<E>, order: Order) -> Select<E> {
    let key = E::key().into_iter();
    match order {
        Order::Any => select,
        Order::Ascending => key.fold(select, QueryOrder::order_by_asc),
        Order::Descending => key.fold(select, QueryOrder::order_by_desc),
    }
}

async fn fetch<E: Table, C: Connection>(db: &C, select: Select<E>, door: Door) -> String {
    match door {
        Door::One => value(select.one(db).await),
        Door::All => bag(select.all(db).await),
    }
}

pub(crate) async fn read<E: Table, C: Connection>(db: &C, call: Read, model: &E::Model) -> String {
    let by_id = || E::find_by_id(id::<E>(model));
    let equals = |column: E::Column| column.eq(model.get(column));
    match call {
        Read::ById(door) => fetch(db, by_id(), door).await,
        Read::ByUnique(number, door) => {
            let columns = E::UNIQUES[number % E::UNIQUES.len()];
            fetch(db, E::find().filter(equal::<E>(model, columns)), door).await
        }
        Read::ByIdAnd(column) => fetch(db, by_id().filter(equals(E::column(column))), Door::One).await,
        Read::ByIdOr(column) => {
            let either = Condition::any().add(equal::<E>(model, &E::key())).add(equals(E::column(column)));
            bag(E::find().filter(either).all(db).await)
        }
        Read::ByColumn(column) => bag(E::find().filter(equals(E::column(column))).all(db).await),
        Read::ByColumnIsNull(column) => bag(E::find().filter(E::column(column).is_null()).all(db).await),
        Read::All => bag(E::find().all(db).await),
        Read::AllOrdered { descending } => {
            let order = if descending { Order::Descending } else { Order::Ascending };
            list(ordered(E::find(), order).all(db).await)
        }
        // Which row comes first is the database's business.
        Read::First => value(E::find().one(db).await.map(|row| row.is_some())),
        Read::Exists => value(E::find().exists(db).await),
        Read::ExistsById => value(by_id().exists(db).await),
        Read::Count => value(E::find().count(db).await),
        Read::CountById => value(by_id().count(db).await),
        Read::CountByColumn(column) => value(E::find().filter(equals(E::column(column))).count(db).await),
        Read::Paginate(size) => {
            let select = ordered(E::find(), Order::Ascending);
            let pages = select.paginate(db, size);
            let numbers =
                value(pages.num_items_and_pages().await.map(|n| (n.number_of_items, n.number_of_pages)));
            format!("{numbers}\n{}\n{}", list(pages.fetch_page(0).await), list(pages.fetch_page(1).await))
        }
        Read::Cursor { after } => {
            let column = E::key()[0];
            let mut cursor = E::find().cursor_by(column);
            if after {
                cursor.after(model.get(column));
            }
            // Rows that share the column come in any order, so all of them are fetched.
            bag(cursor.first(1000).all(db).await)
        }
        Read::Stream => bag(stream(db, E::find()).await),
        Read::StreamById => bag(stream(db, by_id()).await),
        Read::LockById { share: false } => value(by_id().lock_exclusive().one(db).await),
        Read::LockById { share: true } => value(by_id().lock_shared().one(db).await),
        Read::SelectOnly(column) => {
            value(by_id().select_only().column(E::column(column)).into_json().one(db).await)
        }
        Read::IntoJson => value(by_id().into_json().one(db).await),
        Read::IntoJsonAll => bag(E::find().into_json().all(db).await),
        Read::Bypassed => value(by_id().one(db).await),
    }
}

async fn stream<E: Table, C: Connection>(db: &C, select: Select<E>) -> Result<Vec<E::Model>, DbErr> {
    select.stream(db).await?.try_collect().await
}

async fn raw_stream<C: Connection>(db: &C, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
    db.stream_raw(statement).await?.try_collect().await
}

const LONG: usize = 600;

pub(crate) async fn read_many<E: Table, C: Connection>(
    db: &C,
    call: ReadMany,
    models: Vec<E::Model>,
) -> String {
    match call {
        ReadMany::IdInNothing => {
            let nothing = E::key()[0].is_in(Vec::<Value>::new());
            bag(E::find().filter(nothing).all(db).await)
        }
        ReadMany::IdInLongList => {
            let long = models.iter().cycle().take(LONG).cloned().collect::<Vec<_>>();
            bag(E::find().filter(among::<E>(&long, &E::key())).all(db).await)
        }
        ReadMany::IdIn(order) => rows(db, E::find().filter(among::<E>(&models, &E::key())), order).await,
        ReadMany::UniqueIn(number, order) => {
            let columns = E::UNIQUES[number % E::UNIQUES.len()];
            rows(db, E::find().filter(among::<E>(&models, columns)), order).await
        }
    }
}

async fn rows<E: Table, C: Connection>(db: &C, select: Select<E>, order: Order) -> String {
    let rows = ordered(select, order).all(db).await;
    if order == Order::Any { bag(rows) } else { list(rows) }
}

pub(crate) async fn raw_read<E: Table, C: Connection>(db: &C, call: RawRead, model: &E::Model) -> String {
    let backend = ConnectionTrait::get_database_backend(db);
    let by_id = || E::find_by_id(id::<E>(model)).build(backend);
    let (table, key) = (E::default().into_iden(), E::key()[0]);
    let quoted = |name: &str| {
        if backend == sea_orm::DbBackend::MySql { format!("`{name}`") } else { format!("\"{name}\"") }
    };
    let (table, column) = (quoted(&table.to_string()), quoted(key.as_str()));
    let parameter = if backend == sea_orm::DbBackend::Postgres { "$1" } else { "?" };
    let decoded = |rows: Result<Vec<QueryResult>, DbErr>| {
        bag(rows.and_then(|rows| rows.iter().map(|row| E::Model::from_query_result(row, "")).collect()))
    };
    let with_key = |sql: String| Statement::from_sql_and_values(backend, sql, [model.get(key)]);
    match call {
        RawRead::ById(Door::One) => {
            let row = db.query_one_raw(by_id()).await;
            value(row.and_then(|row| row.map(|row| E::Model::from_query_result(&row, "")).transpose()))
        }
        RawRead::ById(Door::All) => decoded(db.query_all_raw(by_id()).await),
        RawRead::FromRawSql => value(E::find().from_raw_sql(by_id()).one(db).await),
        RawRead::Literal => {
            decoded(db.query_all_raw(Statement::from_string(backend, format!("SELECT * FROM {table}"))).await)
        }
        RawRead::Join => {
            let sql = format!(
                "SELECT one.* FROM {table} AS one JOIN {table} AS other ON one.{column} = other.{column} \
                 WHERE other.{column} = {parameter}"
            );
            decoded(db.query_all_raw(with_key(sql)).await)
        }
        RawRead::CommonTable => {
            let sql = format!(
                "WITH found AS (SELECT * FROM {table} WHERE {column} = {parameter}) SELECT * FROM found"
            );
            decoded(db.query_all_raw(with_key(sql)).await)
        }
        RawRead::Comment => {
            let sql = format!("/* UPDATE */ SELECT * FROM {table} -- DELETE\nWHERE {column} = {parameter}");
            decoded(raw_stream(db, with_key(sql)).await)
        }
    }
}
