//! Books, their publishers and prices.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use sea_orm::{ActiveValue::Set, entity::prelude::*};
use sea_orm::{DerivePartialModel, PaginatorTrait, QueryOrder};
use serde::{Deserialize, Serialize};

use crate::{
    db::Db,
    entities::{book, publisher},
    failure::Failure,
};

const PAGE: u64 = 10;

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    page: u64,
}

/// What a list shows of a book.
#[derive(DerivePartialModel, Serialize)]
#[sea_orm(entity = "book::Entity")]
pub struct Card {
    id: i32,
    title: String,
    price: i32,
}

#[derive(Serialize)]
pub struct Books {
    pages: u64,
    books: Vec<Card>,
}

#[derive(Serialize)]
pub struct Book {
    #[serde(flatten)]
    book: book::Model,
    publisher: Option<publisher::Model>,
}

#[derive(Deserialize)]
pub struct Price {
    price: u16,
}

/// `GET /publishers`: a whole table.
pub async fn publishers(State(db): State<Db>) -> Result<Json<Vec<publisher::Model>>, Failure> {
    Ok(Json(publisher::Entity::find().all(&db).await?))
}

/// `GET /books?page=0`: a page of them, with the columns that a list needs.
pub async fn page(State(db): State<Db>, Query(Page { page }): Query<Page>) -> Result<Json<Books>, Failure> {
    let books = book::Entity::find().order_by_asc(book::Column::Title).into_partial_model::<Card>();
    let pages = books.paginate(&db, PAGE);
    Ok(Json(Books { pages: pages.num_pages().await?, books: pages.fetch_page(page).await? }))
}

/// `GET /books/1`: a book and its publisher.
pub async fn one(State(db): State<Db>, Path(id): Path<i32>) -> Result<Json<Book>, Failure> {
    let book = book::Entity::find_by_id(id).one(&db).await?.ok_or(Failure::NotFound)?;
    let publisher = book.find_related(publisher::Entity).one(&db).await?;
    Ok(Json(Book { book, publisher }))
}

/// `PUT /books/1/price`: read, changed and written.
pub async fn reprice(
    State(db): State<Db>,
    Path(id): Path<i32>,
    Json(Price { price }): Json<Price>,
) -> Result<Json<book::Model>, Failure> {
    let book = book::Entity::find_by_id(id).one(&db).await?.ok_or(Failure::NotFound)?;
    let mut book: book::ActiveModel = book.into();
    book.price = Set(price.into());
    Ok(Json(book.update(&db).await?))
}
