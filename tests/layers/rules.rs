//! The rules. Each returns sentences, one for each violation.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph;
use crate::source::Tree;
use crate::table::MayUse;
use crate::uses::{Edges, Target, Use, room_of};

/// A file that uses its child modules although they use its items, with the reason.
pub type Parents<'list> = &'list [(&'list str, &'list str)];

/// Rooms that use what their row does not list.
pub fn upward(uses: &BTreeSet<Use>, may_use: &MayUse) -> Vec<String> {
    let none = BTreeSet::new();
    let breaks = |used: &&Use| {
        let (Some(room), Target::Room(target)) = (room_of(&used.file), &used.target) else {
            return false;
        };
        !may_use.get(room).unwrap_or(&none).contains(target)
    };
    let sentence = |used: &Use| {
        let room = room_of(&used.file).unwrap();
        let (file, path) = (&used.file, &used.path);
        let allowed = listed(may_use.get(room).unwrap_or(&none));
        format!(
            "src/{file} uses `{path}`: ARCHITECTURE.md says that `{room}` may use {allowed} (section Rooms)."
        )
    };
    uses.iter().filter(breaks).map(sentence).collect()
}

/// Crates that are used in a room that their row does not list. A row without names lists every
/// room.
pub fn misplaced_crates(uses: &BTreeSet<Use>, rooms_of_crates: &MayUse) -> Vec<String> {
    let sentence = |used: &Use| {
        let (room, Target::Crate(name)) = (room_of(&used.file)?, &used.target) else {
            return None;
        };
        let rooms = rooms_of_crates.get(name)?;
        (!rooms.is_empty() && !rooms.contains(room)).then(|| {
            let (file, path, rooms) = (&used.file, &used.path, listed(rooms));
            format!("src/{file} uses `{path}`: ARCHITECTURE.md says that {rooms} may use `{name}` (section Dependencies).")
        })
    };
    uses.iter().filter_map(sentence).collect()
}

/// Modules with `async` outside `room`.
pub fn misplaced_async(tree: &Tree, rooms: &[&str]) -> Vec<String> {
    let modules = tree.modules.values();
    modules
        .filter(|module| {
            let is_allowed = room_of(&module.file).is_some_and(|room| rooms.contains(&room));
            module.has_async && !is_allowed
        })
        .map(|module| {
            format!(
                "src/{} is async: only {} may be.",
                module.file,
                rooms.join(", ")
            )
        })
        .collect()
}

/// Names in the column "may use" that are no rooms, and rooms without a row.
pub fn table_errors(tree: &Tree, may_use: &MayUse) -> Vec<String> {
    let files = tree.modules.values();
    let rooms: BTreeSet<&str> = files.filter_map(|module| room_of(&module.file)).collect();
    let without_row = rooms
        .iter()
        .filter(|room| !may_use.contains_key(**room))
        .map(|room| format!("ARCHITECTURE.md has no row for src/{room}.rs (section Rooms)."));
    let named = may_use.iter().flat_map(|(room, used)| {
        std::iter::once((room, room)).chain(used.iter().map(move |name| (room, name)))
    });
    let unknown = named
        .filter(|(_, name)| !rooms.contains(name.as_str()))
        .map(|(room, name)| {
            format!("ARCHITECTURE.md names `{name}` in the row of `{room}`, which is no room.")
        });
    without_row.chain(unknown).collect()
}

/// Circles, without those between a listed parent and its children.
pub fn circles(edges: &Edges, parents: Parents) -> Vec<String> {
    let mut rest = edges.clone();
    rest.retain(|(from, to), _| !is_child_of_listed(from, to, parents));
    graph::circles(&rest)
        .iter()
        .map(|circle| graph::sentence(circle, &rest))
        .collect()
}

/// Listed parents that are in no circle with a child.
pub fn stale_parents(edges: &Edges, parents: Parents) -> Vec<String> {
    let is_in_circle = |parent: &str| {
        edges.keys().any(|(child, used)| {
            used == parent && is_child(child, parent) && reaches(edges, parent, child)
        })
    };
    parents
        .iter()
        .filter(|(parent, _)| !is_in_circle(parent))
        .map(|(parent, _)| {
            format!("src/{parent} is in no circle with a child: take it off the list.")
        })
        .collect()
}

fn is_child_of_listed(child: &str, parent: &str, parents: Parents) -> bool {
    is_child(child, parent) && parents.iter().any(|(listed, _)| *listed == parent)
}

fn is_child(child: &str, parent: &str) -> bool {
    let folder = parent.strip_suffix(".rs").unwrap_or(parent);
    child
        .strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn reaches(edges: &Edges, from: &str, to: &str) -> bool {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        next.entry(from).or_default().push(to);
    }
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for &node in next.get(node).into_iter().flatten() {
            if node == to {
                return true;
            }
            if seen.insert(node) {
                open.push(node);
            }
        }
    }
    false
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "no other room".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("only {}", names.join(", "))
}
