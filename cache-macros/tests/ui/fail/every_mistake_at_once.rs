use cache_orm::Cacheable;

#[derive(Clone, Debug, PartialEq, Cacheable)]
#[cacheable(ttl = "10", ttl = 7, colour = "red", all)]
#[cacheable(absent)]
pub struct Product<T> {
    pub id: T,
}

fn main() {}
