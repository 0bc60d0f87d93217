//! One test body, every database, every store.

use std::{fmt, panic::AssertUnwindSafe, sync::Arc};

use cache_core::store::Store;
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::DatabaseConnection;

use crate::{
    database::{Backend, Database},
    environment::unique_name,
    redis,
};

/// Which store a test runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// In the memory of this process.
    Memory,
    /// In the Redis that all tests share.
    Redis,
}

/// What one run of a [`matrix!`](crate::matrix!) test gets. Clones share everything.
#[derive(Clone)]
pub struct Env {
    /// The store's kind.
    pub kind: StoreKind,
    /// The namespace of this run, which nobody else uses.
    pub namespace: String,
    /// A fresh, empty database.
    pub database: Arc<Database>,
    memory: Option<Arc<dyn Store>>,
    stores: Arc<Stores>,
}

type Stores = dyn Fn(StoreKind, String) -> BoxFuture<'static, Arc<dyn Store>> + Send + Sync;

impl Env {
    /// The database's kind.
    pub fn backend(&self) -> Backend {
        self.database.backend()
    }

    /// A new pool of connections to the database: what another process would have.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn connect(&self) -> DatabaseConnection {
        self.database.connect().await
    }

    /// The store as another process would have it: a new client of the same Redis and namespace. Memory is
    /// not shared by processes: there it is the same store each time.
    pub async fn store(&self) -> Arc<dyn Store> {
        match &self.memory {
            Some(store) => Arc::clone(store),
            None => (self.stores)(self.kind, self.namespace.clone()).await,
        }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("database", &self.database)
            .field("store", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Runs `body` once and removes what it used, also when it panics. [`matrix!`](crate::matrix!) calls this.
///
/// # Panics
/// As the body does; when a server is missing.
pub async fn run<T, Making, Running>(
    backend: Backend,
    kind: StoreKind,
    stores: impl Fn(StoreKind, String) -> Making + Send + Sync + 'static,
    body: impl FnOnce(Env) -> Running,
) -> T
where
    Making: Future<Output = Arc<dyn Store>> + Send + 'static,
    Running: Future<Output = T>,
{
    let namespace = unique_name();
    let memory = match kind {
        StoreKind::Memory => Some(stores(kind, namespace.clone()).await),
        StoreKind::Redis => None,
    };
    let stores: Arc<Stores> = Arc::new(move |kind, namespace| stores(kind, namespace).boxed());
    run_on_database(backend, |database| async move {
        let env = Env { kind, namespace: namespace.clone(), database, memory, stores };
        let outcome = AssertUnwindSafe(body(env)).catch_unwind().await;
        if kind == StoreKind::Redis {
            redis::forget(&namespace).await.expect("Redis forgets what it is told to");
        }
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
    .await
}

/// Runs `body` once with a fresh database and removes it, also when the body panics. [`matrix!`](crate::matrix!) calls this.
///
/// # Panics
/// As the body does; when a server is missing.
pub async fn run_on_database<T, Running>(backend: Backend, body: impl FnOnce(Arc<Database>) -> Running) -> T
where
    Running: Future<Output = T>,
{
    let database = Arc::new(Database::create(backend).await);
    let outcome = AssertUnwindSafe(body(Arc::clone(&database))).catch_unwind().await;
    let closed = database.close().await;
    match outcome {
        Ok(value) => {
            closed.expect("a database can be removed");
            value
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Writes one test for every database and every store: `sqlite_memory`, `postgres_redis`, and so on, in a
/// module named after the body.
///
/// `stores` is an async function from [`StoreKind`](crate::StoreKind) and namespace to the store. Without it
/// the body gets the fresh database alone, as an `Arc<`[`Database`](crate::Database)`>`, and the tests are
/// `sqlite`, `postgres` and `my_sql`. The body may return a `Result`, as any test.
///
/// `on [Postgres, MySql]` behind the parameter names the databases that a test is for: it does not exist for others.
/// `on [Redis]` is for that store, with every database.
///
/// ```
/// use cache_core::{backend::NullStore, store::Store};
/// use std::sync::Arc;
/// use sea_orm::ConnectionTrait;
/// use tests::{Database, Env, StoreKind, matrix};
///
/// async fn store(_kind: StoreKind, _namespace: String) -> Arc<dyn Store> {
///     Arc::new(NullStore)
/// }
///
/// matrix! {
///     stores: store;
///
///     /// Runs twice.
///     async fn the_database_has_schemas(env: Env) on [Postgres] -> Result<(), sea_orm::DbErr> {
///         env.connect().await.execute_unprepared("CREATE SCHEMA another").await.map(drop)
///     }
///
///     /// Runs six times.
///     async fn the_database_answers(env: Env) -> Result<(), sea_orm::DbErr> {
///         env.connect().await.ping().await
///     }
/// }
///
/// matrix! {
///     /// Runs three times.
///     async fn the_database_answers_without_a_store(database: Arc<Database>) {
///         assert!(database.connect().await.ping().await.is_ok());
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! matrix {
    (stores: $stores:expr; $(
        $(#[$attribute:meta])*
        async fn $name:ident($env:ident: $Env:ty) $(on [$($On:ident),+])? $(-> $Output:ty)? $body:block
    )+) => {$(
        // A function and a module may share a name: the one is a value, the other a type.
        $(#[$attribute])*
        async fn $name(backend: $crate::Backend, kind: $crate::StoreKind) $(-> $Output)? {
            $crate::run(backend, kind, $stores, |$env: $Env| async move $body).await
        }

        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::matrix! { @stores $name [$($Output)?] [$($($On)+)?] }
        }
    )+};

    (@stores $name:ident $output:tt []) => {
        $crate::matrix! { @stores $name $output [Sqlite Postgres MySql] }
    };

    (@stores $name:ident $output:tt [$($On:ident)+]) => {$(
        $crate::matrix! { @on $On $name $output }
    )+};

    (@on Sqlite $name:ident $output:tt) => {
        $crate::matrix! { @each $name $output sqlite_memory Sqlite Memory, sqlite_redis Sqlite Redis, }
    };

    (@on Postgres $name:ident $output:tt) => {
        $crate::matrix! { @each $name $output postgres_memory Postgres Memory, postgres_redis Postgres Redis, }
    };

    (@on MySql $name:ident $output:tt) => {
        $crate::matrix! { @each $name $output my_sql_memory MySql Memory, my_sql_redis MySql Redis, }
    };

    (@on Redis $name:ident $output:tt) => {
        $crate::matrix! { @each $name $output
            sqlite_redis Sqlite Redis, postgres_redis Postgres Redis, my_sql_redis MySql Redis,
        }
    };

    (@each $name:ident $output:tt $($test:ident $Backend:ident $Kind:ident,)+) => {$(
        $crate::matrix! { @test $test $output
            super::$name($crate::Backend::$Backend, $crate::StoreKind::$Kind)
        }
    )+};

    (@test $test:ident [] $call:expr) => {
        #[tokio::test]
        async fn $test() {
            $call.await;
        }
    };

    (@test $test:ident [$Output:ty] $call:expr) => {
        #[tokio::test]
        async fn $test() -> $Output {
            $call.await
        }
    };

    ($(
        $(#[$attribute:meta])*
        async fn $name:ident($database:ident: $Database:ty) $(on [$($On:ident),+])? $(-> $Output:ty)? $body:block
    )+) => {$(
        $(#[$attribute])*
        async fn $name(backend: $crate::Backend) $(-> $Output)? {
            $crate::run_on_database(backend, |$database: $Database| async move $body).await
        }

        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::matrix! { @databases $name [$($Output)?] [$($($On)+)?] }
        }
    )+};

    (@databases $name:ident $output:tt []) => {
        $crate::matrix! { @databases $name $output [Sqlite Postgres MySql] }
    };

    (@databases $name:ident $output:tt [$($On:ident)+]) => {$(
        $crate::matrix! { @database $On $name $output }
    )+};

    (@database Sqlite $name:ident $output:tt) => {
        $crate::matrix! { @test sqlite $output super::$name($crate::Backend::Sqlite) }
    };

    (@database Postgres $name:ident $output:tt) => {
        $crate::matrix! { @test postgres $output super::$name($crate::Backend::Postgres) }
    };

    (@database MySql $name:ident $output:tt) => {
        $crate::matrix! { @test my_sql $output super::$name($crate::Backend::MySql) }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use cache_core::backend::NullStore;
    use sea_orm::ConnectionTrait;

    async fn null(_kind: StoreKind, _namespace: String) -> Arc<dyn Store> {
        Arc::new(NullStore)
    }

    matrix! {
        stores: null;

        async fn connections_of_one_run_see_one_database(env: Env) -> Result<(), sea_orm::DbErr> {
            env.connect().await.execute_unprepared("CREATE TABLE only_here (n INT)").await?;
            env.connect().await.execute_unprepared("INSERT INTO only_here VALUES (1)").await?;
            Ok(())
        }

        async fn memory_is_one_store_and_redis_a_client_each_time(env: Env) {
            let same = Arc::ptr_eq(&env.store().await, &env.store().await);
            assert_eq!(same, env.kind == StoreKind::Memory);
        }
    }

    matrix! {
        async fn databases_alone(database: Arc<Database>) {
            assert!(database.connect().await.ping().await.is_ok());
        }
    }

    #[tokio::test]
    #[should_panic(expected = "the body's own words")]
    async fn a_failing_body_fails_the_test() {
        run(Backend::Sqlite, StoreKind::Memory, null, async |_| panic!("the body's own words")).await
    }

    #[tokio::test]
    async fn a_failing_body_leaves_no_database() {
        for backend in crate::backends() {
            let mut url = String::new();
            let failing = run_on_database(backend, |database| {
                url = database.url().to_owned();
                async { panic!("a failure") }
            });
            let outcome: Result<(), _> = AssertUnwindSafe(failing).catch_unwind().await;
            assert!(outcome.is_err());
            let url = url.replace("mode=rwc", "mode=rw");
            assert!(sea_orm::Database::connect(url).await.is_err(), "{backend:?}");
        }
    }
}
