//! The master that Sentinels name.

use cache_values::backend::{Backend, RedisBackend};

use crate::{
    Names,
    contract::contract,
    keep, read,
    redis_server::private::{Sentinels, Server, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_follows_sentinels_to_the_new_master() {
    let (first, second) = (Server::start(), Server::start());
    second.follow(&first).await;
    let sentinels = Sentinels::watch(&first).await;
    let backend = RedisBackend::connect(&sentinels.url()).await.unwrap();
    let beside = RedisBackend::builder(sentinels.url()).replicas([first.url(), second.url()]).open().unwrap();
    let name = Names::new().value(1);
    for (round, (from, to)) in [(&first, &second), (&second, &first)].into_iter().enumerate() {
        keep(&backend, &name, round.to_string()).await;
        from.replicated(to).await;
        sentinels.fail_over(from, to).await;
        for backend in [&backend, &beside] {
            until(async || backend.get(std::slice::from_ref(&name), false).await.is_ok()).await;
            assert_eq!(read(backend, &name).await.unwrap(), round.to_string());
        }
        assert_eq!(to.info("role").await, "master");
    }
    contract(&beside).await;
}
