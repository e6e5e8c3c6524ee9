//! Logs of real servers (fixtures/logs, made by scripts/make-log-corpus.sh), each with a file of
//! what must be found in it. A new log is a new test; one without an expectation fails.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pgrehearse::internals::log::{self, LogEntry, LogFormat, Severity};
use pgrehearse::internals::plan::read;
use serde::Deserialize;

/// What is expected of a log; fields that are absent are not checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    format: String,
    /// How often each statement has a plan.
    plans: Option<BTreeMap<String, usize>>,
    /// How often each statement was executed.
    executions: Option<BTreeMap<String, usize>>,
    /// How often each parameters were used.
    parameters: Option<BTreeMap<String, usize>>,
    /// Statements of the errors.
    failed: Option<Vec<String>>,
    /// Number of entries with a context.
    contexts: Option<usize>,
    /// Number of processes with a known id that wrote.
    processes: Option<usize>,
    /// Nodes of all plans, which are in JSON.
    json_plan_nodes: Option<usize>,
}

fn logs() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs");
    let paths = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        !name.ends_with(".expect.json") && name != "README.md"
    };
    let mut logs: Vec<PathBuf> = paths.filter(is_log).collect();
    logs.sort();
    logs
}

fn read(path: &Path) -> String {
    log::decode(&fs::read(path).unwrap()).into_owned()
}

fn counted<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    items.fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(item).or_default() += 1;
        counts
    })
}

/// Everything that differs from the expectation.
#[expect(clippy::too_many_lines, reason = "a table")]
fn differences(path: &Path) -> Vec<String> {
    let expectation_path = PathBuf::from(format!("{}.expect.json", path.display()));
    let Ok(expectation) = fs::read_to_string(&expectation_path) else {
        return vec!["has no expectation".to_owned()];
    };
    let expected: Expectation = match serde_json::from_str(&expectation) {
        Ok(expected) => expected,
        Err(error) => return vec![format!("its expectation: {error}")],
    };
    let text = read(path);
    let mut differences = Vec::new();
    let mut check = |what: &str, found: String, expected: Option<String>| {
        if expected.as_ref().is_some_and(|expected| *expected != found) {
            differences.push(format!(
                "{what}: {found}\n   expected: {}",
                expected.unwrap_or_default()
            ));
        }
    };
    let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
    check(
        "format",
        debug(&LogFormat::of(&text)).to_lowercase(),
        Some(format!("some({})", expected.format)),
    );
    let entries: Vec<LogEntry> = log::entries(&text).collect();
    let plans = log::plans(&text);
    let executions: Vec<_> = log::executions(&text).collect();
    let queries = counted(
        plans
            .iter()
            .map(|plan| plan.query.clone().unwrap_or_default()),
    );
    check(
        "plans",
        debug(&queries),
        expected.plans.as_ref().map(|plans| debug(plans)),
    );
    let statements = counted(executions.iter().map(|execution| execution.sql.clone()));
    check(
        "executions",
        debug(&statements),
        expected
            .executions
            .as_ref()
            .map(|executions| debug(executions)),
    );
    let untimed = executions
        .iter()
        .filter(|execution| execution.duration_ms.is_none())
        .count();
    check(
        "executions without a time",
        debug(&untimed),
        Some("0".to_owned()),
    );
    let parameters = counted(
        executions
            .iter()
            .filter_map(|execution| execution.parameters.clone()),
    );
    check(
        "parameters",
        debug(&parameters),
        expected
            .parameters
            .as_ref()
            .map(|parameters| debug(parameters)),
    );
    let errors = entries
        .iter()
        .filter(|entry| entry.severity == Severity::Error);
    let failed: Vec<String> = errors.filter_map(|entry| entry.statement.clone()).collect();
    check(
        "failed",
        debug(&failed),
        expected.failed.as_ref().map(|failed| debug(failed)),
    );
    let contexts = entries
        .iter()
        .filter(|entry| entry.context.is_some())
        .count();
    check(
        "contexts",
        debug(&contexts),
        expected.contexts.map(|number| number.to_string()),
    );
    let processes: BTreeSet<u32> = entries
        .iter()
        .filter_map(|entry| entry.process_id)
        .collect();
    check(
        "processes",
        debug(&processes.len()),
        expected.processes.map(|number| number.to_string()),
    );
    if expected.json_plan_nodes.is_some() {
        let read: Result<Vec<_>, _> = plans
            .iter()
            .map(|plan| read::plans(&plan.plan_text))
            .collect();
        let nodes = read.map(|plans| {
            plans
                .iter()
                .flatten()
                .map(|plan| plan.nodes().len())
                .sum::<usize>()
        });
        check(
            "nodes",
            debug(&nodes.ok()),
            Some(debug(&expected.json_plan_nodes)),
        );
    }
    for plan in plans
        .iter()
        .filter(|plan| !plan.plan_text.starts_with(['{', '<', 'Q']))
    {
        let first = plan.plan_text.lines().next().unwrap_or_default();
        check(
            "the root's costs",
            debug(&first.contains("  (cost=")),
            Some("true".to_owned()),
        );
        let strangers: Vec<&str> = plan
            .plan_text
            .lines()
            .skip(1)
            .filter(|line| !line.starts_with("  "))
            .collect();
        check(
            "strange lines of a plan",
            debug(&strangers),
            Some("[]".to_owned()),
        );
    }
    differences
}

#[test]
fn every_log_is_read_as_expected() {
    let logs = logs();
    assert!(logs.len() >= 70, "only {} logs", logs.len());
    let differing = logs.iter().flat_map(|path| {
        let name = path.file_name().unwrap().display().to_string();
        differences(path)
            .into_iter()
            .map(move |difference| format!("{name}: {difference}"))
    });
    let differing: Vec<String> = differing.collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Leaves out what lines of stderr and syslog do not contain.
fn comparable(entry: LogEntry) -> LogEntry {
    // The position of an error is in a column of its own, not in the message.
    let message = entry
        .message
        .split(" at character ")
        .next()
        .unwrap_or_default()
        .to_owned();
    LogEntry {
        line: 0,
        time: None,
        application: None,
        database: None,
        user: None,
        message,
        ..entry
    }
}

#[test]
fn the_three_destinations_tell_the_same() {
    let mut compared = 0;
    for stderr in logs()
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
    {
        let entries = |path: &Path| {
            log::entries(&read(path))
                .map(comparable)
                .collect::<Vec<LogEntry>>()
        };
        for other in ["csv", "json"]
            .map(|extension| stderr.with_extension(extension))
            .iter()
            .filter(|path| path.exists())
        {
            let (one, two) = (entries(stderr), entries(other));
            for (one, two) in one.iter().zip(&two) {
                assert_eq!(one, two, "{}", other.display());
            }
            assert_eq!(one.len(), two.len(), "{}", other.display());
            compared += 1;
        }
    }
    assert!(compared >= 15, "only {compared} were compared");
}

#[test]
fn a_log_cut_off_anywhere_is_still_read() {
    for path in logs() {
        let text = read(&path);
        let whole = log::entries(&text).count();
        for cut in (0..text.len()).step_by(1 + text.len() / 40) {
            let Some(cut) = (cut..=text.len()).find(|cut| text.is_char_boundary(*cut)) else {
                continue;
            };
            let without_begin = log::entries(&text[cut..]).count();
            let without_end = log::entries(&text[..cut]).count();
            let found = without_begin + without_end;
            assert!(
                found + 5 >= whole,
                "{}: {found} of {whole} at {cut}",
                path.display()
            );
        }
    }
}

#[test]
fn the_other_fixtures_are_no_logs() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut waiting = vec![fixtures.join("plans"), fixtures.join("workloads")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            assert!(!log::looks_like_log(&read(&path)), "{}", path.display());
        }
    }
}
