//! Which code is part of the house: what a user of the library can compile.

use syn::{Attribute, Expr, Lit, Meta, Token, punctuated::Punctuated};

/// Features whose code is for tests.
const FOR_TESTS: [&str; 2] = ["conformance", "testing"];

/// Whether an item with these attributes exists in tests alone.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .any(|condition| holds(&condition) == Some(false))
}

/// Whether `condition` holds where nothing is tested; `None` if that depends on other things.
fn holds(condition: &Meta) -> Option<bool> {
    match condition {
        Meta::Path(path) => path.is_ident("test").then_some(false),
        Meta::NameValue(pair) => {
            let Expr::Lit(value) = &pair.value else { return None };
            let Lit::Str(value) = &value.lit else { return None };
            let for_tests = pair.path.is_ident("feature") && FOR_TESTS.contains(&&*value.value());
            for_tests.then_some(false)
        }
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
            let mut parts = parts.iter().map(holds);
            if list.path.is_ident("not") {
                return parts.next()?.map(|holds| !holds);
            }
            // The value that settles the whole, and else no part may be unknown.
            let settles = list.path.is_ident("any");
            let mut known = true;
            for part in parts {
                match part {
                    Some(part) if part == settles => return Some(settles),
                    Some(_) => {}
                    None => known = false,
                }
            }
            known.then_some(!settles)
        }
    }
}
