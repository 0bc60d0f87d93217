//! Several processes over one database and one Redis: some are killed where it hurts, some write to the same
//! rows at once. No read in any of them may be older than what was acknowledged before it began.

use std::{process::Stdio, sync::Arc, time::Duration};

use cache_orm::{CachedConnection, RedisStore};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ConnectionTrait, EntityTrait,
};
use tests::{
    Env, Link, RedisServer, matrix, redis_url,
    shop::{Shop, price_of, product, store},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Longer than any wait of a test that passes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A child process; it ends with the test.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(env: &Env, task: &[&str]) -> Self {
        Process::start_over(&redis_url(), env, task)
    }

    fn start_over(redis_url: &str, env: &Env, task: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shop_process"))
            .args([env.database.url(), redis_url, &env.namespace])
            .args(task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program was built with the tests");
        let stdout = child.stdout.take().expect("piped above");
        Process { child, lines: BufReader::new(stdout).lines() }
    }

    /// What it says next; nothing when it has ended.
    async fn line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("the child goes on").expect("the child's output can be read")
    }

    /// Lets a child go on that waits for a line.
    async fn tell(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("piped above");
        stdin.write_all(b"\n").await.expect("the child listens");
    }

    /// SIGKILL, when it has stopped.
    async fn kill_where_it_stops(mut self) {
        assert_eq!(self.line().await.as_deref(), Some("stopped"));
        self.kill().await;
    }

    async fn kill(&mut self) {
        self.child.kill().await.expect("an own child can be killed");
    }

    /// All that it says until it ends.
    async fn history(mut self) -> Vec<String> {
        let mut history = Vec::new();
        while let Some(line) = self.line().await {
            history.push(line);
        }
        assert!(self.child.wait().await.expect("the child ends").success());
        history
    }
}

/// Reads the first product often enough for it to be cached.
async fn warm(db: &CachedConnection) {
    for _ in 0..3 {
        assert_eq!(price_of(db, 1).await, 100);
        assert_eq!(product::Entity::find().all(db).await.expect("an answer")[0].price, 100);
        db.settled().await;
    }
    assert!(db.stats().entities["product"].counts.hits >= 2);
}

/// Every read of the first product, in this process and another.
async fn assert_price(env: &Env, db: &CachedConnection, expected: i32) {
    let other = Shop::enter(env, env.store().await).await;
    for _ in 0..3 {
        for db in [db, &other] {
            assert_eq!(price_of(db, 1).await, expected);
            let by_sku = product::Entity::find_by_sku("A-1").one(db).await.expect("an answer");
            assert_eq!(by_sku.expect("a row").price, expected);
            let all = product::Entity::find().all(db).await.expect("an answer");
            assert_eq!(all.iter().find(|product| product.id == 1).expect("a row").price, expected);
            db.settled().await;
        }
    }
}

async fn update(db: &CachedConnection, price: i32) {
    let product = product::ActiveModel { id: Unchanged(1), price: Set(price), ..Default::default() };
    product.update(db).await.expect("the update goes through");
    db.settled().await;
}

/// Puts the price back: it counts increments.
async fn start_at_zero(shop: &Shop) {
    let reset = shop.plain.execute_unprepared("UPDATE product SET price = 0").await;
    reset.expect("the update goes through");
}

/// Every read of a history lies between what was acknowledged before it and what was begun after it. Returns
/// the number of reads.
fn assert_coherent(history: &[String]) -> usize {
    let mut reads = 0;
    for line in history {
        let Some(read) = line.strip_prefix("read ") else { continue };
        let numbers: Vec<i64> = read.split(' ').map(|n| n.parse().expect("a number")).collect();
        let [row, acknowledged, price, begun] = numbers[..] else { panic!("{line}") };
        assert!(
            (acknowledged..=begun).contains(&price),
            "product {row}: {price} was read when {acknowledged} increments had been acknowledged before and \
             {begun} begun after"
        );
        reads += 1;
    }
    reads
}

fn hits(history: &[String]) -> u64 {
    let last = history.last().and_then(|line| line.strip_prefix("hits "));
    last.expect("the child came to its end").parse().expect("a number")
}

matrix! {
    stores: store;

    async fn a_writer_killed_between_commit_and_release(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        warm(&shop.db).await;
        Process::start(&env, &["stop-before-release"]).kill_where_it_stops().await;
        assert_eq!(price_of(&shop.plain, 1).await, 7);
        assert_price(&env, &shop.db, 7).await;
        update(&shop.db, 8).await;
        assert_price(&env, &shop.db, 8).await;
    }

    async fn a_writer_killed_between_fence_and_statement(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        warm(&shop.db).await;
        Process::start(&env, &["stop-after-fence"]).kill_where_it_stops().await;
        assert_eq!(price_of(&shop.plain, 1).await, 100);
        assert_price(&env, &shop.db, 100).await;
        update(&shop.db, 8).await;
        assert_price(&env, &shop.db, 8).await;
    }

    async fn a_writer_killed_between_fence_and_commit(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        warm(&shop.db).await;
        Process::start(&env, &["stop-after-fence-of-commit"]).kill_where_it_stops().await;
        assert_eq!(price_of(&shop.plain, 1).await, 100);
        assert_price(&env, &shop.db, 100).await;
        // Waits until the database has noticed that the writer is gone.
        update(&shop.db, 8).await;
        assert_price(&env, &shop.db, 8).await;
    }

    /// Redis is gone for the writer, and comes back while it closes its connection.
    async fn a_writer_that_ends_owes_nothing(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let link = Link::to(server.port()).await;
        let store = RedisStore::connect(&server.url(), &env.namespace).await.expect("the server answers");
        let reader = Shop::enter(&env, Arc::new(store)).await;
        let mut writer = Process::start_over(&link.redis_url(), &env, &["close-after-unfenced-write"]);
        assert_eq!(writer.line().await.as_deref(), Some("ready"));
        warm(&reader).await;
        link.cut();
        writer.tell().await;
        assert_eq!(writer.line().await.as_deref(), Some("unfenced 1"));
        link.mend();
        assert_eq!(writer.history().await, ["closed"]);
        assert_eq!(price_of(&shop.plain, 1).await, 7);
        for _ in 0..3 {
            assert_eq!(price_of(&reader, 1).await, 7);
            reader.settled().await;
        }
    }

    async fn two_processes_that_write_the_same_rows(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        start_at_zero(&shop).await;
        let children = ["17", "4711"].map(|seed| Process::start(&env, &["hammer", seed, "800"]));
        let [one, other] = children.map(Process::history);
        let (one, other) = tokio::join!(one, other);
        assert!(assert_coherent(&one) + assert_coherent(&other) > 1000);
        assert!(hits(&one) + hits(&other) > 0, "they did use the cache");
        let row_by_row = product::Entity::find().all(&shop.plain).await.expect("an answer");
        for product in row_by_row {
            assert_eq!(price_of(&shop.db, product.id).await, product.price);
        }
    }

    async fn a_process_that_writes_beside_one_that_is_killed(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        start_at_zero(&shop).await;
        let survivor = Process::start(&env, &["hammer", "42", "600"]);
        let killed = async {
            let mut history = Vec::new();
            for seed in ["1", "2", "3"] {
                let mut victim = Process::start(&env, &["hammer", seed, "1000000"]);
                for _ in 0..50 {
                    history.extend(victim.line().await);
                }
                victim.kill().await;
            }
            history
        };
        let (survivor, killed) = tokio::join!(survivor.history(), killed);
        assert_eq!(assert_coherent(&killed), 150);
        assert!(assert_coherent(&survivor) > 400);
        let row_by_row = product::Entity::find().all(&shop.plain).await.expect("an answer");
        for product in row_by_row {
            assert_eq!(price_of(&shop.db, product.id).await, product.price);
        }
    }
}
