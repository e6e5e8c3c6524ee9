//! Ctrl-C, SIGTERM and kill -9 in the middle of a build.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::live::Database;

/// Thousands of rows at 10 ms each: a build that would take too long for a test.
const SLOW_TABLE: &str = "CREATE TABLE job (id bigint PRIMARY KEY, note text);
     INSERT INTO job SELECT n, 'note ' || n FROM generate_series(1, 20000) AS n;
     CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN x; END $$;
     ANALYZE job;";

const BUILDING: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgrehearse' AND datname = current_database() \
                        AND state = 'active' AND query LIKE 'CREATE INDEX%'";
const PRESENT: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgrehearse' AND datname = current_database()";

/// A generous time limit for a busy machine; the test prints the measured time.
const PATIENCE: Duration = Duration::from_secs(20);

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < PATIENCE,
            "{what} did not happen within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    began.elapsed()
}

fn start_slow_build(database: &Database) -> Child {
    let mut command = database.program(&[
        "advise",
        "--rehearse",
        "transaction",
        "--statement-timeout",
        "10min",
        "--max-write-block",
        "10min",
        "-c",
        "SELECT * FROM job WHERE slow(id) = 5",
    ]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the build", || database.text(BUILDING) == "1");
    child
}

fn interrupted_by(signal: Signal, name: &str) -> (Option<i32>, String) {
    let database = Database::new(name, SLOW_TABLE);
    let before = database.catalog();
    let child = start_slow_build(&database);
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    let gone = wait_until("the end of the server's backend", || {
        database.text(PRESENT) == "0"
    });
    let output = child.wait_with_output().unwrap();
    println!("{signal}: the server's backend was gone after {gone:?}");
    assert_eq!(database.catalog(), before);
    let mut client = database.client();
    client
        .batch_execute(
            "SET lock_timeout = '1s'; UPDATE job SET note = 'writers go on' WHERE id = 1",
        )
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn ctrl_c_ends_a_build_and_rolls_back() {
    let (status, said) = interrupted_by(Signal::SIGINT, "ctrl_c");
    assert_eq!(status, Some(130));
    let [announced, stopped, ended] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("{said}");
    };
    assert!(
        stopped.contains("what is known by now is reported"),
        "{said}"
    );
    assert!(
        announced.contains("building 1 index on public.job"),
        "{said}"
    );
    assert_eq!(ended, "pgrehearse: interrupted; everything was rolled back");
}

#[test]
fn sigterm_does_the_same() {
    let (status, _) = interrupted_by(Signal::SIGTERM, "sigterm");
    assert_eq!(status, Some(130));
}

#[test]
fn after_kill_9_the_server_notices_by_itself() {
    let (status, _) = interrupted_by(Signal::SIGKILL, "kill_9");
    assert_eq!(status, None);
}
