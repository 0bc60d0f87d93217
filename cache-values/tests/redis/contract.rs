//! What a Redis backend promises, asked of one: the suite that every backend passes, and where it could go wrong here.

use std::{sync::Arc, time::Duration};

use cache_values::{
    backend::{Backend, Left, Put, RedisBackend, Stored, Version, When},
    conformance,
    name::Name,
};

use crate::{Names, keep, look, put, read};

/// What a server's arithmetic still bears.
const YEARS: Duration = Duration::from_secs(9 * 365 * 86_400);

pub(crate) async fn contract(backend: &RedisBackend) {
    let report = conformance::suite(Arc::new(backend.clone())).await;
    assert!(report.checks() > 50, "{report}");
    an_item_may_be_empty(backend).await;
    times_are_cut_and_rounded_up(backend).await;
    an_item_moves_onto_itself(backend).await;
    conditions_hold_for_thousands_in_one_call(backend).await;
    a_sweep_takes_a_stem_and_nothing_else(backend).await;
}

async fn an_item_may_be_empty(backend: &RedisBackend) {
    let name = Names::new().value("empty");
    keep(backend, &name, "").await;
    assert_eq!(backend.put(&[put(&name, "new", When::Vacant)]).await.unwrap(), [Stored::Refused]);
    assert_eq!(backend.put(&[put(&name, "new", When::Unchanged(None))]).await.unwrap(), [Stored::Refused]);
    assert_eq!(read(backend, &name).await.as_deref(), Some(&b""[..]));
    let seen = When::Unchanged(Some(Version::of(b"")));
    assert_eq!(backend.put(&[put(&name, "new", seen)]).await.unwrap(), [Stored::Kept]);
    keep(backend, &name, "").await;
    assert_eq!(backend.remove(&[name]).await.unwrap(), [true]);
}

async fn times_are_cut_and_rounded_up(backend: &RedisBackend) {
    let name = Names::new().value("timed");
    for when in [When::Always, When::Unchanged(Some(Version::of(b"value")))] {
        let item = Put { ttl: Some(Duration::MAX), ..put(&name, "value", when) };
        assert_eq!(backend.put(&[item]).await.unwrap(), [Stored::Kept]);
        assert!(matches!(look(backend, &name).await.unwrap().left, Left::For(left) if left > YEARS));
        assert!(backend.touch(&name, Some(Duration::MAX)).await.unwrap());
        assert!(matches!(look(backend, &name).await.unwrap().left, Left::For(left) if left > YEARS));
    }
    // Less than a millisecond is one, and not for ever.
    assert!(backend.touch(&name, Some(Duration::from_nanos(1))).await.unwrap());
    crate::redis_server::private::until(async || read(backend, &name).await.is_none()).await;
}

async fn an_item_moves_onto_itself(backend: &RedisBackend) {
    let name = Names::new().value("moved");
    keep(backend, &name, "value").await;
    assert!(backend.rename(&name, &name).await.unwrap());
    assert_eq!(backend.remove(&[name]).await.unwrap(), [true]);
}

async fn conditions_hold_for_thousands_in_one_call(backend: &RedisBackend) {
    let names = Names::new();
    let all: Vec<_> = (0..2500).map(|key| names.value(key)).collect();
    let when = |at: usize| if at.is_multiple_of(2) { When::Always } else { When::Vacant };
    let items: Vec<_> =
        all.iter().enumerate().map(|(at, name)| put(name, at.to_string(), when(at))).collect();
    assert_eq!(backend.put(&items).await.unwrap(), vec![Stored::Kept; all.len()]);
    let again = |at: usize| if at.is_multiple_of(2) { Stored::Kept } else { Stored::Refused };
    let again: Vec<_> = (0..all.len()).map(again).collect();
    assert_eq!(backend.put(&items).await.unwrap(), again);
    for (at, item) in backend.get(&all, true).await.unwrap().into_iter().enumerate() {
        let item = item.unwrap();
        assert_eq!((item.bytes, item.left), (at.to_string().into(), Left::Forever));
    }
    assert_eq!(backend.remove(&all).await.unwrap(), vec![true; all.len()]);
}

async fn a_sweep_takes_a_stem_and_nothing_else(backend: &RedisBackend) {
    let names = Names::new();
    let stem = format!("{}*[a-z]?\\", names.0);
    let swept: Vec<_> = (0..1200).map(|key| Name::new(format!("{stem}{{:{key}}}"), false)).collect();
    let spared = ["1", "xaz/", "*a/"].map(|end| Name::new(format!("{}{end}{{:1}}", names.0), false));
    let items: Vec<_> = swept.iter().chain(&spared).map(|name| put(name, "value", When::Always)).collect();
    backend.put(&items).await.unwrap();
    assert_eq!(backend.sweep(&stem).await.unwrap(), 1200);
    assert!(backend.get(&swept, false).await.unwrap().iter().all(Option::is_none));
    assert_eq!(backend.sweep(&stem).await.unwrap(), 0);
    assert_eq!(backend.remove(&spared).await.unwrap(), [true; 3]);
}
