//! What the derive asks the compiler about the type of a column.
//!
//! A constant of an `impl` with a bound comes before that of a trait, and where the bound does not hold there is only
//! the trait's. So a constant tells whether a type has a trait, and the derive can name the column when it has none.

use std::marker::PhantomData;

use sea_orm::{ActiveEnum, TryGetableFromJson};

use super::SameJson;

/// Its constants tell which traits a column's type has. [`Otherwise`] must be in scope.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T: SameJson> Probe<T> {
    /// It is a [`SameJson`].
    pub const SAME: bool = true;
    /// Its values are kept as the database gave them.
    pub const EXACT: bool = T::EXACT;
}

impl<T: ActiveEnum> Probe<T> {
    /// It is an enum: text or an integer to the database.
    pub const ENUM: bool = true;
}

impl<T: TryGetableFromJson> Probe<T> {
    /// It is a structure in a JSON column.
    pub const DOCUMENT: bool = true;
}

/// What holds of all types.
pub trait Otherwise {
    /// It is no [`SameJson`].
    const SAME: bool = false;
    /// Its values may be converted.
    const EXACT: bool = false;
    /// It is no enum.
    const ENUM: bool = false;
    /// It is no structure in a JSON column.
    const DOCUMENT: bool = false;
}

impl<T> Otherwise for Probe<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::entity::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i32", db_type = "Integer")]
    enum Digit {
        #[sea_orm(num_value = 0)]
        Zero,
    }

    #[test]
    fn constants_tell_the_traits_of_a_type() {
        const { assert!(Probe::<Option<i32>>::SAME && Probe::<Option<i32>>::EXACT) };
        const { assert!(Probe::<TextUuid>::SAME && !Probe::<TextUuid>::EXACT) };
        const { assert!(!Probe::<Option<Decimal>>::SAME && !Probe::<DateTimeUtc>::SAME) };
        const { assert!(!Probe::<Digit>::SAME && Probe::<Digit>::ENUM && !Probe::<i32>::ENUM) };
        const { assert!(Probe::<BTreeMap<String, i32>>::DOCUMENT && !Probe::<String>::DOCUMENT) };
    }

    #[test]
    fn a_list_of_bytes_is_not_a_list_of_numbers() {
        const { assert!(!Probe::<Vec<u8>>::SAME && !Probe::<Option<Vec<u8>>>::SAME) };
        #[cfg(feature = "postgres-array")]
        const {
            assert!(Probe::<Vec<i32>>::SAME && !Probe::<Vec<Vec<u8>>>::SAME)
        };
    }
}
