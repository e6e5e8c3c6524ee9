//! What uses what: the paths of a tree resolved to files, rooms and crates.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Module, Tree, WrittenPath};

/// Which file uses which other room, file or crate, with the path in the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The file inside `src`.
    pub file: String,
    pub target: Target,
    /// The path in the source; for another room, from the root of the crate.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// By the path in the source.
    Room(String),
    /// Where the item is defined, through re-exports.
    File(String),
    /// A dependency, or a module of std: `std::fs`.
    Crate(String),
}

/// The room of a file: the first part of its path. `lib.rs` and `main.rs` stand above all rooms.
pub fn room_of(file: &str) -> Option<&str> {
    let first = file.split('/').next()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(room, "lib" | "main")).then_some(room)
}

/// Every use of another room, another file or one of `crates`.
pub fn uses(tree: &Tree, crates: &BTreeSet<String>) -> BTreeSet<Use> {
    let resolver = Resolver { tree, crates };
    let mut found = BTreeSet::new();
    for (path, module) in &tree.modules {
        let imports = module.imports.iter().map(|import| {
            // A re-export is not a use: the module's code may not name the item.
            (&import.path, !import.is_reexport)
        });
        let paths = module.paths.iter().map(|written| (written, true));
        for (written, is_used_here) in imports.chain(paths) {
            found.extend(resolver.rooms_and_crates(path, module, written));
            if is_used_here {
                found.extend(resolver.file(path, module, written));
            }
        }
    }
    found
}

/// Which nodes use which, each with an example.
pub type Edges = BTreeMap<(String, String), Use>;

pub fn room_edges(uses: &BTreeSet<Use>) -> Edges {
    let mut edges = Edges::new();
    for used in uses {
        if let (Some(from), Target::Room(to)) = (room_of(&used.file), &used.target) {
            edges
                .entry((from.to_owned(), to.clone()))
                .or_insert_with(|| used.clone());
        }
    }
    edges
}

/// Between files of one room.
pub fn file_edges(uses: &BTreeSet<Use>) -> Edges {
    let mut edges = Edges::new();
    for used in uses {
        if let Target::File(to) = &used.target
            && room_of(to) == room_of(&used.file)
        {
            edges
                .entry((used.file.clone(), to.clone()))
                .or_insert_with(|| used.clone());
        }
    }
    edges
}

struct Resolver<'tree> {
    tree: &'tree Tree,
    crates: &'tree BTreeSet<String>,
}

/// Chains of re-exports end; names that refer to each other in a circle do not.
const MAX_STEPS: usize = 16;

impl Resolver<'_> {
    fn rooms_and_crates(
        &self,
        from: &[String],
        module: &Module,
        written: &WrittenPath,
    ) -> Option<Use> {
        let using = |target, path: &[String]| Use {
            file: module.file.clone(),
            target,
            path: path.join("::"),
        };
        if let Some(absolute) = absolute(from, module, written) {
            let room = absolute.first()?;
            let is_room = self.tree.modules.get(&Vec::new())?.children.contains(room);
            let room = if is_room {
                room.clone()
            } else {
                room_of(&self.find(from, written, 0)?)?.to_owned()
            };
            let path = [&["crate".to_owned()], absolute.as_slice()].concat();
            return (room_of(&module.file) != Some(room.as_str()))
                .then(|| using(Target::Room(room), &path));
        }
        let name = match written.as_slice() {
            [first, second, ..] if first == "std" => format!("std::{second}"),
            [first, ..] => first.clone(),
            [] => return None,
        };
        let is_crate = self.crates.contains(&name) && !module.items.contains(&name);
        is_crate.then(|| using(Target::Crate(name), written))
    }

    fn file(&self, from: &[String], module: &Module, written: &WrittenPath) -> Option<Use> {
        let file = self.find(from, written, 0)?;
        (file != module.file).then(|| Use {
            file: module.file.clone(),
            target: Target::File(file),
            path: written.join("::"),
        })
    }

    /// The file in which what a path names is defined.
    fn find(&self, from: &[String], written: &[String], steps: usize) -> Option<String> {
        if steps > MAX_STEPS {
            return None;
        }
        let module = self.tree.modules.get(from)?;
        match absolute(from, module, written) {
            Some(absolute) => self.walk(&[], &absolute, steps),
            None => self.imported(from, module, written, steps),
        }
    }

    /// The file of `path`, which begins in the module `at`.
    fn walk(&self, at: &[String], path: &[String], steps: usize) -> Option<String> {
        let module = self.tree.modules.get(at)?;
        let Some((name, rest)) = path.split_first() else {
            return Some(module.file.clone());
        };
        if module.children.contains(name) {
            let child = [at, std::slice::from_ref(name)].concat();
            return self.walk(&child, rest, steps);
        }
        if module.items.contains(name) {
            return Some(module.file.clone());
        }
        self.imported(at, module, path, steps)
    }

    /// What the first name of `path` means where `module` imports it.
    fn imported(
        &self,
        at: &[String],
        module: &Module,
        path: &[String],
        steps: usize,
    ) -> Option<String> {
        let (name, rest) = path.split_first()?;
        let named = module
            .imports
            .iter()
            .find(|import| import.name.as_ref() == Some(name));
        if let Some(import) = named {
            let whole = [import.path.as_slice(), rest].concat();
            return (whole != path)
                .then(|| self.find(at, &whole, steps + 1))
                .flatten();
        }
        let globs = module.imports.iter().filter(|import| import.name.is_none());
        globs
            .filter_map(|import| {
                let whole = [import.path.as_slice(), path].concat();
                self.find(at, &whole, steps + 1)
            })
            .next()
    }
}

/// A path from the root of the crate, where it is one: `crate::`, `self::`, `super::`, or a child
/// of the module.
fn absolute(from: &[String], module: &Module, written: &[String]) -> Option<Vec<String>> {
    let first = written.first()?;
    let (mut base, mut rest) = match first.as_str() {
        "crate" => (Vec::new(), &written[1..]),
        "self" => (from.to_vec(), &written[1..]),
        "super" => (from.to_vec(), written),
        _ if module.children.contains(first) => (from.to_vec(), written),
        _ => return None,
    };
    while rest.first().is_some_and(|segment| segment == "super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}
