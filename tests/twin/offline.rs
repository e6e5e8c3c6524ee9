//! Twin files: advice without a server, and under changed conditions (more rows, another setting).

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::live::{Database, program, text_of};

/// Autovacuum would draw new statistics between two runs that are compared.
const TABLES: &str =
    "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, run_after bigint NOT NULL, note text)
     WITH (autovacuum_enabled = off);
     INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, n * 7 % 50000, 'note ' || n
     FROM generate_series(1, 50000) AS n;
     CREATE INDEX job_note ON job (note); CREATE INDEX job_unneeded ON job (state, note);
     ANALYZE job;";

const WORKLOAD: &str = "-- name: next
                        SELECT * FROM job WHERE state = 'QUEUED' ORDER BY run_after LIMIT 5;
                        -- name: by-note
                        SELECT * FROM job WHERE note = 'note 7';
                        -- name: by-time
                        SELECT id FROM job WHERE run_after = $1";

fn offline(arguments: &[&str]) -> Value {
    let output = program()
        .args(["advise", "--format", "json"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let announced = String::from_utf8_lossy(&output.stderr).contains("building");
    assert!(!announced, "{}", text_of(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn snapshot(database: &Database, file: &Path) {
    let output = database
        .program(&["snapshot", "-c", WORKLOAD, "-o", file.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
}

fn ddl(report: &Value) -> Vec<&str> {
    report["recommendations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| index["ddl"].as_str().unwrap())
        .collect()
}

#[test]
fn a_twin_file_gives_the_same_advice_without_a_connection() {
    let database = Database::new("twin_file", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("job.twin");
    snapshot(&database, &file);
    let live = database.advise(&["--rehearse", "twin", "-c", WORKLOAD]);
    // The file has no rows: sizes that are estimated from a random sample may be another page.
    let without_rows = database.advise(&["--rehearse", "twin", "--no-sample", "-c", WORKLOAD]);
    database.run("DROP TABLE job");
    let report = offline(&["--snapshot", file.to_str().unwrap()]);
    assert_eq!(ddl(&report), ddl(&live));
    assert_eq!(ddl(&report), ddl(&without_rows));
    assert!(!ddl(&report).is_empty());
    assert_eq!(report["recommendations"][0]["not_built_reason"], "offline");
    assert_eq!(
        report["workload"]["cost_after"],
        without_rows["workload"]["cost_after"]
    );
    let cost = |report: &Value| report["workload"]["cost_after"].as_f64().unwrap();
    let (of_file, sampled) = (cost(&report), cost(&live));
    assert!(
        (of_file - sampled).abs() <= 0.01 * sampled,
        "a page more or less: {of_file}, {sampled}"
    );
    for statement in report["workload"]["statements"].as_array().unwrap() {
        assert_eq!(statement["twin_agreement"], "exact", "{statement:#}");
    }
    let other = offline(&[
        "--snapshot",
        file.to_str().unwrap(),
        "-c",
        "SELECT * FROM job WHERE run_after = 5",
    ]);
    assert_eq!(
        other["workload"]["statements"].as_array().unwrap().len(),
        1,
        "another workload on the same file"
    );
}

#[test]
fn a_redacted_file_gives_advice_without_the_values() {
    let database = Database::new("twin_redacted", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("job.twin");
    let arguments = [
        "snapshot",
        "--redact",
        "-c",
        WORKLOAD,
        "-o",
        file.to_str().unwrap(),
    ];
    let output = database.program(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    assert!(
        text_of(&output).contains("still in the file"),
        "{}",
        text_of(&output)
    );
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let values = database.text(
        "SELECT unnest(histogram_bounds::text::text[]) FROM pg_stats WHERE tablename = 'job' AND attname = 'note'",
    );
    let left = values
        .lines()
        .filter(|value| *value != "note 7" && text.contains(&format!("\\\"{value}\\\"")))
        .count();
    assert!(
        values.lines().count() > 50 && left == 0,
        "{left} values of {} are in the file",
        values.lines().count()
    );
    assert!(!ddl(&offline(&["--snapshot", file.to_str().unwrap()])).is_empty());
}

#[test]
fn what_if_the_data_grows_or_a_setting_changes() {
    let database = Database::new("twin_what_if", TABLES);
    let report = database.advise(&[
        "-c",
        WORKLOAD,
        "--scale",
        "10",
        "--set",
        "random_page_cost=1.1",
    ]);
    let what_if = &report["what_if"];
    assert_eq!(
        (
            &what_if["scale"][0],
            &what_if["settings"]["random_page_cost"]
        ),
        (&"10".into(), &"1.1".into())
    );
    let shifted = what_if["statements"].as_array().unwrap();
    let next = shifted
        .iter()
        .find(|shifted| shifted["statement"] == "next")
        .unwrap();
    assert!(
        next["cost_before_then"].as_f64() > next["cost_before_now"].as_f64(),
        "{next:#}"
    );
    let with_the_same = next["cost_after_then"].as_f64().unwrap();
    assert!(
        with_the_same < next["cost_before_then"].as_f64().unwrap(),
        "the same index, ten times the rows: {next:#}"
    );
    assert!(
        next["cost_rechosen_then"].as_f64() < next["cost_before_then"].as_f64(),
        "{next:#}"
    );
    let served = shifted
        .iter()
        .find(|shifted| shifted["statement"] == "by-note")
        .unwrap();
    assert!(
        served["cost_before_then"].as_f64() < served["cost_before_now"].as_f64(),
        "random pages are cheaper: {served:#}"
    );

    let output = database
        .program(&["advise", "-c", WORKLOAD, "--set", "no_such_setting=1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text_of(&output).contains("no_such_setting"),
        "{}",
        text_of(&output)
    );
    let output = database
        .program(&["advise", "-c", WORKLOAD, "--scale", "jobbs=10"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text_of(&output));
    assert!(text_of(&output).contains("jobbs"), "{}", text_of(&output));
}

#[test]
fn existing_indexes_are_hidden_one_by_one() {
    let database = Database::new("twin_drops", TABLES);
    let report = database.advise(&["-c", WORKLOAD]);
    let drops = report["hypothetical_drops"].as_array().unwrap();
    let drop = |name: &str| drops.iter().find(|drop| drop["index"] == name).unwrap();
    assert_eq!(
        drops.len(),
        2,
        "the primary key is not up for discussion: {drops:#?}"
    );
    let needed = &drop("public.job_note")["worse"];
    assert_eq!(needed[0]["statement"], "by-note", "{needed:#}");
    assert!(needed[0]["cost_after"].as_f64() > needed[0]["cost_before"].as_f64());
    assert_eq!(
        drop("public.job_unneeded")["worse"],
        Value::Array(Vec::new())
    );
}

#[test]
fn what_is_no_twin_file_is_refused_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("no.twin");
    std::fs::write(&file, "SELECT 1").unwrap();
    for (path, reason, status) in [
        (file.as_path(), "not a twin file", 1),
        (Path::new("/no/such/file"), "No such file", 2),
    ] {
        let output = program()
            .args(["advise", "--snapshot"])
            .arg(path)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status));
        let said = text_of(&output);
        assert!(
            said.contains(reason) && said.contains(path.to_str().unwrap()),
            "{said}"
        );
    }
}
