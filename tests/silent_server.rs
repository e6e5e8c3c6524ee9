//! A server that stops answering, and interrupts in every phase: the program ends, and says only
//! what it has seen.

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

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use live::{Database, cluster, program, text_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A generous time limit for a busy machine. What must not be waited for takes ten minutes.
const PATIENCE: Duration = Duration::from_secs(60);

const SLOW_TABLE: &str = "CREATE TABLE job (id bigint PRIMARY KEY, note text);
     INSERT INTO job SELECT n, 'note ' || n FROM generate_series(1, 20000) AS n;
     CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN x; END $$;
     ANALYZE job;";

const BUILDING: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                        AND query LIKE 'CREATE INDEX%'";

/// A network between the program and the server that can stop to carry anything.
struct Network {
    port: u16,
    is_silent: Arc<AtomicBool>,
}

impl Network {
    fn new() -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&is_silent);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server =
                    UnixStream::connect(cluster().directory().join(".s.PGSQL.5432")).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                carry(from, to, Arc::clone(&silent));
                carry(server, client, Arc::clone(&silent));
            }
        });
        Network { port, is_silent }
    }

    fn silence(&self) {
        self.is_silent.store(true, Ordering::SeqCst);
    }

    fn conninfo(&self, database: &Database) -> String {
        format!(
            "host=127.0.0.1 port={} user=postgres dbname={}",
            self.port, database.name
        )
    }
}

/// Carries bytes until the network is silent; then the connection stays open, and nothing comes.
fn carry(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    silent: Arc<AtomicBool>,
) {
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            while silent.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn start(arguments: &[&str], conninfo: &str) -> Child {
    program()
        .args(arguments)
        .args(["-d", conninfo])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The end of the program, which must come by itself.
fn end(mut child: Child) -> Output {
    wait_until("the end of the program", || {
        child.try_wait().unwrap().is_some()
    });
    child.wait_with_output().unwrap()
}

fn interrupt(child: &Child) {
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
}

const BUILD: &[&str] = &[
    "advise",
    "--rehearse=transaction",
    "-c",
    "SELECT * FROM job WHERE slow(id) = 5",
];
const LONG: &[&str] = &["--statement-timeout=10min", "--max-write-block=10min"];

fn assert_not_seen(output: &Output) {
    let said = text_of(output);
    assert!(said.contains("has not confirmed the rollback"), "{said}");
    assert!(!said.contains("was rolled back"), "{said}");
}

#[test]
fn a_network_that_carries_nothing_is_given_up() {
    let database = Database::new("silent_network", SLOW_TABLE);
    let network = Network::new();
    let limits = ["--statement-timeout=3s", "--max-write-block=10min"];
    let child = start(&[BUILD, &limits[..]].concat(), &network.conninfo(&database));
    wait_until("the build", || !database.text(BUILDING).is_empty());
    network.silence();
    let output = end(child);
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    assert!(
        text_of(&output).contains("the server has not answered for"),
        "{}",
        text_of(&output)
    );
    assert_not_seen(&output);
}

#[test]
fn a_backend_that_is_stopped_is_given_up_and_rolls_back_later() {
    let database = Database::new("silent_backend", SLOW_TABLE);
    let before = database.catalog();
    let limits = ["--statement-timeout=3s", "--max-write-block=10min"];
    let conninfo = cluster().conninfo_of(&database.name);
    let child = start(&[BUILD, &limits[..]].concat(), &conninfo);
    wait_until("the build", || !database.text(BUILDING).is_empty());
    let pid: i32 = database.text(BUILDING).parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    let output = end(child);
    kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    assert_not_seen(&output);
    wait_until("the end of the backend", || {
        database.text(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
        )) == "0"
    });
    assert_eq!(database.catalog(), before);
}

#[test]
fn an_interrupt_is_answered_while_the_server_is_silent() {
    let database = Database::new("silent_interrupt", SLOW_TABLE);
    let network = Network::new();
    let child = start(&[BUILD, LONG].concat(), &network.conninfo(&database));
    wait_until("the build", || !database.text(BUILDING).is_empty());
    network.silence();
    interrupt(&child);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", text_of(&output));
    assert_not_seen(&output);
}

#[test]
fn connecting_to_a_server_that_never_answers_has_a_limit_and_can_be_interrupted() {
    let database = Database::new("silent_connect", "");
    let network = Network::new();
    network.silence();
    let limits = ["--statement-timeout=1s"];
    let output = end(start(
        &[&["explain", "-c", "SELECT 1"], &limits[..]].concat(),
        &network.conninfo(&database),
    ));
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    assert!(text_of(&output).contains("timeout"), "{}", text_of(&output));
    let child = start(
        &[&["explain", "-c", "SELECT 1"], &LONG[..1]].concat(),
        &network.conninfo(&database),
    );
    std::thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", text_of(&output));
}

#[test]
fn an_interrupt_is_answered_while_standard_input_is_read() {
    let database = Database::new("silent_input", "");
    let child = start(
        &["advise", "--file", "-"],
        &cluster().conninfo_of(&database.name),
    );
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgrehearse'";
    wait_until("the connection", || database.text(connected) == "1");
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&child);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", text_of(&output));
}

/// The programs of a server whose initdb takes ten minutes.
fn slow_programs() -> tempfile::TempDir {
    let real = pgrehearse::internals::cluster::Binaries::find(
        pgrehearse::internals::cluster::binaries::WhenMissing::Explain,
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&real.directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "initdb" {
            std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name()))
                .unwrap();
        }
    }
    let initdb = folder.path().join("initdb");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*) exec {}/initdb --version;; esac\nexec sleep 600\n",
        real.directory.display()
    );
    std::fs::write(&initdb, script).unwrap();
    for path in [folder.path(), &initdb] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn an_interrupt_is_answered_while_initdb_runs() {
    let database = Database::new("silent_initdb", SLOW_TABLE);
    let programs = slow_programs();
    let programs = programs.path().display().to_string();
    let arguments = [
        "advise",
        "--rehearse=twin",
        "--pg-bin",
        &programs,
        "-c",
        "SELECT * FROM job WHERE note = 'x'",
    ];
    let child = start(&arguments, &cluster().conninfo_of(&database.name));
    let catalog_read = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgrehearse' \
                        AND state = 'idle'";
    wait_until("the connection", || database.text(catalog_read) == "1");
    std::thread::sleep(Duration::from_millis(700));
    interrupt(&child);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", text_of(&output));
}

fn report(output: &Output) -> serde_json::Value {
    let report = serde_json::from_slice(&output.stdout);
    report.unwrap_or_else(|error| panic!("{error}: {}", text_of(output)))
}

/// A run that the server does not answer any more has a report: what is known of the statements, and
/// that the rollback was not seen. The recording of the run has the same.
#[test]
fn a_run_ends_with_what_is_known() {
    let database = Database::new("silent_known", SLOW_TABLE);
    let network = Network::new();
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("run.json").display().to_string();
    let limits = ["--statement-timeout=3s", "--max-write-block=10min"];
    let more = ["--format=json", "--record", &record];
    let child = start(
        &[BUILD, &limits[..], &more[..]].concat(),
        &network.conninfo(&database),
    );
    wait_until("the build", || !database.text(BUILDING).is_empty());
    network.silence();
    let output = end(child);
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    let live = report(&output);
    let silent = &live["rehearsal"]["server_silent"];
    assert_eq!(silent["rollback_seen"], false, "{live:#}");
    assert!(silent["waited_ms"].as_f64().unwrap() >= 3_000.0, "{live:#}");
    assert_eq!(live["rehearsal"]["left_behind"], serde_json::Value::Null);
    let statement = &live["workload"]["statements"][0];
    assert_eq!(statement["status"], "planned", "{live:#}");
    assert!(live["recommendations"].as_array().unwrap().is_empty());
    let rejected = live["rejected"].as_array().unwrap();
    assert!(!rejected.is_empty(), "{live:#}");
    for candidate in rejected {
        assert_eq!(candidate["reason"], "server_silent", "{live:#}");
    }
    let replayed = program()
        .args(["review", "--format=json", &record])
        .output()
        .unwrap();
    let replayed = report(&replayed);
    assert_eq!(replayed["rehearsal"]["server_silent"], *silent);
    assert_eq!(replayed["rejected"], live["rejected"]);
}

/// Where the server stops answering during the last proof, what the twin predicts stands.
#[test]
fn what_the_twin_predicts_stands_without_the_server() {
    let database = Database::new(
        "silent_verification",
        "CREATE TABLE job (id bigint PRIMARY KEY, note text);
         INSERT INTO job SELECT n, 'note ' || n FROM generate_series(1, 20000) AS n; ANALYZE job;",
    );
    let network = Network::new();
    let limits = [
        "--statement-timeout=3s",
        "--max-write-block=10min",
        "--lock-timeout=10min",
        "--format=json",
    ];
    let advise = ["advise", "-c", "SELECT * FROM job WHERE note = 'note 7'"];
    // The build waits for a writer, so that the silence begins with it.
    let mut writer = database.client();
    let mut writing = writer.transaction().unwrap();
    writing
        .execute("UPDATE job SET note = 'x' WHERE id = 1", &[])
        .unwrap();
    let child = start(
        &[&advise[..], &limits[..]].concat(),
        &network.conninfo(&database),
    );
    let locking = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LOCK TABLE%'";
    wait_until("the lock", || !database.text(locking).is_empty());
    network.silence();
    let output = end(child);
    writing.rollback().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    let report = report(&output);
    assert_eq!(report["rehearsal"]["server_silent"]["rollback_seen"], false);
    let recommended = live::recommended(&report, &["note"]);
    assert_eq!(recommended.len(), 1, "{report:#}");
    assert_eq!(recommended[0]["evidence"], "planner_twin");
}

/// `--max-analyze-time` limits the wait for a statement that is executed, whatever
/// `--statement-timeout` allows.
#[test]
fn an_execution_is_given_up_when_its_time_is_over() {
    let pause = "CREATE FUNCTION pause(x bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN x; END $$";
    let database = Database::new("silent_execution", &format!("{SLOW_TABLE} {pause}"));
    let network = Network::new();
    let arguments = [
        "advise",
        "--analyze",
        "--analyze-volatile=slow",
        "--max-analyze-time=2s",
        "--statement-timeout=10min",
        "--format=json",
        "--file",
    ];
    let workload = live::file("-- name: slow\nSELECT pause(id) FROM job WHERE note = 'note 7';\n");
    let workload = workload.path().to_str().unwrap();
    let child = start(
        &[&arguments[..], &[workload]].concat(),
        &network.conninfo(&database),
    );
    let executing = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'EXPLAIN%ANALYZE%'";
    wait_until("the execution", || !database.text(executing).is_empty());
    network.silence();
    let output = end(child);
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    let report = report(&output);
    let silent = &report["rehearsal"]["server_silent"];
    assert_eq!(silent["rollback_seen"], true, "{report:#}");
    assert_eq!(report["workload"]["statements"][0]["status"], "planned");
}

/// The whole server is stopped, also what would answer a cancel request.
#[test]
fn a_server_that_is_stopped_as_a_whole_is_given_up() {
    let binaries = pgrehearse::internals::cluster::Binaries::find(
        pgrehearse::internals::cluster::binaries::WhenMissing::Explain,
    )
    .unwrap();
    let options = pgrehearse::internals::cluster::ClusterOptions::default();
    let own = pgrehearse::internals::cluster::Cluster::start(&binaries, &options, &|| false);
    let own = own.unwrap();
    let mut client = postgres::Client::connect(&own.conninfo(), postgres::NoTls).unwrap();
    client.batch_execute(SLOW_TABLE).unwrap();
    let pid_file = std::fs::read_to_string(own.directory().join("data/postmaster.pid"))
        .or_else(|_| std::fs::read_to_string(own.directory().join("postmaster.pid")))
        .unwrap();
    let postmaster: i32 = pid_file.lines().next().unwrap().parse().unwrap();
    let limits = [
        "--statement-timeout=3s",
        "--max-write-block=10min",
        "--format=json",
    ];
    let child = start(&[BUILD, &limits[..]].concat(), &own.conninfo());
    let building =
        "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE INDEX%'";
    let mut backend = 0;
    wait_until("the build", || {
        backend = client
            .query(building, &[])
            .unwrap()
            .first()
            .map_or(0, |row| row.get(0));
        backend != 0
    });
    for pid in [postmaster, backend] {
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    }
    let output = end(child);
    for pid in [postmaster, backend] {
        kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
    }
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    let report = report(&output);
    assert_eq!(report["rehearsal"]["server_silent"]["rollback_seen"], false);
}

/// Several requests in one message have the limit of one: it begins again with each answer.
#[test]
fn a_statement_with_parameters_is_given_up_after_the_limit_of_one_statement() {
    let pause = "CREATE FUNCTION pause(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(600); RETURN x; END $$";
    let database = Database::new("silent_prepared", &format!("{SLOW_TABLE} {pause}"));
    let network = Network::new();
    let arguments = [
        "explain",
        "--statement-timeout=20s",
        "-c",
        "SELECT * FROM job WHERE id = pause(5) AND note = $1",
    ];
    let child = start(&arguments, &network.conninfo(&database));
    let planning = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'EXPLAIN%EXECUTE%'";
    wait_until("the planning", || !database.text(planning).is_empty());
    network.silence();
    let output = end(child);
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    assert!(
        text_of(&output).contains("the server has not answered for 25 s"),
        "{}",
        text_of(&output)
    );
}
