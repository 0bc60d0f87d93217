//! One test body, every database, every store.

/// Writes one test for every database and every store: `sqlite_memory`, `postgres_redis`, and so on, in a
/// module named after the body.
///
/// `stores` is an async function from [`StoreKind`](crate::StoreKind) and namespace to the store. Without it
/// the body gets the fresh database alone, as an `Arc<`[`Database`](crate::Database)`>`, and the tests are
/// `sqlite`, `postgres` and `my_sql`. The body may return a `Result`, as any test.
///
/// What a test leaves in its store is [audited](crate::audit): it says so where it
/// [leaves an old row](crate::Env::leaves_old) on purpose. An entity of its own is made known by
/// [`audited!`](crate::audited).
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
    use std::{panic::AssertUnwindSafe, sync::Arc};

    use cache_core::{backend::NullStore, store::Store};
    use futures_util::FutureExt;
    use sea_orm::ConnectionTrait;

    use crate::{Backend, Database, Env, StoreKind, run, run_on_database};

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
