//! The application's keys.

use std::{borrow::Cow, fmt, marker::PhantomData};

/// A key with the type of its value: whoever uses it reads and writes that type.
///
/// ```
/// use cache_values::{Cache, Key};
/// static TOP: Key<Vec<u32>> = Key::new("top");
/// static USER: Key<String> = Key::new("user");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let cache = Cache::in_memory();
/// cache.set(&TOP, &vec![3, 1, 2], Default::default()).await?;
/// assert_eq!(cache.get(&TOP).await?, Some(vec![3, 1, 2]));
/// // One key for each user:
/// cache.set(USER.of(7), &"Ada".to_owned(), Default::default()).await?;
/// assert_eq!(cache.get(USER.of(7)).await?.as_deref(), Some("Ada"));
/// # Ok::<(), cache_values::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Key<T> {
    text: Cow<'static, str>,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key.
    pub const fn new(text: &'static str) -> Self {
        Key { text: Cow::Borrowed(text), value: PhantomData }
    }

    /// The key of one of many: `user` of 7 is `user:7`. Two parts never make the key of one, whatever stands in them.
    pub fn of(&self, part: impl fmt::Display) -> Self {
        let part = part.to_string().replace('%', "%25").replace(':', "%3a");
        Key { text: format!("{}:{part}", self.text).into(), value: PhantomData }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        Key { text: self.text.clone(), value: PhantomData }
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// What may be a key of a value of type `T`: a text for any type, a [`Key<T>`] for its own.
pub trait KeyFor<T: ?Sized> {
    /// The key as text.
    fn text(&self) -> &str;
}

impl<T: ?Sized> KeyFor<T> for str {
    fn text(&self) -> &str {
        self
    }
}

impl<T: ?Sized> KeyFor<T> for String {
    fn text(&self) -> &str {
        self
    }
}

impl<T> KeyFor<T> for Key<T> {
    fn text(&self) -> &str {
        &self.text
    }
}

impl<T: ?Sized, K: KeyFor<T> + ?Sized> KeyFor<T> for &K {
    fn text(&self) -> &str {
        (*self).text()
    }
}
