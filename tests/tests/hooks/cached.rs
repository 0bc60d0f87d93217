//! Hooks of the derive on a cached connection, which needs none.

#![allow(unreachable_pub, reason = "entities are public")]

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ConnectionTrait, EntityTrait, TransactionTrait,
};
use tests::{
    Env, matrix,
    shop::{Shop, store},
};

use crate::ALONE;

/// Its hooks are the derive's.
mod memo {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "memo")]
    #[cacheable(hooks)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub text: String,
    }
}

tests::audited!(memo::Entity);

matrix! {
    stores: store;

    async fn hooks_leave_a_cached_connection_to_itself(env: Env) {
        env.keep(ALONE.lock().await);
        let raw = env.connect().await;
        for ddl in [
            "CREATE TABLE memo (id INT PRIMARY KEY, text VARCHAR(50) NOT NULL)",
            "INSERT INTO memo VALUES (1, 'one'), (2, 'two')",
        ] {
            raw.execute_unprepared(ddl).await.expect("the statement is right");
        }
        let db = Shop::enter(&env, env.store().await).await;
        let memo = |id, text: &str| memo::ActiveModel { id: Unchanged(id), text: Set(text.to_owned()) };
        memo(1, "uno").update(&db).await.expect("the update succeeds");
        let transaction = db.begin().await.expect("a transaction");
        memo(2, "dos").update(&transaction).await.expect("the update succeeds");
        transaction.commit().await.expect("the commit succeeds");
        db.settled().await;
        for _ in 0..2 {
            for (id, text) in [(1, "uno"), (2, "dos")] {
                let memo = memo::Entity::find_by_id(id).one(&db).await.expect("an answer").expect("a row");
                assert_eq!(memo.text, text);
            }
            db.settled().await;
        }
        let counts = db.stats().entities["memo"].counts;
        assert_eq!(counts.abandoned_fences, 0);
        assert!(counts.hits >= 2);
    }
}
