//! The syntax of `#[cacheable(..)]`: a list of settings, not yet what they mean.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Ident, MacroDelimiter, Meta, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    token::Paren,
};

use crate::errors::Errors;

/// What a correct attribute looks like, for the messages.
pub(crate) const FORMAT: &str = r#"help: the correct format looks like `#[cacheable(ttl = "10m", all(max_rows = 1000), absent = false)]`"#;

/// One `name`, `name = value` or `name(list)`.
pub(crate) struct Setting {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows a setting's name.
pub(crate) enum Value {
    Missing,
    Assigned(TokenStream),
    List(TokenStream),
}

impl Setting {
    /// A mistake in its value; placed at its name if the value is missing.
    pub(crate) fn error(&self, message: &str) -> syn::Error {
        match &self.value {
            Value::Assigned(tokens) | Value::List(tokens) if !tokens.is_empty() => {
                syn::Error::new_spanned(tokens, message)
            }
            _ => syn::Error::new(self.name.span(), message),
        }
    }
}

/// The settings of one attribute.
pub(crate) fn settings(attribute: &Attribute, errors: &mut Errors) -> Vec<Setting> {
    match &attribute.meta {
        Meta::List(list) if matches!(list.delimiter, MacroDelimiter::Paren(_)) => {
            self::list(list.tokens.clone(), errors)
        }
        other => {
            errors.push(syn::Error::new_spanned(other, format!("expected a list in parentheses\n{FORMAT}")));
            Vec::new()
        }
    }
}

/// Settings between commas. After a mistake it goes on behind the next comma.
pub(crate) fn list(tokens: TokenStream, errors: &mut Errors) -> Vec<Setting> {
    let mut settings = Vec::new();
    let parser = |input: ParseStream<'_>| -> syn::Result<()> {
        while !input.is_empty() {
            match input.parse() {
                Ok(setting) => settings.push(setting),
                Err(error) => {
                    errors.push(error);
                    until_comma(input)?;
                }
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    settings
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), format!("expected a name\n{FORMAT}")))?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::Assigned(until_comma(input)?)
        } else if input.peek(Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::Missing
        };
        if input.is_empty() || input.peek(Token![,]) {
            Ok(Setting { name, value })
        } else {
            Err(input.error(format!("expected `,`\n{FORMAT}")))
        }
    }
}

fn until_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn read(attribute: Attribute) -> (Vec<String>, Vec<String>) {
        let mut errors = Errors::default();
        let settings = settings(&attribute, &mut errors);
        let settings = settings.iter().map(|setting| match &setting.value {
            Value::Missing => setting.name.to_string(),
            Value::Assigned(value) => format!("{} = {value}", setting.name),
            Value::List(list) => format!("{}({list})", setting.name),
        });
        let first_line = |error: syn::Error| error.to_string().lines().next().map(str::to_owned);
        let errors = errors.into_result().err().into_iter().flatten().filter_map(first_line);
        (settings.collect(), errors.collect())
    }

    #[test]
    fn the_three_forms_and_a_trailing_comma() {
        let (settings, errors) = read(parse_quote!(#[cacheable(ttl = "1s", all(max_rows = 5), absent,)]));
        assert_eq!(settings, [r#"ttl = "1s""#, "all(max_rows = 5)", "absent"]);
        assert!(errors.is_empty());
    }

    #[test]
    fn an_empty_list_is_no_mistake() {
        assert_eq!(read(parse_quote!(#[cacheable()])), (vec![], vec![]));
    }

    #[test]
    fn reading_goes_on_after_a_mistake() {
        let (settings, errors) =
            read(parse_quote!(#[cacheable("10m", ttl "1s", all = false, ::x, absent = true)]));
        assert_eq!(settings, ["all = false", "absent = true"]);
        assert_eq!(errors, ["expected a name", "expected `,`", "expected a name"]);
    }

    #[test]
    fn anything_but_a_list_in_parentheses_is_refused() {
        for attribute in [
            parse_quote!(#[cacheable]),
            parse_quote!(#[cacheable = "10m"]),
            parse_quote!(#[cacheable[ttl = "10m"]]),
        ] {
            assert_eq!(read(attribute), (vec![], vec!["expected a list in parentheses".to_owned()]));
        }
    }
}
