use cache_orm::Cacheable;

#[derive(Clone, Debug, PartialEq, Cacheable)]
pub struct Model<'a, T> {
    pub id: &'a T,
}

fn main() {}
