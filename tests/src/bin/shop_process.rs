//! Another process over a test's database and Redis: one that is killed where the test wants it, or one that
//! writes and reads as fast as it can and tells what it saw.
//!
//! `shop_process <database URL> <Redis URL> <namespace> <task>`, with a task of
//!
//! - `stop-before-release`: sets the first product's price to 7 and stops with the fence still in place;
//! - `stop-after-fence`: the same, but stops before the statement is sent;
//! - `stop-after-fence-of-commit`: the same in a transaction, right before COMMIT;
//! - `close-after-unfenced-write`: says `ready`, waits for a line, sets the first product's price to 7, says how
//!   many writes went ahead unfenced, closes the connection and says `closed`;
//! - `hammer <seed> <operations>`: see [`hammer`].
//!
//! Whoever stops says `stopped` and waits for the end of its input.

use std::{
    env,
    error::Error,
    io::{BufRead, Read, Write, stdin, stdout},
    sync::Arc,
    time::Duration,
};

use cache_core::testing::{Call, PausableStore};
use cache_orm::{CachedConnection, RedisStore};
use redis::aio::MultiplexedConnection;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectOptions, ConnectionTrait, Database, DbErr, EntityTrait, ExprTrait, QueryFilter,
    TransactionTrait,
};
use tests::shop::product;
use tokio::task::JoinSet;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Rows that every process writes to.
const ROWS: u64 = 3;

/// Tasks of one process that hammer at once.
const TASKS: u64 = 4;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [database, redis, namespace, ref task @ ..] = arguments[..] else {
        return Err("usage: shop_process <database URL> <Redis URL> <namespace> <task>".into());
    };
    let store = PausableStore::new(Arc::new(RedisStore::connect(redis, namespace).await?));
    let mut options = ConnectOptions::new(database);
    options
        .max_connections(5)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(60)));
    let db = CachedConnection::builder(Database::connect(options).await?)
        .shared_store(Arc::new(store.clone()))
        .store_time_out(Duration::from_secs(60))
        .build()
        .await?;
    match *task {
        ["stop-before-release"] => {
            let mut pause = store.pause_before(Call::Release);
            update(&db).await?;
            pause.reached().await;
            stop()
        }
        ["stop-after-fence"] => {
            let mut pause = store.pause_after(Call::Fence);
            let (_, outcome) = tokio::join!(update(&db), async {
                pause.reached().await;
                stop()
            });
            outcome
        }
        ["stop-after-fence-of-commit"] => {
            let mut pause = store.pause_after(Call::Fence);
            let transaction = db.begin().await?;
            update(&transaction).await?;
            let (_, outcome) = tokio::join!(transaction.commit(), async {
                pause.reached().await;
                stop()
            });
            outcome
        }
        ["close-after-unfenced-write"] => {
            writeln!(stdout(), "ready")?;
            stdin().lock().read_line(&mut String::new())?;
            update(&db).await?;
            writeln!(stdout(), "unfenced {}", db.stats().entities["product"].counts.unfenced_writes)?;
            db.close().await?;
            Ok(writeln!(stdout(), "closed")?)
        }
        ["hammer", seed, operations] => {
            let client = redis::Client::open(redis)?;
            let counts = Counts {
                connection: client.get_multiplexed_async_connection().await?,
                namespace: namespace.to_owned(),
            };
            let (seed, operations): (u64, u64) = (seed.parse()?, operations.parse()?);
            let mut tasks = JoinSet::new();
            for task in 0..TASKS {
                tasks.spawn(hammer(db.clone(), counts.clone(), seed * TASKS + task, operations / TASKS));
            }
            while let Some(outcome) = tasks.join_next().await {
                outcome??;
            }
            db.settled().await;
            let hits = db.stats().entities["product"].counts.hits;
            Ok(writeln!(stdout(), "hits {hits}")?)
        }
        _ => Err("no such task".into()),
    }
}

async fn update(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let product = product::ActiveModel { id: Unchanged(1), price: Set(7), ..Default::default() };
    product.update(db).await.map(drop)
}

fn stop() -> Outcome {
    writeln!(stdout(), "stopped")?;
    // Blocks everything else that this task does: that is the point.
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// How many increments of each row were begun, and how many were acknowledged, by all processes together.
#[derive(Clone)]
struct Counts {
    connection: MultiplexedConnection,
    namespace: String,
}

impl Counts {
    fn key(&self, kind: &str, row: u64) -> String {
        format!("{}:{kind}:{row}", self.namespace)
    }

    async fn add(&mut self, kind: &str, row: u64) -> redis::RedisResult<()> {
        redis::cmd("INCR").arg(self.key(kind, row)).query_async(&mut self.connection).await
    }

    async fn get(&mut self, kind: &str, row: u64) -> redis::RedisResult<i64> {
        let count: Option<i64> =
            redis::cmd("GET").arg(self.key(kind, row)).query_async(&mut self.connection).await?;
        Ok(count.unwrap_or(0))
    }
}

/// Increments and reads prices in an order drawn from `seed`, and writes a line about each read: the row, the
/// increments acknowledged before it began, what it saw, and the increments begun when it had ended. A price is
/// the number of increments that are committed, so it must lie between the two.
async fn hammer(db: CachedConnection, mut counts: Counts, seed: u64, operations: u64) -> Outcome {
    let mut random = seed;
    for _ in 0..operations {
        // Knuth's linear congruential generator; its high bits are the random ones.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (dice, row) = (random >> 60, (random >> 40) % ROWS + 1);
        if dice < 3 {
            counts.add("begun", row).await?;
            increment(&db, dice, row as i32).await?;
            counts.add("acknowledged", row).await?;
        } else {
            let acknowledged = counts.get("acknowledged", row).await?;
            let price = match dice {
                3..6 => by_sku(&db, row).await?,
                6 => in_all(&db, row as i32).await?,
                _ => by_id(&db, row as i32).await?,
            };
            let begun = counts.get("begun", row).await?;
            writeln!(stdout(), "read {row} {acknowledged} {price} {begun}")?;
        }
    }
    Ok(())
}

/// One more, in one of three ways.
async fn increment(db: &CachedConnection, way: u64, row: i32) -> Result<(), DbErr> {
    let update = product::Entity::update_many()
        .col_expr(product::Column::Price, product::Column::Price.into_expr().add(1))
        .filter(product::Column::Id.eq(row));
    match way {
        0 => update.exec(db).await.map(drop),
        1 => {
            let transaction = db.begin().await?;
            update.exec(&transaction).await?;
            transaction.commit().await
        }
        _ => {
            let sql = format!("UPDATE product SET price = price + 1 WHERE id = {row}");
            db.execute_unprepared(&sql).await.map(drop)
        }
    }
}

async fn by_id(db: &CachedConnection, id: i32) -> Result<i32, DbErr> {
    let found = product::Entity::find_by_id(id).one(db).await?;
    price(found)
}

async fn by_sku(db: &CachedConnection, row: u64) -> Result<i32, DbErr> {
    let sku = ["", "A-1", "B-2", "C-3"][row as usize];
    let found = product::Entity::find_by_sku(sku).one(db).await?;
    price(found)
}

async fn in_all(db: &CachedConnection, id: i32) -> Result<i32, DbErr> {
    let all = product::Entity::find().all(db).await?;
    price(all.into_iter().find(|product| product.id == id))
}

fn price(found: Option<product::Model>) -> Result<i32, DbErr> {
    found.map(|product| product.price).ok_or(DbErr::RecordNotFound("no such product".to_owned()))
}
