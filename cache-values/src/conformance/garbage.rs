//! I: garbage.

use bytes::Bytes;

use super::{Subject, checks};
use crate::{
    Cache, Ttl,
    backend::{Put, When},
    name::Generation,
};

/// Puts bytes where the cache keeps the value of a key.
async fn plant(subject: &Subject, cache: &Cache, key: &str, bytes: &[u8]) {
    let name = cache.naming.value(generation(subject, cache).await, key);
    subject.put(&name, bytes, None, When::Always).await;
}

/// What the cache keeps under a key.
async fn dig(subject: &Subject, cache: &Cache, key: &str) -> Bytes {
    let name = cache.naming.value(generation(subject, cache).await, key);
    subject.get(&name).await.expect("it was set").bytes
}

async fn generation(subject: &Subject, cache: &Cache) -> Generation {
    // A call makes sure that there is one.
    cache.has("key").await.expect("it answers");
    let cell = subject.get(cache.naming.generation()).await.expect("there is one").bytes;
    Generation(u64::from_be_bytes(cell[1..].try_into().expect("eight bytes")))
}

checks! {
    async fn what_is_no_value_is_a_miss(subject) {
        let cache = subject.cache();
        for garbage in [&b""[..], b"\xc1", b"text", b"\x80\x04\x95pickle", b"\xc1\x01\x00aaaaaaaabbbbbbbbpayload", b"99999999999999999999"] {
            plant(&subject, &cache, "key", garbage).await;
            assert_eq!(cache.get::<String>("key").await.expect("it answers"), None, "{garbage:?}");
            assert!(!cache.has("key").await.expect("it answers"));
            let computed = cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>("new".to_owned())).await;
            assert_eq!(computed.as_deref(), Ok("new"));
            assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"), "{garbage:?}");
        }
        assert!(cache.stats().unreadable >= 6);
    }

    async fn a_value_cut_short_is_a_miss(subject) {
        let cache = subject.cache();
        cache.set("key", &vec!["some text"; 4], Ttl::Default).await.expect("it is kept");
        let whole = dig(&subject, &cache, "key").await;
        for length in 0..whole.len() {
            plant(&subject, &cache, "key", &whole[..length]).await;
            assert_eq!(cache.get::<Vec<String>>("key").await.expect("it answers"), None, "{length} bytes");
        }
        plant(&subject, &cache, "key", &whole).await;
        assert!(cache.get::<Vec<String>>("key").await.expect("it answers").is_some());
    }

    async fn the_value_of_another_key_of_the_same_hash_is_a_miss(subject) {
        let cache = subject.cache();
        let [one, two] = ["x", "y"].map(|letter| letter.repeat(500));
        cache.set(&one, "one", Ttl::Default).await.expect("it is kept");
        let value = dig(&subject, &cache, &one).await;
        plant(&subject, &cache, &two, &value).await;
        assert_eq!(cache.get::<String>(&two).await.expect("it answers"), None);
        assert_eq!(cache.get::<String>(&one).await.expect("it answers").as_deref(), Some("one"));
    }

    async fn a_generation_that_is_lost_begins_anew(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        let cell = cache.naming.generation().clone();
        for garbage in [None, Some(&b"garbage"[..]), Some(b""), Some(b"5")] {
            match garbage {
                None => drop(subject.backend.remove(std::slice::from_ref(&cell)).await.expect("it answers")),
                Some(bytes) => {
                    let put = Put { name: cell.clone(), bytes: bytes.to_vec().into(), ttl: None, when: When::Always };
                    subject.backend.put(&[put]).await.expect("it answers");
                }
            }
            assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
            cache.set("key", "value", Ttl::Default).await.expect("it is kept");
            assert!(cache.has("key").await.expect("it answers"));
        }
    }
}
