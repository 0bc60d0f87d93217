//! The code that asks the compiler about the types of the columns, of an entity whose rows are right for `into_json`.
//!
//! The derive sees how a type is spelled, not what it is. So it writes constants that the compiler computes, and one
//! assertion for each column, with a message that names it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{GenericArgument, PathArguments, Type};

use crate::ast::ColumnField;

/// For each column, a check that `into_json` can see it alike in a cached row and in the database's own.
pub(crate) fn checks(columns: &[ColumnField<'_>]) -> TokenStream {
    columns.iter().map(check).collect()
}

fn check(ColumnField { field, kind }: &ColumnField<'_>) -> TokenStream {
    let span = Span::call_site().located_at(syn::spanned::Spanned::span(kind));
    let inner = unwrapped(kind);
    let spelled: String = kind.to_token_stream().to_string().chars().filter(|c| !c.is_whitespace()).collect();
    let message = format!(
        "column `{field}`: of a cached row, `into_json` would show a `{spelled}` in another form than the database \
         gives it. If rows of this entity are read as models, write `#[cacheable(model_only)]`, and read them as JSON \
         past the cache: `.into_json().one(&db.bypass())`. (A type of your own whose JSON is the same says `impl \
         cache_orm::SameJson`.)"
    );
    quote_spanned! {span=>
        const _: () = {
            use ::cache_orm::__private::{Otherwise as _, Probe};
            ::core::assert!(
                Probe::<#kind>::SAME || Probe::<#inner>::ENUM || Probe::<#inner>::DOCUMENT,
                #message
            );
        };
    }
}

/// Whether a column's type may convert what the database gave.
pub(crate) fn converts(columns: &[ColumnField<'_>], span: Span) -> TokenStream {
    let kinds = columns.iter().map(|column| column.kind);
    quote_spanned! {span=>
        {
            use ::cache_orm::__private::{Otherwise as _, Probe};
            !(true #(&& Probe::<#kinds>::EXACT)*)
        }
    }
}

/// The type inside of options and lists.
fn unwrapped(kind: &Type) -> &Type {
    let path = match kind {
        Type::Path(path) => path,
        // As a macro passes it on.
        Type::Group(group) => return unwrapped(&group.elem),
        _ => return kind,
    };
    let Some(last) = path.path.segments.last() else { return kind };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" || last.ident == "Vec" => {
            match arguments.args.first() {
                Some(GenericArgument::Type(inner)) => unwrapped(inner),
                _ => kind,
            }
        }
        _ => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn the_type_inside_of_options_and_lists_is_found() {
        let inner = |kind: Type| unwrapped(&kind).to_token_stream().to_string();
        assert_eq!(inner(parse_quote!(Mood)), "Mood");
        assert_eq!(inner(parse_quote!(Option<Vec<Mood>>)), "Mood");
        assert_eq!(inner(parse_quote!(std::option::Option<Mood>)), "Mood");
        assert_eq!(inner(parse_quote!(Map<Mood>)), "Map < Mood >");
    }

    #[test]
    fn every_column_is_checked_and_named() {
        let (id, due): (syn::Ident, syn::Ident) = (parse_quote!(id), parse_quote!(due));
        let (int, date): (Type, Type) = (parse_quote!(i32), parse_quote!(Option<Date>));
        let columns = [ColumnField { field: &id, kind: &int }, ColumnField { field: &due, kind: &date }];
        let code = checks(&columns).to_string();
        assert!(code.contains("column `id`: of a cached row, `into_json` would show a `i32`"), "{code}");
        assert!(
            code.contains("column `due`: of a cached row, `into_json` would show a `Option<Date>`"),
            "{code}"
        );
    }
}
