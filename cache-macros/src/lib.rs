//! The [`Cacheable`] derive of `cache-orm`, which re-exports it: users never name this crate.
//!
//! A derive is read in four steps, a file each: `attr` reads the syntax of `#[cacheable(..)]`, `ast` the
//! struct it stands on, `valid` turns both into a policy, `expand` writes the code (and `columns` that part of it which
//! asks the compiler about the types of the columns). Every mistake is kept until the end, in `errors`, so that a user
//! sees all of them at once.

mod ast;
mod attr;
mod columns;
mod duration;
mod errors;
mod expand;
mod valid;

use errors::Errors;
use syn::{DeriveInput, parse_macro_input};

/// Lets a `CachedConnection` keep the rows of a SeaORM entity.
///
/// Stands on the entity's `Model`, beside `DeriveEntityModel`. All settings are optional:
///
/// | setting | meaning | when not given |
/// |---|---|---|
/// | `ttl = "10m"` | how long an entry may live: whole numbers and their units, `d`, `h`, `m`, `s`, `ms`, as in `1h30m` | the connection's default |
/// | `all(max_rows = 1000)` | the largest result of `find().all()` that is kept | 1000 rows |
/// | `all = false` | results of `find().all()` are not kept | |
/// | `absent = false` | "no such row" is not kept | it is |
/// | `when_unreachable = "refuse"` | writes that may change the table fail while the store can't be reached; `"proceed"`: they go through | what the connection says |
/// | `hooks` | (feature `hooks`) writes `impl ActiveModelBehavior for ActiveModel`, whose hooks invalidate what is saved or deleted through SeaORM's own connection; then write none yourself | the impl is yours |
/// | `model_only` | cached rows are right for the model, and not for `into_json` or tuples | they are right for `into_json` |
/// | `tuples` | cached rows are right for the model and for tuples, and not for `into_json` | |
///
/// A row with a date, a time, a decimal or bytes can't be right for `into_json`: with such a column one of the last two
/// must be given, and `into_json` goes through `CachedConnection::bypass`. In builds with debug assertions, what is not
/// promised panics. A column of a type of your own must be a `cache_orm::SameJson`.
///
/// ```
/// use cache_orm::Cacheable;
/// use sea_orm::entity::prelude::*;
///
/// #[sea_orm::model]
/// #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
/// #[sea_orm(table_name = "product")]
/// #[cacheable(ttl = "10m", all(max_rows = 200))]
/// pub struct Model {
///     #[sea_orm(primary_key)]
///     pub id: i32,
///     #[sea_orm(unique)]
///     pub sku: String,
/// }
///
/// impl ActiveModelBehavior for ActiveModel {}
/// # fn main() {}
/// ```
///
/// `#[cache(..)]` is refused: it is this derive's too, lest a misspelt `#[cacheable(..)]` be taken for another's. So
/// another derive with an attribute of that name can't stand beside this one.
///
/// The `ModelEx` that `#[sea_orm::model]` generates beside the `Model` inherits the derive; it gets nothing.
#[proc_macro_derive(Cacheable, attributes(cacheable, cache))]
pub fn derive_cacheable(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    cacheable(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn cacheable(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    if input.ident == "ModelEx" {
        return Ok(proc_macro2::TokenStream::new());
    }
    let mut errors = Errors::default();
    let mut model = ast::Model::read(input, &mut errors);
    let policy = valid::policy(std::mem::take(&mut model.settings), cfg!(feature = "hooks"), &mut errors);
    errors.into_result()?;
    Ok(expand::expand(&model, &policy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn the_generated_model_ex_gets_nothing() {
        let input = parse_quote! {
            #[sea_orm(table_name = "product")]
            #[cacheable(ttl = "never reported twice")]
            struct ModelEx { #[sea_orm(has_many)] reviews: HasMany<super::review::Entity> }
        };
        assert!(cacheable(&input).expect("nothing is checked there").is_empty());
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let input = parse_quote! {
            #[sea_orm(table_name = "product")]
            #[cacheable(ttl = "10", ttl = 7, colour = "red", all)]
            #[cacheable(absent)]
            struct Model<T> { id: T }
        };
        let error = cacheable(&input).expect_err("full of mistakes");
        assert_eq!(error.into_iter().count(), 7);
    }
}
