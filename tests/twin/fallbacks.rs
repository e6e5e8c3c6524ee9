//! What the twin lacks is reported, and does not affect the rest.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};
use pgrehearse::internals::twin::agreement::Agreement;
use postgres::{Client, NoTls};
use serde_json::Value;

use crate::exactness::{Pair, workload};
use crate::live::{Database, program, recommended, rejected, statement, text_of};

const JOBS: &str = "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, note text);
     INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, 'note ' || n
     FROM generate_series(1, 50000) AS n;
     ANALYZE job;";

fn noticed(report: &Value, expected: &str) -> bool {
    report["notices"]
        .as_array()
        .unwrap()
        .iter()
        .any(|notice| notice.as_str().unwrap().contains(expected))
}

/// A foreign table is not copied: nothing is built for the statement that reads it, and the other
/// statements are not affected.
#[test]
fn a_statement_on_a_foreign_table_is_not_tested() {
    let database = Database::new(
        "twin_foreign",
        &format!(
            "{JOBS} CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
             CREATE FOREIGN TABLE outside (id bigint) SERVER files OPTIONS (filename '/dev/null', format 'csv');"
        ),
    );
    let sql =
        "SELECT job.id FROM job JOIN outside ON outside.id = job.id WHERE job.note = 'note 7';
               SELECT * FROM job WHERE state = 'NONE'";
    let report = database.advise(&["-c", sql]);
    assert!(
        noticed(&report, "the planner twin cannot plan command-1:1"),
        "{report:#}"
    );
    assert!(
        noticed(&report, "public.outside: it is a foreign table"),
        "{report:#}"
    );
    let by_note = rejected(&report, &["(note)"]);
    assert_eq!(by_note[0]["reason"], "no_twin", "{report:#}");
    assert_eq!(report["rehearsal"]["indexes_built"], 1, "{report:#}");
    assert_eq!(recommended(&report, &["(state)"]).len(), 1, "{report:#}");
    assert_eq!(
        statement(&report, "command-1:2")["twin_agreement"],
        "exact",
        "{report:#}"
    );

    let report = database.advise(&["--rehearse", "twin", "-c", sql.split(';').next().unwrap()]);
    let by_note = rejected(&report, &["(note)"]);
    let detail = by_note[0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("the planner twin cannot plan command-1:1"),
        "{report:#}"
    );
}

/// The library of an extension is searched beside the twin's programs.
#[test]
fn a_missing_library_is_named_with_its_tables() {
    let database = Database::new(
        "twin_library",
        &format!("{JOBS} CREATE EXTENSION seg; ALTER TABLE job ADD width seg; ANALYZE job;"),
    );
    database.run(
        "UPDATE pg_proc SET probin = '$libdir/pgrehearse_absent' WHERE probin = '$libdir/seg'",
    );
    let report = database.advise(&["-c", "SELECT * FROM job WHERE note = 'note 7'"]);
    assert!(
        noticed(
            &report,
            "public.job: the library $libdir/pgrehearse_absent of an extension is not in"
        ),
        "{report:#}"
    );
    assert_eq!(recommended(&report, &["(note)"]).len(), 1, "{report:#}");
    assert_eq!(
        statement(&report, "command-1:1")["twin_agreement"],
        "exact",
        "{report:#}"
    );
}

/// Programs whose initdb supports only the locale C.
fn programs_without_locales(directory: &Path) {
    let real = Binaries::find(WhenMissing::Explain).unwrap().directory;
    for (name, first) in [
        ("postgres", ""),
        ("pg_ctl", ""),
        (
            "initdb",
            "case \"$*\" in --version) ;; *--lc-collate=C\\ *) ;; *) echo 'initdb: error: invalid locale name \"C.UTF-8\"' >&2; exit 1;; esac",
        ),
    ] {
        let path = directory.join(name);
        fs::write(
            &path,
            format!(
                "#!/bin/sh\n{first}\nexec {}/{name} \"$@\"\n",
                real.display()
            ),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn without_the_locale_texts_are_compared_as_in_c() {
    let database = Database::new("twin_locale", "");
    let name = "twin_locale_utf8";
    database.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    let create = format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    );
    if database.client().batch_execute(&create).is_err() {
        eprintln!("skipped: this machine has no locale C.UTF-8");
        return;
    }
    let database = Database {
        name: name.to_owned(),
    };
    database.run(JOBS);
    let directory = tempfile::tempdir().unwrap();
    programs_without_locales(directory.path());
    let report = database.advise(&[
        "--pg-bin",
        directory.path().to_str().unwrap(),
        "-c",
        "SELECT * FROM job WHERE note = 'note 7'",
    ]);
    assert!(
        noticed(
            &report,
            "is not available on this machine, so the planner twin compares texts as the locale C does"
        ),
        "{report:#}"
    );
    assert_eq!(
        statement(&report, "command-1:1")["twin_agreement"],
        "exact",
        "{report:#}"
    );
}

/// Tablespaces with their own page costs, one of them the database's default.
#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn tablespaces_cost_what_they_cost_on_the_server() {
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let cluster = Cluster::start(&binaries, &ClusterOptions::default(), &|| false).unwrap();
    let places = tempfile::Builder::new()
        .prefix("spaces-")
        .tempdir_in("/tmp")
        .unwrap();
    fs::set_permissions(places.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut client = Client::connect(&cluster.conninfo(), NoTls).unwrap();
    for (name, prices) in [
        ("fast", "random_page_cost = 1.05, seq_page_cost = 0.7"),
        ("own", "random_page_cost = 2.5"),
    ] {
        let place = places.path().join(name);
        fs::create_dir(&place).unwrap();
        if let Some(user) = cluster.server_user() {
            std::os::unix::fs::chown(&place, Some(user.uid), Some(user.gid)).unwrap();
        }
        client
            .batch_execute(&format!(
                "CREATE TABLESPACE {name} LOCATION '{}'",
                place.display()
            ))
            .unwrap();
        client
            .batch_execute(&format!("ALTER TABLESPACE {name} SET ({prices})"))
            .unwrap();
    }
    client
        .batch_execute("CREATE DATABASE spaces TABLESPACE own")
        .unwrap();
    let conninfo = cluster.conninfo_of("spaces");
    let mut client = Client::connect(&conninfo, NoTls).unwrap();
    client
        .batch_execute(
            "CREATE TABLE slow (id int PRIMARY KEY, a int) TABLESPACE pg_default;
             CREATE TABLE quick (id int PRIMARY KEY USING INDEX TABLESPACE fast, a int) TABLESPACE fast;
             CREATE INDEX ON quick (a);
             CREATE TABLE usual (id int PRIMARY KEY, a int);
             INSERT INTO slow SELECT n, n % 900 FROM generate_series(1, 30000) AS n;
             INSERT INTO quick SELECT * FROM slow; INSERT INTO usual SELECT * FROM slow;
             ANALYZE;",
        )
        .unwrap();
    let (mut pair, _) = Pair::connected(&conninfo);
    let sql = "SELECT * FROM quick WHERE id < 500; SELECT * FROM quick WHERE a = 7; SELECT * FROM usual WHERE id = 3;
               SELECT * FROM slow WHERE id BETWEEN 7 AND 800; SELECT * FROM quick JOIN usual USING (id) JOIN slow USING (id)";
    let agreements = pair.compare(&workload(sql));
    assert!(
        agreements
            .values()
            .all(|agreement| *agreement == Agreement::Exact),
        "{agreements:?}"
    );

    // The user who removes the twin's files must be able to remove these directories, too.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let arguments = [
        "advise",
        "-q",
        "--rehearse",
        "twin",
        "-c",
        "SELECT * FROM quick WHERE a = 7 AND id < 3",
        "-d",
    ];
    let output = program()
        .args(arguments)
        .arg(&conninfo)
        .env("TMPDIR", place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "the twin is gone"
    );
}
