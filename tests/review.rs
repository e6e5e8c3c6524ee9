//! `pgrehearse review` as a program, on files as users have them.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn review(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
    command
        .current_dir(directory)
        .arg("review")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn report(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap()
}

const TEXT: &str = "shop=# explain select 1;\n QUERY PLAN\n------------\n Seq Scan on t  (cost=0.00..25.00 rows=10 width=40)\n(1 row)\n";
const YAML: &str = "- Plan: \n    Node Type: \"Result\"\n    Total Cost: 0.01\n";
const XML: &str = "<explain xmlns=\"http://www.postgresql.org/2009/explain\"><Query><Plan><Node-Type>Result</Node-Type></Plan></Query></explain>";

#[test]
fn a_directory_of_all_formats_is_read_and_a_bad_file_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> = format!("\u{feff}{TEXT}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let files: [(&str, &[u8]); 7] = [
        ("a.txt", TEXT.as_bytes()),
        ("b.yaml", YAML.as_bytes()),
        ("c.XML", XML.as_bytes()),
        ("d.json", b"[{\"Plan\": {\"Node Type\": \"Seq"),
        ("e.md", b"nothing\x1b[31m here"),
        ("f.log", &utf16),
        ("g.png", b"not looked at"),
    ];
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let output = review(directory.path(), &[".", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let files = report(&output);
    let formats: Vec<Option<&str>> = files
        .iter()
        .map(|file| file["plans"][0]["source_format"].as_str())
        .collect();
    assert_eq!(
        formats,
        [Some("text"), Some("yaml"), Some("xml"), None, Some("text")],
        "e.md holds no plan and was not named"
    );
    assert_eq!(files[0]["plans"][0]["query"], "select 1");
    assert_eq!(files[0]["plans"][0]["total_cost"], 25.0);
    assert_eq!(
        files[3]["error"],
        "line 1, column 25: truncated: the text ends inside a JSON string"
    );
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("d.json: line 1, column 25: truncated") && !errors.contains("e.md"),
        "{errors}"
    );
}

#[test]
fn a_named_file_is_read_whatever_its_name_and_so_is_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("plan"), TEXT).unwrap();
    assert_eq!(
        report(&review(directory.path(), &["plan", "--format", "json"]))[0]["plans"][0]["node_count"],
        1
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
    let piped = command
        .args(["review", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut running = piped.spawn().unwrap();
    running
        .stdin
        .take()
        .unwrap()
        .write_all(YAML.as_bytes())
        .unwrap();
    assert_eq!(
        report(&running.wait_with_output().unwrap())[0]["plans"][0]["source_format"],
        "yaml"
    );
}

#[test]
fn escape_sequences_never_reach_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let plan = "Seq Scan on \"a\x1b[2J\"  (cost=0.00..25.00 rows=10 width=40)\n  Filter: (a = '\x1b]0;x\x07'::text)\n";
    fs::write(directory.path().join("a.txt"), plan).unwrap();
    fs::write(
        directory.path().join("b.txt"),
        "Seq Scan on t  (cost=0.00..\x1b[31m rows=1 width=1)\n",
    )
    .unwrap();
    for format in ["text", "markdown"] {
        let output = review(directory.path(), &[".", "--format", format]);
        assert_eq!(output.status.code(), Some(1));
        for stream in [&output.stdout, &output.stderr] {
            assert!(
                !stream.contains(&0x1b) && !stream.contains(&7),
                "{}",
                String::from_utf8_lossy(stream)
            );
        }
    }
}

/// A replay measures nothing: its times and leftovers are absent, not 0.
#[test]
fn a_replay_reports_nothing_that_was_not_measured() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recording = "fixtures/recordings/002-table-sync.json";
    let json = review(root, &[recording, "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    for (part, field) in [
        ("timing", "total_ms"),
        ("timing", "server_ms"),
        ("rehearsal", "left_behind"),
    ] {
        assert_eq!(json[part].get(field), Some(&Value::Null), "{field}");
    }
    let waited = json["rehearsal"]["longest_write_block_ms"].as_f64();
    assert!(waited > Some(0.0), "recorded, so it is still known");
    for format in ["text", "markdown"] {
        let report = review(root, &[recording, "--format", format]);
        let report = String::from_utf8(report.stdout).unwrap();
        assert!(
            report.contains("all rolled back. Tables were locked"),
            "{report}"
        );
        for unmeasured in ["left behind", "took", "0.0 ms"] {
            assert!(!report.contains(unmeasured), "{unmeasured}: {report}");
        }
    }
}
const RECORDING: &str = include_str!("../fixtures/recordings/003-game-overviews-twin.json");

/// Reviews a changed copy of the recording; returns the output.
fn review_changed(change: impl FnOnce(&mut Value)) -> (Option<i32>, String, String) {
    let mut recording: Value = serde_json::from_str(RECORDING).unwrap();
    change(&mut recording);
    review_text(&recording.to_string())
}

fn review_text(recording: &str) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("run.json"), recording).unwrap();
    let output = review(directory.path(), &["run.json", "--format", "json"]);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_damaged_recording_is_refused_under_its_name() {
    let older = |recording: &mut Value| recording["format"] = "pgrehearse-recording-1".into();
    let incomplete = |recording: &mut Value| {
        recording["exchanges"].as_array_mut().unwrap().remove(0);
    };
    let no_such_plan = |recording: &mut Value| {
        let plans = recording["exchanges"][0]["plans"].as_object_mut().unwrap();
        plans.values_mut().for_each(|plan| *plan = 9_999.into());
    };
    let cut_off = &RECORDING[..RECORDING.len() / 2];
    for (found, message) in [
        (review_changed(older), "pgrehearse-recording-1"),
        (
            review_changed(incomplete),
            "the recording has no answer to: server: plans of games-by-id",
        ),
        (review_changed(no_such_plan), "plan 9999"),
        (review_text(cut_off), "the recording cannot be read"),
    ] {
        let (status, stdout, stderr) = found;
        assert_eq!((status, stdout.as_str()), (Some(1), ""), "{stderr}");
        let named = stderr.contains("run.json: ");
        assert!(named && stderr.contains(message), "{stderr}");
    }
}

#[test]
fn answers_that_no_question_needs_give_a_notice() {
    let notices = |(status, stdout, stderr): (Option<i32>, String, String)| {
        assert_eq!(status, Some(0), "{stderr}");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        report["notices"].as_array().unwrap().len()
    };
    let twice = review_changed(|recording| {
        let exchanges = recording["exchanges"].as_array_mut().unwrap();
        exchanges.extend(exchanges.last().cloned());
    });
    assert_eq!(notices(twice), notices(review_text(RECORDING)) + 1);
}
