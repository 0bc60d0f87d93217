//! The order on each floor: few crossings between the lines from floor to floor.
//!
//! The best of several attempts, each of which begins with another order, pulls every node between those that it is tied
//! to, and swaps neighbours. The attempts are the same each time.

use std::collections::BTreeMap;

const STARTS: u64 = 12;
const SWEEPS: usize = 12;

/// Nodes of floors, from the ground up.
pub(super) type Floors = Vec<Vec<usize>>;

/// What the order of nodes depends on.
pub(super) struct Ties<'a> {
    /// From a node to one on the floor below.
    pub(super) lines: &'a [(usize, usize)],
    /// Of each node: it stands to the right of all that do not.
    pub(super) aside: Vec<bool>,
}

impl Ties<'_> {
    /// The nodes of each floor from left to right.
    pub(super) fn order(&self, floors: Floors) -> Floors {
        let mut best: Option<(usize, Floors)> = None;
        for start in 0..STARTS {
            let mut order = floors.clone();
            for (at, floor) in order.iter_mut().enumerate() {
                floor.sort_by_key(|node| (self.aside[*node], mixed(start, *node as u64 + 1000 * at as u64)));
            }
            for sweep in 0..SWEEPS {
                self.sweep(&mut order, sweep % 2 == 0);
                self.swap(&mut order);
                let crossings = self.crossings(&order);
                if best.as_ref().is_none_or(|(least, _)| crossings < *least) {
                    best = Some((crossings, order.clone()));
                }
            }
        }
        best.map_or(floors, |(_, order)| order)
    }

    /// Orders each floor by the middle of what it is tied to on the floor before.
    fn sweep(&self, order: &mut [Vec<usize>], upwards: bool) {
        let floors: Vec<usize> = if upwards {
            (1..order.len()).collect()
        } else {
            (0..order.len().saturating_sub(1)).rev().collect()
        };
        for floor in floors {
            let before = places(&order[if upwards { floor - 1 } else { floor + 1 }]);
            let middle = |node: usize, own: usize| {
                let tied: Vec<usize> = self
                    .lines
                    .iter()
                    .filter_map(|(above, below)| match upwards {
                        true if *above == node => before.get(below).copied(),
                        false if *below == node => before.get(above).copied(),
                        _ => None,
                    })
                    .collect();
                match tied.len() {
                    0 => own as f64,
                    count => tied.iter().sum::<usize>() as f64 / count as f64,
                }
            };
            let mut keyed: Vec<_> = order[floor]
                .iter()
                .enumerate()
                .map(|(own, node)| (self.aside[*node], middle(*node, own), *node))
                .collect();
            keyed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            order[floor] = keyed.into_iter().map(|(_, _, node)| node).collect();
        }
    }

    /// Swaps neighbours for as long as that saves crossings.
    fn swap(&self, order: &mut [Vec<usize>]) {
        loop {
            let mut swapped = false;
            for floor in 0..order.len() {
                for at in 1..order[floor].len() {
                    if self.aside[order[floor][at - 1]] != self.aside[order[floor][at]] {
                        continue;
                    }
                    let before = self.crossings_around(order, floor);
                    order[floor].swap(at - 1, at);
                    if self.crossings_around(order, floor) < before {
                        swapped = true;
                    } else {
                        order[floor].swap(at - 1, at);
                    }
                }
            }
            if !swapped {
                return;
            }
        }
    }

    fn crossings(&self, order: &[Vec<usize>]) -> usize {
        (1..order.len()).map(|floor| self.crossings_below(order, floor)).sum()
    }

    fn crossings_around(&self, order: &[Vec<usize>], floor: usize) -> usize {
        let above = if floor + 1 < order.len() { self.crossings_below(order, floor + 1) } else { 0 };
        let below = if floor > 0 { self.crossings_below(order, floor) } else { 0 };
        above + below
    }

    fn crossings_below(&self, order: &[Vec<usize>], floor: usize) -> usize {
        let (upper, lower) = (places(&order[floor]), places(&order[floor - 1]));
        let lines: Vec<_> = self
            .lines
            .iter()
            .filter_map(|(above, below)| Some((*upper.get(above)?, *lower.get(below)?)))
            .collect();
        let crosses =
            |a: &(usize, usize), b: &(usize, usize)| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1);
        lines.iter().enumerate().map(|(at, a)| lines[..at].iter().filter(|b| crosses(a, b)).count()).sum()
    }
}

fn places(floor: &[usize]) -> BTreeMap<usize, usize> {
    floor.iter().enumerate().map(|(at, node)| (*node, at)).collect()
}

/// A number that looks random and is the same each time.
fn mixed(start: u64, value: u64) -> u64 {
    let mut mixed = (start << 32 ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
