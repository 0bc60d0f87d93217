//! Writes that only some tables have.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    IntoActiveModel,
    entity::prelude::{ActiveBelongsTo, ActiveHasOne},
};

use crate::{
    entities::{article, person, profile, tag},
    outcome::value,
    program::Nested,
    run::Connection,
    tables::{OfTable, Row},
};

/// Every column set.
fn person_set(model: &person::Model) -> person::ActiveModelEx {
    model.clone().into_active_model().reset_all().into_ex()
}

/// The key and nothing else.
fn person_key(model: &person::Model) -> person::ActiveModelEx {
    model.clone().into_active_model().into_ex()
}

fn article_set(model: &article::Model) -> article::ActiveModelEx {
    model.clone().into_active_model().reset_all().into_ex()
}

/// A new tag.
fn tag_new(model: &tag::Model) -> tag::ActiveModelEx {
    let mut tag = model.clone().into_active_model().reset_all().into_ex();
    tag.id = NotSet;
    tag
}

pub(crate) async fn nested<C: Connection>(db: &C, call: Nested, rows: &[Row]) -> String {
    let people = person::Entity::rows(rows);
    let articles = article::Entity::rows(rows);
    let tags = tag::Entity::rows(rows);
    match call {
        Nested::InsertPersonWithProfile => {
            let profile = &profile::Entity::rows(rows)[0];
            let mut profile = profile.clone().into_active_model().reset_all().into_ex();
            (profile.id, profile.person_id) = (NotSet, NotSet);
            let mut person = person_set(&people[0]);
            person.id = NotSet;
            person.profile = ActiveHasOne::set(Some(profile));
            value(person.insert(db).await)
        }
        Nested::SavePersonWithArticles => {
            let mut person = person_key(&people[0]);
            person.nickname = Set(people[0].nickname.clone());
            for article in &articles {
                let mut words = article.clone().into_active_model().into_ex();
                words.words = Set(article.words);
                person.articles.push(words);
            }
            value(person.save(db).await)
        }
        Nested::ReplaceArticles => {
            let mut person = person_key(&people[0]);
            person.articles.replace_all(articles.iter().map(article_set));
            value(person.save(db).await)
        }
        Nested::SaveArticleWithAuthor => {
            let mut author = person_set(&people[0]);
            author.id = NotSet;
            let mut article = article_set(&articles[0]);
            article.author_id = NotSet;
            article.author = ActiveBelongsTo::set(author);
            value(article.insert(db).await)
        }
        Nested::SaveArticleWithTags => {
            let mut article = articles[0].clone().into_active_model().into_ex();
            article.words = Set(articles[0].words);
            for tag in &tags {
                article.tags.push(tag_new(tag));
            }
            value(article.save(db).await)
        }
        Nested::ReplaceTags => {
            let mut article = articles[0].clone().into_active_model().into_ex();
            let tags = tags.iter().map(|tag| tag.clone().into_active_model().into_ex());
            article.tags.replace_all(tags);
            value(article.save(db).await)
        }
        Nested::DeletePerson => {
            value(person_key(&people[0]).delete(db).await.map(|result| result.rows_affected))
        }
        Nested::DeleteArticle => {
            let article = articles[0].clone().into_active_model().into_ex();
            value(article.delete(db).await.map(|result| result.rows_affected))
        }
        Nested::DeleteByEmail => {
            let delete = person::Entity::delete_by_email(people[0].email.clone());
            value(delete.exec(db).await.map(|result| result.rows_affected))
        }
        Nested::DeleteByEditionOf => {
            let delete =
                article::Entity::delete_by_edition_of((articles[0].title.clone(), articles[0].edition));
            value(delete.exec(db).await.map(|result| result.rows_affected))
        }
    }
}
