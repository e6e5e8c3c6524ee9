//! Reports are a public interface: a checked-in schema describes the JSON one, and a replay of a
//! recorded run gives the same report.

use serde_json::Value;

use crate::live::{Database, program, text_of};

const TABLES: &str = "CREATE TABLE item (id bigint PRIMARY KEY, owner bigint NOT NULL, name text);
     INSERT INTO item SELECT n, n % 5000, 'item ' || n FROM generate_series(1, 50000) AS n;
     CREATE INDEX item_name_idx ON item (name); CREATE INDEX item_name_again ON item (name);
     ANALYZE item;";

const WORKLOAD: &str = "-- name: by-owner\n-- calls: 7\nSELECT * FROM item WHERE owner = 5 ORDER BY id; -- name: broken\nSELECT oops; ;";

fn schema() -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/schema/advise-report.schema.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn a_real_report_is_valid_against_the_checked_in_schema() {
    let database = Database::new("valid_report", TABLES);
    let report = database.advise(&["-c", WORKLOAD]);
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0]);

    let mut broken = report.clone();
    broken["recommendations"][0]["size_bytes"] = "large".into();
    assert!(
        !validator.is_valid(&broken),
        "the schema refuses what is wrong"
    );
    broken = report.clone();
    broken.as_object_mut().unwrap().remove("rehearsal");
    assert!(!validator.is_valid(&broken), "and what is missing");

    assert_eq!(report["existing_indexes"][0]["finding"], "duplicate");
    assert_eq!(
        report["workload"]["cost_before"].as_f64().unwrap(),
        7.0 * report["workload"]["statements"][0]["cost_before"]
            .as_f64()
            .unwrap()
    );
}

#[test]
fn a_recorded_run_gives_the_same_report_without_a_server() {
    let database = Database::new("recorded", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let recording = directory.path().join("run.json");
    let mut live = database.advise(&["-c", WORKLOAD, "--record", recording.to_str().unwrap()]);
    let output = program()
        .args(["review", "--format", "json"])
        .arg(&recording)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let mut replayed: Value = serde_json::from_slice(&output.stdout).unwrap();
    // A replay measures no times and has no catalog to check for leftovers.
    for report in [&mut live, &mut replayed] {
        report["timing"] = Value::Null;
        report["rehearsal"]["left_behind"] = Value::Null;
    }
    assert_eq!(live, replayed);
}

#[test]
fn a_search_that_ran_out_of_time_keeps_what_it_found_and_is_replayed() {
    let database = Database::sample("out_of_time", "002-table-sync", "0.1");
    let workload = ["-f", "fixtures/workloads/002-table-sync/workload.sql"];
    let directory = tempfile::tempdir().unwrap();
    let recording = directory.path().join("run.json");
    let advise = |more: &[&str]| {
        let mut report = database
            .advise(&[&workload, &["--record", recording.to_str().unwrap()], more].concat());
        let output = program()
            .args(["review", "--format", "json"])
            .arg(&recording)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        let mut replayed: Value = serde_json::from_slice(&output.stdout).unwrap();
        for report in [&mut report, &mut replayed] {
            report["timing"] = Value::Null;
            report["rehearsal"]["left_behind"] = Value::Null;
        }
        assert_eq!(report, replayed, "{more:?}");
        report
    };
    let untried = |report: &Value| {
        report["rejected"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|rejected| rejected["reason"] == "out_of_time")
            .count()
    };
    let no_time = advise(&["--search-time", "0s"]);
    assert_eq!(no_time["rehearsal"]["out_of_time"], true);
    assert_eq!(no_time["recommendations"], Value::Array(Vec::new()));
    assert!(untried(&no_time) > 5, "{no_time:#}");
    let notice = no_time["notices"][0].as_str().unwrap();
    assert!(
        notice.starts_with("--search-time ran out when 0 of "),
        "{notice}"
    );

    // However far the search comes: what is recommended was verified, and nothing gets worse.
    let little = advise(&["--search-time", "300ms"]);
    for statement in little["workload"]["statements"].as_array().unwrap() {
        assert_ne!(statement["change"], "worse", "{statement:#}");
    }
    let ample = advise(&["--search-time", "1h"]);
    assert_eq!(
        (&ample["rehearsal"]["out_of_time"], untried(&ample)),
        (&Value::Bool(false), 0)
    );
    assert!(!ample["recommendations"].as_array().unwrap().is_empty());
}

#[test]
fn the_text_report_fits_its_width_and_shows_both_plans() {
    let database = Database::new("text_report", TABLES);
    for columns in [80, 120, 200] {
        let output = database
            .program(&["advise", "-v", "--rehearse", "transaction", "-c", WORKLOAD])
            .env("COLUMNS", columns.to_string())
            .output()
            .unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("Seq Scan on item") && text.contains("Bitmap Heap Scan on"),
            "{text}"
        );
        assert!(text.contains(
            "CREATE INDEX CONCURRENTLY item_owner_idx ON public.item USING btree (owner);"
        ));
        assert!(
            text.contains("ERROR: column \"oops\" does not exist (line 1, column 8)"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "no colours in a file");
        let widest = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("CREATE INDEX"))
            .map(|line| line.chars().count())
            .max();
        assert!(
            widest.unwrap() <= columns,
            "{widest:?} of {columns}:\n{text}"
        );
    }
}

#[test]
fn parts_of_a_report_are_shown_by_name() {
    let database = Database::new("report_parts", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let recording = directory.path().join("run.json").display().to_string();
    let advise = ["advise", "--rehearse", "transaction", "-c", WORKLOAD];
    let output = database
        .program(&[&advise[..], &["--record", &recording]].concat())
        .output()
        .unwrap();
    let short = text_of(&output);
    assert!(
        short.contains("WHAT TO DO") && short.contains("NOT PLANNED"),
        "{short}"
    );
    assert!(
        !short.contains("BEFORE"),
        "plans are one option away: {short}"
    );
    let review = |arguments: &[&str]| {
        let output = program()
            .args(["review", &recording])
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), text_of(&output))
    };
    let (status, text) = review(&["--explain", "r1"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("BEFORE") && text.contains("CREATE INDEX CONCURRENTLY"),
        "{text}"
    );
    let (status, text) = review(&["--statement", "by-owner"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("WHERE owner = "),
        "the whole statement: {text}"
    );
    let (status, text) = review(&["--explain", "r99"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("the report has no \"r99\"; it has r1"),
        "{text}"
    );
    let (status, text) = review(&["--explain", "r1", "--format", "json"]);
    assert_eq!(status, Some(2), "{text}");
}

#[test]
fn colours_and_markdown_on_request() {
    let database = Database::new("formats", TABLES);
    let output = database
        .program(&["advise", "--color", "always", "-c", WORKLOAD])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\u{1b}["));
    let output = database
        .program(&["advise", "--format", "markdown", "-c", WORKLOAD])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("| by-owner | 7 |") && text.contains("```sql\nCREATE INDEX CONCURRENTLY"),
        "{text}"
    );
}

#[test]
fn rows_written_are_counted_over_all_partitions() {
    let database = Database::new(
        "rows_written",
        "CREATE TABLE event (id bigint, kind int) PARTITION BY RANGE (id);
         CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10000);
         CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (10000) TO (50000);
         INSERT INTO event SELECT n, n % 5000 FROM generate_series(1, 40000) AS n;
         UPDATE event SET kind = 7 WHERE id <= 30; DELETE FROM event WHERE id > 39990; ANALYZE event;",
    );
    // The statistics of a session that ended arrive with a delay.
    let arrived = "SELECT sum(n_tup_del) FROM pg_stat_user_tables";
    let began = std::time::Instant::now();
    while database.text(arrived) != "10" && began.elapsed() < std::time::Duration::from_secs(20) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let directory = tempfile::tempdir().unwrap();
    let recording = directory.path().join("run.json");
    database.advise(&[
        "-c",
        "SELECT * FROM event WHERE kind = 5",
        "--record",
        recording.to_str().unwrap(),
    ]);
    let recording: Value =
        serde_json::from_str(&std::fs::read_to_string(recording).unwrap()).unwrap();
    let tables = recording["catalog"]["tables"].as_array().unwrap();
    let writes = &tables
        .iter()
        .find(|table| table["name"]["name"] == "event")
        .unwrap()["writes"];
    assert_eq!(
        (
            &writes["n_tup_ins"],
            &writes["n_tup_upd"],
            &writes["n_tup_del"]
        ),
        (&40_000.into(), &30.into(), &10.into())
    );
    let part = &tables
        .iter()
        .find(|table| table["name"]["name"] == "event_1")
        .unwrap()["writes"];
    assert_eq!(part["n_tup_ins"], 9_999);
}
