//! The checker itself, on sources of a few lines: what it must report and what it must not.

use std::collections::BTreeSet;

use crate::rules;
use crate::source::{Sources, Tree};
use crate::table;
use crate::uses::{self, Use};

const ROOMS: &str = "
| room | what | may use |
|---|---|---|
| `src/high.rs` | above | `low` |
| `src/low.rs` | below | |
";

const CRATES: &str = "
| crate | reason | where |
|---|---|---|
| `serde` | values | anywhere |
| `tokio`, `tokio-postgres` | the server | `high` |
| `std::fs` | files | `high` |
";

fn sources(files: &[(&str, &str)]) -> Sources {
    let lib = ("lib.rs", "pub mod high; mod low;");
    let files = files.iter().chain(std::iter::once(&lib));
    files
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

fn uses(files: &[(&str, &str)]) -> BTreeSet<Use> {
    let crates = table::crates(CRATES).into_keys().collect();
    uses::uses(&Tree::parse(&sources(files)), &crates)
}

fn upward(low: &str) -> Vec<String> {
    let files = [("high.rs", "pub struct Roof;"), ("low.rs", low)];
    rules::upward(&uses(&files), &table::rooms(ROOMS))
}

fn file_circles(files: &[(&str, &str)]) -> Vec<String> {
    rules::circles(&uses::file_edges(&uses(files)), &[])
}

#[test]
fn an_upward_import_is_reported_with_the_row_it_breaks() {
    assert_eq!(
        upward("use crate::high::Roof;"),
        [
            "src/low.rs uses `crate::high::Roof`: ARCHITECTURE.md says that `low` may use no other room (section Rooms)."
        ]
    );
}

#[test]
fn upward_paths_are_found_wherever_they_stand() {
    for code in [
        "use super::high;",
        "use crate::{high::Roof as Top};",
        "fn f() -> crate::high::Roof { todo!() }",
        "fn f() { let _ = crate::high::Roof; }",
        "fn f() { println!(\"{:?}\", crate::high::Roof); }",
        "fn f() { use crate::high::*; }",
        "mod inner { use super::super::high::Roof; }",
        "#[derive(crate::high::Roof)] struct Low;",
        "impl crate::high::Roof { }",
    ] {
        assert_eq!(upward(code).len(), 1, "{code}");
    }
}

#[test]
fn what_a_row_lists_and_what_is_only_for_tests_is_allowed() {
    for code in [
        "#[cfg(test)] use crate::high::Roof;",
        "#[cfg(all(test, unix))] fn f() -> crate::high::Roof { todo!() }",
        "#[cfg(test)] mod tests { use crate::high::Roof; }",
        "struct Low; impl Low { #[cfg(test)] fn f() -> crate::high::Roof { todo!() } }",
        "/// See [`crate::high::Roof`].\nstruct Low;",
        "const NAME: &str = \"crate::high::Roof\";",
        "pub(super) struct Low; fn f() -> self::Low { Low }",
    ] {
        assert_eq!(upward(code), [""; 0], "{code}");
    }
    let down = uses(&[
        ("high.rs", "use crate::low::Low;"),
        ("low.rs", "pub struct Low;"),
    ]);
    assert_eq!(rules::upward(&down, &table::rooms(ROOMS)), [""; 0]);
    assert!(!down.is_empty());
}

#[test]
fn a_file_that_only_tests_declare_is_not_read() {
    let files = [
        ("high.rs", ""),
        ("low.rs", "#[cfg(test)] mod tests;"),
        ("low/tests.rs", "use crate::high::Roof;"),
    ];
    assert_eq!(uses(&files), BTreeSet::new());
    let tree = Tree::parse(&sources(&files));
    assert_eq!(tree.test_files, BTreeSet::from(["low/tests.rs".to_owned()]));
}

#[test]
fn a_circle_of_rooms_is_reported() {
    let both = uses(&[
        ("high.rs", "pub struct Roof(crate::low::Low);"),
        ("low.rs", "pub struct Low(Box<crate::high::Roof>);"),
    ]);
    assert_eq!(
        rules::circles(&uses::room_edges(&both), &[]),
        [
            "Circle: `high` uses `low` (src/high.rs: `crate::low::Low`), `low` uses `high` (src/low.rs: `crate::high::Roof`)."
        ]
    );
}

#[test]
fn a_circle_of_files_is_found_through_reexports() {
    let circle = file_circles(&[
        (
            "high.rs",
            "mod left; mod right; pub use left::Left; use right::Right;",
        ),
        ("high/left.rs", "use super::Right; pub struct Left;"),
        ("high/right.rs", "use super::Left; pub struct Right;"),
        ("low.rs", ""),
    ]);
    assert_eq!(
        circle,
        [
            "Circle: `high/left.rs` uses `high/right.rs` (src/high/left.rs: `super::Right`), `high/right.rs` uses `high/left.rs` (src/high/right.rs: `super::Left`)."
        ]
    );
}

#[test]
fn parent_and_child_are_a_circle_only_where_each_uses_the_other() {
    let child = ("high/part.rs", "pub struct Part(super::Roof);");
    let low = ("low.rs", "");
    let reexports = ("high.rs", "mod part; pub use part::Part; pub struct Roof;");
    assert_eq!(file_circles(&[reexports, child, low]), [""; 0]);
    let uses_it = (
        "high.rs",
        "mod part; pub use part::Part; pub struct Roof; fn f(_: &Part) {}",
    );
    assert_eq!(file_circles(&[uses_it, child, low]).len(), 1);

    let edges = uses::file_edges(&uses(&[uses_it, child, low]));
    let listed: rules::Parents = &[("high.rs", "for the test")];
    assert_eq!(rules::circles(&edges, listed), [""; 0]);
    assert_eq!(rules::stale_parents(&edges, listed), [""; 0]);
    let edges = uses::file_edges(&uses(&[reexports, child, low]));
    assert_eq!(rules::stale_parents(&edges, listed).len(), 1);
}

#[test]
fn crates_and_async_stay_where_they_belong() {
    let files = [
        ("high.rs", "use tokio_postgres::Client; async fn f() {}"),
        (
            "low.rs",
            "use serde::Serialize; use std::{fs::File, io}; fn f() { tokio::spawn(async {}); }",
        ),
    ];
    assert_eq!(
        rules::misplaced_crates(&uses(&files), &table::crates(CRATES)),
        [
            "src/low.rs uses `std::fs::File`: ARCHITECTURE.md says that only `high` may use `std::fs` (section Dependencies).",
            "src/low.rs uses `tokio::spawn`: ARCHITECTURE.md says that only `high` may use `tokio` (section Dependencies)."
        ]
    );
    let tree = Tree::parse(&sources(&files));
    assert_eq!(
        rules::misplaced_async(&tree, &["high"]),
        ["src/low.rs is async: only high may be."]
    );
}

#[test]
fn a_room_without_a_row_and_a_row_without_a_room_are_reported() {
    let files = [("high.rs", ""), ("low.rs", "")];
    let tree = Tree::parse(&sources(&files));
    let table = table::rooms("| room | may use |\n|---|---|\n| `src/high.rs` | `cellar` |\n");
    assert_eq!(
        rules::table_errors(&tree, &table),
        [
            "ARCHITECTURE.md has no row for src/low.rs (section Rooms).",
            "ARCHITECTURE.md names `cellar` in the row of `high`, which is no room."
        ]
    );
}
