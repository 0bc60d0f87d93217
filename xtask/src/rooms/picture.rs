//! The picture: a plan as SVG, and the list of all arrows that it carries along.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    house::House,
    plan::{GROUND, MARGIN, Node, Plan, WIDTH, WING},
};

const ROOM: f64 = 28.0;
const FLOOR: f64 = 53.0;
const TOP: f64 = 46.0;
/// Below the ground floor: the words.
const FOOT: f64 = 62.0;

/// Between the two rooms of a listed arrow.
pub(super) const NAMES: &str = " names ";

/// Colours that suit a light page and a dark one. The picture has a ground of its own, since a page may be lighter or
/// darker than the reader's system says.
const STYLE: &str = "\
    .page{fill:#fbfaf7}.core{fill:#e9f0ec}.orm,.values{fill:#e8eef6}.macros{fill:#f4ecdf}\
    .room{fill:#fff;stroke-width:1.2}.in-core{stroke:#5b8a72}.in-orm,.in-values{stroke:#5878a3}.in-macros{stroke:#a8834a}\
    text{fill:#26303b;font:13px ui-sans-serif,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif}\
    .package{font-size:12px;letter-spacing:.06em;fill:#6a7480}.words{font-size:12px;fill:#6a7480}\
    .way{fill:none;stroke:#8b95a1;stroke-width:1.3}.head{fill:#8b95a1}\
    .circle{fill:none;stroke:#c0392b;stroke-width:1.8}\
    @media(prefers-color-scheme:dark){\
    .page{fill:#14181d}.core{fill:#1b2721}.orm,.values{fill:#1a2330}.macros{fill:#2a241a}\
    .room{fill:#20262e}text{fill:#e3e7ec}.package,.words{fill:#98a2ae}\
    .way{stroke:#717c89}.head{fill:#717c89}.circle{stroke:#ff7b6b}}";

const WORDS: [&str; 2] = [
    "A room is a top-level module. It stands above all whose items it names; an arrow leads to each of them,",
    "but for arrows that a way over other rooms replaces. Drawn from the code by cargo xtask rooms.",
];

/// The whole file.
pub(super) fn draw(house: &House) -> String {
    let plan = Plan::of(house);
    let height = TOP + plan.floors as f64 * FLOOR + FOOT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>Rooms of the library</title>\n<desc>\n"
    );
    for arrow in arrows(house) {
        let _ = writeln!(svg, "{arrow}");
    }
    let _ = writeln!(svg, "</desc>\n<style>{STYLE}</style>");
    let _ = writeln!(svg, "<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"10\"/>");
    packages(&plan, &mut svg);
    ways(&plan, &mut svg);
    for node in &plan.nodes {
        room(&plan, node, &mut svg);
    }
    for (line, words) in WORDS.iter().enumerate() {
        let y = height - FOOT + 26.0 + 17.0 * line as f64;
        let _ = writeln!(svg, "<text class=\"words\" x=\"{}\" y=\"{y}\">{words}</text>", MARGIN - 12.0);
    }
    svg.push_str("</svg>\n");
    svg
}

/// All arrows, those too that are not drawn.
fn arrows(house: &House) -> impl Iterator<Item = String> {
    house.arrows.iter().flat_map(|(from, all)| all.iter().map(move |to| format!("{from}{NAMES}{to}")))
}

/// The arrows that a picture says it shows, and those that the code has.
pub(super) fn shown_and_real(picture: &str, house: &House) -> (BTreeSet<String>, BTreeSet<String>) {
    let listed = picture.split_once("<desc>").and_then(|(_, rest)| rest.split_once("</desc>"));
    let shown = listed.map_or("", |(list, _)| list).lines().map(str::to_owned);
    (shown.filter(|line| !line.is_empty()).collect(), arrows(house).collect())
}

fn class(package: &str) -> &str {
    package.trim_start_matches("cache-")
}

/// The middle of a floor, counted from the ground.
fn middle(plan: &Plan, floor: usize) -> f64 {
    TOP + (plan.floors - 1 - floor) as f64 * FLOOR + FLOOR / 2.0
}

fn packages(plan: &Plan, svg: &mut String) {
    let (left, right) = (MARGIN - 12.0, WIDTH - MARGIN + 12.0);
    let (top, bottom) = (TOP - 24.0, TOP + plan.floors as f64 * FLOOR);
    let between = bottom - plan.storey as f64 * FLOOR;
    let split = plan.wing - 6.0;
    let mut part = |package: &str, left: f64, top: f64, right: f64, bottom: f64| {
        let (width, height) = (right - left, bottom - top);
        let _ = writeln!(
            svg,
            "<rect class=\"{}\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>\n\
             <text class=\"package\" x=\"{:.0}\" y=\"{:.0}\">{package}</text>",
            class(package),
            left + 12.0,
            top + 20.0
        );
    };
    let upper =
        plan.nodes.iter().map(|node| node.package.as_str()).find(|name| ![GROUND, WING].contains(name));
    let has = |package: &str| plan.nodes.iter().any(|node| node.package == package);
    let (split, right_of_upper) = if has(WING) { (split, split - 5.0) } else { (right, right) };
    let floor_of_upper = if has(GROUND) { between - 5.0 } else { bottom };
    if let Some(upper) = upper {
        part(upper, left, top, right_of_upper, floor_of_upper);
    }
    if has(WING) {
        part(WING, split + 5.0, top, right, between - 5.0);
    }
    if has(GROUND) {
        part(GROUND, left, between + 5.0, right, bottom);
    }
}

fn ways(plan: &Plan, svg: &mut String) {
    for (at, node) in plan.nodes.iter().enumerate() {
        let y = middle(plan, node.floor);
        if node.room.is_none() {
            let (x, top, bottom) = (node.x, y - ROOM / 2.0, y + ROOM / 2.0);
            let _ = writeln!(svg, "<path class=\"way\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>");
        }
        let mut below: Vec<_> = plan.lines.iter().filter(|line| line.0 == at).map(|line| line.1).collect();
        below.sort_by(|a, b| plan.nodes[*a].x.total_cmp(&plan.nodes[*b].x));
        let space =
            if node.room.is_some() { ((node.width - 24.0) / below.len() as f64).min(16.0) } else { 0.0 };
        for (place, target) in below.iter().enumerate() {
            let start = node.x + space * (place as f64 - (below.len() - 1) as f64 / 2.0);
            way(start, y + ROOM / 2.0, plan, &plan.nodes[*target], svg);
        }
    }
    for node in plan.nodes.iter().enumerate().filter(|(at, _)| plan.lines.iter().any(|line| line.1 == *at)) {
        let (x, y) = (node.1.x, middle(plan, node.1.floor) - ROOM / 2.0);
        if node.1.room.is_some() {
            let _ = writeln!(svg, "<path class=\"head\" d=\"M{x:.1} {y:.1}l-4 -8h8z\"/>");
        }
    }
    for (from, to) in &plan.circular {
        let (from, to) = (&plan.nodes[*from], &plan.nodes[*to]);
        let y = middle(plan, from.floor) + ROOM / 2.0;
        let (low, start, end) = (y + 22.0, from.x, to.x);
        let _ = writeln!(
            svg,
            "<path class=\"circle\" d=\"M{start:.1} {y:.1}C{start:.1} {low:.1} {end:.1} {low:.1} {end:.1} {y:.1}\"/>"
        );
    }
}

fn way(x: f64, y: f64, plan: &Plan, to: &Node, svg: &mut String) {
    let shortened = if to.room.is_some() { 6.0 } else { 0.0 };
    let end = middle(plan, to.floor) - ROOM / 2.0 - shortened;
    let half = (y + end) / 2.0;
    let _ = writeln!(
        svg,
        "<path class=\"way\" d=\"M{x:.1} {y:.1}C{x:.1} {half:.1} {:.1} {half:.1} {:.1} {end:.1}\"/>",
        to.x, to.x
    );
}

fn room(plan: &Plan, node: &Node, svg: &mut String) {
    let Some(name) = &node.room else { return };
    let y = middle(plan, node.floor);
    let _ = writeln!(
        svg,
        "<rect class=\"room in-{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{ROOM}\" rx=\"6\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
        class(&node.package),
        node.x - node.width / 2.0,
        y - ROOM / 2.0,
        node.width,
        node.x,
        y + 4.5
    );
}
