//! Statements as SeaORM renders them.

use sea_orm::{
    ActiveValue::{NotSet, Set, Unchanged},
    ExprTrait, QuerySelect, QueryTrait, Statement,
    entity::prelude::*,
    sea_query::{CommonTableExpression, Expr, Func, OnConflict, Query, WithClause},
};

use super::*;

#[expect(unreachable_pub, reason = "the derives make public items")]
mod book {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "Book")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub title: String,
        pub author_id: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn some_book() -> book::ActiveModel {
    book::ActiveModel { id: Unchanged(1), title: Set("a".into()), author_id: NotSet }
}

/// Checks a statement on each backend; a key's parameter is where the statement's values have the value.
#[track_caller]
fn check_rendered(expected: &str, statement: impl Fn(DbBackend) -> Statement) {
    for backend in EVERY {
        let rendered = statement(backend);
        assert_eq!(shown(&classify(&rendered.sql, backend)), expected, "{backend:?}: {}", rendered.sql);
    }
}

#[test]
fn reads() {
    use book::{Column, Entity};
    check_rendered("read", |backend| Entity::find_by_id(1).limit(1).build(backend));
    check_rendered("read", |backend| Entity::find().filter(Column::Title.is_in(["a", "b"])).build(backend));
    check_rendered("read", |backend| {
        let either = Column::Title.like("%a%").or(Column::AuthorId.is_null());
        Entity::find().filter(either).order_by_id_desc().limit(3).offset(0).build(backend)
    });
    check_rendered("read", |backend| {
        let inner = Entity::find().as_query().to_owned();
        let count = Query::select()
            .expr(Expr::cust("COUNT(*) AS num_items"))
            .from_subquery(inner, "sub_query")
            .to_owned();
        backend.build(&count)
    });
    for backend in [Postgres, MySql] {
        let locking = Entity::find_by_id(1).lock_exclusive().build(backend);
        assert_eq!(shown(&classify(&locking.sql, backend)), "locking");
    }
}

#[test]
fn inserts() {
    use book::{Column, Entity};
    check_rendered("insert book", |backend| Entity::insert(some_book()).build(backend));
    check_rendered("insert book", |backend| Entity::insert_many([some_book(), some_book()]).build(backend));
    check_rendered("insert book", |backend| {
        let mut insert = Entity::insert(some_book()).into_query();
        if backend != MySql {
            insert.returning_all();
        }
        backend.build(&insert)
    });
    check_rendered("upsert book", |backend| {
        let update = OnConflict::column(Column::Title).update_columns([Column::AuthorId]).to_owned();
        Entity::insert(some_book()).on_conflict(update).build(backend)
    });
    for backend in [Postgres, Sqlite] {
        let nothing = OnConflict::column(Column::Title).do_nothing().to_owned();
        let insert = Entity::insert(some_book()).on_conflict(nothing).build(backend);
        assert_eq!(shown(&classify(&insert.sql, backend)), "insert book");
    }
    check_rendered("insert book", |backend| {
        let source = Query::select().column(Column::Title).from(Entity).to_owned();
        let mut insert = Query::insert();
        insert.into_table(Entity).columns([Column::Title]).select_from(source).expect("one column each");
        backend.build(&insert)
    });
}

#[test]
fn updates() {
    use book::{Column, Entity};
    check_rendered("update[title] book(id=1)", |backend| {
        Entity::update(some_book()).validate().expect("it has a key").build(backend)
    });
    check_rendered("update[title author_id] book", |backend| {
        let update = Entity::update_many().col_expr(Column::Title, Expr::value("x"));
        update
            .col_expr(Column::AuthorId, Expr::col(Column::Id).add(1))
            .filter(Column::Id.gt(3))
            .build(backend)
    });
    check_rendered("update[title] book(author_id=1 id=2)", |backend| {
        let update = Entity::update_many().col_expr(Column::Title, Expr::value("x"));
        update.filter(Column::AuthorId.eq(1)).filter(Column::Id.eq(2)).build(backend)
    });
    let returning = Query::update()
        .table(Entity)
        .value(Column::Title, "x")
        .cond_where(Column::Id.eq(1))
        .returning_all()
        .to_owned();
    for backend in [Postgres, Sqlite] {
        assert_eq!(shown(&classify(&backend.build(&returning).sql, backend)), "update[title] book(id=1)");
    }
    let cast = Query::update()
        .table(Entity)
        .value(Column::Title, Expr::value("x").cast_as("genre"))
        .cond_where(Expr::col(Column::Id).eq(Expr::value(1).cast_as("genre")))
        .to_owned();
    check_rendered("update[title] book", |backend| backend.build(&cast));
}

#[test]
fn deletes() {
    use book::{Column, Entity};
    check_rendered("delete book(id=0)", |backend| Entity::delete_by_id(1).build(backend));
    check_rendered("delete book", |backend| Entity::delete_many().build(backend));
    check_rendered("delete book(title=0)", |backend| {
        Entity::delete_many()
            .filter(Column::Title.eq("a"))
            .filter(Column::AuthorId.is_not_null())
            .build(backend)
    });
    let pairs = Expr::tuple([Expr::col(Column::Id), Expr::col(Column::AuthorId)]);
    let delete = Query::delete().from_table(Entity).cond_where(pairs.in_tuples([(1, 2), (3, 4)])).to_owned();
    check_rendered("delete book", |backend| backend.build(&delete));
}

#[test]
fn writes_under_a_with() {
    use book::{Column, Entity};
    let gone = Query::delete().from_table(Entity).cond_where(Column::Id.eq(1)).returning_all().to_owned();
    let table = CommonTableExpression::new().query(gone).table_name("gone").to_owned();
    let read = Query::select().column(Column::Id).from("gone").to_owned();
    let with = read.with(WithClause::new().cte(table).to_owned());
    assert_eq!(shown(&classify(&Postgres.build(&with).sql, Postgres)), "delete book");
}

#[test]
fn calls_by_name() {
    let call = |name: &'static str| Query::select().expr(Func::cust(name)).to_owned();
    check_rendered("unknown", |backend| backend.build(&call("my_function")));
    check_rendered("read", |backend| backend.build(&call("coalesce")));
}
