//! The pages of the guide that are made from the program: every option (from the definition of the
//! command line) and the JSON reports (from their schemas). `WRITE_PAGES=1 cargo test --test
//! reference` writes them.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "reference/json.rs"]
mod json;
#[path = "reference/options.rs"]
mod options;

use std::path::Path;

fn compare(name: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(file).unwrap_or_default(),
        page,
        "docs/{name} is out of date; WRITE_PAGES=1 cargo test --test reference writes it"
    );
}

#[test]
fn the_page_of_options_is_that_of_the_command_line() {
    compare("options.md", &options::page());
}

#[test]
fn the_pages_of_the_json_reports_are_those_of_the_schemas() {
    compare("json.md", &json::page());
}

/// A cell of a table, and text in which nothing is markup by accident.
fn escaped(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|").replace('<', "&lt;")
}
