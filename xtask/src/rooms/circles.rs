//! Circles: those who reach each other along the arrows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who names whom.
pub(super) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The groups of two or more in which each reaches each.
pub(super) fn circles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<_, _> = arrows.keys().map(|from| (from.clone(), reached(arrows, from))).collect();
    let mut circles: Vec<BTreeSet<String>> = reached
        .iter()
        .filter(|(from, to)| to.contains(*from))
        .map(|(from, to)| {
            let returns = |other: &&String| reached.get(*other).is_some_and(|back| back.contains(from));
            to.iter().filter(returns).cloned().collect()
        })
        .collect();
    circles.sort();
    circles.dedup();
    circles
}

/// A shortest way from a member of `circle` back to itself, named once at its start.
pub(super) fn shortest(arrows: &Arrows, circle: &BTreeSet<String>) -> Vec<String> {
    circle.iter().filter_map(|start| way_back(arrows, start)).min_by_key(Vec::len).unwrap_or_default()
}

/// Whoever `from` reaches in one step or more.
pub(super) fn reached(arrows: &Arrows, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&String> = arrows.get(from).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if found.insert(next.clone()) {
            open.extend(arrows.get(next).into_iter().flatten());
        }
    }
    found
}

fn way_back(arrows: &Arrows, start: &str) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for next in arrows.get(at).into_iter().flatten() {
            if next == start {
                let mut way = vec![at.to_owned()];
                while let Some(before) = came_from.get(&*way[way.len() - 1]) {
                    way.push((*before).to_owned());
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(&**next) {
                came_from.insert(next, at);
                open.push_back(next);
            }
        }
    }
    None
}
