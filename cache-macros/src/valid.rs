//! What the settings mean.

use std::time::Duration;

use syn::{Ident, LitBool, LitInt, LitStr, parse::Parse};

use crate::{
    attr::{self, FORMAT, Setting, Value},
    duration::duration,
    errors::Errors,
};

/// The largest `find().all()` that is kept when the entity says nothing.
const DEFAULT_MAX_ROWS: usize = 1000;

/// How the rows of one entity are cached.
#[derive(Debug, PartialEq)]
pub(crate) struct Policy {
    /// `None`: the connection's default.
    pub(crate) ttl: Option<Duration>,
    /// `None`: results of `find().all()` are not kept.
    pub(crate) all_max_rows: Option<usize>,
    pub(crate) absent: bool,
    /// `ActiveModelBehavior` is written too, as asked for here.
    pub(crate) hooks: Option<Ident>,
    pub(crate) decoders: Decoders,
    /// `None`: what the connection says.
    pub(crate) when_unreachable: Option<Unreachable>,
}

/// For whom a cached row is right, besides the model.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Decoders {
    #[default]
    Json,
    Tuples,
    Model,
}

/// What becomes of writes while the store can't be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unreachable {
    Proceed,
    Refuse,
}

/// Reads the settings; what is wrong stays at its default and is reported. Are there hooks to call?
pub(crate) fn policy(settings: Vec<Setting>, has_hooks: bool, errors: &mut Errors) -> Policy {
    let mut policy = Policy {
        ttl: None,
        all_max_rows: Some(DEFAULT_MAX_ROWS),
        absent: true,
        hooks: None,
        decoders: Decoders::default(),
        when_unreachable: None,
    };
    for setting in without_repetitions(settings, errors) {
        let read = match setting.name.to_string().as_str() {
            "ttl" => ttl(&setting).map(|ttl| policy.ttl = Some(ttl)),
            "all" => all(&setting, errors).map(|rows| policy.all_max_rows = rows),
            "absent" => absent(&setting).map(|absent| policy.absent = absent),
            "hooks" => hooks(&setting, has_hooks).map(|()| policy.hooks = Some(setting.name.clone())),
            "model_only" => decoders(&setting, &mut policy, Decoders::Model),
            "tuples" => decoders(&setting, &mut policy, Decoders::Tuples),
            "when_unreachable" => when_unreachable(&setting).map(|it| policy.when_unreachable = Some(it)),
            name => Err(syn::Error::new(
                setting.name.span(),
                format!(
                    "unknown attribute `{name}`, expected one of ttl, all, absent, hooks, model_only, tuples, \
                     when_unreachable\n{FORMAT}"
                ),
            )),
        };
        if let Err(error) = read {
            errors.push(error);
        }
    }
    policy
}

/// Reports every name that stands there for the second time, and drops it.
fn without_repetitions(settings: Vec<Setting>, errors: &mut Errors) -> Vec<Setting> {
    let mut kept: Vec<Setting> = Vec::with_capacity(settings.len());
    for setting in settings {
        if kept.iter().any(|other| other.name == setting.name) {
            let message = format!("`{}` is given more than once: keep one of them", setting.name);
            errors.push(syn::Error::new(setting.name.span(), message));
        } else {
            kept.push(setting);
        }
    }
    kept
}

fn ttl(setting: &Setting) -> syn::Result<Duration> {
    let text: LitStr = value(setting).ok_or_else(|| {
        setting.error("expected a duration as a string\nhelp: the correct format looks like `ttl = \"10m\"`")
    })?;
    duration(&text.value()).map_err(|message| syn::Error::new(text.span(), message))
}

fn absent(setting: &Setting) -> syn::Result<bool> {
    let value: LitBool = value(setting).ok_or_else(|| {
        setting.error("expected true or false\nhelp: the correct format looks like `absent = false`")
    })?;
    Ok(value.value)
}

/// A setting without a value.
fn flag(setting: &Setting) -> syn::Result<()> {
    let name = &setting.name;
    match setting.value {
        Value::Missing => Ok(()),
        _ => {
            Err(setting
                .error(&format!("`{name}` has no value\nhelp: the correct format looks like `{name}`")))
        }
    }
}

fn hooks(setting: &Setting, has_hooks: bool) -> syn::Result<()> {
    flag(setting)?;
    if has_hooks {
        return Ok(());
    }
    let message = "`hooks` needs the feature `hooks` of cache-orm\n\
                   help: `cache-orm = { version = \"0.1\", features = [\"hooks\"] }` in Cargo.toml";
    Err(syn::Error::new(setting.name.span(), message))
}

fn decoders(setting: &Setting, policy: &mut Policy, decoders: Decoders) -> syn::Result<()> {
    flag(setting)?;
    if policy.decoders != Decoders::Json {
        let message = "`tuples` says what `model_only` says, and that tuples are right: keep one of them";
        return Err(syn::Error::new(setting.name.span(), message));
    }
    policy.decoders = decoders;
    Ok(())
}

fn when_unreachable(setting: &Setting) -> syn::Result<Unreachable> {
    let text: Option<LitStr> = value(setting);
    match text.map(|text| text.value()).as_deref() {
        Some("proceed") => Ok(Unreachable::Proceed),
        Some("refuse") => Ok(Unreachable::Refuse),
        _ => Err(setting.error(
            "expected one of \"proceed\", \"refuse\"\n\
             help: the correct format looks like `when_unreachable = \"refuse\"`",
        )),
    }
}

fn all(setting: &Setting, errors: &mut Errors) -> syn::Result<Option<usize>> {
    let expected = || setting.error("expected one of `all = false`, `all(max_rows = 1000)`");
    if let Value::List(list) = &setting.value {
        let inner = without_repetitions(attr::list(list.clone(), errors), errors);
        if inner.is_empty() {
            return Err(expected());
        }
        let mut rows = None;
        for setting in &inner {
            match max_rows(setting) {
                Ok(given) => rows = Some(given),
                Err(error) => errors.push(error),
            }
        }
        return Ok(rows);
    }
    let value: LitBool = value(setting).ok_or_else(expected)?;
    Ok(value.value.then_some(DEFAULT_MAX_ROWS))
}

fn max_rows(setting: &Setting) -> syn::Result<usize> {
    if setting.name != "max_rows" {
        let message = format!("unknown attribute `{}`, expected max_rows", setting.name);
        return Err(syn::Error::new(setting.name.span(), message));
    }
    let rows: Option<LitInt> = value(setting);
    match rows.and_then(|rows| rows.base10_parse().ok()) {
        Some(0) => Err(setting.error(
            "`max_rows` is at least 1\nhelp: write `all = false` to keep no results of `find().all()`",
        )),
        Some(rows) => Ok(rows),
        None => Err(setting.error(
            "expected a whole number of rows\nhelp: the correct format looks like `all(max_rows = 1000)`",
        )),
    }
}

/// The assigned value, if it is one token of this kind.
fn value<T: Parse>(setting: &Setting) -> Option<T> {
    match &setting.value {
        Value::Assigned(tokens) => syn::parse2(tokens.clone()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::{Attribute, parse_quote};

    fn read(attribute: Attribute) -> Result<Policy, Vec<String>> {
        let mut errors = Errors::default();
        let settings = attr::settings(&attribute, &mut errors);
        let policy = policy(settings, true, &mut errors);
        match errors.into_result() {
            Ok(()) => Ok(policy),
            Err(errors) => Err(errors.into_iter().map(|error| error.to_string()).collect()),
        }
    }

    #[test]
    fn what_is_not_given_has_a_default() {
        let default = Policy {
            ttl: None,
            all_max_rows: Some(1000),
            absent: true,
            hooks: None,
            decoders: Decoders::Json,
            when_unreachable: None,
        };
        assert_eq!(read(parse_quote!(#[cacheable()])), Ok(default));
    }

    #[test]
    fn everything_given() {
        let given = Policy {
            ttl: Some(Duration::from_secs(600)),
            all_max_rows: Some(2_000),
            absent: false,
            hooks: Some(parse_quote!(hooks)),
            decoders: Decoders::Tuples,
            when_unreachable: Some(Unreachable::Refuse),
        };
        let attribute = parse_quote! {
            #[cacheable(
                ttl = "10m", all(max_rows = 2_000), absent = false, hooks, tuples, when_unreachable = "refuse"
            )]
        };
        assert_eq!(read(attribute), Ok(given));
    }

    #[test]
    fn hooks_without_their_feature_name_it() {
        let mut errors = Errors::default();
        let settings = attr::settings(&parse_quote!(#[cacheable(hooks, absent = false)]), &mut errors);
        let policy = policy(settings, false, &mut errors);
        assert_eq!((policy.hooks, policy.absent), (None, false));
        let error = errors.into_result().expect_err("there are none to call").to_string();
        assert!(error.starts_with("`hooks` needs the feature `hooks` of cache-orm\nhelp: "), "{error}");
    }

    #[test]
    fn all_is_switched_by_a_truth_value() {
        let rows = |attribute| read(attribute).expect("correct").all_max_rows;
        assert_eq!(rows(parse_quote!(#[cacheable(all = false)])), None);
        assert_eq!(rows(parse_quote!(#[cacheable(all = true)])), Some(1000));
    }

    #[test]
    fn every_wrong_setting_is_reported() {
        let mistakes = |attribute| read(attribute).expect_err("a mistake").len();
        assert_eq!(mistakes(parse_quote!(#[cacheable(hooks = true)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(model_only = true)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(model_only, tuples)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(when_unreachable)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(when_unreachable = refuse)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(when_unreachable = "Refuse")])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all())])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all = 1000)])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all(max_rows = 0))])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all(max_rows = -1))])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all(max_rows = "9"))])), 1);
        assert_eq!(mistakes(parse_quote!(#[cacheable(all(rows = 9, max_rows = 0))])), 2);
        assert_eq!(
            mistakes(parse_quote!(#[cacheable(ttl, absent = "no", all = false, all = false, Ttl = 1)])),
            4
        );
    }
}
