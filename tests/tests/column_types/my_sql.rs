//! Column types of MySQL and MariaDB, or with values that they alone can hold.

use sea_orm::entity::prelude::*;

use super::column::columns;

columns! {
    year "year_number" (column_type = "Year") u16 = [1901, 2024, 2155];
    bit "bit_number" (column_type = "Bit(Some(8))") u64 = [0, 255];
    var_bit "var_bit_number" (column_type = "VarBit(64)") u64 = [0, u64::MAX];
    big_unsigned "big_unsigned_max" (column_type = "BigUnsigned") u64 = [0, u64::MAX];
    money "money_my_sql" (column_type = "Money(Some((10, 2)))") Decimal = ["0.01".parse().expect("a number")];
    medium "medium_int" (column_type = "custom(\"MEDIUMINT\")") i32 = [-8_388_608, 8_388_607];
    text_uuid "text_uuid" (column_type = "custom(\"CHAR(36)\")") TextUuid = [TextUuid(Uuid::max())];
    long_text "long_text" (column_type = "custom(\"LONGTEXT\")") String = ["x".repeat(70_000)];
    nul "nul_my_sql" (column_type = "Text") String = ["a\0b", "\0"].map(str::to_owned);
    set "set_text" (column_type = "custom(\"SET('a','b')\")") String = ["", "a,b"].map(str::to_owned);
}
