//! What every call of SeaORM's sends, where it is answered from, and what it invalidates: made, compared with the
//! plain connection, and compared with `docs/statements.md`.

mod call;
mod cells;
mod gather;
mod library;
mod objects;
mod reads;
mod relations;
mod table;
mod text;
mod trace;
mod typed;
mod writes;

use std::{env, fs, path::Path};

use call::Call;
use futures_util::future::join_all;
use gather::{Facts, gather};
use tests::{Backend, StoreKind, backends, run, shop::store};

const VARIABLE: &str = "UPDATE_STATEMENTS";

/// What kind of calls a chapter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

/// Calls that belong together.
struct Chapter {
    title: &'static str,
    kind: Kind,
    calls: Vec<Call>,
}

fn chapters() -> Vec<Chapter> {
    let chapter = |kind, title, calls| Chapter { title, kind, calls };
    vec![
        chapter(Kind::Read, "Reads by key", reads::by_key()),
        chapter(Kind::Read, "Reads by lists of keys", reads::by_keys()),
        chapter(Kind::Read, "Typed reads, and options of a read", typed::reads()),
        chapter(Kind::Read, "Other reads", reads::other()),
        chapter(Kind::Read, "From one entity to another", relations::hops()),
        chapter(Kind::Read, "Joins", relations::joins()),
        chapter(Kind::Read, "Loaders", relations::loaders()),
        chapter(Kind::Read, "EntityLoader", relations::entity_loader()),
        chapter(Kind::Write, "Inserts", writes::inserts()),
        chapter(Kind::Write, "Updates", writes::updates()),
        chapter(Kind::Write, "Deletes", writes::deletes()),
        chapter(Kind::Write, "Nested objects", objects::nested()),
        chapter(Kind::Write, "Transactions", objects::transactions()),
        chapter(Kind::Write, "Raw SQL", objects::raw()),
    ]
}

async fn facts(backend: Backend, kind: StoreKind) -> Facts {
    run(backend, kind, store, |env| async move { gather(env, &chapters()).await }).await
}

#[tokio::test]
async fn every_statement_does_what_the_document_says() {
    let facts = join_all(backends().map(|backend| async move {
        let redis = facts(backend, StoreKind::Redis).await;
        let memory = facts(backend, StoreKind::Memory).await;
        assert!(memory.keys().eq(redis.keys()));
        for ((call, fact), other) in redis.iter().zip(memory.values()) {
            assert!(
                other.is_like(fact),
                "{call:?} on {backend:?}: a memory store {other:?}, a Redis {fact:?}"
            );
        }
        (backend, redis)
    }))
    .await;
    let text = table::document(&chapters(), &facts);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/statements.md");
    if env::var_os(VARIABLE).is_some() {
        fs::write(&file, text).expect("the document can be written");
        return;
    }
    let said = fs::read_to_string(&file).unwrap_or_default();
    assert!(said == text, "{}", differences(&said, &text));
}

/// The lines that differ, and what to do about them.
fn differences(said: &str, true_text: &str) -> String {
    let lines = |text: &str, other: &str, sign: &str| {
        let missing = text.lines().filter(|line| !other.lines().any(|same| same == *line));
        missing.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    format!(
        "docs/statements.md (-) is not what the calls do (+):\n{}{}If that is as it should be, run\n    \
         {VARIABLE}=1 cargo xtask test -- -p tests --test facts\nand look at what git says has changed.",
        lines(said, true_text, "-"),
        lines(true_text, said, "+"),
    )
}
