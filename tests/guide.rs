//! Runs every command of the README and the guide: what stands in a block of shell commands, and what
//! begins with `pgrehearse` in the text. A document runs in a directory of its own, with the files
//! that it talks of, against a throwaway server with the database `shop`.
//!
//! What cannot be run here is in [`NOT_RUN`], with the reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "guide/commands.rs"]
mod commands;
#[path = "guide/shop.rs"]
mod shop;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use commands::{commands_of, outputs_of};
use shop::Shop;

/// Commands that no test can run as they are, each with what covers it instead.
const NOT_RUN: [(&str, &str); 10] = [
    (
        "cargo install --path .",
        "builds the program: what cargo test does, too",
    ),
    ("cargo build --release", "the same"),
    (
        "make demo",
        "runs pgrehearse demo, which is run here at a small scale",
    ),
    ("make test", "runs this test"),
    (
        "make bench-",
        "takes minutes; CONTRIBUTING.md says how many",
    ),
    ("podman ", "needs a registry of images"),
    ("cargo deb", "needs cargo-deb; scripts/release.sh runs it"),
    (
        "scripts/release.sh",
        "builds what is published, for 7 minutes",
    ),
    (
        "mdbook ",
        "needs mdbook; tests/documents.rs follows the links",
    ),
    (
        "--upgrade 18",
        "needs two versions of PostgreSQL: tests/check/upgrade.rs",
    ),
];

/// Commands that end with another status than 0, as the document says.
const STATUS: [(&str, i32); 3] = [
    ("--fail-on improvement=50", 3),
    ("watch -d shop --once", 3),
    ("watch -d shop ", 130),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents whose commands are run: the README and all chapters.
fn documents() -> BTreeSet<PathBuf> {
    let chapters = std::fs::read_dir(root().join("docs")).unwrap();
    let chapters = chapters.map(|entry| entry.unwrap().path());
    let is_chapter = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let readme = [
        root().join("README.md"),
        root().join("docs/findings/README.md"),
    ];
    chapters.filter(is_chapter).chain(readme).collect()
}

/// Runs the commands of these documents in order; returns how many.
fn run_documents(shop: &Shop, documents: &[PathBuf]) -> usize {
    let mut count = 0;
    let mut failures = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(document).unwrap();
        let place = shop.place();
        for command in commands_of(&text) {
            if NOT_RUN.iter().any(|(part, _)| command.contains(part)) {
                continue;
            }
            let expected = STATUS.iter().find(|(part, _)| command.contains(part));
            let expected = expected.map_or(0, |(_, status)| *status);
            let name = document.strip_prefix(root()).unwrap().display();
            println!("{name}: {command}");
            if let Err(output) = shop.run(&place, &command, expected) {
                failures.push(format!("{name}: {command}\n{output}"));
            }
            count += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    count
}

fn is_about_the_first_index(document: &Path) -> bool {
    document.ends_with("five-minutes.md")
}

#[test]
fn the_commands_of_the_readme_run() {
    let count = run_documents(shop::shared(), &[root().join("README.md")]);
    assert!(count > 30, "{count} commands");
}

#[test]
fn the_commands_of_the_guide_run() {
    let chapters = documents().into_iter().filter(|document| {
        !document.starts_with(root().join("README.md")) && !is_about_the_first_index(document)
    });
    let count = run_documents(shop::shared(), &chapters.collect::<Vec<_>>());
    assert!(count > 30, "{count} commands");
}

/// Its last step creates the indexes, so it has a server of its own.
#[test]
fn five_minutes_lead_to_the_first_index() {
    let shop = Shop::open();
    let count = run_documents(&shop, &[root().join("docs/five-minutes.md")]);
    assert!(count > 6, "{count} commands");
    let created =
        shop.query("SELECT count(*) FROM pg_indexes WHERE indexname ~ '^orders_customer_id'");
    assert_ne!(
        created, "0",
        "the migration has created what was recommended"
    );
}

#[test]
fn what_the_documents_show_is_what_the_program_prints() {
    let shop = shop::shared();
    let mut count = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for (command, shown) in outputs_of(&text) {
            let output = shop.output(&shop.place(), &format!("COLUMNS=90 {command}"));
            let printed = String::from_utf8(output.stdout).unwrap();
            assert_eq!(printed.trim_end(), shown.trim_end(), "{command}");
            count += 1;
        }
    }
    assert!(count > 0, "no document shows an output");
}

/// What the README shows first is the beginning of a recorded run.
#[test]
fn the_readme_begins_with_what_a_recording_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, shown) = readme.split_once("```\nPostgreSQL ").unwrap();
    let (shown, below) = shown.split_once("\n```\n").unwrap();
    let command = "pgrehearse review fixtures/recordings/004-gigs-and-events-twin.json";
    assert!(below.contains(command), "{below}");
    let shop = shop::shared();
    let output = shop.output(&shop.place(), &format!("COLUMNS=106 {command}"));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.starts_with(&format!("PostgreSQL {shown}\n")),
        "{shown}\n\n{printed}"
    );
}

#[test]
fn what_is_not_run_is_in_a_document() {
    let texts: Vec<String> = documents()
        .into_iter()
        .map(|document| std::fs::read_to_string(document).unwrap())
        .collect();
    for (part, reason) in NOT_RUN {
        assert!(!reason.is_empty());
        assert!(
            texts.iter().any(|text| commands_of(text)
                .iter()
                .any(|command| command.contains(part))),
            "no document has {part:?} any more"
        );
    }
}
