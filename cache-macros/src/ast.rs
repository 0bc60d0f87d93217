//! The struct that the derive stands on: is it a SeaORM model, and which settings does it carry?

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Data, DataStruct, DeriveInput, Fields, Ident, Meta, Type, spanned::Spanned};

use crate::{
    attr::{self, FORMAT, Setting},
    errors::Errors,
};

/// A model, as far as the derive looks at it.
pub(crate) struct Model<'a> {
    pub(crate) name: &'a Ident,
    /// The fields that are columns.
    pub(crate) columns: Vec<ColumnField<'a>>,
    /// Of all its `#[cacheable(..)]` attributes, in order.
    pub(crate) settings: Vec<Setting>,
}

/// A field that is a column.
pub(crate) struct ColumnField<'a> {
    pub(crate) field: &'a Ident,
    pub(crate) kind: &'a Type,
}

impl<'a> Model<'a> {
    pub(crate) fn read(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut columns = Vec::new();
        match &input.data {
            Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) => {
                check_fields(input, &fields.named, errors);
                columns.extend(fields.named.iter().filter_map(column));
            }
            Data::Struct(DataStruct { fields, .. }) => {
                let place = if fields.is_empty() { input.ident.span() } else { fields.span() };
                errors.push(not_a_model(place, "a struct without named fields"));
            }
            Data::Enum(data) => errors.push(not_a_model(data.enum_token.span, "an enum")),
            Data::Union(data) => errors.push(not_a_model(data.union_token.span, "a union")),
        }
        if !input.generics.params.is_empty() {
            errors.push(syn::Error::new_spanned(
                &input.generics.params,
                "a cached model has no generic parameters: SeaORM's `Model` has none",
            ));
        }
        for misspelt in input.attrs.iter().filter(|attribute| attribute.path().is_ident("cache")) {
            let message = format!("the attribute is called `cacheable`\n{FORMAT}");
            errors.push(syn::Error::new_spanned(misspelt.path(), message));
        }
        let own = input.attrs.iter().filter(|attribute| attribute.path().is_ident("cacheable"));
        let settings = own.flat_map(|attribute| attr::settings(attribute, errors)).collect();
        Model { name: &input.ident, columns, settings }
    }
}

/// The column of a field, unless it is none: ignored, or the other end of a relation.
fn column(field: &syn::Field) -> Option<ColumnField<'_>> {
    const NO_COLUMN: [&str; 5] = ["ignore", "has_one", "has_many", "belongs_to", "self_ref"];
    let is_column = !field.attrs.iter().any(|attribute| names_one_of(attribute, &NO_COLUMN));
    is_column.then_some(ColumnField { field: field.ident.as_ref()?, kind: &field.ty })
}

fn check_fields<'a>(
    input: &DeriveInput,
    fields: impl IntoIterator<Item = &'a syn::Field> + Clone,
    errors: &mut Errors,
) {
    let attributes = || fields.clone().into_iter().flat_map(|field| &field.attrs);
    for misplaced in attributes().filter(|attribute| is_for_the_struct(attribute)) {
        errors.push(syn::Error::new_spanned(
            misplaced,
            "`#[cacheable(..)]` belongs on the struct: a row is cached as a whole",
        ));
    }

    let is_sea_orm = |attribute: &Attribute| attribute.path().is_ident("sea_orm");
    if !input.attrs.iter().chain(attributes()).any(is_sea_orm) {
        // A `Model` without attributes may be SeaORM's expanded format, which names its key elsewhere; if it
        // is not, the compiler says which of SeaORM's traits are missing.
        if input.ident != "Model" {
            errors.push(syn::Error::new(
                input.ident.span(),
                "not a SeaORM model: derive it together with DeriveEntityModel",
            ));
        }
    } else if !attributes().any(is_primary_key) {
        errors.push(syn::Error::new(
            input.ident.span(),
            "no primary key: a row is cached under its primary key\n\
             help: put `#[sea_orm(primary_key)]` on the fields that identify a row",
        ));
    }
}

/// `cache` is what `cacheable` is easily called.
fn is_for_the_struct(attribute: &Attribute) -> bool {
    ["cacheable", "cache"].iter().any(|name| attribute.path().is_ident(name))
}

fn is_primary_key(attribute: &Attribute) -> bool {
    names_one_of(attribute, &["primary_key"])
}

/// Looks for these among SeaORM's arguments, whatever else stands there: SeaORM checks the rest.
fn names_one_of(attribute: &Attribute, wanted: &[&str]) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    let is_wanted = |name: Ident| wanted.iter().any(|wanted| name == wanted);
    attribute.path().is_ident("sea_orm") && argument_names(list.tokens.clone()).any(is_wanted)
}

/// The identifiers that begin an argument.
fn argument_names(arguments: TokenStream) -> impl Iterator<Item = Ident> {
    let mut at_start = true;
    arguments.into_iter().filter_map(move |token| {
        let first =
            std::mem::replace(&mut at_start, matches!(&token, TokenTree::Punct(p) if p.as_char() == ','));
        match token {
            TokenTree::Ident(name) if first => Some(name),
            _ => None,
        }
    })
}

fn not_a_model(place: proc_macro2::Span, what: &str) -> syn::Error {
    syn::Error::new(
        place,
        format!("`Cacheable` is for the `Model` struct of a SeaORM entity, and this is {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn mistakes(input: DeriveInput) -> Vec<String> {
        let mut errors = Errors::default();
        Model::read(&input, &mut errors);
        errors.into_result().err().into_iter().flatten().map(|error| error.to_string()).collect()
    }

    #[test]
    fn the_primary_key_is_found_among_other_arguments() {
        assert!(is_primary_key(&parse_quote!(#[sea_orm(primary_key)])));
        assert!(is_primary_key(
            &parse_quote!(#[sea_orm(column_name = "ID", primary_key, auto_increment = false)])
        ));
        assert!(!is_primary_key(&parse_quote!(#[sea_orm(column_name = primary_key)])));
        assert!(!is_primary_key(&parse_quote!(#[sea_orm(extra(primary_key))])));
        assert!(!is_primary_key(&parse_quote!(#[serde(primary_key)])));
    }

    #[test]
    fn a_model_in_the_expanded_format_is_left_to_the_compiler() {
        assert!(
            mistakes(parse_quote!(
                struct Model {
                    id: i32,
                }
            ))
            .is_empty()
        );
    }

    #[test]
    fn settings_of_several_attributes_are_one_list() {
        let input = parse_quote! {
            #[cacheable(ttl = "1s")]
            #[cacheable(absent = false)]
            struct Model { #[sea_orm(primary_key)] id: i32 }
        };
        let model = Model::read(&input, &mut Errors::default());
        assert_eq!(model.settings.iter().map(|s| s.name.to_string()).collect::<Vec<_>>(), ["ttl", "absent"]);
    }

    #[test]
    fn fields_that_are_no_columns_are_left_out() {
        let input = parse_quote! {
            struct Model {
                #[sea_orm(primary_key)] id: i32,
                #[sea_orm(ignore)] ignored: Instant,
                #[sea_orm(has_many)] reviews: HasMany<super::review::Entity>,
                name: String,
            }
        };
        let model = Model::read(&input, &mut Errors::default());
        let columns: Vec<_> = model.columns.iter().map(|column| column.field.to_string()).collect();
        assert_eq!(columns, ["id", "name"]);
    }

    #[test]
    fn shapes_that_hold_no_row_are_refused() {
        for (input, what) in [
            (
                parse_quote!(
                    enum Model {
                        A,
                    }
                ),
                "an enum",
            ),
            (parse_quote!(union Model { a: u8 }), "a union"),
            (
                parse_quote!(
                    struct Model;
                ),
                "a struct without named fields",
            ),
            (
                parse_quote!(
                    struct Model(#[sea_orm(primary_key)] i32);
                ),
                "a struct without named fields",
            ),
        ] {
            let found = mistakes(input);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].ends_with(what), "{found:?}");
        }
    }
}
