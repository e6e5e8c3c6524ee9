//! The layers: which room may use which, and which crate is used where, as in the tables of
//! ARCHITECTURE.md.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "layers/checker.rs"]
mod checker;
#[path = "layers/graph.rs"]
mod graph;
#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/source.rs"]
mod source;
#[path = "layers/table.rs"]
mod table;
#[path = "layers/uses.rs"]
mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use source::Tree;
use uses::{Target, Use, room_of};

/// Files that use their child modules although these use their items. What the children share could
/// be in another file; here it is not, for the given reason.
const PARENTS: rules::Parents = &[
    (
        "db/twin.rs",
        "the methods of `Twin` are in files by subject, and its fields are of these files' types",
    ),
    (
        "remedy.rs",
        "proposals are collected from the files, and each takes the question that is defined beside the collection",
    ),
];

/// The only rooms with `async`.
const ASYNC_ROOMS: &[&str] = &["db", "mcp"];

struct Project {
    tree: Tree,
    architecture: String,
    uses: BTreeSet<Use>,
}

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let tree = Tree::parse(&source::read_sources(&root.join("src")));
    let crates = table::crates(&architecture).into_keys().collect();
    let uses = uses::uses(&tree, &crates);
    assert!(uses.len() > 1000, "the checker sees only {}", uses.len());
    Project {
        tree,
        architecture,
        uses,
    }
});

fn assert_none(sentences: &[String]) {
    assert!(sentences.is_empty(), "\n{}\n", sentences.join("\n"));
}

#[test]
fn every_room_uses_only_what_its_row_lists() {
    let project = &*PROJECT;
    let may_use = table::rooms(&project.architecture);
    assert_none(&rules::table_errors(&project.tree, &may_use));
    assert_none(&rules::upward(&project.uses, &may_use));
}

#[test]
fn no_rooms_use_each_other_in_a_circle() {
    assert_none(&rules::circles(&uses::room_edges(&PROJECT.uses), &[]));
}

#[test]
fn no_files_of_a_room_use_each_other_in_a_circle() {
    let edges = uses::file_edges(&PROJECT.uses);
    assert_none(&rules::stale_parents(&edges, PARENTS));
    assert_none(&rules::circles(&edges, PARENTS));
}

#[test]
fn every_crate_is_used_only_where_its_row_says() {
    let rooms = table::crates(&PROJECT.architecture);
    assert_none(&rules::misplaced_crates(&PROJECT.uses, &rooms));
}

#[test]
fn only_what_waits_for_sockets_is_async() {
    assert_none(&rules::misplaced_async(&PROJECT.tree, ASYNC_ROOMS));
}

/// The interface's events are its own; of crossterm, the room `terminal` needs the width only.
#[test]
fn the_terminal_only_measures_itself() {
    let others: Vec<&Use> = PROJECT
        .uses
        .iter()
        .filter(|used| used.target == Target::Crate("crossterm".to_owned()))
        .filter(|used| room_of(&used.file) == Some("terminal"))
        .filter(|used| !used.path.starts_with("crossterm::terminal::"))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// Everything in `src` is either part of the crate or a test.
#[test]
fn no_file_is_left_over() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = PROJECT.tree.modules.values();
    let read: BTreeSet<&str> = modules.map(|module| module.file.as_str()).collect();
    let is_test = |file: &str| {
        PROJECT.tree.test_files.iter().any(|test| {
            file == test || file.starts_with(&format!("{}/", test.trim_end_matches(".rs")))
        })
    };
    let left: Vec<String> = source::read_sources(&root.join("src"))
        .into_keys()
        .filter(|file| file != "main.rs" && !read.contains(file.as_str()) && !is_test(file))
        .collect();
    assert!(left.is_empty(), "no module is declared for {left:?}");
}
