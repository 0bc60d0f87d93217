//! From one entity to another.

use sea_orm::{
    ColumnTrait, EntityLoaderTrait, EntityTrait, LoaderTrait, ModelTrait, QueryFilter, QueryOrder,
};
use tests::shop::{category, product, review};

use crate::{
    call::{Call, calls},
    library::{author, book, book_tag, profile, tag},
};

fn product(category_id: Option<i32>) -> product::Model {
    product::Model { id: 1, sku: "A-1".into(), name: "saw".into(), price: 100, category_id }
}

fn book(id: i32, author_id: i32) -> book::Model {
    book::Model { id, title: "Sea".into(), edition: id, genre: book::Genre::Novel, author_id }
}

fn author(id: i32, mentor_id: Option<i32>) -> author::Model {
    author::Model { id, email: format!("{id}@x"), mentor_id }
}

pub(crate) fn hops() -> Vec<Call> {
    calls! {
        "product.find_related(category).one" => |db|
            product(Some(1)).find_related(category::Entity).one(db).await,
        "product.find_related(category).one: it has none" => |db| {
            let product = product::Model { id: 3, ..product(None) };
            product.find_related(category::Entity).one(db).await
        },
        "author.find_related(profile).one: one to one" => |db|
            author(1, None).find_related(profile::Entity).one(db).await,
        "profile.find_related(author).one" => |db| {
            let profile = profile::Model { id: 2, author_id: 2, picture: "b.png".into() };
            profile.find_related(author::Entity).one(db).await
        },
        "book.find_linked(ToAuthor).one: one hop" => |db| book(1, 1).find_linked(book::ToAuthor).one(db).await,
        "book.find_linked(ToProfile).one: two hops" => |db| book(1, 1).find_linked(book::ToProfile).one(db).await,
        "product.find_related(review).all: one to many" => |db|
            product(None).find_related(review::Entity).order_by_asc(review::Column::Id).all(db).await,
        "book.find_related(tag).all: many to many" => |db|
            book(1, 1).find_related(tag::Entity).order_by_asc(tag::Column::Id).all(db).await,
    }
}

pub(crate) fn joins() -> Vec<Call> {
    calls! {
        "find_by_id(1).find_also_related(category).one" => |db|
            product::Entity::find_by_id(1).find_also_related(category::Entity).one(db).await,
        "find().find_both_related(category).all" => |db|
            product::Entity::find()
                .find_both_related(category::Entity)
                .order_by_asc(product::Column::Id)
                .all(db)
                .await,
        "find_by_id(1).find_with_related(review).all" => |db|
            product::Entity::find_by_id(1)
                .find_with_related(review::Entity)
                .order_by_asc(review::Column::Id)
                .all(db)
                .await,
        "find_by_id(1).find_also_linked(ToAuthor).one" => |db|
            book::Entity::find_by_id(1).find_also_linked(book::ToAuthor).one(db).await,
    }
}

pub(crate) fn loaders() -> Vec<Call> {
    calls! {
        "products.load_one(category)" => |db|
            vec![product(Some(1)), product(Some(2)), product(Some(1)), product(None)]
                .load_one(category::Entity, db)
                .await,
        "authors.load_one(profile): one to one" => |db|
            vec![author(1, None), author(2, None), author(3, None)].load_one(profile::Entity, db).await,
        "books.load_one(author with a filter)" => |db|
            vec![book(1, 1), book(2, 2)]
                .load_one(author::Entity::find().filter(author::Column::Email.eq("a@x")), db)
                .await,
        "authors.load_self(Mentor)" => |db|
            vec![author(2, Some(1)), author(3, Some(1))]
                .load_self(author::Entity, author::Relation::Mentor, db)
                .await,
        "authors.load_self_many(Pupils)" => |db|
            vec![author(1, None)]
                .load_self_many(
                    author::Entity::find().order_by_asc(author::Column::Id),
                    author::Relation::Pupils,
                    db,
                )
                .await,
        "products.load_many(review)" => |db|
            vec![product(None)]
                .load_many(review::Entity::find().order_by_asc(review::Column::Id), db)
                .await,
        "books.load_many(tag): many to many" => |db|
            vec![book(1, 1), book(2, 1)].load_many(tag::Entity::find().order_by_asc(tag::Column::Id), db).await,
        "load_many_to_many(tag, book_tag)" => |db|
            vec![book(1, 1)]
                .load_many_to_many(tag::Entity::find().order_by_asc(tag::Column::Id), book_tag::Entity, db)
                .await,
    }
}

pub(crate) fn entity_loader() -> Vec<Call> {
    calls! {
        "load().filter_by_id(1).one" => |db| product::Entity::load().filter_by_id(1).one(db).await,
        "load().filter_by_id(1).with(category).one" => |db|
            product::Entity::load().filter_by_id(1).with(category::Entity).one(db).await,
        "load().filter_by_id(1).with(profile).one: one to one" => |db|
            author::Entity::load().filter_by_id(1).with(profile::Entity).one(db).await,
        "load().filter_by_id(1).with(review).one: one to many" => |db|
            product::Entity::load().filter_by_id(1).with(review::Entity).one(db).await,
        "load().filter_by_id(1).with(tag).one: many to many" => |db|
            book::Entity::load().filter_by_id(1).with(tag::Entity).one(db).await,
        "load().with((author, profile)).all: nested" => |db|
            book::Entity::load()
                .with((author::Entity, profile::Entity))
                .order_by_asc(book::Column::Id)
                .all(db)
                .await,
    }
}
