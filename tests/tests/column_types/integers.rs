//! Integers that Postgres doesn't have.

use sea_orm::entity::prelude::*;

use super::column::columns;

columns! {
    tiny "tiny" (column_type = "TinyInteger") i8 = [i8::MIN, -1, 0, i8::MAX];
    tiny_unsigned "tiny_unsigned" (column_type = "TinyUnsigned") u8 = [0, u8::MAX];
    small_unsigned "small_unsigned" (column_type = "SmallUnsigned") u16 = [0, u16::MAX];
    big_unsigned "big_unsigned" (column_type = "BigUnsigned") u64 = [0, i64::MAX as u64];
}
