//! The sources and forms of statements.

use std::io::Write;
use std::process::Stdio;

use crate::live::{Database, recommended, statement};

const TABLES: &str = "CREATE TABLE item (id bigint PRIMARY KEY, owner bigint NOT NULL, name text, tags text[]);
     INSERT INTO item SELECT n, n % 5000, 'item ' || n, ARRAY['a' || n % 7] FROM generate_series(1, 50000) AS n;
     ANALYZE item;";

#[test]
fn parameters_are_planned_generically() {
    let database = Database::new("parameters", TABLES);
    let report = database.advise(&["-c", "SELECT * FROM item WHERE owner = $1 AND name <> $2"]);
    assert_eq!(
        report["workload"]["statements"][0]["status"], "planned",
        "{report:#}"
    );
    assert_eq!(
        recommended(&report, &["item", "(owner)"]).len(),
        1,
        "{report:#}"
    );
}

#[test]
fn an_absurd_parameter_is_the_server_s_to_refuse() {
    let database = Database::new("absurd_parameter", TABLES);
    let report = database.advise(&[
        "-c",
        "SELECT * FROM item WHERE owner = 5; SELECT $999999999; SELECT $1::int; SELECT * FROM item WHERE owner = $1",
    ]);
    let statuses: Vec<_> = report["workload"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        ["planned", "failed", "planned", "planned"],
        "{report:#}"
    );
}

#[test]
fn pg_stat_statements_is_a_workload() {
    let database = Database::new(
        "stat_statements",
        &format!(
            "CREATE SCHEMA monitoring; CREATE EXTENSION pg_stat_statements SCHEMA monitoring; {TABLES}"
        ),
    );
    let mut client = database.client();
    for owner in 0..20_i64 {
        client
            .query("SELECT name FROM item WHERE owner = $1", &[&owner])
            .unwrap();
    }
    client
        .batch_execute("SELECT monitoring.pg_stat_statements_reset(0, 0, 0) WHERE false")
        .unwrap();
    let report = database.advise(&["--pg-stat-statements", "--top", "20"]);
    let seen = report["workload"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["sql"] == "SELECT name FROM item WHERE owner = $1");
    assert_eq!(seen.unwrap()["calls"], 20.0, "{report:#}");
    assert!(
        seen.unwrap()["mean_time_ms"].as_f64().unwrap() > 0.0,
        "{report:#}"
    );
    assert_eq!(recommended(&report, &["item", "(owner)"]).len(), 1);
}

#[test]
fn a_server_log_is_a_workload() {
    let database = Database::new("server_log", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("postgresql.log");
    let lines = "2024-11-20 10:00:00.000 UTC [7] LOG:  duration: 9.000 ms  statement: SELECT name\n\tFROM item\n\tWHERE owner = 5;\n\
                 2024-11-20 10:00:00.000 UTC [7] LOG:  duration: 8.000 ms  execute s: select name from item where owner = $1\n\
                 2024-11-20 10:00:00.000 UTC [7] DETAIL:  parameters: $1 = '6'\n\
                 2024-11-20 10:00:00.000 UTC [7] LOG:  duration: 7.000 ms  statement: VACUUM item\n";
    std::fs::write(&log, lines).unwrap();
    let report = database.advise(&["--log", log.to_str().unwrap()]);
    let statements = report["workload"]["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 1, "{report:#}");
    assert_eq!(
        statements[0]["sql"],
        "SELECT name\nFROM item\nWHERE owner = 5"
    );
    assert_eq!(
        (&statements[0]["calls"], &statements[0]["mean_time_ms"]),
        (&2.0.into(), &8.5.into())
    );
    assert!(
        statements[0]["id"].as_str().unwrap().starts_with("log-"),
        "{report:#}"
    );
    assert_eq!(
        recommended(&report, &["item", "(owner)"]).len(),
        1,
        "{report:#}"
    );
}

#[test]
fn without_the_extension_it_says_what_to_do() {
    let database = Database::new("no_stat_statements", TABLES);
    let output = database
        .program(&["advise", "--pg-stat-statements"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("CREATE EXTENSION pg_stat_statements")
    );
}

#[test]
fn standard_input_is_a_workload() {
    let database = Database::new("standard_input", TABLES);
    let mut child = database
        .program(&["advise", "--format", "json", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"-- name: piped\nSELECT * FROM item WHERE owner = 5")
        .unwrap();
    let report = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(statement(&report, "piped")["change"], "better");
}

#[test]
fn plans_are_saved_and_reviewed_without_a_server() {
    let database = Database::new("saved_plans", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plans");
    let workload = "-- name: ../a b\nSELECT * FROM item WHERE owner = 5;";
    let save = database
        .program(&["explain", "--save", path.to_str().unwrap(), "-c", workload])
        .output()
        .unwrap();
    assert!(save.status.success(), "{}", crate::live::text_of(&save));
    let saved: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(saved, ["_a_b.json"], "no name leads out of the directory");
    let review = crate::live::program()
        .args(["review", "--format", "json"])
        .arg(&path)
        .output()
        .unwrap();
    let files: serde_json::Value = serde_json::from_slice(&review.stdout).unwrap();
    assert_eq!(
        files[0]["plans"][0]["query"],
        "SELECT * FROM item WHERE owner = 5"
    );
    assert_eq!(files[0]["plans"][0]["node_count"], 1);
}

#[test]
fn fail_on_matches_with_exit_status_3() {
    let database = Database::new("fail_on", TABLES);
    let status = |percent: &str, sql: &str| {
        database
            .program(&["advise", "-q", "--fail-on", percent, "-c", sql])
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(
        status("improvement=50", "SELECT * FROM item WHERE owner = 5"),
        Some(3)
    );
    assert_eq!(
        status("improvement=50", "SELECT * FROM item WHERE id = 5"),
        Some(0)
    );
    assert_eq!(status("fifty", "SELECT 1"), Some(2));
}
