use cache_orm::Cacheable;

#[derive(Clone, Copy, Cacheable)]
pub enum Colour {
    Red,
}

#[derive(Clone, Copy, Cacheable)]
pub union Bits {
    pub integer: u32,
    pub float: f32,
}

#[derive(Clone, Copy, Cacheable)]
pub struct Pair(i32, i32);

#[derive(Clone, Copy, Cacheable)]
pub struct Nothing;

fn main() {}
