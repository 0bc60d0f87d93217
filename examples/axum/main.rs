//! A bookshop's service with axum and SeaORM, five tables, and the cache.
//!
//! ```text
//! cargo run --example axum           # http://127.0.0.1:3000, SQLite in memory
//! cargo run --example axum-plain     # the same service before the cache: cached.diff is what is between them
//! ```
//!
//! `DATABASE_URL` names a Postgres, MySQL or SQLite instead, `REDIS_URL` a Redis for the entries, `ADDRESS` where to
//! listen. The tables are made if they are missing, and left there.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a program, which nothing is linked to"
)]

mod books;
mod db;
mod entities;
mod failure;
mod orders;
mod schema;

use std::{env, error::Error};

use axum::{
    Router,
    routing::{get, post, put},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let db = db::connect().await?;
    schema::seed(&db).await?;
    let routes = Router::new()
        .route("/publishers", get(books::publishers))
        .route("/books", get(books::page))
        .route("/books/{id}", get(books::one))
        .route("/books/{id}/price", put(books::reprice))
        .route("/readers/{email}/orders", get(orders::of_reader))
        .route("/orders", post(orders::place))
        .route("/stats", get(db::stats))
        .with_state(db.clone());

    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    axum::serve(listener, routes).with_graceful_shutdown(stop).await?;
    db.close().await?;
    println!("closed in good order");
    Ok(())
}
