//! What a raw client wrote under our keys. A Redis may belong to many programs, and memory fails.

use std::collections::BTreeMap;

use cache_orm::{CachedConnection, RedisStore};
use redis::{Cmd, aio::MultiplexedConnection, cmd};
use sea_orm::{ActiveModelTrait, EntityTrait};
use tests::{
    Env, matrix, redis_url,
    shop::{Shop, category, product, store},
};

use super::shop::{assert_coherent, hit_again, price, priced, settings, warm, work};

/// The shared Redis as any program sees it.
struct Raw {
    connection: MultiplexedConnection,
    namespace: String,
}

impl Raw {
    async fn open(env: &Env) -> Self {
        let client = redis::Client::open(redis_url()).expect("a URL");
        Raw {
            connection: client.get_multiplexed_async_connection().await.expect("it answers"),
            namespace: env.namespace.clone(),
        }
    }

    async fn send<T: redis::FromRedisValue>(&mut self, command: &Cmd) -> T {
        command.query_async(&mut self.connection).await.expect("Redis does as it is told")
    }

    /// The names of all cells of the namespace that contain `part`.
    async fn keys(&mut self, part: &str) -> Vec<String> {
        let pattern = format!("*{}*{part}*", self.namespace);
        let (mut cursor, mut keys) = (0_u64, Vec::new());
        loop {
            let scan = cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000).to_owned();
            let (next, found): (u64, Vec<String>) = self.send(&scan).await;
            keys.extend(found);
            if next == 0 {
                return keys;
            }
            cursor = next;
        }
    }

    /// The cell of one row.
    async fn row(&mut self, table: &str, id: i32) -> String {
        let keys = self.keys(&format!(".{table}.")).await;
        let ends = format!("}}:{id}");
        keys.into_iter().find(|key| key.ends_with(&ends)).expect("the row is cached")
    }

    async fn get(&mut self, key: &str) -> Vec<u8> {
        self.send(cmd("GET").arg(key)).await
    }

    async fn set(&mut self, key: &str, cell: &[u8]) {
        self.send::<()>(cmd("SET").arg(key).arg(cell).arg("EX").arg(600)).await;
    }

    /// Something else than bytes.
    async fn replace(&mut self, key: &str, verb: &str, arguments: &[&str]) {
        self.send::<()>(cmd("DEL").arg(key)).await;
        self.send::<()>(cmd(verb).arg(key).arg(arguments)).await;
    }
}

/// Garbage by kind. `cell` is what stands there rightly.
fn garbage(cell: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = cell.to_vec();
        let end = (at + bytes.len()).min(changed.len());
        let at = at.min(end);
        changed[at..end].copy_from_slice(&bytes[..end - at]);
        changed
    };
    vec![
        ("nothing", Vec::new()),
        ("random bytes", (0..200_u32).map(|n| (n * 7919 % 251) as u8).collect()),
        ("text", b"hello, world".to_vec()),
        ("half of it", cell[..cell.len() / 2].to_vec()),
        ("all but its last byte", cell[..cell.len() - 1].to_vec()),
        ("a byte too many", [cell, b"\0"].concat()),
        ("twice", [cell, cell].concat()),
        ("another version", with(1, b"9")),
        ("a lease", [&b"L2"[..], &[7; 8], cell.get(10..18).unwrap_or(&[7; 8])].concat()),
        ("an entry of another incarnation", with(10, &[0xcd; 8])),
        ("an epoch", [&b"E1"[..], &[7; 8]].concat()),
        ("a fence of the past", [&b"W1"[..], &[7; 8], &[0; 8]].concat()),
        ("a fence without end", [&b"W1"[..], &[7; 8], &[255; 8]].concat()),
        ("half a fence", [&b"W1"[..], &[7; 11]].concat()),
        ("impossible flags", with(26, &[255])),
        ("other flags", with(26, &[0])),
        ("all flags", with(26, &[3])),
        ("another fingerprint", with(18, &[0xab; 8])),
        ("endless counts", [&cell[..cell.len().min(35)], &[1], &[0xff; 12]].concat()),
        (
            "a row of endless text",
            [&cell[..cell.len().min(35)], &[1, 1, 5, 8, 0xff, 0xff, 0xff, 0x7f]].concat(),
        ),
    ]
}

async fn open(env: &Env) -> (Shop, CachedConnection, Raw) {
    let shop = Shop::open(env).await;
    let builder = settings(env, env.store().await).await;
    let db = builder.build().await.expect("the cache is ready");
    warm(&db, &shop.plain).await;
    (shop, db, Raw::open(env).await)
}

/// Reads, writes and reads again over whatever was put there.
async fn carry_on(db: &CachedConnection, shop: &Shop, round: i32, what: &str) {
    assert_coherent(db, &shop.plain, what).await;
    db.settled().await;
    assert_coherent(db, &shop.plain, what).await;
    priced(1, 1000 + round).update(db).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    db.settled().await;
    warm(db, &shop.plain).await;
    assert_coherent(&shop.db, &shop.plain, what).await;
    shop.db.settled().await;
}

matrix! {
    stores: store;

    /// Rows, aliases, epochs, presence, `all()`: one kind of garbage in every cell at once.
    async fn every_cell_may_hold_garbage(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let kinds: Vec<&str> = garbage(&[0; 40]).into_iter().map(|(kind, _)| kind).collect();
        for (round, kind) in (0..).zip(kinds) {
            let mut cells = BTreeMap::new();
            for key in raw.keys(".product.").await {
                let cell = raw.get(&key).await;
                cells.insert(key, cell);
            }
            assert!(cells.len() > 5, "{cells:?}");
            for (key, cell) in cells {
                let (_, bad) = garbage(&cell).into_iter().find(|(other, _)| *other == kind).expect("a kind");
                raw.set(&key, &bad).await;
            }
            carry_on(&db, &shop, round, kind).await;
        }
        hit_again(&db, &shop.plain, 1).await;
        work(&db, &shop.plain, 1).await;
    }

    async fn every_cell_may_be_of_another_type(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let kinds: [(&str, &[&str]); 5] = [
            ("RPUSH", &["a", "b"]),
            ("HSET", &["a", "b"]),
            ("SADD", &["a"]),
            ("ZADD", &["1", "a"]),
            ("XADD", &["*", "a", "b"]),
        ];
        for (round, (verb, arguments)) in (0..).zip(kinds) {
            for key in raw.keys(".product.").await {
                raw.replace(&key, verb, arguments).await;
            }
            carry_on(&db, &shop, round, verb).await;
        }
        hit_again(&db, &shop.plain, 1).await;
        work(&db, &shop.plain, 1).await;
    }

    async fn no_flipped_bit_changes_an_answer(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let truth = product::Entity::find_by_id(1).one(&shop.plain).await.expect("an answer");
        let key = raw.row("product", 1).await;
        let cell = raw.get(&key).await;
        for bit in 0..cell.len() * 8 {
            let mut flipped = cell.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            raw.set(&key, &flipped).await;
            let answer = product::Entity::find_by_id(1).one(&db).await.expect("an answer");
            assert_eq!(answer, truth, "bit {bit} of {} bytes", cell.len());
            db.settled().await;
        }
        raw.set(&key, &cell).await;
        hit_again(&db, &shop.plain, 1).await;
    }

    async fn no_truncated_row_changes_an_answer(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let truth = product::Entity::find_by_id(1).one(&shop.plain).await.expect("an answer");
        let key = raw.row("product", 1).await;
        let cell = raw.get(&key).await;
        for length in 0..cell.len() {
            raw.set(&key, &cell[..length]).await;
            let answer = product::Entity::find_by_id(1).one(&db).await.expect("an answer");
            assert_eq!(answer, truth, "{length} of {} bytes", cell.len());
            db.settled().await;
        }
        hit_again(&db, &shop.plain, 1).await;
    }

    /// Valid stamps, but the row of another table, or of another key.
    async fn a_row_under_the_wrong_key_is_not_given_out(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let (one, two) = (raw.row("product", 1).await, raw.row("product", 2).await);
        let (cell, other) = (raw.get(&one).await, raw.get(&two).await);
        category::Entity::find_by_id(1).one(&db).await.expect("an answer");
        db.settled().await;
        let category_key = raw.row("category", 1).await;
        let category_cell = raw.get(&category_key).await;
        // The header of this row, so that its stamps are valid; then the payload of another one.
        let header = 27;
        let wrong = [("another row", &other[header..]), ("another table", &category_cell[header..])];
        for (what, payload) in wrong {
            raw.set(&one, &[&cell[..header], payload].concat()).await;
            for _ in 0..3 {
                assert_eq!(price(&db, 1).await, 100, "{what}");
                assert_coherent(&db, &shop.plain, what).await;
                db.settled().await;
            }
        }
        hit_again(&db, &shop.plain, 1).await;
    }

    /// Another version of the program, whose entity has other columns, shares the namespace during a rollout.
    async fn an_entry_of_another_schema_version_is_replaced(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let key = raw.row("product", 1).await;
        let mut cell = raw.get(&key).await;
        cell[10..18].copy_from_slice(&[0xab; 8]);
        raw.set(&key, &cell).await;
        assert_eq!(price(&db, 1).await, 100);
        db.settled().await;
        assert_ne!(raw.get(&key).await[10..18], [0xab; 8], "the slot was taken over");
        hit_again(&db, &shop.plain, 1).await;
    }

    async fn a_huge_value_is_read_past(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let key = raw.row("product", 1).await;
        let cell = raw.get(&key).await;
        for fill in [0_u8, 0xff, b'1'] {
            let huge = [&cell[..27], &vec![fill; 17 << 20]].concat();
            raw.set(&key, &huge).await;
            assert_eq!(price(&db, 1).await, 100);
            db.settled().await;
            let large = [&cell[..27], &vec![fill; 3 << 20]].concat();
            raw.set(&key, &large).await;
            assert_eq!(price(&db, 1).await, 100);
            db.settled().await;
            hit_again(&db, &shop.plain, 1).await;
        }
    }

    /// Who owns the namespace can't be told: nothing is cached, and everything answered.
    async fn garbage_for_an_owner_keeps_the_namespace_unused(env: Env) on [Redis] {
        let (shop, db, mut raw) = open(&env).await;
        let owner = raw.keys("}:database").await.pop().expect("the namespace is claimed");
        raw.replace(&owner, "RPUSH", &["a"]).await;
        let store = RedisStore::connect(&redis_url(), &env.namespace).await.expect("it answers");
        let builder = settings(&env, std::sync::Arc::new(store)).await;
        let newcomer = builder.build_lazily().expect("the namespace is named");
        let error = newcomer.ready().await.expect_err("the owner is not readable");
        assert!(error.to_string().contains("unexpected"), "{error}");
        work(&newcomer, &shop.plain, 0).await;
        newcomer.settled().await;
        assert_eq!(newcomer.stats().entities["product"].counts.hits, 0);
        assert_coherent(&db, &shop.plain, "after the newcomer wrote").await;
        let find = category::Entity::find_by_id(1);
        assert_eq!(find.clone().one(&newcomer).await, find.one(&shop.plain).await);
    }
}
