//! What [`Backend`](crate::backend::Backend) says, byte by byte.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::{checks, unique};
use crate::{
    backend::{Counted, Left, Put, Start, Stored, Version, When},
    envelope,
    name::Name,
};

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// Bytes with a head of their own.
fn value(text: &str) -> Vec<u8> {
    [&[0xc1][..], unique().as_bytes(), text.as_bytes()].concat()
}

checks! {
    async fn what_is_put_is_found_as_it_was(subject) {
        let every_byte: Vec<u8> = (0..=255).collect();
        for bytes in [every_byte, vec![0xc1], value("x"), vec![0; 100], vec![7; 1 << 20]] {
            let name = subject.name();
            assert_eq!(subject.put(&name, &bytes, MINUTE, When::Always).await, Stored::Kept);
            let item = subject.get(&name).await.expect("it was put");
            assert_eq!(item.bytes, bytes);
            assert_eq!(item.version, Version::of(&bytes));
            assert!(matches!(item.left, Left::For(left) if Some(left) <= MINUTE), "{:?}", item.left);
        }
    }

    async fn an_item_without_end_says_so(subject) {
        let name = subject.name();
        subject.put(&name, &value(""), None, When::Always).await;
        assert_eq!(subject.get(&name).await.expect("it was put").left, Left::Forever);
    }

    async fn items_come_in_the_order_asked(subject) {
        let names: Vec<Name> = (0..2500).map(|_| subject.name()).collect();
        let put = |(at, name): (usize, &Name)| Put {
            name: name.clone(),
            bytes: value(&at.to_string()).into(),
            ttl: MINUTE,
            when: When::Always,
        };
        let puts: Vec<Put> = names.iter().enumerate().step_by(2).map(put).collect();
        let stored = subject.backend.put(&puts).await.expect("it answers");
        assert_eq!(stored, vec![Stored::Kept; puts.len()]);
        let mut asked = names.clone();
        asked.push(names[0].clone());
        let items = subject.backend.get(&asked, false).await.expect("it answers");
        assert_eq!(items.len(), 2501);
        for (at, item) in items.iter().enumerate().take(2500) {
            let wanted = (at % 2 == 0).then(|| puts[at / 2].bytes.clone());
            assert_eq!(item.as_ref().map(|item| item.bytes.clone()), wanted, "{at}");
        }
        assert_eq!(items[2500].as_ref().map(|item| &item.bytes), Some(&puts[0].bytes));
        assert!(subject.backend.get(&[], false).await.expect("it answers").is_empty());
        let removed = subject.backend.remove(&names).await.expect("it answers");
        assert!(removed.iter().enumerate().all(|(at, removed)| *removed == (at % 2 == 0)));
    }

    async fn vacant_is_nothing_or_a_promise(subject) {
        let name = subject.name();
        let [first, second] = [value("1"), value("2")];
        assert_eq!(subject.put(&name, &first, MINUTE, When::Vacant).await, Stored::Kept);
        assert_eq!(subject.put(&name, &second, MINUTE, When::Vacant).await, Stored::Refused);
        assert_eq!(subject.get(&name).await.expect("it was put").bytes, first);
        subject.put(&name, &envelope::promise(), MINUTE, When::Always).await;
        assert_eq!(subject.put(&name, &second, MINUTE, When::Vacant).await, Stored::Kept);
        assert_eq!(subject.get(&name).await.expect("it was put").bytes, second);
    }

    async fn unchanged_is_the_version_seen(subject) {
        let name = subject.name();
        let [first, second, third] = [value("1"), value("2"), value("3")];
        let since = |bytes: &[u8]| When::Unchanged(Some(Version::of(bytes)));
        assert_eq!(subject.put(&name, &first, MINUTE, since(&second)).await, Stored::Refused);
        assert_eq!(subject.put(&name, &first, MINUTE, When::Unchanged(None)).await, Stored::Kept);
        assert_eq!(subject.put(&name, &second, MINUTE, When::Unchanged(None)).await, Stored::Refused);
        assert_eq!(subject.put(&name, &second, MINUTE, since(&third)).await, Stored::Refused);
        assert_eq!(subject.put(&name, &second, MINUTE, since(&first)).await, Stored::Kept);
        assert_eq!(subject.put(&name, &third, MINUTE, since(&first)).await, Stored::Refused);
        assert_eq!(subject.get(&name).await.expect("it was put").bytes, second);
        // Short ones, as numbers are, and those with zeros.
        for bytes in [&b"7"[..], b"-12", &[0xc1, 0, 0]] {
            subject.put(&name, bytes, MINUTE, When::Always).await;
            assert_eq!(subject.put(&name, &first, MINUTE, since(&[bytes, b"1"].concat())).await, Stored::Refused);
            assert_eq!(subject.put(&name, &first, MINUTE, since(bytes)).await, Stored::Kept);
        }
    }

    async fn the_same_bytes_may_be_put_again_for_another_time(subject) {
        let name = subject.name();
        let promise = envelope::promise();
        let again = When::Unchanged(Some(Version::of(&promise)));
        subject.put(&name, &promise, MINUTE, When::Always).await;
        for ttl in [MINUTE, Some(Duration::from_secs(600)), None, None, MINUTE] {
            assert_eq!(subject.put(&name, &promise, ttl, again).await, Stored::Kept, "{ttl:?}");
            let left = subject.get(&name).await.expect("it was put").left.ttl();
            assert!(left.is_some() == ttl.is_some() && left <= ttl, "{left:?} of {ttl:?}");
        }
    }

    async fn a_promise_is_something_to_unchanged_alone(subject) {
        let name = subject.name();
        let promise = envelope::promise();
        let here = [name.clone()];
        assert_eq!(subject.put(&name, &promise, MINUTE, When::Unchanged(None)).await, Stored::Kept);
        assert_eq!(subject.put(&name, &envelope::promise(), MINUTE, When::Unchanged(None)).await, Stored::Refused);
        assert_eq!(subject.get(&name).await.expect("it was put").bytes, promise);
        assert!(!subject.backend.touch(&name, None).await.expect("it answers"));
        assert_eq!(subject.backend.count(&name, 1, None).await.expect("it answers"), Counted::Missing);
        assert!(!subject.backend.rename(&name, &subject.name()).await.expect("it answers"));
        let kept = When::Unchanged(Some(Version::of(&promise)));
        assert_eq!(subject.put(&name, &value(""), MINUTE, kept).await, Stored::Kept);
        subject.put(&name, &promise, MINUTE, When::Always).await;
        // It is taken away, and was nothing.
        assert_eq!(subject.backend.remove(&here).await.expect("it answers"), [false]);
        assert!(subject.get(&name).await.is_none());
        subject.put(&name, &promise, MINUTE, When::Always).await;
        let start = Some(Start { value: 5, ttl: None });
        assert_eq!(subject.backend.count(&name, 1, start).await.expect("it answers"), Counted::Is(5));
        assert_eq!(subject.backend.remove(&here).await.expect("it answers"), [true]);
    }

    async fn one_of_many_finds_a_name_vacant(subject) {
        for when in [When::Vacant, When::Unchanged(None)] {
            let name = subject.name();
            let put = |at: usize| {
                let (subject, name) = (subject.clone(), name.clone());
                tokio::spawn(async move { subject.put(&name, &value(&at.to_string()), MINUTE, when).await })
            };
            let stored = join_all((0..24).map(put)).await;
            let kept = stored.into_iter().filter(|stored| matches!(stored, Ok(Stored::Kept))).count();
            assert_eq!(kept, 1);
        }
    }

    async fn of_many_that_saw_the_same_one_is_first(subject) {
        let name = subject.name();
        let mut before = value("");
        subject.put(&name, &before, MINUTE, When::Always).await;
        for _ in 0..5 {
            let when = When::Unchanged(Some(Version::of(&before)));
            let put = |_| {
                let (subject, name) = (subject.clone(), name.clone());
                let bytes = value("");
                tokio::spawn(async move { (subject.put(&name, &bytes, MINUTE, when).await, bytes) })
            };
            let kept: Vec<_> = join_all((0..12).map(put)).await.into_iter().flatten().filter(|(stored, _)| {
                *stored == Stored::Kept
            }).collect();
            assert_eq!(kept.len(), 1);
            before.clone_from(&kept[0].1);
            assert_eq!(subject.get(&name).await.expect("it was put").bytes, before);
        }
    }

    async fn what_is_over_was_never_there(subject) {
        let name = subject.name();
        let short = Some(Duration::from_millis(150));
        let gone = async || subject.get(&name).await.is_none();
        let here = [name.clone()];
        for bytes in [value(""), b"5".to_vec()] {
            subject.put(&name, &bytes, short, When::Always).await;
            subject.until("the item's time is over", tokio::time::Instant::now(), gone).await;
            assert!(!subject.backend.touch(&name, None).await.expect("it answers"));
            assert_eq!(subject.backend.count(&name, 1, None).await.expect("it answers"), Counted::Missing);
            assert_eq!(subject.backend.remove(&here).await.expect("it answers"), [false]);
            assert!(!subject.backend.rename(&name, &subject.name()).await.expect("it answers"));
            let since = When::Unchanged(Some(Version::of(&bytes)));
            assert_eq!(subject.put(&name, &value(""), MINUTE, since).await, Stored::Refused);
            assert_eq!(subject.put(&name, &value(""), MINUTE, When::Unchanged(None)).await, Stored::Kept);
            subject.put(&name, &bytes, short, When::Always).await;
            subject.until("the item's time is over", tokio::time::Instant::now(), gone).await;
            assert_eq!(subject.put(&name, &value(""), MINUTE, When::Vacant).await, Stored::Kept);
        }
    }

    async fn counting_is_one_step(subject) {
        let name = subject.name();
        let start = Some(Start { value: 0, ttl: MINUTE });
        let count = |_| {
            let (subject, name) = (subject.clone(), name.clone());
            tokio::spawn(async move {
                for _ in 0..10 {
                    subject.backend.count(&name, 1, start).await.expect("it answers");
                }
            })
        };
        join_all((0..8).map(count)).await.into_iter().for_each(|done| done.expect("it counts"));
        // The first of them began it.
        assert_eq!(subject.get(&name).await.expect("it was counted").bytes, Bytes::from("79"));
    }

    async fn what_is_no_number_is_not_counted(subject) {
        let name = subject.name();
        for bytes in [value("5"), b"".to_vec(), b"5 ".to_vec(), b"05".to_vec(), b"+5".to_vec(), b"5.0".to_vec(),
            b"9223372036854775808".to_vec(), b"-".to_vec(), b"-0".to_vec(), vec![b'1'; 300]]
        {
            subject.put(&name, &bytes, MINUTE, When::Always).await;
            assert_eq!(subject.backend.count(&name, 1, None).await.expect("it answers"), Counted::NoNumber, "{bytes:?}");
            assert_eq!(subject.get(&name).await.expect("it was put").bytes, bytes);
        }
        for (number, by) in [(i64::MAX, 1), (i64::MIN, -1), (i64::MIN, i64::MIN)] {
            subject.put(&name, number.to_string().as_bytes(), MINUTE, When::Always).await;
            assert_eq!(subject.backend.count(&name, by, None).await.expect("it answers"), Counted::Overflow);
            assert_eq!(subject.get(&name).await.expect("it was put").bytes, number.to_string());
        }
        subject.put(&name, i64::MAX.to_string().as_bytes(), MINUTE, When::Always).await;
        assert_eq!(subject.backend.count(&name, i64::MIN, None).await.expect("it answers"), Counted::Is(-1));
        assert_eq!(subject.backend.count(&name, -9, None).await.expect("it answers"), Counted::Is(-10));
    }

    async fn a_number_keeps_its_time(subject) {
        let [name, endless] = [subject.name(), subject.name()];
        subject.put(&name, b"1", MINUTE, When::Always).await;
        subject.put(&endless, b"1", None, When::Always).await;
        for name in [&name, &endless] {
            assert_eq!(subject.backend.count(name, 1, None).await.expect("it answers"), Counted::Is(2));
        }
        assert!(matches!(subject.get(&name).await.expect("it is there").left, Left::For(left) if Some(left) <= MINUTE));
        assert_eq!(subject.get(&endless).await.expect("it is there").left, Left::Forever);
    }

    async fn touching_changes_the_time_alone(subject) {
        let name = subject.name();
        let bytes = value("");
        subject.put(&name, &bytes, MINUTE, When::Always).await;
        for ttl in [None, Some(Duration::from_secs(30)), Some(Duration::from_secs(40 * 86_400)), None] {
            assert!(subject.backend.touch(&name, ttl).await.expect("it answers"));
            let item = subject.get(&name).await.expect("it is there");
            assert_eq!(item.bytes, bytes);
            match (item.left, ttl) {
                (Left::Forever, None) => {}
                (Left::For(left), Some(ttl)) => assert!(left <= ttl && ttl - left < Duration::from_secs(60), "{left:?}"),
                (left, ttl) => panic!("{left:?} is left of {ttl:?}"),
            }
        }
        assert!(!subject.backend.touch(&subject.name(), None).await.expect("it answers"));
    }

    async fn renaming_moves_an_item_with_its_time(subject) {
        for ttl in [MINUTE, None] {
            let [from, to] = [subject.name(), subject.name()];
            let bytes = value("");
            subject.put(&from, &bytes, ttl, When::Always).await;
            subject.put(&to, &value("old"), MINUTE, When::Always).await;
            assert!(subject.backend.rename(&from, &to).await.expect("it answers"));
            assert!(subject.get(&from).await.is_none());
            let item = subject.get(&to).await.expect("it was moved");
            assert_eq!(item.bytes, bytes);
            assert!(matches!((item.left, ttl), (Left::For(_), Some(_)) | (Left::Forever, None)));
            assert!(!subject.backend.rename(&from, &to).await.expect("it answers"));
            assert_eq!(subject.get(&to).await.expect("it stayed").bytes, bytes);
        }
    }

    async fn sweeping_removes_what_begins_so(subject) {
        let stem = unique();
        let dead: Vec<Name> = (0..30).map(|at| Name::new(format!("{stem}{{:{at}}}"), false)).collect();
        let alive = [Name::new(stem.clone(), false), subject.name()];
        for name in dead.iter().chain(&alive) {
            subject.put(name, &value(""), None, When::Always).await;
        }
        subject.backend.sweep(&format!("{stem}{{")).await.expect("it answers");
        // A backend need not sweep; if it does, it takes nothing else.
        let items = subject.backend.get(&alive, false).await.expect("it answers");
        assert!(items.iter().all(Option::is_some));
    }

    async fn cells_are_items_like_others(subject) {
        let cell = Name::new(unique(), true);
        let bytes = [&b"G"[..], &[0; 8]].concat();
        assert_eq!(subject.put(&cell, &bytes, None, When::Unchanged(None)).await, Stored::Kept);
        assert_eq!(subject.get(&cell).await.expect("it was put").bytes, bytes);
        let next = [&b"G"[..], &[1; 8]].concat();
        let when = When::Unchanged(Some(Version::of(&bytes)));
        assert_eq!(subject.put(&cell, &next, None, when).await, Stored::Kept);
        assert_eq!(subject.put(&cell, &bytes, None, when).await, Stored::Refused);
        assert_eq!(subject.get(&cell).await.expect("it was put").bytes, next);
    }
}
