use cache_orm::Cacheable;

#[derive(Clone, Debug, PartialEq, Cacheable)]
pub struct Product {
    pub id: i32,
}

fn main() {}
