//! Reads that only some tables have.

use sea_orm::entity::prelude::HasMany;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DerivePartialModel, EntityLoaderTrait, EntityTrait,
    FromQueryResult, Linked, LoaderTrait, ModelTrait, QueryFilter, QueryOrder, RelationDef, RelationTrait,
};

use crate::{
    entities::{article, comment, folder, person, profile, tag},
    outcome::{bag, list, value},
    program::{Door, Graph},
    run::Connection,
    tables::Row,
};

/// The person above.
#[derive(Debug)]
struct Boss;

impl Linked for Boss {
    type FromEntity = person::Entity;
    type ToEntity = person::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![person::Relation::Boss.def()]
    }
}

/// The persons below.
#[derive(Debug)]
struct Reports;

impl Linked for Reports {
    type FromEntity = person::Entity;
    type ToEntity = person::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![person::Relation::Reports.def()]
    }
}

/// From an article over its folder to whom that belongs.
#[derive(Debug)]
struct OwnerOfFolder;

impl Linked for OwnerOfFolder {
    type FromEntity = article::Entity;
    type ToEntity = person::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![article::Relation::Folder.def(), folder::Relation::Person.def()]
    }
}

/// A person as somebody else's model reads it.
#[derive(Debug, FromQueryResult)]
#[expect(dead_code, reason = "read by Debug")]
struct Contact {
    id: i32,
    email: String,
    role: String,
    nickname: Option<String>,
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "person::Entity")]
#[expect(dead_code, reason = "read by Debug")]
struct Name {
    id: i32,
    email: String,
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "article::Entity")]
#[expect(dead_code, reason = "read by Debug")]
struct Headline {
    title: String,
    #[sea_orm(nested)]
    author: Option<Name>,
}

pub(crate) async fn graph<C: Connection>(db: &C, call: Graph, row: &Row) -> String {
    match row {
        Row::Person(model) => of_person(db, call, model).await,
        Row::Article(model) => of_article(db, call, model).await,
        Row::Profile(model) => {
            let find = profile::Entity::find_by_person_id(model.person_id);
            door(call, find.clone().one(db).await, find.all(db).await)
        }
        Row::Tag(model) => {
            let name = model.name.clone().unwrap_or_default();
            let find = tag::Entity::find_by_name(name);
            door(call, find.clone().one(db).await, find.all(db).await)
        }
        Row::Folder(model) => value(
            folder::Entity::load()
                .filter_by_id(model.path.clone())
                .with(person::Entity)
                .with(folder::Relation::Parent)
                .one(db)
                .await,
        ),
        row => unreachable!("nothing of its own: {row:?}"),
    }
}

async fn of_person<C: Connection>(db: &C, call: Graph, model: &person::Model) -> String {
    let by_id = || person::Entity::find_by_id(model.id);
    let by_email = || person::Entity::find_by_email(model.email.clone());
    match call {
        Graph::Finder(Door::One) => value(by_email().one(db).await),
        Graph::Finder(Door::All) => bag(by_email().all(db).await),
        Graph::IdEqAny => {
            let ids = [model.id, 2, 7];
            let condition = match ConnectionTrait::get_database_backend(db) {
                DbBackend::Postgres => person::Column::Id.eq_any(ids),
                _ => person::Column::Id.is_in(ids),
            };
            bag(person::Entity::find().filter(condition).all(db).await)
        }
        Graph::WideKey => {
            let key = match ConnectionTrait::get_database_backend(db) {
                // A pooled connection that has prepared the text for one width refuses the other: a cached row
                // is an answer where the database would give an error.
                DbBackend::Postgres => person::Column::Id.eq(model.id),
                _ => person::Column::Id.eq(i64::from(model.id)),
            };
            value(person::Entity::find().filter(key).one(db).await)
        }
        Graph::IntoTuple => {
            type Columns = (i32, String, Option<String>, person::Role, Option<i32>);
            value(by_id().into_tuple::<Columns>().one(db).await)
        }
        Graph::IntoOtherModel => value(by_id().into_model::<Contact>().one(db).await),
        Graph::BossLinked => value(model.find_linked(Boss).one(db).await),
        Graph::ReportsLinked => bag(model.find_linked(Reports).all(db).await),
        Graph::AlsoBoss => bag(person::Entity::find().find_also_linked(Boss).all(db).await),
        Graph::LoadBoss => {
            let people = vec![model.clone()];
            list(people.load_self(person::Entity, person::Relation::Boss, db).await)
        }
        Graph::LoadReports => {
            let people = vec![model.clone()];
            let found = people.load_self_many(person::Entity, person::Relation::Reports, db).await;
            list(found.map(|mut lists| {
                lists.iter_mut().for_each(|list| list.sort_by_key(|person| person.id));
                lists
            }))
        }
        Graph::PersonLoader => {
            let load =
                person::Entity::load().filter_by_id(model.id).with(profile::Entity).with(article::Entity);
            value(load.one(db).await.map(|person| person.map(with_sorted_articles)))
        }
        Graph::PeopleLoader => {
            let load = person::Entity::load()
                .with(person::Relation::Boss)
                .with(profile::Entity)
                .with(article::Entity)
                .order_by_asc(person::Column::Id);
            list(load.all(db).await.map(|people| people.into_iter().map(with_sorted_articles).collect()))
        }
        Graph::PartialModel => value(by_id().into_partial_model::<Name>().one(db).await),
        call => unreachable!("not of a person: {call:?}"),
    }
}

fn with_sorted_articles(mut person: person::ModelEx) -> person::ModelEx {
    if let HasMany::Loaded(articles) = &mut person.articles {
        articles.sort_by_key(|article| article.id);
    }
    person
}

async fn of_article<C: Connection>(db: &C, call: Graph, model: &article::Model) -> String {
    match call {
        Graph::Finder(door) => {
            let find = article::Entity::find_by_edition_of((model.title.clone(), model.edition));
            match door {
                Door::One => value(find.one(db).await),
                Door::All => bag(find.all(db).await),
            }
        }
        Graph::OwnerOfFolderLinked => value(model.find_linked(OwnerOfFolder).one(db).await),
        Graph::WithOwnerOfFolder => {
            bag(article::Entity::find().find_also_linked(OwnerOfFolder).all(db).await)
        }
        Graph::ArticleLoader => {
            let load = article::Entity::load()
                .filter_by_id(model.id)
                .with(person::Entity)
                .with(folder::Entity)
                .with(tag::Entity)
                .with((comment::Entity, person::Entity));
            value(load.one(db).await.map(|article| {
                article.map(|mut article| {
                    if let HasMany::Loaded(tags) = &mut article.tags {
                        tags.sort_by_key(|tag| tag.id);
                    }
                    if let HasMany::Loaded(comments) = &mut article.comments {
                        comments.sort_by_key(|comment| comment.number);
                    }
                    article
                })
            }))
        }
        Graph::PartialNested => {
            let select = article::Entity::find_by_id(model.id).left_join(person::Entity);
            value(select.into_partial_model::<Headline>().one(db).await)
        }
        call => unreachable!("not of an article: {call:?}"),
    }
}

fn door<T: std::fmt::Debug>(
    call: Graph,
    one: Result<Option<T>, sea_orm::DbErr>,
    all: Result<Vec<T>, sea_orm::DbErr>,
) -> String {
    if call == Graph::Finder(Door::All) { bag(all) } else { value(one) }
}
