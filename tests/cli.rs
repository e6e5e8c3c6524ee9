//! The program as a black box, without a server.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn h_is_the_host_and_help_is_help() {
    let help = program(&["advise", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    for option in [
        "-h, --host",
        "-U, --username",
        "--pg-stat-statements",
        "--max-write-block",
        "--fail-on",
    ] {
        assert!(
            stdout(&help).contains(option),
            "{option}: {}",
            stdout(&help)
        );
    }
    assert_eq!(program(&["-?"]).status.code(), Some(0));
    assert!(stdout(&program(&["--version"])).starts_with("pgrehearse 0."));
}

#[test]
fn wrong_usage_is_exit_status_2() {
    for arguments in [
        &["frobnicate"][..],
        &["advise", "--budget", "much", "-c", "x"],
        &["advise", "--format", "pdf"],
        &["review"],
        &["advise"],
        &[],
    ] {
        let output = program(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    assert!(stderr(&program(&["advise"])).contains("no workload: give --file FILE.sql"));
}

#[test]
fn errors_name_the_place_and_hide_passwords() {
    let output = program(&["advise", "-f", "no/such/file.sql"]);
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (
            Some(2),
            "pgrehearse: no/such/file.sql: No such file or directory (os error 2)\n"
        )
    );
    let output = program(&[
        "advise",
        "-c",
        "select 1",
        "-d",
        "postgresql://me:hunter2@127.0.0.1:1/x",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("connection to server at") && !stderr(&output).contains("hunter2"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn completions_and_a_manual_page_are_made() {
    for shell in ["bash", "elvish", "fish", "nushell", "powershell", "zsh"] {
        assert!(
            stdout(&program(&["completions", shell])).contains("pgrehearse"),
            "{shell}"
        );
    }
    assert!(stdout(&program(&["man"])).contains(".TH pgrehearse"));
    let advise = stdout(&program(&["man", "advise"]));
    assert!(advise.contains("min\\-improvement"), "{advise}");
    assert_eq!(program(&["man", "no-such"]).status.code(), Some(2));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display().to_string();
    let output = program(&["man", "--directory", &path]);
    assert!(output.status.success(), "{}", stderr(&output));
    for page in ["pgrehearse.1", "pgrehearse-advise.1", "pgrehearse-mcp.1"] {
        assert!(directory.path().join(page).exists(), "{page}");
    }
}

#[test]
fn saved_plans_are_shown_as_trees_with_their_costliest_nodes_marked() {
    let output = program(&["review", "fixtures/plans/samples"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("fixtures/plans/samples/refs-orphans.json"),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("* ") && line.contains("Seq Scan on")),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 120),
        "it fits"
    );
}

#[test]
fn a_file_that_is_no_plan_is_reported_and_the_others_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = write(
        "good.json",
        r#"[{"Plan": {"Node Type": "Seq Scan", "Relation Name": "a\u001b[2Jb", "Total Cost": 5}}]"#,
    );
    let bad = write("bad.json", "[{\"Plan\":\n oops");
    let output = program(&["review", "--format", "json", &bad, &good, "missing.json"]);
    assert_eq!(output.status.code(), Some(1));
    let files: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        files[0]["error"]
            .as_str()
            .unwrap()
            .contains("line 2, column"),
        "{files:#}"
    );
    assert_eq!(
        (&files[1]["error"], &files[1]["plans"][0]["node_count"]),
        (&Value::Null, &1.into())
    );
    assert!(files[2]["error"].as_str().unwrap().contains("No such file"));
    assert!(
        stderr(&output).contains("bad.json: line 2"),
        "{}",
        stderr(&output)
    );

    let text = stdout(&program(&["review", "--color", "never", &good]));
    assert!(
        text.contains("\\u{1b}[2J") && !text.contains('\u{1b}'),
        "{text:?}"
    );
}

#[test]
fn two_plans_of_a_query_are_compared() {
    let plan = |name: &str| format!("fixtures/plans/table-sync-9.6/{name}.txt");
    let (before, after) = (plan("a-before"), plan("a-after"));
    let text = stdout(&program(&["review", "--diff", &before, &after]));
    assert!(
        text.contains("933,678") && text.contains("517,832") && text.contains("1.80× lower"),
        "{text}"
    );
    assert!(
        text.contains("Seq Scan on transactions")
            && text.contains("Bitmap Index Scan on blocked_status_idx"),
        "{text}"
    );
    let json: Value = serde_json::from_slice(
        &program(&["review", "--diff", "--format", "json", &before, &after]).stdout,
    )
    .unwrap();
    assert!(json.is_array() && json[0].is_object(), "{json:#}");
    assert!(
        stdout(&program(&[
            "review", "--diff", "--format", "markdown", &before, &after
        ]))
        .contains("Bitmap Heap Scan")
    );
    assert_eq!(
        program(&["review", "--diff", &before]).status.code(),
        Some(2),
        "a diff takes two"
    );
}

#[test]
fn a_directory_may_hold_other_files_too() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("README.md"), "# Plans\n").unwrap();
    std::fs::write(directory.path().join("package.json"), r#"{"name": "x"}"#).unwrap();
    std::fs::write(
        directory.path().join("plan.txt"),
        "Seq Scan on t  (cost=0.00..35.50 rows=2550 width=4)\n",
    )
    .unwrap();
    let path = directory.path().display().to_string();
    let output = program(&["review", "--format", "json", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let files: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(files.as_array().unwrap().len(), 1, "{files:#}");
    let named = program(&[
        "review",
        &format!("{path}/README.md"),
        &format!("{path}/plan.txt"),
    ]);
    assert_eq!(named.status.code(), Some(1), "what is named is missed");
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args(["review", "fixtures/plans/samples"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(0), "")
    );
}

#[test]
fn a_recording_is_reviewed_like_a_run() {
    let recording = "fixtures/recordings/002-table-sync.json";
    assert!(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(recording)
            .exists()
    );
    let output = program(&["review", recording]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("WHAT TO DO")
            && stdout(&output).contains("WHERE (status = 'BLOCKED'::text)")
    );
    assert_eq!(
        stdout(&output),
        stdout(&program(&["review", recording])),
        "byte for byte"
    );
}

#[test]
fn defaults_come_from_files_and_a_file_beside_a_workload_may_not_set_everything() {
    let directory = tempfile::tempdir().unwrap();
    let (home, work) = (directory.path().join("home"), directory.path().join("work"));
    std::fs::create_dir_all(home.join("pgrehearse")).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    let file = home.join("pgrehearse/pgrehearse.toml");
    std::fs::write(
        &file,
        "color = \"never\"\n[advise]\nbudget = \"2MB\"\nanalyze = true\n",
    )
    .unwrap();
    let run = |arguments: &[&str], more: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
        command
            .args(arguments)
            .current_dir(&work)
            .env("XDG_CONFIG_HOME", &home)
            .envs(more.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), stdout(&output) + &stderr(&output))
    };
    let (status, shown) = run(&["config", "--show"], &[]);
    assert_eq!(status, Some(0), "{shown}");
    let said = |line: &str| shown.lines().any(|found| found == line);
    assert!(
        said(&format!("budget = \"2MB\"  # {}", file.display())),
        "{shown}"
    );
    assert!(
        said(&format!("analyze = true  # {}", file.display())),
        "{shown}"
    );
    assert!(said("lock-timeout = \"1s\"  # default"), "{shown}");

    std::fs::write(work.join("pgrehearse.toml"), "[advise]\nbudget = \"9MB\"\n").unwrap();
    let (_, shown) = run(&["config", "--show"], &[]);
    assert!(
        shown.contains("budget = \"9MB\"  # pgrehearse.toml"),
        "{shown}"
    );
    let (_, shown) = run(&["config", "--show"], &[("PGREHEARSE_NO_CONFIG", "1")]);
    assert!(shown.contains("# budget is not set"), "{shown}");

    std::fs::write(
        work.join("pgrehearse.toml"),
        "[advise]\npg-bin = \"/tmp/evil\"\n",
    )
    .unwrap();
    let (status, text) = run(&["advise", "-c", "SELECT 1"], &[]);
    assert_eq!(status, Some(2), "{text}");
    assert!(
        text.contains("a file beside a workload may not set pg-bin"),
        "{text}"
    );
}

#[test]
fn variables_of_the_environment_are_defaults_for_options() {
    let run = |arguments: &[&str], variable: (&str, &str)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
        let command = command.args(arguments).env(variable.0, variable.1);
        let output = command.output().unwrap();
        (output.status.code(), stdout(&output) + &stderr(&output))
    };
    let (_, shown) = run(&["config", "--show"], ("PGREHEARSE_BUDGET", "7MB"));
    let line = "budget = \"7MB\"  # PGREHEARSE_BUDGET";
    assert!(shown.contains(line), "{shown}");
    let (status, text) = run(&["advise", "-c", "SELECT 1"], ("PGREHEARSE_YES", "perhaps"));
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("PGREHEARSE_YES is true or false"), "{text}");
}

#[test]
fn a_recording_is_shown_in_every_format_and_compared_with_another() {
    let recording = "fixtures/recordings/002-table-sync-twin.json";
    let sql = stdout(&program(&["review", recording, "--format", "sql"]));
    assert!(
        sql.contains("CREATE INDEX CONCURRENTLY IF NOT EXISTS"),
        "{sql}"
    );
    let down = stdout(&program(&[
        "review", recording, "--format", "sql", "--down",
    ]));
    assert!(down.contains("DROP INDEX CONCURRENTLY IF EXISTS"), "{down}");
    let html = stdout(&program(&["review", recording, "--format", "html"]));
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    let plans = stdout(&program(&[
        "review",
        "fixtures/plans/samples",
        "--format",
        "html",
    ]));
    assert!(plans.starts_with("<!DOCTYPE html>"), "{plans}");
    let part = stdout(&program(&["review", recording, "--explain", "r1"]));
    assert!(part.starts_with("r1  "), "{part}");
    assert_eq!(
        program(&["review", "fixtures/plans/samples", "--format", "sql"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(
        program(&["review", recording, "--down"]).status.code(),
        Some(2),
        "--down goes with --format sql"
    );

    let same = stdout(&program(&["compare", recording, recording]));
    assert!(same.contains("still missing. Nothing is new."), "{same}");
    let other = program(&["compare", recording, "fixtures/plans/samples"]);
    assert_eq!(other.status.code(), Some(1), "{}", stderr(&other));
    assert_eq!(
        program(&["compare", recording, "no/such.json"])
            .status
            .code(),
        Some(2)
    );
}

/// The session as linear text: a line in, its answer out.
#[test]
fn the_session_can_be_read_line_by_line() {
    let directory = tempfile::tempdir().unwrap();
    let recording = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/recordings/002-table-sync.json"
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args(["review", "--accessible", recording])
        .current_dir(directory.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "statements\nplan 1\ncompare 1\nindexes\noff 1\nundo\nnew orders (id)\nfrobnicate\non 99\nreport all.md\nddl new.sql\nquit\nstatements\n";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = stdout(&output);
    for said in [
        "1. n26-3b-last-certified: 71.8 percent",
        "Finding, critical: the sequential scan",
        "Cost 5,073 before, 40.28 after.",
        "1. public.transactions (user_id, certified_by_user), on: 7608 kB, helps 1 statement.",
        "3 indexes are on, 4472 kB.",
        "4 indexes are on",
        "There is no server and no planner twin: this is a file",
        "Not done: There is no command \"frobnicate\"",
        "There is no index 99.",
        "Written to all.md",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "nothing moves a cursor");
    assert_eq!(
        text.matches("1. n26-3b-last-certified").count(),
        1,
        "nothing is read after quit"
    );
    let ddl = std::fs::read_to_string(directory.path().join("new.sql")).unwrap();
    assert_eq!(ddl.lines().count(), 4);
}
