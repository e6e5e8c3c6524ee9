//! Without a planner twin nothing is built on the server, and the report says what is missing. The
//! twin works in any directory for temporary files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use pgrehearse::internals::cluster::Binaries;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use postgres::NoTls;
use serde_json::Value;

use crate::live::{Database, file, recommended, rejected, statement, text_of};

const JOBS: &str = "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, note text);
     INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, 'note ' || n
     FROM generate_series(1, 50000) AS n;
     ANALYZE job;";

const BY_NOTE: &str = "SELECT * FROM job WHERE note = 'note 7'";

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text_of(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn noticed(report: &Value, expected: &str) -> bool {
    let notices = report["notices"].as_array().unwrap();
    notices
        .iter()
        .any(|notice| notice.as_str().unwrap().contains(expected))
}

/// Nothing was built or locked, the candidate is listed with the reason, and the notice says this.
#[track_caller]
fn nothing_is_built(report: &Value, notice: &str) {
    let rehearsal = &report["rehearsal"];
    assert_eq!(
        (&rehearsal["indexes_built"], &rehearsal["transactions"]),
        (&Value::from(0), &Value::from(0)),
        "{report:#}"
    );
    let by_note = rejected(report, &["(note)"]);
    assert_eq!(by_note[0]["reason"], "no_twin", "{report:#}");
    assert!(noticed(report, notice), "{notice}: {report:#}");
    assert!(noticed(report, "--rehearse=transaction"), "{report:#}");
    let statement = statement(report, "command-1:1");
    assert_eq!(statement["status"], "planned", "{report:#}");
    assert!(statement["plan_before"].is_object(), "{report:#}");
}

fn advise(database: &Database) -> Command {
    let mut command = database.program(&["advise", "--format", "json", "-c", BY_NOTE]);
    command.env_remove("PGREHEARSE_PG_BIN");
    command
}

/// Programs that only say that they are of another version.
fn programs_of_another_version() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["postgres", "initdb"] {
        let path = directory.path().join(name);
        fs::write(
            &path,
            format!("#!/bin/sh\necho '{name} (PostgreSQL) 13.2'\n"),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

#[test]
fn what_is_missing_is_said_and_nothing_is_built() {
    let database = Database::new("closed_missing", JOBS);
    let before = database.catalog();

    let other = programs_of_another_version();
    let output = advise(&database).arg("--pg-bin").arg(other.path()).output();
    nothing_is_built(&report(&output.unwrap()), "are of PostgreSQL 13, but");

    let output = advise(&database).env("TMPDIR", "/no/such/place").output();
    nothing_is_built(&report(&output.unwrap()), "set TMPDIR to a directory");

    assert_eq!(database.catalog(), before);
    let output = advise(&database)
        .arg("--pg-bin")
        .arg(other.path())
        .args(["--rehearse", "transaction"])
        .output();
    let report = report(&output.unwrap());
    let by_note = recommended(&report, &["(note)"]);
    assert_eq!(
        by_note[0]["evidence"], "rolled_back_transaction",
        "{report:#}"
    );
}

#[test]
fn a_directory_without_programs_is_wrong_usage() {
    let database = Database::new("closed_usage", JOBS);
    let empty = tempfile::tempdir().unwrap();
    for directory in [Path::new("/nonexistent"), empty.path()] {
        for rehearse in ["auto", "twin", "transaction", "off"] {
            let output = advise(&database)
                .arg("--pg-bin")
                .arg(directory)
                .args(["--rehearse", rehearse])
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(2), "{}", text_of(&output));
            let said = text_of(&output);
            assert!(said.contains("--pg-bin: "), "{said}");
        }
    }
}

#[test]
fn the_twin_works_without_a_path_and_in_any_temporary_directory() {
    let database = Database::new("closed_places", JOBS);
    let base = tempfile::Builder::new()
        .prefix("places-")
        .tempdir_in("/tmp")
        .unwrap();
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let long = "long".repeat(40);
    for name in ["with a space", "it's, \"quoted\" $HOME é", &long] {
        let place = base.path().join(name);
        fs::create_dir(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
        let output = advise(&database)
            .args(["--rehearse", "twin"])
            .env("TMPDIR", &place)
            .env_remove("PATH")
            .output()
            .unwrap();
        let report = report(&output);
        assert_eq!(recommended(&report, &["(note)"]).len(), 1, "{report:#}");
        assert_eq!(
            fs::read_dir(&place).unwrap().count(),
            0,
            "the twin is gone from {name}"
        );
    }
}

/// A sequence is no table with rows, but the twin has it, and its plans are the server's.
#[test]
fn sequences_are_planned_as_on_the_server() {
    let database = Database::new(
        "closed_sequences",
        &format!(
            "{JOBS} CREATE SEQUENCE sq; CREATE SCHEMA other; CREATE SEQUENCE other.\"Odd one\" AS smallint MAXVALUE 9 CYCLE;
             CREATE TABLE ticket (id serial PRIMARY KEY, code int DEFAULT nextval('sq'), note text, number int GENERATED ALWAYS AS IDENTITY);
             INSERT INTO ticket (note) SELECT 'n' || g FROM generate_series(1, 1000) AS g; ANALYZE ticket;"
        ),
    );
    let workload = file(
        "-- name: next\nSELECT nextval('sq'), j.* FROM job AS j WHERE note = 'note 7';\n\
         -- name: bare\nSELECT nextval('public.sq');\n\
         -- name: quoted\nSELECT currval('other.\"Odd one\"'::regclass), setval('other.\"Odd one\"', 3);\n\
         -- name: read\nSELECT * FROM sq, other.\"Odd one\" AS o WHERE o.last_value > 2;\n\
         -- name: view\nSELECT * FROM pg_sequences WHERE sequencename = 'sq';\n\
         -- name: insert\nINSERT INTO ticket (note) VALUES ('x');\n",
    );
    let report = database.advise(&["-f", workload.path().to_str().unwrap()]);
    for name in ["next", "bare", "quoted", "read", "view", "insert"] {
        let statement = statement(&report, name);
        assert_eq!(statement["status"], "planned", "{name}: {statement:#}");
        assert_eq!(
            statement["twin_agreement"], "exact",
            "{name}: {statement:#}"
        );
    }
    let by_note = recommended(&report, &["(note)"]);
    assert_eq!(report["rehearsal"]["indexes_built"], 1, "{report:#}");
    assert_eq!(by_note.len(), 1, "{report:#}");
}

/// The server's programs without the library of one extension.
fn programs_without(library: &str) -> tempfile::TempDir {
    let real = Binaries::find(WhenMissing::Explain).unwrap();
    let real_lib = real.directory.parent().unwrap().join("lib");
    // PostgreSQL finds its other directories relative to its programs, and follows symbolic links
    // to programs.
    let root = tempfile::Builder::new()
        .prefix("programs-")
        .tempdir_in("/tmp")
        .unwrap();
    let home = root.path().join(
        real.directory
            .parent()
            .unwrap()
            .strip_prefix("/usr")
            .unwrap(),
    );
    for directory in ["bin", "lib"] {
        fs::create_dir_all(home.join(directory)).unwrap();
    }
    for name in ["postgres", "initdb"] {
        fs::copy(real.directory.join(name), home.join("bin").join(name)).unwrap();
    }
    for entry in fs::read_dir(real_lib).unwrap().map(Result::unwrap) {
        if entry.file_name() != library {
            symlink(entry.path(), home.join("lib").join(entry.file_name())).unwrap();
        }
    }
    fs::create_dir_all(root.path().join("share")).unwrap();
    symlink(
        "/usr/share/postgresql",
        root.path().join("share/postgresql"),
    )
    .unwrap();
    for path in [root.path(), &home] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    root
}

/// An index whose access method is in a library that is not there costs the statements on its
/// table, and no others.
#[test]
fn a_missing_access_method_costs_only_its_table() {
    let real = Binaries::find(WhenMissing::Explain).unwrap().directory;
    if !real.starts_with("/usr/lib/postgresql") || !real.join("../lib/bloom.so").exists() {
        eprintln!("skipped: the programs and contrib are not where Debian has them");
        return;
    }
    let database = Database::new(
        "closed_method",
        &format!(
            "{JOBS} CREATE EXTENSION bloom; CREATE TABLE doc (id int PRIMARY KEY, a int, b int);
             INSERT INTO doc SELECT g, g % 500, g % 300 FROM generate_series(1, 50000) AS g;
             CREATE INDEX doc_bloom ON doc USING bloom (b); ANALYZE doc;"
        ),
    );
    let root = programs_without("bloom.so");
    let major = real.parent().unwrap().file_name().unwrap();
    let programs = root.path().join("lib/postgresql").join(major).join("bin");
    let report = database.advise(&[
        "--pg-bin",
        programs.to_str().unwrap(),
        "-c",
        &format!("{BY_NOTE}; SELECT * FROM doc WHERE a = 5"),
    ]);
    assert_eq!(recommended(&report, &["(note)"]).len(), 1, "{report:#}");
    assert_eq!(report["rehearsal"]["indexes_built"], 1, "{report:#}");
    let by_a = rejected(&report, &["(a)"]);
    assert_eq!(by_a[0]["reason"], "no_twin", "{report:#}");
    assert!(
        noticed(&report, "the planner twin cannot plan command-1:2"),
        "{report:#}"
    );
    assert!(noticed(&report, "$libdir/bloom"), "{report:#}");
}

/// A lock that another session holds, or waits for, costs only the statements on its table.
#[test]
fn a_locked_table_costs_only_its_statements() {
    let database = Database::new(
        "closed_locked",
        &format!(
            "{JOBS} CREATE TABLE busy (id int, at int) PARTITION BY RANGE (at);
             CREATE TABLE busy_1 PARTITION OF busy FOR VALUES FROM (0) TO (10);
             CREATE TABLE busy_2 PARTITION OF busy FOR VALUES FROM (10) TO (20);
             CREATE INDEX ON busy (id);
             INSERT INTO busy SELECT g, g % 20 FROM generate_series(1, 20000) AS g; ANALYZE busy;"
        ),
    );
    let mut reader = database.client();
    let mut read = reader.transaction().unwrap();
    read.batch_execute("SELECT FROM busy_2 LIMIT 1").unwrap();
    let mut client = database.client();
    let cancel = client.cancel_token();
    let waiting = std::thread::spawn(move || client.batch_execute("TRUNCATE busy_2"));
    let queued =
        "SELECT count(*) FROM pg_locks WHERE relation = 'busy_2'::regclass AND NOT granted";
    while database.text(queued) != "1" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let report = database.advise(&[
        "--lock-timeout",
        "200ms",
        "-c",
        &format!("{BY_NOTE}; SELECT * FROM busy WHERE at = 3 AND id < 5; SELECT * FROM busy_2 WHERE id = 3"),
    ]);
    cancel.cancel_query(NoTls).unwrap();
    read.rollback().unwrap();
    waiting.join().unwrap().unwrap_err();
    assert_eq!(recommended(&report, &["(note)"]).len(), 1, "{report:#}");
    assert_eq!(
        statement(&report, "command-1:1")["twin_agreement"],
        "exact",
        "{report:#}"
    );
    assert_eq!(
        statement(&report, "command-1:2")["status"],
        "planned",
        "{report:#}"
    );
    assert_eq!(
        statement(&report, "command-1:3")["status"],
        "failed",
        "{report:#}"
    );
    assert!(!noticed(&report, "there was no planner twin"), "{report:#}");
}
