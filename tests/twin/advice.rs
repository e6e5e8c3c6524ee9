//! Advice with a planner twin: the search writes nothing to the server, and the result is verified
//! there where building is allowed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::live::{Database, cluster, text_of};

const TABLES: &str =
    "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, run_after bigint NOT NULL, note text);
     INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, n * 7 % 50000, 'note ' || n
     FROM generate_series(1, 50000) AS n;
     ANALYZE job;";

const WORKLOAD: &str = "SELECT * FROM job WHERE state = 'QUEUED' ORDER BY run_after LIMIT 5; \
                        SELECT * FROM job WHERE note = 'note 7'; SELECT id FROM job WHERE run_after = $1";

fn array<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().unwrap()
}

#[test]
fn the_search_builds_nothing_and_the_chosen_are_built_once() {
    let database = Database::new("twin_auto", TABLES);
    let before = database.catalog();
    let report = database.advise(&["-c", WORKLOAD]);
    let recommendations = array(&report, "recommendations");
    assert!(recommendations.len() >= 2, "{report:#}");
    for index in recommendations {
        assert_eq!(index["evidence"], "rolled_back_transaction", "{index:#}");
        assert!(index["predicted_size_bytes"].as_u64().unwrap() > 0);
        assert!(
            index["benefits"][0]["predicted_cost_after"]
                .as_f64()
                .unwrap()
                > 0.0,
            "{index:#}"
        );
    }
    assert_eq!(
        report["rehearsal"]["indexes_built"].as_u64().unwrap() as usize,
        recommendations.len()
    );
    assert!(report["rehearsal"]["twin_questions"].as_u64().unwrap() > recommendations.len() as u64);
    for statement in array(&report["workload"], "statements") {
        assert_eq!(statement["twin_agreement"], "exact", "{statement:#}");
    }
    assert_eq!(database.catalog(), before);
}

#[test]
fn with_the_twin_alone_the_server_is_only_read_from() {
    let database = Database::new("twin_only", TABLES);
    let written =
        "SELECT n_tup_ins, n_tup_upd, last_analyze, analyze_count FROM pg_stat_user_tables";
    let before = (
        database.catalog(),
        database.text(written),
        database.text("SELECT reltuples, relpages FROM pg_class"),
    );
    let report = database.advise(&["--rehearse", "twin", "-c", WORKLOAD]);
    for index in array(&report, "recommendations") {
        assert_eq!(index["evidence"], "planner_twin");
        assert_eq!(index["not_built_reason"], "not_rehearsed");
    }
    assert!(array(&report, "recommendations").len() >= 2, "{report:#}");
    assert_eq!(
        (
            report["rehearsal"]["transactions"].as_u64(),
            report["rehearsal"]["indexes_built"].as_u64()
        ),
        (Some(0), Some(0))
    );
    let after = (
        database.catalog(),
        database.text(written),
        database.text("SELECT reltuples, relpages FROM pg_class"),
    );
    assert_eq!(before, after);
}

/// A table that indexes may not be built on still gets advice, and the report says why it was not
/// verified on the server.
#[test]
fn a_table_that_is_too_large_or_not_ones_own_is_searched_in_the_twin() {
    let database = Database::new(
        "twin_not_owner",
        &format!(
            "{TABLES} DROP ROLE IF EXISTS twin_reader; CREATE ROLE twin_reader LOGIN; \
             GRANT SELECT ON job TO twin_reader; GRANT pg_read_all_data TO twin_reader;"
        ),
    );
    let report = database.advise(&["--max-table-size", "100kB", "-c", WORKLOAD]);
    assert_eq!(
        report["recommendations"][0]["not_built_reason"], "table_too_large",
        "{report:#}"
    );
    let output = database
        .program(&["advise", "--format", "json", "-c", WORKLOAD])
        .arg("-d")
        .arg(
            cluster()
                .conninfo_of(&database.name)
                .replace("user=postgres", "user=twin_reader"),
        )
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["recommendations"][0]["not_built_reason"], "not_owner",
        "{report:#}"
    );
    for statement in array(&report["workload"], "statements") {
        assert_eq!(statement["twin_agreement"], "exact", "{statement:#}");
    }
}

/// The twin's directories in this test's temporary directory.
fn twins(place: &Path) -> usize {
    let entries = std::fs::read_dir(place).unwrap().filter_map(Result::ok);
    entries
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("pgrehearse-")
        })
        .count()
}

/// Those in which a keeper has started.
fn keepers_at_work(place: &Path) -> usize {
    let entries = std::fs::read_dir(place).unwrap().filter_map(Result::ok);
    entries
        .filter(|entry| entry.path().join("data").exists())
        .count()
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "waited for: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_interrupted_or_killed_run_leaves_no_twin() {
    let database = Database::new("twin_interrupted", TABLES);
    for (signal, status) in [(Signal::SIGINT, Some(130)), (Signal::SIGKILL, None)] {
        let place = tempfile::tempdir().unwrap();
        std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let mut program = database.program(&["advise", "-q", "--rehearse", "twin", "-c", WORKLOAD]);
        let mut running = program
            .env("TMPDIR", place.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("a twin", || twins(place.path()) == 1);
        if signal == Signal::SIGKILL {
            // If it is killed before it has a keeper, only the next run could remove its directory.
            wait_until("its keeper at work", || keepers_at_work(place.path()) == 1);
        }
        kill(Pid::from_raw(running.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(running.wait().unwrap().code(), status, "{signal}");
        wait_until("the twin to be gone", || twins(place.path()) == 0);
    }
}

/// Statistics do not show the sizes of these indexes, so rows are read and indexes are built over
/// them.
#[test]
fn sizes_that_statistics_do_not_show_are_predicted_from_rows() {
    let database = Database::new(
        "twin_sampled_methods",
        "CREATE TABLE product (id int PRIMARY KEY, attrs jsonb NOT NULL, valid int4range NOT NULL, place inet NOT NULL, note text);
         INSERT INTO product SELECT n, jsonb_build_object('color', (ARRAY['red', 'blue', 'green'])[1 + n % 3], 'w', n % 20),
             int4range(n * 10, n * 10 + 5), ('10.' || n % 250 || '.' || n / 250 || '.1')::inet, repeat('x', 100)
             FROM generate_series(1, 20000) AS n;
         ANALYZE product;",
    );
    for (method, sql) in [
        (
            "gin",
            "SELECT id FROM product WHERE attrs @> '{\"color\": \"red\", \"w\": 3}'",
        ),
        (
            "gist",
            "SELECT id FROM product WHERE valid && int4range(500, 520)",
        ),
        (
            "spgist",
            "SELECT id FROM product WHERE place << '10.7.0.0/16'",
        ),
    ] {
        let report = database.advise(&["-c", sql]);
        let predicted = report["recommendations"]
            .as_array()
            .unwrap()
            .iter()
            .chain(report["rejected"].as_array().unwrap());
        let predicted: Vec<(String, f64)> = predicted
            .filter(|index| index["method"] == method)
            .filter_map(|index| {
                let size = index["predicted_size_bytes"]
                    .as_f64()
                    .or(index["size_bytes"].as_f64())?;
                Some((
                    index["ddl"].as_str().unwrap().replace("CONCURRENTLY ", ""),
                    size,
                ))
            })
            .collect();
        assert!(!predicted.is_empty(), "{method}: {report:#}");
        for (ddl, size) in predicted {
            database.run(&ddl);
            let name = ddl.split(' ').nth(2).unwrap();
            let built: f64 = database
                .text(&format!("SELECT pg_relation_size('{name}')"))
                .parse()
                .unwrap();
            database.run(&format!("DROP INDEX {name}"));
            assert!(
                (0.75..=1.25).contains(&(size / built)),
                "{ddl}: predicted {size}, built {built}"
            );
        }
    }
}
