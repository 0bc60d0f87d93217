//! Reads of one entity: by key, by lists of keys, by anything else.

use futures_util::TryStreamExt;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, SelectExt, Statement, StreamTrait,
    sea_query::{Expr, ExprTrait, extension::postgres::PgExpr},
};
use tests::shop::{category, offer, product, stock};

use crate::{
    call::{Call, calls},
    library::{author, book, voucher},
};

pub(crate) fn by_key() -> Vec<Call> {
    calls! {
        "find_by_id(1).one" => |db| product::Entity::find_by_id(1).one(db).await,
        "find_by_id(1).all" => |db| product::Entity::find_by_id(1).all(db).await,
        "find().filter(Id.eq(1)).one" => |db|
            product::Entity::find().filter(product::Column::Id.eq(1)).one(db).await,
        "find_by_id(1).require_one" => |db| product::Entity::find_by_id(1).require_one(db).await,
        "find_by_id(1).into_json().one" => |db| product::Entity::find_by_id(1).into_json().one(db).await,
        "find_by_id(1).into_tuple().one: columns in alphabetical order" => |db|
            category::Entity::find_by_id(1).into_tuple::<(i32, String)>().one(db).await,
        "find_by_id(99).one: no such row" => |db| product::Entity::find_by_id(99).one(db).await,
        "find_by_id((1, 1)).one: composite key" => |db| stock::Entity::find_by_id((1, 1)).one(db).await,
        "find().filter(ProductId.eq(1)).filter(Warehouse.eq(1)).one: the same the other way round" => |db|
            stock::Entity::find()
                .filter(stock::Column::ProductId.eq(1))
                .filter(stock::Column::Warehouse.eq(1))
                .one(db)
                .await,
        "find_by_sku(\"A-1\").one: unique key" => |db| product::Entity::find_by_sku("A-1").one(db).await,
        "find().filter(Sku.eq(\"A-1\")).all" => |db|
            product::Entity::find().filter(product::Column::Sku.eq("A-1")).all(db).await,
        "find_by_sku(\"Z-9\").one: no such row" => |db| product::Entity::find_by_sku("Z-9").one(db).await,
        "find_by_work((\"Sea\", 2)).one: composite unique key" => |db|
            book::Entity::find_by_work(("Sea".to_owned(), 2)).one(db).await,
        "find_by_code(\"FREE\").one: select_as, save_as" [Postgres] => |db|
            voucher::Entity::find_by_code("FREE").one(db).await,
        "find_by_id(1).one: a column with select_as" [Postgres] => |db|
            voucher::Entity::find_by_id(1).one(db).await,
        "find().all" => |db| category::Entity::find().all(db).await,
        "find().one" => |db| category::Entity::find().one(db).await,
    }
}

pub(crate) fn by_keys() -> Vec<Call> {
    use product::Column::{Id, Sku};
    calls! {
        "filter(Id.is_in([1, 2])).all" => |db| product::Entity::find().filter(Id.is_in([1, 2])).all(db).await,
        "filter(Id.is_in([2, 1, 2, 99])).all: duplicates, an absent row" => |db|
            product::Entity::find().filter(Id.is_in([2, 1, 2, 99])).all(db).await,
        "filter(Id.is_in([2, 1])).order_by_asc(Id).all" => |db|
            product::Entity::find().filter(Id.is_in([2, 1])).order_by_asc(Id).all(db).await,
        "filter(Id.is_in([1, 2])).order_by_desc(Price).all" => |db|
            product::Entity::find().filter(Id.is_in([1, 2])).order_by_desc(product::Column::Price).all(db).await,
        "filter(Id.is_in([1, 2])).one" => |db|
            product::Entity::find().filter(Id.is_in([1, 2])).order_by_asc(Id).one(db).await,
        "filter(Id.is_in([])).all" => |db|
            product::Entity::find().filter(Id.is_in(Vec::<i32>::new())).all(db).await,
        "filter(Id.is_in([1])).all" => |db| product::Entity::find().filter(Id.is_in([1])).all(db).await,
        "filter(Sku.is_in([\"A-1\", \"B-2\"])).all: unique key" => |db|
            product::Entity::find().filter(Sku.is_in(["A-1", "B-2"])).all(db).await,
        "filter((Warehouse, ProductId).in_tuples([(1, 1), (1, 2)])).all" => |db| {
            let columns = [stock::Column::Warehouse, stock::Column::ProductId].map(Expr::col);
            let keys = Expr::tuple(columns).in_tuples([(1, 1), (1, 2)]);
            stock::Entity::find().filter(keys).all(db).await
        },
        "filter((ProductId, Country).in_tuples([(1, \"de\"), (1, \"fr\")])).all: unique key" => |db| {
            let columns = [offer::Column::ProductId, offer::Column::Country].map(Expr::col);
            let keys = Expr::tuple(columns).in_tuples([(1, "de"), (1, "fr")]);
            offer::Entity::find().filter(keys).all(db).await
        },
        "filter(Id.eq_any([1, 2])).all" [Postgres] => |db|
            product::Entity::find().filter(Id.eq_any([1, 2])).all(db).await,
        "filter(Sku.eq_any([\"A-1\"])).all" [Postgres] => |db|
            product::Entity::find().filter(Sku.eq_any(["A-1".to_owned()])).all(db).await,
        "filter(any of Id.eq(1), Id.eq(2)).all" => |db|
            product::Entity::find().filter(Condition::any().add(Id.eq(1)).add(Id.eq(2))).all(db).await,
        "filter(Id.is_in([1, 2])).filter(Price.gt(100)).all" => |db|
            product::Entity::find().filter(Id.is_in([1, 2])).filter(product::Column::Price.gt(100)).all(db).await,
    }
}

pub(crate) fn other() -> Vec<Call> {
    use product::Column::{CategoryId, Id, Name, Price, Sku};
    calls! {
        "find_by_id(1).filter(Price.eq(100)).one" => |db|
            product::Entity::find_by_id(1).filter(Price.eq(100)).one(db).await,
        "find_by_id(1).filter(Sku.eq(\"A-1\")).one" => |db|
            product::Entity::find_by_id(1).filter(Sku.eq("A-1")).one(db).await,
        "find_by_id(1).filter(Price.gt(5)).one" => |db|
            product::Entity::find_by_id(1).filter(Price.gt(5)).one(db).await,
        "find_by_id(1).exists" => |db| product::Entity::find_by_id(1).exists(db).await,
        "find_by_id(1).count" => |db| product::Entity::find_by_id(1).count(db).await,
        "find().count" => |db| product::Entity::find().count(db).await,
        "filter(Name.eq(\"saw\")).all" => |db| product::Entity::find().filter(Name.eq("saw")).all(db).await,
        "filter(CategoryId.eq(None)).all" => |db|
            product::Entity::find().filter(CategoryId.eq(None::<i32>)).all(db).await,
        "filter(CategoryId.is_null()).all" => |db|
            product::Entity::find().filter(CategoryId.is_null()).all(db).await,
        "filter(Sku.like(\"A%\")).all" => |db| product::Entity::find().filter(Sku.like("A%")).all(db).await,
        "filter(Genre.eq(Novel)).all: native enum" => |db|
            book::Entity::find()
                .filter(book::Column::Genre.eq(book::Genre::Novel))
                .order_by_asc(book::Column::Id)
                .all(db)
                .await,
        "filter(Email.ilike(\"A@%\")).all" [Postgres] => |db|
            author::Entity::find().filter(Expr::col(author::Column::Email).ilike("A@%")).all(db).await,
        "order_by_desc(Id).limit(2).all" => |db| product::Entity::find().order_by_desc(Id).limit(2).all(db).await,
        "find_by_id(1).limit(1).offset(1).all" => |db|
            product::Entity::find_by_id(1).limit(1).offset(1).all(db).await,
        "find().paginate(2).fetch_page(0)" => |db|
            product::Entity::find().order_by_asc(Id).paginate(db, 2).fetch_page(0).await,
        "find().cursor_by(Id).after(1).first(2).all" => |db|
            product::Entity::find().cursor_by(Id).after(1).first(2).all(db).await,
        "find_by_id(1).select_only().column(Price).into_tuple().one" => |db|
            product::Entity::find_by_id(1).select_only().column(Price).into_tuple::<i32>().one(db).await,
        "find_by_id(1).into_partial_model().one" => |db|
            book::Entity::find_by_id(1).into_partial_model::<book::Spine>().one(db).await,
        "find_by_id(1).lock_exclusive().one" => |db|
            product::Entity::find_by_id(1).lock_exclusive().one(db).await,
        "find().stream" => |db| {
            let rows = product::Entity::find().order_by_asc(Id).stream(db).await?;
            rows.try_collect::<Vec<_>>().await
        },
        "query_one_raw with the text of find_by_id(1).one" => |db| {
            let backend = db.get_database_backend();
            let row = db.query_one_raw(product::Entity::find_by_id(1).limit(1).build(backend)).await?;
            row.map(|row| row.try_get::<String>("", "sku")).transpose()
        },
        "query_all_raw: SELECT sku FROM product" => |db| {
            let backend = db.get_database_backend();
            let rows = db.query_all_raw(Statement::from_string(backend, "SELECT sku FROM product WHERE id = 1")).await?;
            rows.iter().map(|row| row.try_get::<String>("", "sku")).collect::<Result<Vec<_>, _>>()
        },
        "stream_raw: SELECT sku FROM product" => |db| {
            let backend = db.get_database_backend();
            let rows = db.stream_raw(Statement::from_string(backend, "SELECT sku FROM product WHERE id = 1")).await?;
            let skus = rows.and_then(async |row| row.try_get::<String>("", "sku"));
            skus.try_collect::<Vec<_>>().await
        },
    }
}
