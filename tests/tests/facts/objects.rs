//! Writes of more than one entity: nested objects, transactions, raw SQL.

use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, DbErr, EntityLoaderTrait, EntityTrait, IntoActiveModel, QueryFilter,
    Statement, TransactionTrait,
    sea_query::Expr,
};
use tests::shop::product;

use crate::{
    call::{Call, calls},
    library::{author, book, profile, tag},
};

pub(crate) fn nested() -> Vec<Call> {
    calls! {
        "ActiveModelEx.insert: with a to-one part" => |db|
            author::ActiveModel::builder()
                .set_id(7)
                .set_email("n@x")
                .set_profile(profile::ActiveModel::builder().set_id(7).set_picture("n.png"))
                .insert(db)
                .await,
        "ActiveModelEx.save: changes a to-one part" => |db| {
            let author = author::Entity::load().filter_by_id(1).with(profile::Entity).one(db).await?;
            let mut author = author.ok_or(DbErr::RecordNotFound("an author".into()))?.into_active_model();
            if let Some(profile) = author.profile.as_mut() {
                profile.picture = Set("new.png".into());
            }
            author.save(db).await.map(|author| author.email)
        },
        "ActiveModelEx.save: adds to a many-to-many part" => |db| {
            let book = book::Model { id: 3, title: "Tea".into(), edition: 1, genre: book::Genre::Poem, author_id: 2 };
            let tag = tag::Model { id: 3, name: "calm".into() };
            book.into_active_model().into_ex().add_tag(tag.into_active_model()).save(db).await.map(|book| book.title)
        },
        "ActiveModelEx.save: replaces a many-to-many part" => |db| {
            let book = book::Entity::load().filter_by_id(1).with(tag::Entity).one(db).await?;
            let mut book = book.ok_or(DbErr::RecordNotFound("a book".into()))?.into_active_model();
            book.tags.replace_all([tag::Model { id: 3, name: "calm".into() }.into_active_model().into_ex()]);
            book.save(db).await.map(|book| book.title)
        },
        "ModelEx.delete: with what hangs on it" => |db| {
            let author = author::Entity::load().filter_by_id(3).with(profile::Entity).one(db).await?;
            author.ok_or(DbErr::RecordNotFound("an author".into()))?.delete(db).await
        },
    }
}

pub(crate) fn transactions() -> Vec<Call> {
    calls! {
        "transaction: find_by_id(1).one" => |db| {
            let transaction = db.begin().await?;
            let row = product::Entity::find_by_id(1).one(&transaction).await?;
            transaction.commit().await.map(|()| row)
        },
        "transaction: update of two rows, commit" => |db| {
            let transaction = db.begin().await?;
            for id in [1, 2] {
                product::Entity::update_many()
                    .col_expr(product::Column::Price, Expr::value(7))
                    .filter(product::Column::Id.eq(id))
                    .exec(&transaction)
                    .await?;
            }
            transaction.commit().await
        },
        "transaction: delete, rollback" => |db| {
            let transaction = db.begin().await?;
            product::Entity::delete_by_id(1).exec(&transaction).await?;
            transaction.rollback().await
        },
        "transaction: update in a savepoint that is rolled back, commit" => |db| {
            let transaction = db.begin().await?;
            let savepoint = transaction.begin().await?;
            let row = product::ActiveModel { id: Unchanged(1), price: Set(7), ..Default::default() };
            product::Entity::update(row).exec(&savepoint).await?;
            savepoint.rollback().await?;
            transaction.commit().await
        },
    }
}

pub(crate) fn raw() -> Vec<Call> {
    calls! {
        "UPDATE by key, with parameters" => |db| {
            let backend = db.get_database_backend();
            let text = match backend {
                sea_orm::DbBackend::Postgres => "UPDATE product SET price = 7 WHERE id = $1",
                _ => "UPDATE product SET price = 7 WHERE id = ?",
            };
            db.execute_raw(Statement::from_sql_and_values(backend, text, [1.into()])).await.map(|done| done.rows_affected())
        },
        "UPDATE with literals" => |db| sent(db, "UPDATE product SET price = 7 WHERE id = 1").await,
        "UPDATE of every row" => |db| sent(db, "UPDATE product SET price = 7").await,
        "INSERT … SELECT" => |db|
            sent(db, "INSERT INTO tag (id, name) SELECT id + 10, name FROM tag").await,
        "DELETE with a subquery" => |db|
            sent(db, "DELETE FROM book_tag WHERE tag_id IN (SELECT id FROM tag WHERE name = 'salt')").await,
        "WITH … UPDATE … RETURNING" [Postgres] => |db|
            sent(db, "WITH changed AS (UPDATE tag SET name = 'x' RETURNING id) SELECT id FROM changed").await,
        "DO: not understood" [Postgres] => |db| sent(db, "DO $$ BEGIN NULL; END $$").await,
        "CREATE TABLE" => |db| sent(db, "CREATE TABLE newcomer (id INTEGER PRIMARY KEY)").await.map(drop),
    }
}

async fn sent(db: &impl ConnectionTrait, sql: &str) -> Result<u64, DbErr> {
    let done = db.execute_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    Ok(done.rows_affected())
}
