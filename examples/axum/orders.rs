//! Orders: placed in a transaction, listed with what is in them.

use std::num::NonZeroU16;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use sea_orm::{ActiveValue::Set, ExprTrait, LoaderTrait, QueryOrder, TransactionTrait, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    db::Db,
    entities::{book, line, order, reader},
    failure::Failure,
};

#[derive(Deserialize)]
pub struct Wish {
    email: String,
    books: Vec<Wanted>,
}

#[derive(Deserialize)]
pub struct Wanted {
    id: i32,
    quantity: NonZeroU16,
}

#[derive(Serialize)]
pub struct Order {
    #[serde(flatten)]
    order: order::Model,
    books: Vec<Bought>,
}

#[derive(Serialize)]
pub struct Bought {
    title: Option<String>,
    quantity: i32,
    price: i32,
}

/// `POST /orders`: all of the books or none.
pub async fn place(
    State(db): State<Db>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<order::Model>), Failure> {
    let reader = reader::Entity::find_by_email(wish.email).one(&db).await?.ok_or(Failure::NotFound)?;
    let transaction = db.begin().await?;
    let order = take(&transaction, reader.id, &wish.books).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(order)))
}

/// `GET /readers/ada@example.org/orders`: with their lines and the titles of the books.
pub async fn of_reader(State(db): State<Db>, Path(email): Path<String>) -> Result<Json<Vec<Order>>, Failure> {
    let reader = reader::Entity::find_by_email(email).one(&db).await?.ok_or(Failure::NotFound)?;
    let orders = reader.find_related(order::Entity).order_by_asc(order::Column::Id).all(&db).await?;
    let lines = orders.load_many(line::Entity, &db).await?;
    let mut told = Vec::new();
    for (order, lines) in orders.into_iter().zip(lines) {
        let books = lines.load_one(book::Entity, &db).await?.into_iter();
        let books = books.zip(lines).map(|(book, line)| Bought {
            title: book.map(|book| book.title),
            quantity: line.quantity,
            price: line.price,
        });
        told.push(Order { order, books: books.collect() });
    }
    Ok(Json(told))
}

/// Whoever returns before the commit has changed nothing.
async fn take(db: &impl ConnectionTrait, reader_id: i32, books: &[Wanted]) -> Result<order::Model, Failure> {
    let order = order::ActiveModel { reader_id: Set(reader_id), total: Set(0), ..Default::default() };
    let mut order: order::ActiveModel = order.insert(db).await?.into();
    let mut total = 0;
    for wanted in books {
        let quantity = i32::from(wanted.quantity.get());
        let taken = book::Entity::update_many()
            .col_expr(book::Column::Stock, Expr::col(book::Column::Stock).sub(quantity))
            .filter(book::Column::Id.eq(wanted.id))
            .filter(book::Column::Stock.gte(quantity))
            .exec(db)
            .await?;
        if taken.rows_affected == 0 {
            return Err(Failure::OutOfStock { book: wanted.id });
        }
        let book = book::Entity::find_by_id(wanted.id).one(db).await?.ok_or(Failure::NotFound)?;
        total += book.price * quantity;
        let line = line::ActiveModel {
            order_id: order.id.clone(),
            book_id: Set(book.id),
            quantity: Set(quantity),
            price: Set(book.price),
        };
        line.insert(db).await?;
    }
    order.total = Set(total);
    Ok(order.update(db).await?)
}
