//! Spans and events for whoever listens at `debug`. A program of its own, because it listens.

use std::sync::{Arc, Mutex};

use cache_orm::CachedEntity;
use sea_orm::{ActiveModelTrait, EntityTrait, TransactionTrait};
use tests::{
    Env, StoreKind, backends, run,
    shop::{Shop, priced, product, store},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber,
};

/// Remembers what the cache says at `debug`: the names of spans, and the texts of events.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl Listener {
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics while it is held"))
    }

    fn hear(&self, said: String) {
        self.0.lock().expect("nobody panics while it is held").push(said);
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("cache_") && *metadata.level() <= tracing::Level::DEBUG
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(span.metadata().name().to_owned());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        self.hear(said.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

async fn reads_writes_and_commits_are_heard(env: Env) {
    let shop = Shop::open(&env).await;
    let listener = Listener::default();
    let _guard = subscriber::set_default(listener.clone());
    let says = async |expected: &[&str]| {
        shop.db.settled().await;
        let heard = listener.heard();
        for expected in expected {
            assert!(heard.iter().any(|said| said == expected), "{expected:?} is not in {heard:?}");
        }
    };
    let find = || product::Entity::find_by_id(1).one(&shop.db);
    find().await.expect("an answer");
    says(&["cache.read", "miss", "fill"]).await;
    find().await.expect("an answer");
    says(&["cache.read", "hit"]).await;
    product::Entity::get(&shop.db, 1).await.expect("an answer");
    says(&["cache.read", "hit"]).await;
    product::Entity::find_by_id(1).one(&shop.db.bypass()).await.expect("an answer");
    says(&["cache.read", "bypass"]).await;
    priced(1, 7).update(&shop.db).await.expect("a write");
    says(&["cache.write", "fence"]).await;
    let transaction = shop.db.begin().await.expect("a transaction");
    priced(2, 7).update(&transaction).await.expect("a write");
    listener.heard();
    transaction.commit().await.expect("it commits");
    says(&["cache.write", "fence"]).await;
}

/// One after the other: who else makes calls in the process meanwhile decides what `tracing` remembers of a place.
#[tokio::test]
async fn reads_writes_and_commits_are_heard_everywhere() {
    for backend in backends() {
        for kind in [StoreKind::Memory, StoreKind::Redis] {
            run(backend, kind, store, reads_writes_and_commits_are_heard).await;
        }
    }
}
