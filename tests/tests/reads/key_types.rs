//! Keys whose type, or whose cast, makes another value of them than the database holds: slots are named by the
//! database's values alone.

use cache_orm::{CachedConnection, CachedEntity};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, ModelTrait, QueryFilter, QueryOrder,
    Statement, sea_query::Expr,
};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, store},
};

use entities::{Code, account, child, labelled, voucher, weight};

mod entities {
    use std::{fmt, str::FromStr};

    use sea_orm::{DeriveValueType, prelude::*, sea_query::ValueTypeErr};

    /// A text that is read in lower case.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, DeriveValueType)]
    #[sea_orm(value_type = "String")]
    pub(crate) struct Code(pub(crate) String);

    impl fmt::Display for Code {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl FromStr for Code {
        type Err = ValueTypeErr;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Ok(Code(text.to_lowercase()))
        }
    }

    impl sea_orm::TryFromU64 for Code {
        fn try_from_u64(_: u64) -> Result<Self, DbErr> {
            Err(DbErr::ConvertFromU64("Code"))
        }
    }

    /// A number that is kept as a text: `007` is read as 7.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, DeriveValueType)]
    #[sea_orm(value_type = "String")]
    pub(crate) struct Number(pub(crate) u32);

    impl fmt::Display for Number {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)
        }
    }

    impl FromStr for Number {
        type Err = ValueTypeErr;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            text.parse().map(Number).map_err(|_| ValueTypeErr)
        }
    }

    pub(crate) mod account {
        use cache_orm::Cacheable;
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "account")]
        #[cacheable(model_only)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
            pub(crate) code: super::Code,
            #[sea_orm(unique)]
            pub(crate) sku: String,
            pub(crate) n: i32,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub(crate) mod child {
        use cache_orm::Cacheable;
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "child")]
        #[cacheable(model_only)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i32,
            #[sea_orm(column_type = "Text")]
            pub(crate) code: super::Code,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {
            #[sea_orm(
                belongs_to = "super::account::Entity",
                from = "Column::Code",
                to = "super::account::Column::Code"
            )]
            Account,
        }

        impl Related<super::account::Entity> for Entity {
            fn to() -> RelationDef {
                Relation::Account.def()
            }
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    /// The table twice: only the one entity says that labels are unique.
    pub(crate) mod labelled {
        use cache_orm::Cacheable;
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "labelled")]
        #[cacheable(model_only)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i32,
            #[sea_orm(column_type = "Text", unique)]
            pub(crate) label: super::Code,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}

        pub(crate) mod unaware {
            use cache_orm::Cacheable;
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
            #[sea_orm(table_name = "labelled")]
            #[cacheable(model_only)]
            pub(crate) struct Model {
                #[sea_orm(primary_key, auto_increment = false)]
                pub(crate) id: i32,
                #[sea_orm(column_type = "Text")]
                pub(crate) label: super::super::Code,
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    }

    pub(crate) mod weight {
        use cache_orm::Cacheable;
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "weight")]
        #[cacheable(model_only)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i32,
            #[sea_orm(column_type = "Text", unique)]
            pub(crate) number: super::Number,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    /// Its key is selected without its end.
    pub(crate) mod voucher {
        use cache_orm::Cacheable;
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "voucher_cast")]
        #[cacheable(model_only)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false, column_type = "Text", select_as = "varchar(3)")]
            pub(crate) code: String,
            #[sea_orm(unique)]
            pub(crate) sku: String,
            pub(crate) n: i32,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }
}

tests::audited!(
    account::Entity,
    child::Entity,
    labelled::Entity,
    labelled::unaware::Entity,
    weight::Entity,
    voucher::Entity
);

async fn open(env: &Env) -> (DatabaseConnection, CachedConnection) {
    let plain = env.connect().await;
    let text = match env.backend() {
        Backend::MySql => "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        Backend::Sqlite | Backend::Postgres => "text",
    };
    for sql in [
        &*format!(
            "CREATE TABLE account (code {text} PRIMARY KEY, sku {text} NOT NULL UNIQUE, n int NOT NULL)"
        ),
        &*format!("CREATE TABLE child (id int PRIMARY KEY, code {text} NOT NULL)"),
        &*format!("CREATE TABLE labelled (id int PRIMARY KEY, label {text} NOT NULL UNIQUE)"),
        &*format!("CREATE TABLE weight (id int PRIMARY KEY, number {text} NOT NULL UNIQUE)"),
        &*format!(
            "CREATE TABLE voucher_cast (code {text} PRIMARY KEY, sku {text} NOT NULL UNIQUE, n int NOT NULL)"
        ),
        "INSERT INTO account VALUES ('ABC', 's1', 1), ('def', 's2', 2)",
        "INSERT INTO child VALUES (1, 'ABC'), (2, 'def')",
        "INSERT INTO labelled VALUES (1, 'ABC'), (2, 'def')",
        "INSERT INTO weight VALUES (1, '007'), (2, '8')",
        "INSERT INTO voucher_cast VALUES ('abcdef', 's1', 1)",
    ] {
        plain.execute_unprepared(sql).await.expect("the statement is right");
    }
    (plain, Shop::enter(env, env.store().await).await)
}

async fn execute(db: &CachedConnection, text: &str, value: &str) {
    let backend = db.get_database_backend();
    let text =
        if backend == sea_orm::DbBackend::Postgres { text.replace('?', "$1") } else { text.to_owned() };
    let statement = Statement::from_sql_and_values(backend, text, [value.into()]);
    db.execute_raw(statement).await.expect("the statement is right");
    db.settled().await;
}

/// The row with this sku, after enough reads to cache it.
async fn n_of(db: &CachedConnection, sku: &str) -> Option<i32> {
    for _ in 0..3 {
        account::Entity::find().filter(account::Column::Sku.eq(sku)).one(db).await.expect("an answer");
        db.settled().await;
    }
    let found = account::Entity::find().filter(account::Column::Sku.eq(sku)).one(db).await;
    found.expect("an answer").map(|account| account.n)
}

matrix! {
    stores: store;

    async fn a_primary_key_that_its_type_changes_names_no_slot(env: Env) {
        let (_plain, db) = open(&env).await;
        assert_eq!(n_of(&db, "s1").await, Some(1));
        account::Entity::update_many()
            .col_expr(account::Column::N, Expr::value(3))
            .filter(account::Column::Sku.eq("s1"))
            .exec(&db)
            .await
            .expect("the update succeeds");
        db.settled().await;
        assert_eq!(n_of(&db, "s1").await, Some(3));
        execute(&db, "UPDATE account SET n = 4 WHERE code = ?", "ABC").await;
        assert_eq!(n_of(&db, "s1").await, Some(4));

        // By a list, and by the key itself.
        let list = || account::Entity::find().filter(account::Column::Sku.is_in(["s1", "s2"]));
        let by_id = |code: &str| account::Entity::find_by_id(Code(code.to_owned())).one(&db);
        for _ in 0..3 {
            list().all(&db).await.expect("an answer");
            by_id("ABC").await.expect("an answer");
            assert_eq!(by_id("abc").await.expect("an answer"), None);
            db.settled().await;
        }
        execute(&db, "UPDATE account SET n = 5 WHERE code = ?", "ABC").await;
        let mut rows = list().all(&db).await.expect("an answer");
        rows.sort_by_key(|row| row.n);
        assert_eq!(rows.iter().map(|row| row.n).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(by_id("ABC").await.expect("an answer").map(|row| row.n), Some(5));

        // A row that its type leaves as it is goes on being cached.
        let before = db.stats().entities["account"].counts.hits;
        for _ in 0..3 {
            by_id("def").await.expect("an answer");
            db.settled().await;
        }
        assert!(db.stats().entities["account"].counts.hits > before);
    }

    async fn a_reference_that_its_type_changes_leads_nowhere(env: Env) {
        let (plain, db) = open(&env).await;
        for id in [1, 2] {
            let child = child::Entity::find_by_id(id).one(&plain).await.expect("an answer").expect("a row");
            let direct = child.find_related(account::Entity).one(&plain).await.expect("an answer");
            assert!(direct.is_some());
            for _ in 0..3 {
                child::Entity::find_by_id(id).one(&db).await.expect("an answer");
                assert_eq!(child.find_related(account::Entity).one(&db).await.expect("an answer"), direct);
                db.settled().await;
            }
        }
    }

    async fn an_alias_is_compared_with_the_value_of_the_database(env: Env) {
        let (_plain, db) = open(&env).await;
        let labels = |label: &str| labelled::Entity::find().filter(labelled::Column::Label.eq(label)).one(&db);
        // 'abc' leads to the row for a while.
        execute(&db, "UPDATE labelled SET label = 'abc' WHERE id = 1 AND label = ?", "ABC").await;
        for _ in 0..3 {
            assert!(labels("abc").await.expect("an answer").is_some());
            db.settled().await;
        }
        execute(&db, "UPDATE labelled SET label = 'ABC' WHERE id = 1 AND label = ?", "abc").await;
        // Neither entity over the table may fill the slot with what its type makes of the label.
        for _ in 0..3 {
            labelled::unaware::Entity::get(&db, 1).await.expect("an answer");
            labelled::Entity::get(&db, 1).await.expect("an answer");
            db.settled().await;
        }
        assert_eq!(labels("abc").await.expect("an answer"), None);
        let typed = labelled::Entity::get_by(&db, [(labelled::Column::Label, "abc".into())]).await;
        assert_eq!(typed.expect("an answer"), None);
    }

    async fn a_number_with_leading_zeros_is_another_key(env: Env) {
        let (_plain, db) = open(&env).await;
        let find = |number: &str| weight::Entity::find().filter(weight::Column::Number.eq(number)).one(&db);
        execute(&db, "UPDATE weight SET number = '7' WHERE number = ?", "007").await;
        for _ in 0..3 {
            assert!(find("7").await.expect("an answer").is_some());
            db.settled().await;
        }
        execute(&db, "UPDATE weight SET number = '007' WHERE number = ?", "7").await;
        for _ in 0..2 {
            weight::Entity::find_by_id(1).one(&db).await.expect("an answer");
            weight::Entity::find().all(&db).await.expect("an answer");
            db.settled().await;
        }
        assert_eq!(find("7").await.expect("an answer"), None);
        assert_eq!(find("007").await.expect("an answer").map(|row| row.id), Some(1));
    }

    async fn typed_lists_find_rows_whose_type_changes_their_keys(env: Env) {
        let (_plain, db) = open(&env).await;
        for _ in 0..2 {
            let keys = ["ABC", "abc", "def"].map(|code| Code(code.to_owned()));
            let found = account::Entity::get_many(&db, keys).await.expect("an answer");
            let found: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| row.n)).collect();
            assert_eq!(found, [Some(1), None, Some(2)]);
            db.settled().await;
        }
    }
}

/// `select_as` with a type that cuts values off.
#[tokio::test]
async fn a_key_that_is_cast_is_no_key() {
    tests::run(Backend::Postgres, tests::StoreKind::Memory, store, |env| async move {
        let (_plain, db) = open(&env).await;
        let n = || async {
            let found = voucher::Entity::find().filter(voucher::Column::Sku.eq("s1")).one(&db).await;
            found.expect("an answer").map(|row| row.n)
        };
        for _ in 0..3 {
            assert_eq!(n().await, Some(1));
            db.settled().await;
        }
        execute(&db, "UPDATE voucher_cast SET n = 2 WHERE code = ?", "abcdef").await;
        assert_eq!(n().await, Some(2));
        let ordered = voucher::Entity::find().order_by_asc(voucher::Column::Code).all(&db).await;
        assert_eq!(ordered.expect("an answer").len(), 1);
    })
    .await;
}
