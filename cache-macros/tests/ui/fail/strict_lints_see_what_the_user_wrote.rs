#![deny(warnings)]
#![forbid(missing_docs, unsafe_code, unused_qualifications)]
//! Generated code names everything in full and is no matter of the user's lints: they find one field.

/// An entity among names that could be taken for others.
pub mod product {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[allow(dead_code)]
    mod core {}
    #[allow(dead_code)]
    struct Registration;
    #[allow(dead_code)]
    struct Policy;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "product")]
    #[cacheable(ttl = "10m")]
    /// A product.
    pub struct Model {
        /// Its number.
        #[sea_orm(primary_key)]
        pub id: i32,
        pub undocumented: bool,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn main() {}
