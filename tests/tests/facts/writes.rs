//! Writes of one entity: a row by its key, rows by lists and conditions.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set, Unchanged},
    ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use tests::shop::{category, product, review, stock};

use crate::call::{Call, calls};

fn new(id: i32) -> product::ActiveModel {
    product::ActiveModel {
        id: Set(id),
        sku: Set(format!("N-{id}")),
        name: Set("new".into()),
        price: Set(1),
        category_id: Set(None),
    }
}

fn priced(id: i32) -> product::ActiveModel {
    product::ActiveModel { id: Unchanged(id), price: Set(7), ..Default::default() }
}

fn first() -> product::Model {
    product::Model { id: 1, sku: "A-1".into(), name: "saw".into(), price: 100, category_id: Some(1) }
}

pub(crate) fn inserts() -> Vec<Call> {
    calls! {
        "ActiveModel.insert" => |db| new(4).insert(db).await,
        "ActiveModel.insert: the database chooses the key" => |db|
            product::ActiveModel { id: NotSet, ..new(5) }.insert(db).await.map(|row| row.sku),
        "ActiveModel.save: a new row" => |db|
            product::ActiveModel { id: NotSet, ..new(5) }.save(db).await.map(|row| row.price),
        "Entity::insert.exec" => |db| product::Entity::insert(new(4)).exec(db).await.map(|done| done.last_insert_id),
        "Entity::insert.exec_with_returning" => |db| product::Entity::insert(new(4)).exec_with_returning(db).await,
        "Entity::insert.exec_without_returning" => |db|
            product::Entity::insert(new(4)).exec_without_returning(db).await,
        "insert: composite key" => |db|
            stock::ActiveModel { warehouse: Set(2), product_id: Set(1), quantity: Set(1) }.insert(db).await,
        "insert_many.exec" => |db| product::Entity::insert_many([new(4), new(5)]).exec_without_returning(db).await,
        "insert_many.exec_with_returning" [Sqlite, Postgres] => |db|
            product::Entity::insert_many([new(4), new(5)]).exec_with_returning(db).await,
        "insert.on_conflict(Id, update Price)" => |db| {
            let conflict = OnConflict::column(product::Column::Id).update_column(product::Column::Price).to_owned();
            product::Entity::insert(new(1)).on_conflict(conflict).exec_without_returning(db).await
        },
        "insert.on_conflict(Sku, update Price): unique key" => |db| {
            let conflict = OnConflict::column(product::Column::Sku).update_column(product::Column::Price).to_owned();
            let row = product::ActiveModel { sku: Set("A-1".into()), ..new(9) };
            product::Entity::insert(row).on_conflict(conflict).exec_without_returning(db).await
        },
        "insert.on_conflict(Id, do nothing on [Id])" => |db| {
            let conflict = OnConflict::column(product::Column::Id)
                .do_nothing_on([product::Column::Id])
                .to_owned();
            product::Entity::insert(new(1)).on_conflict(conflict).exec_without_returning(db).await
        },
    }
}

pub(crate) fn updates() -> Vec<Call> {
    use product::Column::{CategoryId, Id, Price, Sku};
    calls! {
        "ActiveModel.update" => |db| priced(1).update(db).await,
        "ActiveModel.save: a row that exists" => |db| priced(1).save(db).await.map(|row| row.price),
        "Entity::update.exec" => |db| product::Entity::update(priced(1)).exec(db).await,
        "update: a unique column" => |db|
            product::ActiveModel { id: Unchanged(1), sku: Set("A-9".into()), ..Default::default() }.update(db).await,
        "update: a foreign key" => |db|
            product::ActiveModel { id: Unchanged(1), category_id: Set(Some(2)), ..Default::default() }
                .update(db)
                .await,
        "update: nothing is set" => |db|
            product::ActiveModel { id: Unchanged(1), ..Default::default() }.update(db).await,
        "update_many.filter(Id.eq(1)).exec" => |db|
            product::Entity::update_many().col_expr(Price, Expr::value(7)).filter(Id.eq(1)).exec(db).await,
        "update_many.filter(Id.is_in([1, 2])).exec" => |db|
            product::Entity::update_many().col_expr(Price, Expr::value(7)).filter(Id.is_in([1, 2])).exec(db).await,
        "update_many.filter(Sku.eq(\"A-1\")).exec: unique key" => |db|
            product::Entity::update_many().col_expr(Price, Expr::value(7)).filter(Sku.eq("A-1")).exec(db).await,
        "update_many.filter(Price.gt(100)).exec" => |db|
            product::Entity::update_many()
                .col_expr(Price, Expr::col(Price).add(1))
                .filter(Price.gt(100))
                .exec(db)
                .await,
        "update_many.filter(Price.gt(900)).exec: no row" => |db|
            product::Entity::update_many().col_expr(Price, Expr::value(7)).filter(Price.gt(900)).exec(db).await,
        "update_many.exec: every row" => |db|
            product::Entity::update_many().col_expr(CategoryId, Expr::value(1)).exec(db).await,
        "update_many.filter(Price.gt(200)).exec_with_returning" [Sqlite, Postgres] => |db|
            product::Entity::update_many()
                .col_expr(Price, Expr::value(7))
                .filter(Price.gt(200))
                .exec_with_returning(db)
                .await,
        "update_many: assigns the primary key" => |db|
            category::Entity::update_many()
                .col_expr(category::Column::Id, Expr::value(8))
                .filter(category::Column::Id.eq(3))
                .exec(db)
                .await,
    }
}

pub(crate) fn deletes() -> Vec<Call> {
    use product::Column::{Id, Price};
    calls! {
        "Model.delete" => |db| first().delete(db).await,
        "ActiveModel.delete" => |db| first().into_active_model().delete(db).await,
        "delete_by_id(1).exec" => |db| product::Entity::delete_by_id(1).exec(db).await,
        "delete_by_id(1).exec: nothing refers to the table" => |db| review::Entity::delete_by_id(1).exec(db).await,
        "delete_by_id((1, 1)).exec: composite key" => |db| stock::Entity::delete_by_id((1, 1)).exec(db).await,
        "delete_by_sku(\"A-1\").exec: unique key" => |db| product::Entity::delete_by_sku("A-1").exec(db).await,
        "delete_many.filter(Id.is_in([1, 2])).exec" => |db|
            product::Entity::delete_many().filter(Id.is_in([1, 2])).exec(db).await,
        "delete_many.filter(Price.gt(100)).exec" => |db|
            product::Entity::delete_many().filter(Price.gt(100)).exec(db).await,
        "delete_many.filter(Stars.lt(5)).exec: nothing refers to the table" => |db|
            review::Entity::delete_many().filter(review::Column::Stars.lt(5)).exec(db).await,
        "delete_many.filter(Stars.lt(5)).exec_with_returning" [Sqlite, Postgres] => |db|
            review::Entity::delete_many().filter(review::Column::Stars.lt(5)).exec_with_returning(db).await,
        "delete_many.exec: every row" => |db| review::Entity::delete_many().exec(db).await,
        "delete_by_id(1).exec: SET NULL" => |db| category::Entity::delete_by_id(1).exec(db).await,
    }
}
