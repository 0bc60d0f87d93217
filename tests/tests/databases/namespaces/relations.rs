//! From a row to the row that it refers to, where the reference may be spelled otherwise than the key.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, LoaderTrait, ModelTrait, QueryFilter, QueryOrder,
};
use tests::{Backend, Env, matrix, shop::store};

use super::{
    keys::folded,
    lists::{byte_by_byte, folding_type, without_case},
    places::{Place, execute},
};

mod child {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "child")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i32,
        pub(crate) folded_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(
            belongs_to = "crate::namespaces::keys::folded::Entity",
            from = "Column::FoldedId",
            to = "crate::namespaces::keys::folded::Column::Id"
        )]
        Folded,
    }

    impl Related<crate::namespaces::keys::folded::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Folded.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(child::Entity);

/// Everything that leads from the children to their parents.
async fn parents(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let children = child::Entity::find().order_by_asc(child::Column::Id).all(db).await?;
    let mut said = vec![format!("{:?}", children.load_one(folded::Entity, db).await?)];
    let costly = folded::Entity::find().filter(folded::Column::Price.gt(1));
    said.push(format!("{:?}", children.load_one(costly, db).await?));
    for child in &children {
        // (MySQL refuses to compare some collations: that is an answer too.)
        let parent = child.find_related(folded::Entity).one(db).await;
        said.push(format!("{} {parent:?}", child.id));
    }
    let joined = child::Entity::find().find_also_related(folded::Entity).order_by_asc(child::Column::Id);
    said.push(format!("{:?}", joined.all(db).await));
    Ok(said)
}

async fn all_agree(place: &Place, when: &str) {
    for _ in 0..2 {
        assert_eq!(parents(&place.db).await, parents(&place.plain).await, "{when}");
        place.db.settled().await;
    }
}

/// Reads after each write of a parent and of a child.
async fn referred_to_in_every_way(env: &Env, column: &str) {
    // SQLite compares as the left column does: here unlike the right one.
    let reference = if env.backend() == Backend::Sqlite { "TEXT" } else { column };
    let place = Place::with(env, &[
        &format!(
            "CREATE TABLE folded (id {column} PRIMARY KEY NOT NULL, label {column} NOT NULL UNIQUE, \
             price INTEGER NOT NULL)"
        ),
        &format!("CREATE TABLE child (id INTEGER PRIMARY KEY NOT NULL, folded_id {reference})"),
        "INSERT INTO folded VALUES ('abc', 'abc', 1), ('xyz', 'xyz', 2)",
        "INSERT INTO child VALUES (1, 'abc'), (2, 'ABC'), (3, 'abc '), (4, NULL), (5, 'nobody'), (6, 'XYZ'), \
         (7, 'xyz'), (8, '')",
    ])
    .await;
    all_agree(&place, "at first").await;
    for (price, spelling) in (10..).zip(["abc", "ABC", "xyz ", "none"]) {
        let update = folded::Entity::update_many()
            .set(folded::ActiveModel { price: Set(price), ..Default::default() })
            .filter(folded::Column::Id.eq(spelling));
        update.exec(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        all_agree(&place, &format!("after an update of the parent as {spelling:?}")).await;
    }
    for (id, reference) in [(1, Some("xyz")), (7, Some("ABC")), (2, None), (4, Some("abc"))] {
        let row = child::ActiveModel { id: Unchanged(id), folded_id: Set(reference.map(str::to_owned)) };
        row.update(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        all_agree(&place, &format!("after child {id} referred to {reference:?}")).await;
    }
    execute(&place.db, "INSERT INTO folded VALUES ('nobody', 'nobody', 5)").await;
    place.db.settled().await;
    all_agree(&place, "after a parent appeared").await;
    let delete = folded::Entity::delete_many().filter(folded::Column::Id.is_in(["ABC", "XYZ"]));
    delete.exec(&place.db).await.expect("the delete goes through");
    place.db.settled().await;
    all_agree(&place, "after a delete of parents").await;
    child::Entity::delete_by_id(5).exec(&place.db).await.expect("the delete goes through");
    place.db.settled().await;
    all_agree(&place, "after a delete of a child").await;
}

matrix! {
    stores: store;

    async fn references_without_regard_to_case(env: Env) {
        referred_to_in_every_way(&env, without_case(&env).await).await;
    }

    /// Postgres compares no two columns with collations of their own: the join is an error.
    async fn references_under_another_collation(env: Env) on [Postgres] {
        for (reference, agrees) in [("\"POSIX\"", false), ("\"C\"", true), ("\"default\"", true)] {
            let child = format!("CREATE TABLE child (id INTEGER PRIMARY KEY, folded_id TEXT COLLATE {reference})");
            let place = Place::with(&env, &[
                "DROP TABLE IF EXISTS folded, child",
                "CREATE TABLE folded (id TEXT COLLATE \"C\" PRIMARY KEY, label TEXT UNIQUE, price INTEGER)",
                &child,
                "INSERT INTO folded VALUES ('abc', 'abc', 1)",
                "INSERT INTO child VALUES (1, 'abc')",
            ])
            .await;
            all_agree(&place, reference).await;
            let child = child::Entity::find_by_id(1).one(&place.plain).await.expect("an answer").expect("a row");
            assert_eq!(child.find_related(folded::Entity).one(&place.db).await.is_ok(), agrees, "{reference}");
        }
    }

    async fn references_byte_by_byte(env: Env) {
        referred_to_in_every_way(&env, byte_by_byte(&env)).await;
    }

    async fn references_of_a_type_that_folds(env: Env) {
        referred_to_in_every_way(&env, folding_type(&env).await).await;
    }
}
