//! Logs on the command line, as far as that needs no server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn pgrehearse(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args(arguments)
        .output()
        .unwrap()
}

fn log(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fixtures/logs", name]
        .iter()
        .collect();
    path.display().to_string()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn review_shows_logged_plans_with_their_statements() {
    for name in [
        "15-plans-json.log",
        "15-plans-json.csv",
        "15-plans-json.json",
        "15-syslog-json.log",
    ] {
        let output = pgrehearse(&["review", "--format", "json", &log(name)]);
        assert!(output.status.success(), "{name}: {}", errors(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let plans = report[0]["plans"].as_array().unwrap();
        let update = "UPDATE jobs SET state = 'done' WHERE id = 42;";
        assert!(
            plans
                .iter()
                .any(|plan| plan["query"] == update && plan["node_count"] == 2),
            "{name}: {plans:#?}"
        );
    }
}

#[test]
fn a_log_without_plans_says_what_puts_them_there() {
    let output = pgrehearse(&["review", &log("15-durations.csv")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("the log has no plans; auto_explain logs them"),
        "{}",
        errors(&output)
    );
}

#[test]
fn a_log_has_to_be_there_before_a_server_is_asked() {
    let output = pgrehearse(&[
        "explain",
        "--host",
        "/nowhere",
        "--log",
        "/nowhere/postgresql.log",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        errors(&output).contains("/nowhere/postgresql.log: No such file"),
        "{}",
        errors(&output)
    );
}

#[test]
fn top_is_about_logs_or_pg_stat_statements() {
    let output = pgrehearse(&["explain", "--top", "3", "--command", "select 1"]);
    assert_eq!(output.status.code(), Some(2));
}
