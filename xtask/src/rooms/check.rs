//! What `cargo xtask rooms --check` finds, in words.

use std::collections::BTreeSet;

use super::{
    circles::{self, Arrows},
    house::{self, House},
    picture,
};

/// The circles between rooms, and those between files.
pub(super) fn circles(house: &House) -> Vec<String> {
    let files = house.files();
    let rooms = circles::circles(&house.arrows).into_iter().map(|circle| {
        let across = |from: &str, to: &str| house::room(from) != house::room(to);
        let within = |file: &str| circle.contains(&house::room(file));
        let lines = lines(house, |from, to| across(from, to) && within(from) && within(to));
        told("rooms", &house.arrows, &circle, &lines)
    });
    let within = circles::circles(&files).into_iter().map(|circle| {
        let lines = lines(house, |from, to| circle.contains(from) && circle.contains(to));
        told("files", &files, &circle, &lines)
    });
    rooms.chain(within).collect()
}

/// How the picture on disk differs from the one that the code gives.
pub(super) fn picture(name: &str, house: &House, on_disk: &str, drawn: &str) -> Option<String> {
    if on_disk == drawn {
        return None;
    }
    let (shown, real) = picture::shown_and_real(on_disk, house);
    let mut told = format!("{name} is not what the code gives");
    for arrow in real.difference(&shown) {
        told.push_str(&format!("\n    it lacks: {arrow}"));
        if let Some((from, to)) = arrow.split_once(picture::NAMES) {
            for line in house.between(from, to) {
                told.push_str(&format!("\n        {line}"));
            }
        }
    }
    for arrow in shown.difference(&real) {
        told.push_str(&format!("\n    it shows, and the code has not: {arrow}"));
    }
    if shown == real {
        told.push_str("\n    its arrows are right: the rooms, or the way they are drawn, have changed");
    }
    told.push_str("\n  run `cargo xtask rooms`, look at the picture, and commit it");
    Some(told)
}

fn lines(house: &House, wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let found = house.uses.iter().filter(|((from, to), _)| wanted(from, to));
    found.map(|((from, to), names)| house::line(from, to, names)).collect()
}

fn told(what: &str, arrows: &Arrows, circle: &BTreeSet<String>, lines: &[String]) -> String {
    let mut way = circles::shortest(arrows, circle);
    way.extend(way.first().cloned());
    format!(
        "a circle of {} {what}, the shortest way around {}\n    {}",
        circle.len(),
        way.join(" -> "),
        lines.join("\n    ")
    )
}
