//! Strict rows, as every build with debug assertions has them: decoding one as what its entity does not promise fails.
//!
//! SeaORM reads a cached row's JSON without an error that a value could cause, and takes any wrong type for "null". What
//! is left: JSON `unwrap`s the conversion of bytes to text, so bytes that are no text panic; and a value that no Rust
//! type is read from makes a tuple an error, unless all its elements are options.

use std::{
    cell::Cell,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use sea_orm::{
    Value,
    sea_query::{Enum, OptionEnum},
};

use crate::decoders::Decoders;

/// Stands in the row, for whoever looks at it. The length of what can be read of it is part of the panic's text, which
/// the caveats quote.
const WHY: &[u8] = b"cache-orm: this entity does not promise that its rows are right for into_json. \
                     Read them through db.bypass()\xff";

thread_local! {
    /// The entity whose strict row was handed out last. It is decoded by the same thread right afterwards.
    static LAST: Cell<&'static str> = const { Cell::new("") };
}

/// Entries that make JSON fail, and tuples, unless they are right for them. They sort before the columns' names; in a row
/// for tuples behind them, because its last elements may be read from there.
pub(super) fn refusals(decoders: Decoders, columns: usize) -> impl Iterator<Item = (String, Value)> {
    let positions = if decoders == Decoders::Model { columns } else { 0 };
    let tuple = (0..positions).map(|position| {
        let value = String::from_utf8_lossy(WHY).into_owned().into();
        let refusal = OptionEnum::Some(Box::new(Enum { type_name: "refusal".into(), value }));
        (format!("\0{position:04}"), Value::Enum(refusal))
    });
    let bytes = || Value::Bytes(Some(WHY.to_vec()));
    let json = match decoders {
        Decoders::Json => None,
        Decoders::Tuples => Some(("\u{10ffff}".to_owned(), bytes())),
        Decoders::Model => Some(("\0~".to_owned(), bytes())),
    };
    tuple.chain(json)
}

/// Remembers whose row is handed out, so that a panic of its JSON can be explained.
pub(crate) fn explain(entity: &'static str) {
    static HOOK: Once = Once::new();
    LAST.set(entity);
    // Whoever panics already may not change what happens then.
    if !std::thread::panicking() {
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                previous(panic);
                if let Some(explanation) = explanation(panic) {
                    eprintln!("{explanation}");
                }
            }));
        });
    }
}

fn explanation(panic: &PanicHookInfo<'_>) -> Option<String> {
    let is_refusal = panic.payload_as_str()? == panic_text();
    let entity = LAST.get();
    is_refusal.then(|| {
        format!(
            "cache-orm: the panic above is `into_json` of a cached row of {entity}, which is `#[cacheable(model_only)]` \
             or `#[cacheable(tuples)]`, because its JSON would not be the database's.\n\
             help: write `.into_json().one(&db.bypass())`, or decode the row as its model"
        )
    })
}

/// What SeaORM panics with.
pub(super) fn panic_text() -> String {
    let error =
        String::from_utf8(WHY.to_vec()).expect_err("it ends with a byte that is no text").utf8_error();
    format!("called `Result::unwrap()` on an `Err` value: {error:?}")
}
