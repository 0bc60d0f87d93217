//! From rows to related rows, in every direction.

use std::fmt::Debug;

use sea_orm::{LoaderTrait, ModelTrait, QueryFilter, Related};

use crate::{
    entities::{article, comment, folder, person, profile, tag},
    outcome::{bag, list, value},
    program::{Follow, Hop, Relation},
    read::among,
    run::Connection,
    tables::{OfTable, Row},
};

pub(crate) async fn hop<C: Connection>(db: &C, Hop { relation, how }: Hop, rows: &[Row]) -> String {
    use Relation as R;
    match relation {
        R::PersonProfile => follow::<person::Entity, profile::Entity, C>(db, how, rows).await,
        R::PersonArticles => follow::<person::Entity, article::Entity, C>(db, how, rows).await,
        R::ProfilePerson => follow::<profile::Entity, person::Entity, C>(db, how, rows).await,
        R::FolderOwner => follow::<folder::Entity, person::Entity, C>(db, how, rows).await,
        R::FolderArticles => follow::<folder::Entity, article::Entity, C>(db, how, rows).await,
        R::ArticleAuthor => follow::<article::Entity, person::Entity, C>(db, how, rows).await,
        R::ArticleFolder => follow::<article::Entity, folder::Entity, C>(db, how, rows).await,
        R::ArticleComments => follow::<article::Entity, comment::Entity, C>(db, how, rows).await,
        R::ArticleTags => follow::<article::Entity, tag::Entity, C>(db, how, rows).await,
        R::TagArticles => follow::<tag::Entity, article::Entity, C>(db, how, rows).await,
        R::CommentArticle => follow::<comment::Entity, article::Entity, C>(db, how, rows).await,
        R::CommentPerson => follow::<comment::Entity, person::Entity, C>(db, how, rows).await,
    }
}

async fn follow<From, To, C>(db: &C, how: Follow, rows: &[Row]) -> String
where
    From: OfTable + Related<To>,
    To: OfTable,
    C: Connection,
{
    let models = From::rows(rows);
    let find = || From::find().filter(among::<From>(&models, &From::key()));
    match how {
        Follow::RelatedOne => {
            // Of several, any may come first.
            let found = models[0].find_related(To::default()).all(db).await;
            let one = models[0].find_related(To::default()).one(db).await;
            match (found, one) {
                (Ok(all), Ok(Some(one))) if all.len() > 1 => {
                    format!("one of {} rows: {}", all.len(), contains(&all, &one))
                }
                (_, one) => value(one),
            }
        }
        Follow::RelatedAll => bag(models[0].find_related(To::default()).all(db).await),
        Follow::AlsoRelated => bag(find().find_also_related(To::default()).all(db).await),
        Follow::WithRelated => bag(find().find_with_related(To::default()).all(db).await.map(sorted_within)),
        Follow::LoadOne => list(models.load_one(To::default(), db).await),
        Follow::LoadMany => {
            let lists = models.load_many(To::default(), db).await;
            list(lists.map(|lists| lists.into_iter().map(sorted).collect()))
        }
    }
}

fn contains<T: Debug>(all: &[T], one: &T) -> bool {
    all.iter().any(|row| format!("{row:?}") == format!("{one:?}"))
}

fn sorted_within<T, U: Debug>(groups: Vec<(T, Vec<U>)>) -> Vec<(T, Vec<U>)> {
    groups.into_iter().map(|(one, many)| (one, sorted(many))).collect()
}

fn sorted<T: Debug>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}
