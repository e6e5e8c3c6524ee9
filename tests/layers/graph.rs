//! Circles in a graph of uses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::uses::Edges;

/// One shortest circle for each group of nodes that all reach each other, as its nodes in order;
/// the first node is not repeated.
pub fn circles(edges: &Edges) -> Vec<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        next.entry(from).or_default().insert(to);
    }
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut seen = BTreeSet::new();
    for start in next.keys() {
        if seen.contains(*start) {
            continue;
        }
        if let Some(circle) = shortest(&next, start) {
            seen.extend(circle.iter().copied());
            found.push(circle.into_iter().map(str::to_owned).collect());
        }
    }
    found
}

/// The shortest way from `start` back to itself.
fn shortest<'edges>(
    next: &BTreeMap<&'edges str, BTreeSet<&'edges str>>,
    start: &'edges str,
) -> Option<Vec<&'edges str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &to in next.get(node).into_iter().flatten() {
            if to == start {
                let mut way = vec![node];
                while way.last() != Some(&start) {
                    way.push(came_from[way[way.len() - 1]]);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(to) {
                came_from.insert(to, node);
                queue.push_back(to);
            }
        }
    }
    None
}

/// The circle as a sentence, with the path by which each node uses the next.
pub fn sentence(circle: &[String], edges: &Edges) -> String {
    let steps = circle.iter().enumerate().map(|(place, from)| {
        let to = &circle[(place + 1) % circle.len()];
        let example = &edges[&(from.clone(), to.clone())];
        format!(
            "`{from}` uses `{to}` (src/{}: `{}`)",
            example.file, example.path
        )
    });
    format!("Circle: {}.", steps.collect::<Vec<_>>().join(", "))
}
