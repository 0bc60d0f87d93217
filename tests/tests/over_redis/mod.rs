//! Tests that need the shared Redis: one for each database.

/// Writes one test for every database, over Redis: `sqlite`, `postgres` and `my_sql`, in a module named after
/// the body.
macro_rules! over_redis {
    ($($(#[$attribute:meta])* async fn $name:ident($env:ident: $Env:ty) $body:block)+) => {$(
        $(#[$attribute])*
        async fn $name(backend: tests::Backend) {
            let body = |$env: $Env| async move $body;
            tests::run(backend, tests::StoreKind::Redis, tests::shop::store, body).await
        }

        mod $name {
            #[tokio::test]
            async fn sqlite() {
                super::$name(tests::Backend::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name(tests::Backend::Postgres).await;
            }

            #[tokio::test]
            async fn my_sql() {
                super::$name(tests::Backend::MySql).await;
            }
        }
    )+};
}
