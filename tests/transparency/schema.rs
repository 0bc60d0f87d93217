//! The tables, and the rows with which every program starts.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, IntoActiveModel, QueryOrder,
    Statement, TransactionTrait,
};

use crate::{
    domain,
    entities::{article, article_tag, badge, comment, counter, folder, person, profile, tag},
    outcome::list,
    tables::{OfTable, Row, Table, TableName},
};

/// Creates the tables as the entities describe them.
pub(crate) async fn create(db: &DatabaseConnection) -> Result<(), DbErr> {
    db.get_schema_builder()
        .register(person::Entity)
        .register(profile::Entity)
        .register(folder::Entity)
        .register(article::Entity)
        .register(comment::Entity)
        .register(tag::Entity)
        .register(article_tag::Entity)
        .register(badge::Entity)
        .register(counter::Entity)
        .apply(db)
        .await
}

/// Parents before children.
const ORDER: [TableName; 9] = [
    TableName::Person,
    TableName::Profile,
    TableName::Folder,
    TableName::Article,
    TableName::Comment,
    TableName::Tag,
    TableName::ArticleTag,
    TableName::Badge,
    TableName::Counter,
];

/// Those whose keys the database generates.
const GENERATED: [TableName; 4] = [TableName::Person, TableName::Profile, TableName::Tag, TableName::Badge];

/// Brings a database to the state in which every program starts, generated keys included.
pub(crate) async fn reset(db: &DatabaseConnection) -> Result<(), DbErr> {
    let mut sql: String = ORDER.iter().rev().map(|table| format!("DELETE FROM {};", table.sql())).collect();
    match db.get_database_backend() {
        DbBackend::Sqlite => sql += "DELETE FROM sqlite_sequence;",
        DbBackend::Postgres => {
            for table in GENERATED.map(TableName::sql) {
                // The seed's keys don't advance it.
                sql += &format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), 4, false);");
            }
        }
        _ => {
            for table in GENERATED.map(TableName::sql) {
                // Slow, and most programs generate few keys.
                if next_key(db, table).await? > 4 {
                    sql += &format!("ALTER TABLE {table} AUTO_INCREMENT = 1;");
                }
            }
        }
    }
    db.execute_unprepared(&sql).await?;
    let tx = db.begin().await?;
    let rows = domain::seed();
    seed::<person::Entity>(&tx, &rows).await?;
    seed::<profile::Entity>(&tx, &rows).await?;
    seed::<folder::Entity>(&tx, &rows).await?;
    seed::<article::Entity>(&tx, &rows).await?;
    seed::<comment::Entity>(&tx, &rows).await?;
    seed::<tag::Entity>(&tx, &rows).await?;
    seed::<article_tag::Entity>(&tx, &rows).await?;
    tx.commit().await
}

/// The key that MySQL generates next. Its information schema may remember an older one.
async fn next_key(db: &DatabaseConnection, table: &str) -> Result<u32, DbErr> {
    let sql = Statement::from_string(DbBackend::MySql, format!("SHOW CREATE TABLE {table}"));
    let row = db.query_one_raw(sql).await?.expect("the table is there");
    let text: String = row.try_get_by_index(1)?;
    let number = text.split_once("AUTO_INCREMENT=").map(|(_, rest)| rest.split(' ').next());
    Ok(number.flatten().and_then(|number| number.parse().ok()).unwrap_or(1))
}

async fn seed<E: OfTable>(db: &impl ConnectionTrait, rows: &[Row]) -> Result<(), DbErr> {
    let rows = E::rows(rows).into_iter().map(|row| row.into_active_model().reset_all());
    E::insert_many(rows).exec_without_returning(db).await.map(drop)
}

/// Everything that the tables hold.
pub(crate) async fn contents(db: &DatabaseConnection) -> String {
    let contents = [
        all::<person::Entity>(db).await,
        all::<profile::Entity>(db).await,
        all::<folder::Entity>(db).await,
        all::<article::Entity>(db).await,
        all::<comment::Entity>(db).await,
        all::<tag::Entity>(db).await,
        all::<article_tag::Entity>(db).await,
        all::<badge::Entity>(db).await,
        all::<counter::Entity>(db).await,
    ];
    contents.join("\n")
}

async fn all<E: Table>(db: &DatabaseConnection) -> String {
    let select = E::key().into_iter().fold(E::find(), QueryOrder::order_by_asc);
    format!("{:?}: {}", E::default(), list(select.all(db).await))
}
