//! Streams. Their rows come from the database; a write that enters as a stream is fenced like any other.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use cache_core::fence::Fence;
use futures_util::{Stream, StreamExt};
use sea_orm::{DbBackend, DbErr, QueryResult, Statement, StatementBuilder, StreamTrait};

use crate::{
    connection::{CachedConnection, CachedTransaction, query::Route},
    eligibility::Eligibility,
    write::{self, SchemaChange},
};

type RowStream<'a> = Pin<Box<dyn Stream<Item = Result<QueryResult, DbErr>> + Send + 'a>>;
type Opening<'a> = Pin<Box<dyn Future<Output = Result<CachedStream<'a>, DbErr>> + Send + 'a>>;

/// The rows of a query, one by one.
///
/// # Cancel safety
/// Dropped before its end, the outcome of a *write* that was streamed is unknown: its fences are left to
/// expire. Reads leave nothing behind.
pub struct CachedStream<'a> {
    rows: RowStream<'a>,
    /// What is left to do when the rows end, if this is a write that commits by itself.
    write: Option<StreamedWrite>,
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

struct StreamedWrite {
    change: Option<SchemaChange>,
    fence: Fence,
}

impl<'a> CachedStream<'a> {
    fn new(
        rows: impl Stream<Item = Result<QueryResult, DbErr>> + Send + 'a,
        write: Option<StreamedWrite>,
    ) -> Self {
        CachedStream { rows: rows.boxed(), write, ending: None }
    }
}

impl Stream for CachedStream<'_> {
    type Item = Result<QueryResult, DbErr>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(ending) = &mut self.ending {
                ready!(ending.as_mut().poll(context));
                self.ending = None;
                return Poll::Ready(None);
            }
            let row = ready!(self.rows.as_mut().poll_next(context));
            match (row, self.write.take()) {
                (None, Some(StreamedWrite { change, fence })) => {
                    self.ending = Some(Box::pin(async move {
                        write::settle(change, fence, &Ok(())).await;
                    }));
                }
                // An error in the midst of a write leaves its outcome open: the fence is dropped.
                (Some(Err(error)), Some(_)) => return Poll::Ready(Some(Err(error))),
                (row, write) => {
                    self.write = write;
                    return Poll::Ready(row);
                }
            }
        }
    }
}

impl fmt::Debug for CachedStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStream").field("is_write", &self.write.is_some()).finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl StreamTrait for CachedConnection {
    type Stream<'a> = CachedStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    fn stream_raw<'a>(&'a self, statement: Statement) -> Opening<'a> {
        Box::pin(async move {
            let shared = &self.shared;
            let write = match shared.route_past(&statement.sql).await {
                Route::Cached(_) | Route::Read => None,
                Route::Write(class) => {
                    let eligibility = shared.eligibility_to_write().await;
                    write::record(shared, Some(&eligibility), &class, &statement.sql);
                    let change = SchemaChange::by(shared, &class);
                    let by = |eligibility: &Eligibility| {
                        write::affected::by(shared, Some(eligibility), &class, statement.values.as_ref())
                    };
                    let fence = write::fence(shared, &eligibility, by).await?;
                    Some(StreamedWrite { change, fence })
                }
            };
            Ok(CachedStream::new(shared.db.stream_raw(statement).await?, write))
        })
    }

    fn stream<'a, S: StatementBuilder + Sync>(&'a self, statement: &S) -> Opening<'a> {
        self.stream_raw(self.shared.backend.build(statement))
    }
}

#[deny(clippy::missing_trait_methods)]
impl StreamTrait for CachedTransaction {
    type Stream<'a> = CachedStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        self.session.shared().backend
    }

    fn stream_raw<'a>(&'a self, statement: Statement) -> Opening<'a> {
        Box::pin(async move {
            self.session.prepare(&statement).await?;
            Ok(CachedStream::new(self.session.inner().stream_raw(statement).await?, None))
        })
    }

    fn stream<'a, S: StatementBuilder + Sync>(&'a self, statement: &S) -> Opening<'a> {
        self.stream_raw(self.session.shared().backend.build(statement))
    }
}
