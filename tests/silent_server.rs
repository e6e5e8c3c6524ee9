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
