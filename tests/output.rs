//! What leaves the program: files that only their owner reads, and text in which nothing is hidden.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "shared with tests of whole reports")]
mod live;
#[path = "tui/tmux.rs"]
#[allow(dead_code, reason = "shared with tests of the interface")]
mod tmux;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use live::{Database, cluster, file, program, text_of};

const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
     INSERT INTO t SELECT n, n % 1000, n % 77 FROM generate_series(1, 20000) AS n; ANALYZE t;";

fn mode(path: &Path) -> String {
    let metadata = std::fs::metadata(path).unwrap();
    format!("{:o}", metadata.permissions().mode() & 0o777)
}

#[test]
fn files_with_data_are_their_owner_s() {
    let database = Database::new("output_files", TABLE);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (twin, recording, report, plans) = (
        path("twin"),
        path("recording"),
        path("report"),
        path("plans"),
    );
    let statement = ["-c", "SELECT * FROM t WHERE a = 5"];
    for arguments in [
        &["snapshot", "--output", &twin][..],
        &[
            "advise",
            "--rehearse=off",
            "--record",
            &recording,
            "--output",
            &report,
        ],
        &["explain", "--save", &plans],
    ] {
        let output = database
            .program(&[arguments, &statement].concat())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    }
    let saved = std::fs::read_dir(&plans).unwrap();
    let saved: Vec<_> = saved.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(saved.len(), 1);
    for path in [twin, recording, report]
        .iter()
        .map(Path::new)
        .chain(saved.iter().map(AsRef::as_ref))
    {
        assert_eq!(mode(path), "600", "{}", path.display());
    }
}

#[test]
fn what_the_interface_writes_is_its_owner_s() {
    let database = Database::new("output_interface", TABLE);
    let arguments = format!(
        "--yes --rehearse transaction -c 'SELECT * FROM t WHERE a = 5' -d '{}'",
        cluster().conninfo_of(&database.name)
    );
    let terminal = tmux::Tmux::start("output", "120x40", &arguments);
    terminal.wait_for("the workload's cost falls");
    terminal.keys(&["4"]);
    terminal.wait_for("Verified: ");
    terminal.keys(&["w", "Enter"]);
    terminal.wait_for("Written to indexes.sql");
    assert_eq!(mode(&terminal.directory().join("indexes.sql")), "600");
    // No file is overwritten.
    terminal.keys(&["w", "Enter"]);
    terminal.wait_for("exists already");
}

/// The last two are a tag and a variation selector.
const HIDDEN: &[char] = &[
    '\u{61c}',
    '\u{200b}',
    '\u{200f}',
    '\u{202e}',
    '\u{2028}',
    '\u{2060}',
    '\u{feff}',
    '\u{ad}',
    '\u{180e}',
    '\u{1b}',
    '\u{e0041}',
    '\u{fe0f}',
];

fn assert_nothing_hidden(text: &str, what: &str) {
    let found: Vec<char> = text
        .chars()
        .filter(|character| HIDDEN.contains(character))
        .collect();
    assert!(found.is_empty(), "{what}: {found:?} in {text}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn printed_ddl_hides_nothing_and_creates_the_same() {
    let hidden: String = HIDDEN.iter().collect();
    let database = Database::new(
        "output_hidden",
        &format!(
            "CREATE TABLE \"or{hidden}ders\" (id bigint PRIMARY KEY, \"cus{hidden}tomer\" int, state text);
             INSERT INTO \"or{hidden}ders\" SELECT n, n % 1000, CASE WHEN n % 500 = 0 THEN 'x{hidden}\\y''z' ELSE 'other' || n % 3 END
             FROM generate_series(1, 50000) AS n; ANALYZE;"
        ),
    );
    let workload = file(&format!(
        "SELECT \"cus{hidden}tomer\" FROM \"or{hidden}ders\" WHERE state = 'x{hidden}\\y''z' ORDER BY id;
         SELECT id FROM \"or{hidden}ders\" WHERE \"cus{hidden}tomer\" = 5;"
    ));
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording").display().to_string();
    let workload = workload.path().to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = database.program(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let advise = [
        "advise",
        "--rehearse=transaction",
        "--record",
        &recording,
        "--file",
        workload,
    ];
    let text = run(&advise);
    let json = run(&[&advise[..], &["--format=json"]].concat());
    let markdown = run(&[&advise[..], &["--format=markdown"]].concat());
    for (what, shown) in [("text", &text), ("json", &json), ("markdown", &markdown)] {
        assert_nothing_hidden(shown, what);
    }
    for format in ["text", "json", "markdown", "html", "sql"] {
        let output = program()
            .args(["review", &recording, "--format", format])
            .output()
            .unwrap();
        assert_nothing_hidden(&text_of(&output), format);
    }
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let recommendations = report["recommendations"].as_array().unwrap();
    assert_eq!(recommendations.len(), 2, "{json}");
    let definitions = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE NOT indisprimary \
                       AND indrelid = (SELECT oid FROM pg_class WHERE relname LIKE 'or%ders' AND relkind = 'r') ORDER BY 1";
    // What JSON says, which keeps every character, and what the text report shows to be copied.
    let from_json: Vec<&str> = recommendations
        .iter()
        .map(|entry| entry["ddl"].as_str().unwrap())
        .collect();
    let from_text: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("CREATE INDEX"))
        .collect();
    assert_eq!(from_text.len(), 2, "{text}");
    let mut created = Vec::new();
    for ddl in [from_json, from_text] {
        for statement in ddl {
            database.run(statement);
        }
        created.push(database.text(definitions));
        database.run(
            "DO $$ DECLARE i oid; BEGIN FOR i IN SELECT indexrelid FROM pg_index WHERE NOT indisprimary
                 AND indrelid = (SELECT oid FROM pg_class WHERE relname LIKE 'or%ders' AND relkind = 'r')
             LOOP EXECUTE 'DROP INDEX ' || i::regclass; END LOOP; END $$",
        );
    }
    assert_eq!(created[0], created[1]);
    assert!(created[0].contains(&hidden), "{created:?}");
}
