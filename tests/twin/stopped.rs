//! Ctrl-C while the twin tests candidates: what is known by then is reported.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::live::Database;

/// As many candidates as take a while.
fn wide() -> (String, String) {
    let mut columns = String::new();
    let mut statements = String::new();
    for first in 0..9 {
        let _ = write!(columns, ", c{first} int DEFAULT (random() * 1000)::int");
        for second in 0..first {
            for third in 0..second {
                let _ = write!(
                    statements,
                    "SELECT id FROM wide WHERE c{first} = 1 AND c{second} > 990 ORDER BY c{third} LIMIT 10;"
                );
            }
        }
    }
    let schema = format!(
        "CREATE TABLE wide (id bigint PRIMARY KEY{columns}); INSERT INTO wide (id) SELECT generate_series(1, 50000); ANALYZE wide;"
    );
    (schema, statements)
}

/// Runs it until its progress says this, sends the signal, and returns its exit status, its report
/// and what it said.
fn stopped_at(phase: &str, signal: Signal, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let (schema, statements) = wide();
    let database = Database::new(&format!("twin_stopped_{signal}").to_lowercase(), &schema);
    let before = database.catalog();
    let terminal = openpty(None, None).unwrap();
    let mut program = database.program(
        &[
            &["advise", "--format", "json", "-c", &statements],
            arguments,
        ]
        .concat(),
    );
    // Nobody reads while the terminal is read.
    let written = tempfile::NamedTempFile::new().unwrap();
    let mut running = program
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .stdout(Stdio::from(written.reopen().unwrap()))
        .stderr(Stdio::from(terminal.slave))
        .spawn()
        .unwrap();
    drop(program);
    let mut screen = File::from(terminal.master);
    let mut said = String::new();
    let mut piece = [0; 4096];
    let mut is_stopped = false;
    // At the end of the program the terminal is closed, which is an error to read from.
    while let Ok(number) = screen.read(&mut piece) {
        said.push_str(&String::from_utf8_lossy(&piece[..number]));
        if number == 0 {
            break;
        }
        if said.contains(phase) && !is_stopped {
            kill(Pid::from_raw(running.id().try_into().unwrap()), signal).unwrap();
            is_stopped = true;
        }
    }
    let status = running.wait().unwrap();
    assert!(is_stopped, "{said}");
    assert_eq!(database.catalog(), before);
    let report = std::fs::read(written.path()).unwrap();
    let report = serde_json::from_slice(&report).unwrap();
    (status.code(), report, said)
}

#[test]
fn a_stopped_search_reports_the_best_set_so_far_and_builds_nothing() {
    for (phase, signal) in [
        ("testing candidates in the planner twin", Signal::SIGINT),
        ("choosing", Signal::SIGTERM),
    ] {
        let (status, report, said) = stopped_at(phase, signal, &["--yes", "--budget", "20MB"]);
        assert_eq!(status, Some(130), "{said}");
        let rehearsal = &report["rehearsal"];
        assert_eq!(rehearsal["interrupted"], true, "{said}");
        assert_eq!(rehearsal["indexes_built"], 0);
        assert!(
            said.contains("interrupted; everything was rolled back"),
            "{said}"
        );
        let notices = report["notices"].to_string();
        assert!(notices.contains("interrupted when "), "{notices}");
        let recommended = report["recommendations"].as_array().unwrap();
        assert_eq!(
            recommended.is_empty(),
            phase != "choosing",
            "{recommended:?}"
        );
        for index in recommended {
            assert_eq!(index["evidence"], "planner_twin", "{index}");
            assert_eq!(index["not_built_reason"], "interrupted", "{index}");
        }
    }
}
