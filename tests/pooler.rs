//! Behind a real pgbouncer: nothing of ours stays on a server connection that applications use
//! afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "shared with tests of whole reports")]
mod live;
#[path = "tui/tmux.rs"]
#[allow(dead_code, reason = "shared with tests of the interface")]
mod tmux;

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use live::{Database, cluster, file, program, text_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::{Client, NoTls, SimpleQueryMessage};

/// A generous time limit for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const TABLES: &str = "CREATE EXTENSION pg_stat_statements;
     CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, note text, placed timestamptz);
     INSERT INTO orders SELECT n, n % 1000, 'note ' || n, now() FROM generate_series(1, 20000) AS n;
     CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN x; END $$;
     ANALYZE orders;";

/// Statements with and without parameters, on expressions, and ones that fail at every stage.
const WORKLOAD: &str = "-- name: plain\nSELECT * FROM orders WHERE customer_id = 5;
     -- name: parameter\nSELECT * FROM orders WHERE customer_id = $1;
     -- name: expression\nSELECT * FROM orders WHERE lower(note) = 'note 7';
     -- name: unknown\nSELECT * FROM nowhere;
     -- name: planning-fails\nSELECT * FROM orders WHERE customer_id = $1 AND 1 / 0 = 1;
     -- name: executing-fails\nSELECT 1 / (customer_id - customer_id) FROM orders;
     -- name: utility\nVACUUM orders;
     -- name: two\nSELECT 1; -- name: written\nUPDATE orders SET note = $1 WHERE customer_id = $2";

/// A running pgbouncer with one server connection for each database.
struct Pooler {
    process: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Pooler {
    fn start(mode: &str) -> Pooler {
        let directory = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let configuration = directory.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port=5432 user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = 1\nlogfile = /dev/null\n",
            cluster().directory().display(),
        );
        std::fs::write(&configuration, text).unwrap();
        for path in [directory.path(), &configuration] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        let mut command = Command::new("pgbouncer");
        if let Some(user) = cluster().server_user() {
            command.uid(user.uid).gid(user.gid);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let process = command
            .arg(&configuration)
            .env("PATH", format!("{path}:/usr/sbin"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is needed: scripts/ensure-test-tools.sh");
        let pooler = Pooler {
            process,
            port,
            _directory: directory,
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        pooler
    }

    fn conninfo(&self, database: &Database) -> String {
        format!(
            "host=127.0.0.1 port={} user=postgres dbname={}",
            self.port, database.name
        )
    }

    /// An application behind the pooler.
    fn application(&self, database: &Database) -> Application {
        let conninfo = format!("{} application_name=application", self.conninfo(database));
        Application(Client::connect(&conninfo, NoTls).unwrap())
    }

    fn run(&self, database: &Database, arguments: &[&str]) -> Output {
        program()
            .args(arguments)
            .arg("-d")
            .arg(self.conninfo(database))
            .output()
            .unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Application(Client);

impl Application {
    fn text(&mut self, sql: &str) -> String {
        let rows = self.0.simple_query(sql).unwrap();
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).unwrap_or("NULL").to_owned())
                    .collect::<Vec<_>>()
                    .join("="),
            ),
            _ => None,
        };
        rows.iter().filter_map(row).collect::<Vec<_>>().join("\n")
    }

    /// Which server connection this is, and everything that a session can leave on it.
    fn state(&mut self) -> String {
        [
            "SELECT pg_backend_pid()",
            "SELECT name, setting, source FROM pg_settings ORDER BY name",
            "SELECT name, statement FROM pg_prepared_statements ORDER BY name",
            "SELECT locktype, mode, relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
            "SELECT * FROM pg_listening_channels()",
            "SELECT name FROM pg_cursors",
            "SELECT oid FROM pg_class WHERE pg_is_other_temp_schema(relnamespace) OR relnamespace = pg_my_temp_schema()",
        ]
        .map(|sql| self.text(sql))
        .join("\n--\n")
    }
}

/// Compares states; a failure shows only the lines that differ.
fn assert_same(after: &str, before: &str, what: &str) {
    let only = |these: &str, those: &str| -> Vec<String> {
        let those: Vec<&str> = those.lines().collect();
        let lines = these.lines().filter(|line| !those.contains(line));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(only(after, before), only(before, after), "{what}");
    assert_eq!(after, before, "{what}");
}

fn arguments<'a>(before: &[&'a str], workload: &'a str) -> Vec<&'a str> {
    [before, &["--file", workload]].concat()
}

#[test]
fn a_run_leaves_nothing_on_a_pooled_connection() {
    let database = Database::new("pooled", TABLES);
    let pooler = Pooler::start("transaction");
    let workload = file(WORKLOAD);
    let workload = workload.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let twin_file = folder.path().join("twin").display().to_string();
    let mut application = pooler.application(&database);
    let before = application.state();
    let runs: [&[&str]; 8] = [
        &["explain"],
        &["advise", "--rehearse=off"],
        &["advise", "--rehearse=twin"],
        &["advise", "--rehearse=transaction"],
        &["advise"],
        &["advise", "--rehearse=transaction", "--analyze"],
        &["advise", "--rehearse=off", "--scale", "10"],
        &["snapshot", "--sample", "--output", &twin_file],
    ];
    for run in runs {
        let output = pooler.run(&database, &arguments(run, workload));
        assert_ne!(
            output.status.code(),
            Some(2),
            "{run:?} {}",
            text_of(&output)
        );
        let said = text_of(&output);
        assert!(!said.contains("pooler"), "{run:?} {said}");
        assert_same(&application.state(), &before, &format!("{run:?} {said}"));
    }
    for rehearse in ["off", "transaction"] {
        let rehearse = format!("--rehearse={rehearse}");
        let output = pooler.run(&database, &["advise", &rehearse, "--pg-stat-statements"]);
        assert_same(&application.state(), &before, &text_of(&output));
    }
}

#[test]
fn a_report_through_a_pooler_is_the_report_without_one() {
    let database = Database::new("pooled_report", TABLES);
    let pooler = Pooler::start("transaction");
    for rehearse in ["off", "twin", "transaction"] {
        let rehearse = format!("--rehearse={rehearse}");
        let advise = [
            "advise",
            "--format=json",
            &rehearse,
            "-c",
            "SELECT * FROM orders WHERE customer_id = $1 AND 1 = 1",
        ];
        let through = pooler.run(&database, &advise);
        assert!(through.status.success(), "{}", text_of(&through));
        let report: serde_json::Value = serde_json::from_slice(&through.stdout).unwrap();
        let direct = database.program(&advise).output().unwrap();
        let expected: serde_json::Value = serde_json::from_slice(&direct.stdout).unwrap();
        for part in ["recommendations", "rejected"] {
            let texts = |report: &serde_json::Value| -> Vec<String> {
                let entries = report[part].as_array().unwrap().iter();
                entries
                    .map(|entry| format!("{} {}", entry["ddl"], entry["reason"]))
                    .collect()
            };
            assert_eq!(texts(&report), texts(&expected), "{rehearse} {part}");
        }
    }
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_on_a_pooled_connection() {
    let database = Database::new("pooled_interrupt", TABLES);
    let pooler = Pooler::start("transaction");
    let mut application = pooler.application(&database);
    // Loads plpgsql, which brings settings of its own.
    application.text("SELECT slow(1)");
    let before = application.state();
    let child = program()
        .args(["advise", "--rehearse=transaction"])
        .args(["--statement-timeout", "10min", "--max-write-block", "10min"])
        .args(["-c", "SELECT * FROM orders WHERE slow(id) = 5"])
        .args(["-d", &pooler.conninfo(&database)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let building = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX%' \
                    AND state = 'active'";
    let began = Instant::now();
    while database.text(building) != "1" {
        assert!(began.elapsed() < PATIENCE, "nothing is built");
        std::thread::sleep(Duration::from_millis(10));
    }
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text_of(&output));
    application.text("SELECT slow(1)");
    // The pooler may have replaced a server connection that a query still waited for.
    let rest = |state: String| state.split_once('\n').unwrap().1.to_owned();
    assert_same(&rest(application.state()), &rest(before), &text_of(&output));
}

#[test]
fn the_interface_leaves_nothing_on_a_pooled_connection() {
    let database = Database::new("pooled_interface", TABLES);
    let pooler = Pooler::start("transaction");
    let mut application = pooler.application(&database);
    let before = application.state();
    let arguments = format!(
        "--yes --rehearse transaction -c 'SELECT * FROM orders WHERE customer_id = $1' -d '{}'",
        pooler.conninfo(&database)
    );
    let terminal = tmux::Tmux::start("pooled", "120x40", &arguments);
    terminal.wait_for("customer_id");
    terminal.wait_for("The search has ended");
    assert_same(&application.state(), &before, "interface");
    terminal.keys(&["q"]);
    terminal.wait_for("EXIT");
    assert_same(&application.state(), &before, "interface");
}

#[test]
fn a_pooler_in_statement_mode_is_named() {
    let database = Database::new("pooled_statements", TABLES);
    let pooler = Pooler::start("statement");
    let mut application = pooler.application(&database);
    let rest = |state: String| state.split_once('\n').unwrap().1.to_owned();
    let before = rest(application.state());
    for run in [
        &["explain"][..],
        &["advise"],
        &["advise", "--rehearse=transaction"],
        &["advise", "--analyze"],
        &["snapshot", "--output", "/dev/null"],
    ] {
        let output = pooler.run(
            &database,
            &[run, &["-c", "SELECT * FROM orders WHERE customer_id = $1"]].concat(),
        );
        let said = text_of(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("a pooler that allows no transactions")
                && said.contains("connect to the server itself"),
            "{said}"
        );
        assert_same(&rest(application.state()), &before, &said);
    }
}
