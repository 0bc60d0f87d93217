//! Where rooms and arrows stand in the picture: floors, the order on each floor, and places.
//!
//! All arrows to one room share one way down, which each of them joins on the floor below its own room. So a floor is
//! crossed once for each room that is named from above, however many name it.

use std::collections::BTreeMap;

use super::{
    house::{House, package},
    order::{Floors, Ties},
};

/// What stands or passes on a floor.
pub(super) struct Node {
    pub(super) floor: usize,
    /// The room; without a name it is the way of arrows to `target`.
    pub(super) room: Option<String>,
    pub(super) package: String,
    pub(super) width: f64,
    /// Its centre.
    pub(super) x: f64,
}

/// The picture before it is drawn.
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    /// From a node to one on the floor below.
    pub(super) lines: Vec<(usize, usize)>,
    /// Arrows between rooms of one floor: those of a circle.
    pub(super) circular: Vec<(usize, usize)>,
    pub(super) floors: usize,
    /// The first floor of the upper storey.
    pub(super) storey: usize,
    /// Where the wing begins.
    pub(super) wing: f64,
}

/// The package whose rooms carry all others.
pub(super) const GROUND: &str = "cache-core";
/// The package whose rooms stand aside.
pub(super) const WING: &str = "cache-macros";

pub(super) const WIDTH: f64 = 900.0;
pub(super) const MARGIN: f64 = 34.0;
/// Between two rooms, and between ways of arrows.
const GAP: f64 = 16.0;

impl Plan {
    pub(super) fn of(house: &House) -> Self {
        let floors = house.floors(GROUND);
        let storey =
            floors.iter().filter(|(room, _)| package(room) == GROUND).map(|(_, floor)| floor + 1).max();
        let mut plan = Plan {
            nodes: Vec::new(),
            lines: Vec::new(),
            circular: Vec::new(),
            floors: floors.values().max().map_or(0, |top| top + 1),
            storey: storey.unwrap_or(0),
            wing: WIDTH - MARGIN,
        };
        let mut rooms = BTreeMap::new();
        for (room, floor) in &floors {
            rooms.insert(room.as_str(), plan.nodes.len());
            let (package, name) = room.split_once('/').unwrap_or(("", room));
            plan.nodes.push(Node {
                floor: *floor,
                room: Some(name.to_owned()),
                package: package.to_owned(),
                width: (name.chars().count() as f64 * 7.6 + 26.0).max(78.0),
                x: 0.0,
            });
        }
        let mut to: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, all) in house.without_detours() {
            for target in all {
                to.entry(rooms[target.as_str()]).or_default().push(rooms[from.as_str()]);
            }
        }
        for (target, sources) in to {
            plan.lead(target, &sources);
        }
        plan.place();
        plan
    }

    /// Leads the arrows of `sources` down to `target`.
    fn lead(&mut self, target: usize, sources: &[usize]) {
        let ground = self.nodes[target].floor;
        let top = sources.iter().map(|source| self.nodes[*source].floor).max().unwrap_or(0);
        let mut below = vec![target];
        for floor in ground + 1..top {
            let way = self.nodes.len();
            let package = self.nodes[target].package.clone();
            self.nodes.push(Node { floor, room: None, package, width: 2.0, x: 0.0 });
            self.lines.push((way, below[below.len() - 1]));
            below.push(way);
        }
        for source in sources {
            match self.nodes[*source].floor.checked_sub(ground + 1) {
                Some(above) => self.lines.push((*source, below[above])),
                None => self.circular.push((*source, target)),
            }
        }
    }

    fn place(&mut self) {
        let in_wing = |node: &Node| node.package == WING;
        let mut floors = Floors::new();
        floors.resize(self.floors, Vec::new());
        for (at, node) in self.nodes.iter().enumerate() {
            floors[node.floor].push(at);
        }
        let aside = self.nodes.iter().map(in_wing).collect();
        let order = Ties { lines: &self.lines, aside }.order(floors);
        let span = |nodes: &[usize]| -> f64 {
            let widths: f64 = nodes.iter().map(|node| self.nodes[*node].width + GAP).sum();
            widths + GAP
        };
        let wing: Vec<Vec<usize>> = order
            .iter()
            .map(|floor| floor.iter().copied().filter(|node| in_wing(&self.nodes[*node])).collect())
            .collect();
        let width = wing.iter().map(|floor| span(floor)).fold(0.0, f64::max);
        self.wing = WIDTH - MARGIN - width;
        for floor in &order {
            let step = WIDTH / (floor.len() + 1) as f64;
            for (at, node) in floor.iter().enumerate() {
                self.nodes[*node].x = step * (at + 1) as f64;
            }
        }
        for round in 0..1200 {
            let floors: Vec<usize> =
                if round % 2 == 0 { (0..self.floors).collect() } else { (0..self.floors).rev().collect() };
            for floor in floors {
                let (aside, main): (Vec<usize>, Vec<usize>) =
                    order[floor].iter().partition(|node| in_wing(&self.nodes[**node]));
                let end = if floor < self.storey { WIDTH - MARGIN } else { self.wing - GAP };
                self.settle(&main, MARGIN, end);
                self.settle(&aside, self.wing, WIDTH - MARGIN);
            }
        }
    }

    /// Moves the nodes of a floor, which keep their order and distances, as near as they can to what they are tied to.
    fn settle(&mut self, floor: &[usize], start: f64, end: f64) {
        // Distances are taken out, so that what remains is to make a row of wishes ascend.
        let mut offsets = Vec::with_capacity(floor.len());
        let mut offset = 0.0;
        for (at, node) in floor.iter().enumerate() {
            let half = self.nodes[*node].width / 2.0;
            let before = at.checked_sub(1).map_or(GAP, |last| self.nodes[floor[last]].width / 2.0 + GAP);
            offset += before + half;
            offsets.push(offset);
        }
        let Some(last) = floor.last() else { return };
        let room = (end - start - offset - self.nodes[*last].width / 2.0 - GAP).max(0.0);
        // Blocks of nodes that touch: the sum of their wishes, their weight, their number.
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        for (node, offset) in floor.iter().zip(&offsets) {
            let (wish, weight) = self.wish(*node);
            let mut block = ((wish - start - offset) * weight, weight, 1);
            while let Some(before) = blocks.pop_if(|before| before.0 / before.1 >= block.0 / block.1) {
                block = (block.0 + before.0, block.1 + before.1, block.2 + before.2);
            }
            blocks.push(block);
        }
        let mut nodes = floor.iter().zip(&offsets);
        for (sum, weight, count) in blocks {
            let moved = (sum / weight).clamp(0.0, room);
            for (node, offset) in nodes.by_ref().take(count) {
                self.nodes[*node].x = start + moved + offset;
            }
        }
    }

    /// Where a node would stand, and how much that counts.
    fn wish(&self, node: usize) -> (f64, f64) {
        let (mut sum, mut weight) = (self.nodes[node].x * 0.1, 0.1);
        for (above, below) in &self.lines {
            let other = match (*above == node, *below == node) {
                (true, _) => *below,
                (_, true) => *above,
                _ => continue,
            };
            let straight = self.nodes[node].room.is_none() && self.nodes[other].room.is_none();
            let weighs = if straight { 200.0 } else { 1.0 };
            sum += self.nodes[other].x * weighs;
            weight += weighs;
        }
        (sum / weight, weight)
    }
}
