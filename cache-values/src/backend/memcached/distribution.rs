//! On which server a name lives.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Rendezvous hashing: each server draws a number for a name, and the highest wins. When a server is added, it takes names
/// from all others alike; when one is removed, its names alone move.
#[derive(Debug)]
pub(super) struct Distribution {
    seeds: Vec<u64>,
}

impl Distribution {
    /// Over servers with these addresses, in whatever order they come.
    pub(super) fn over<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        Distribution { seeds: addresses.into_iter().map(|address| xxh3_64(address.as_bytes())).collect() }
    }

    /// The place of the server among those given.
    pub(super) fn place(&self, name: &str) -> usize {
        let draw =
            |place: &usize| (xxh3_64_with_seed(name.as_bytes(), self.seeds[*place]), self.seeds[*place]);
        (0..self.seeds.len()).max_by_key(draw).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> impl Iterator<Item = String> {
        (0..3000).map(|at| format!("shop:1:abc{{:user:{at}}}"))
    }

    #[test]
    fn names_are_spread_evenly_whatever_the_order_of_the_servers() {
        let (servers, turned) = (["a:1", "b:1", "c:1"], ["c:1", "a:1", "b:1"]);
        let (one, other) = (Distribution::over(servers), Distribution::over(turned));
        let mut counts = [0; 3];
        for name in names() {
            counts[one.place(&name)] += 1;
            assert_eq!(servers[one.place(&name)], turned[other.place(&name)]);
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_names_of_a_server_that_is_removed_move_alone() {
        let (three, two) = (Distribution::over(["a:1", "b:1", "c:1"]), Distribution::over(["a:1", "b:1"]));
        let moved = names().filter(|name| three.place(name) != two.place(name));
        assert!(moved.map(|name| three.place(&name)).all(|place| place == 2));
    }

    /// Processes of several versions share the servers.
    #[test]
    fn places_never_change() {
        let servers = Distribution::over(["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"]);
        let places: Vec<usize> = names().take(12).map(|name| servers.place(&name)).collect();
        assert_eq!(places, [0, 1, 1, 0, 2, 2, 2, 2, 2, 1, 0, 1]);
    }
}
