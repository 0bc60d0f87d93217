//! Column types as SQLite alone takes them.

use sea_orm::entity::prelude::*;

use super::column::columns;

columns! {
    text_uuid "text_uuid_sqlite" (column_type = "Text") TextUuid = [TextUuid(Uuid::nil()), TextUuid(Uuid::max())];
    money "money_sqlite" (column_type = "Money(Some((10, 2)))") Decimal = ["0.5".parse().expect("a number")];
    /// A declared type that SQLite gives no meaning.
    odd "odd_sqlite" (column_type = "custom(\"whatever\")") String = ["text", ""].map(str::to_owned);
    nul "nul_sqlite" (column_type = "Text") String = ["a\0b", "\0"].map(str::to_owned);
}
