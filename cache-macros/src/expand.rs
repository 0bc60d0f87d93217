//! The code that the derive writes. It names nothing but `::cache_orm` and `::core`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Ident;

use crate::{
    ast::Model,
    columns,
    valid::{Decoders, Policy, Unreachable},
};

pub(crate) fn expand(model: &Model<'_>, policy: &Policy) -> TokenStream {
    let Model { name: model, columns, .. } = model;
    // Placed at the struct's name, so that a missing trait of SeaORM is reported there, but still known as
    // generated, so that the lints of the user's crate leave it alone.
    let span = Span::call_site().located_at(model.span());
    let ttl = match policy.ttl.map(|ttl| u64::try_from(ttl.as_millis()).expect("bounded by `valid`")) {
        Some(millis) => quote_spanned! {span=>
            ::core::option::Option::Some(::core::time::Duration::from_millis(#millis))
        },
        None => quote_spanned! {span=> ::core::option::Option::None },
    };
    let all_max_rows = match policy.all_max_rows {
        Some(rows) => quote_spanned! {span=> ::core::option::Option::Some(#rows) },
        None => quote_spanned! {span=> ::core::option::Option::None },
    };
    let absent = policy.absent;
    let decoders = match policy.decoders {
        Decoders::Json => quote_spanned! {span=> Json },
        Decoders::Tuples => quote_spanned! {span=> Tuples },
        Decoders::Model => quote_spanned! {span=> Model },
    };
    let promises_json = policy.decoders == Decoders::Json;
    let checks = promises_json.then(|| columns::checks(columns));
    let converts = if promises_json {
        columns::converts(columns, span)
    } else {
        quote_spanned! {span=> false }
    };
    let when_unreachable = match policy.when_unreachable {
        Some(Unreachable::Proceed) => {
            quote_spanned! {span=> ::core::option::Option::Some(::cache_orm::Unreachable::Proceed) }
        }
        Some(Unreachable::Refuse) => {
            quote_spanned! {span=> ::core::option::Option::Some(::cache_orm::Unreachable::Refuse) }
        }
        None => quote_spanned! {span=> ::core::option::Option::None },
    };
    let hooks = policy.hooks.as_ref().map(|word| hooks(word.span()));
    let has_one_table = has_one_table(model, span);
    quote_spanned! {span=>
        #[automatically_derived]
        impl ::cache_orm::__private::CacheModel for #model {
            const POLICY: ::cache_orm::__private::Policy = ::cache_orm::__private::Policy {
                ttl: #ttl,
                all_max_rows: #all_max_rows,
                absent: #absent,
                decoders: ::cache_orm::__private::Decoders::#decoders,
                converts: #converts,
                when_unreachable: #when_unreachable,
            };
        }

        #has_one_table

        #checks

        ::cache_orm::__private::inventory::submit! {
            ::cache_orm::__private::Registration::of::<#model>()
        }

        #hooks
    }
}

/// That an entity has one table, as far as its type tells.
fn has_one_table(model: &Ident, span: Span) -> TokenStream {
    let message = "the entity has fields, so its table name may depend on them. Rows are cached under the one name that \
                   the entity's default gives: let `Entity` be a struct without fields, and each table have an entity \
                   of its own";
    quote_spanned! {span=>
        const _: () = {
            const fn fields_of_entity<M: ::cache_orm::__private::CacheModel>() -> usize {
                ::core::mem::size_of::<M::Entity>()
            }
            ::core::assert!(fields_of_entity::<#model>() == 0, #message);
        };
    }
}

/// The behavior of the `ActiveModel` that SeaORM generates beside the model. Placed at the word that asks for it: if the
/// user has written the same impl, the compiler shows both, and either may go.
fn hooks(word: Span) -> TokenStream {
    let span = Span::call_site().located_at(word);
    quote_spanned! {span=>
        #[automatically_derived]
        #[::cache_orm::__private::async_trait::async_trait]
        impl ::cache_orm::__private::ActiveModelBehavior for ActiveModel {
            async fn before_save<C>(
                self,
                db: &C,
                insert: bool,
            ) -> ::core::result::Result<Self, ::cache_orm::__private::DbErr>
            where
                C: ::cache_orm::__private::ConnectionTrait,
            {
                ::cache_orm::hooks::before_save(&self, db, insert).await?;
                ::core::result::Result::Ok(self)
            }

            async fn before_delete<C>(
                self,
                db: &C,
            ) -> ::core::result::Result<Self, ::cache_orm::__private::DbErr>
            where
                C: ::cache_orm::__private::ConnectionTrait,
            {
                ::cache_orm::hooks::before_delete(&self, db).await?;
                ::core::result::Result::Ok(self)
            }
        }
    }
}
