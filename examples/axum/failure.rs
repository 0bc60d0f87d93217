//! What a caller is told when there is no answer.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sea_orm::{DbErr, SqlErr};

pub enum Failure {
    NotFound,
    OutOfStock { book: i32 },
    Database(DbErr),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Failure::Database(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Failure::NotFound => (StatusCode::NOT_FOUND, "there is none".to_owned()),
            Failure::OutOfStock { book } => (StatusCode::CONFLICT, format!("not enough of book {book}")),
            Failure::Database(error)
                if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) =>
            {
                (StatusCode::CONFLICT, "it is there already".to_owned())
            }
            Failure::Database(error) => {
                eprintln!("{error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "the database does not answer".to_owned())
            }
        }
        .into_response()
    }
}
