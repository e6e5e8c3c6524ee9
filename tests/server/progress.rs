//! Long work shows a progress bar on a terminal, and nothing elsewhere. `script` (util-linux)
//! provides the terminal.

use std::process::{Command, Output};

use crate::live::{Database, cluster};

const TABLES: &str = "CREATE TABLE item (id bigint PRIMARY KEY, owner bigint NOT NULL);
     INSERT INTO item SELECT n, n % 5000 FROM generate_series(1, 50000) AS n; ANALYZE item;";

fn on_a_terminal(database: &Database, more: &str) -> Output {
    on_a_terminal_of(100, database, more)
}

fn on_a_terminal_of(columns: u16, database: &Database, more: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_pgrehearse");
    let conninfo = cluster().conninfo_of(&database.name);
    let command = format!(
        "stty cols {columns}; {program} advise {more} -d '{conninfo}' -c 'SELECT * FROM item WHERE owner = 5'"
    );
    // A build server may have none, and then no program draws.
    Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm-256color")
        .output()
        .unwrap()
}

#[test]
fn a_terminal_gets_a_progress_bar_and_colours() {
    let database = Database::new("progress", TABLES);
    let text =
        |more: &str| String::from_utf8_lossy(&on_a_terminal(&database, more).stdout).into_owned();
    let shown = text("--yes");
    assert!(
        shown.contains("testing candidates") && shown.contains("item_owner_idx"),
        "{shown}"
    );
    assert!(
        shown.contains("\u{1b}[1m"),
        "headlines are bold on a terminal"
    );
    let quiet = text("-q --yes");
    assert!(
        !quiet.contains("testing candidates")
            && quiet.contains("CREATE INDEX CONCURRENTLY item_owner_idx"),
        "{quiet}"
    );
}

#[test]
fn progress_names_the_table_and_the_time_left_at_80_columns() {
    let database = Database::new("progress_left", TABLES);
    for more in ["--yes", "--yes --rehearse transaction"] {
        let output = on_a_terminal_of(80, &database, more);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains("public.item, about "), "{shown}");
        assert!(shown.contains(" left: "), "{shown}");
    }
}

#[test]
fn no_terminal_gets_one_line() {
    let database = Database::new("no_progress", TABLES);
    let output = database
        .program(&["advise", "-c", "SELECT * FROM item WHERE owner = 5"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let [line] = told.lines().collect::<Vec<_>>()[..] else {
        panic!("{told}");
    };
    assert!(
        line.starts_with("pgrehearse: building 1 index on public.item (1) for about "),
        "{line}"
    );
}

#[test]
fn on_a_terminal_nothing_is_built_without_consent() {
    let database = Database::new("no_consent", TABLES);
    let output = on_a_terminal(&database, "--format json");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("build them? [y/N]"), "{shown}");
    assert!(shown.contains("\"indexes_built\": 0"), "{shown}");
    assert!(
        shown.contains("\"not_built_reason\": \"declined\""),
        "{shown}"
    );
}
