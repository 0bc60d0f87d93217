use cache_orm::{CachedConnection, MemoryStore};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{ActiveValue::Set, Database, EntityTrait, ActiveModelTrait, ActiveValue::Unchanged};
use tests::shop::product;

#[tokio::test]
async fn smoke() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    let db = CachedConnection::new(db, MemoryStore::default());
    db.ready().await.unwrap();
    product::ActiveModel { id: Set(1), sku: Set("a".into()), name: Set("A".into()), price: Set(3), category_id: Set(None) }
        .insert(&db).await.unwrap();
    for _ in 0..3 {
        let p = product::Entity::find_by_id(1).one(&db).await.unwrap().unwrap();
        assert_eq!(p.price, 3);
        let p = product::Entity::find_by_sku("a").one(&db).await.unwrap().unwrap();
        assert_eq!(p.price, 3);
        assert_eq!(product::Entity::find().all(&db).await.unwrap().len(), 1);
        assert!(product::Entity::find_by_id(2).one(&db).await.unwrap().is_none());
    }
    println!("{:#?}", db.stats());
    product::ActiveModel { id: Unchanged(1), price: Set(9), ..Default::default() }.update(&db).await.unwrap();
    let p = product::Entity::find_by_sku("a").one(&db).await.unwrap().unwrap();
    assert_eq!(p.price, 9);
    println!("{:#?}", db.stats());
}
