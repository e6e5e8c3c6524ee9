//! Advice about a hot standby: no index can be built there, and the twin needs only reads.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgrehearse::internals::cluster::Binaries;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use postgres::{Client, NoTls};
use serde_json::Value;
use tempfile::TempDir;

use crate::live::{Database, cluster, program, statement, text_of};

/// A generous time limit for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A copy of the tests' server in recovery; dropping this value stops it.
struct Standby {
    directory: TempDir,
    server: Child,
}

impl Standby {
    /// None if the server's programs do not include pg_basebackup.
    #[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
    fn start() -> Option<Standby> {
        let binaries = Binaries::find(WhenMissing::Explain).unwrap();
        // The search may return links to only some of the programs.
        let programs = binaries
            .directory
            .join("initdb")
            .canonicalize()
            .unwrap()
            .parent()
            .unwrap()
            .to_owned();
        if !programs.join("pg_basebackup").exists() {
            eprintln!(
                "skipped: there is no pg_basebackup in {}",
                programs.display()
            );
            return None;
        }
        let directory = tempfile::Builder::new()
            .prefix("standby-")
            .tempdir_in("/tmp")
            .unwrap();
        let user = cluster().server_user();
        if let Some(user) = user {
            std::os::unix::fs::chown(directory.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let run = |name: &str| {
            let mut command = Command::new(programs.join(name));
            command
                .arg("-D")
                .arg(directory.path().join("data"))
                .current_dir("/");
            if let Some(user) = user {
                command.uid(user.uid).gid(user.gid);
            }
            command
        };
        let mut copy = run("pg_basebackup");
        copy.args([
            "--no-sync",
            "--checkpoint=fast",
            "--wal-method=stream",
            "-d",
        ])
        .arg(cluster().conninfo());
        let copied = copy.output().unwrap();
        assert!(copied.status.success(), "{}", text_of(&copied));
        std::fs::write(directory.path().join("data/standby.signal"), "").unwrap();
        let mut server = run("postgres");
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        server
            .arg("-k")
            .arg(directory.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let standby = Standby {
            server: server.spawn().unwrap(),
            directory,
        };
        let began = Instant::now();
        while Client::connect(&standby.conninfo("postgres"), NoTls).is_err() {
            let log = std::fs::read_to_string(standby.directory.path().join("log")).unwrap();
            assert!(began.elapsed() < PATIENCE, "{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(standby)
    }

    fn conninfo(&self, database: &str) -> String {
        format!(
            "host={} port=5432 user=postgres dbname={database}",
            self.directory.path().display()
        )
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let _ = kill(
            Pid::from_raw(self.server.id().cast_signed()),
            Signal::SIGQUIT,
        );
        let _ = self.server.wait();
    }
}

#[test]
fn a_standby_is_advised_on_from_its_twin() {
    let database = Database::new(
        "twin_standby",
        "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, note text);
         INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, 'note ' || n
         FROM generate_series(1, 50000) AS n;
         ANALYZE job;",
    );
    let Some(standby) = Standby::start() else {
        return;
    };
    let output = program()
        .args([
            "advise",
            "--format",
            "json",
            "--rehearse",
            "auto",
            "-c",
            "SELECT * FROM job WHERE note = 'note 7'",
        ])
        .arg("-d")
        .arg(standby.conninfo(&database.name))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["server"]["in_recovery"], true, "{report:#}");
    let recommendation = &report["recommendations"][0];
    assert_eq!(recommendation["evidence"], "planner_twin", "{report:#}");
    assert_eq!(recommendation["not_built_reason"], "read_only_server");
    assert_eq!(
        (
            &report["rehearsal"]["transactions"],
            &report["rehearsal"]["indexes_built"]
        ),
        (&0.into(), &0.into())
    );
    assert_eq!(
        statement(&report, "command-1:1")["twin_agreement"],
        "exact",
        "{report:#}"
    );
    // The server would have refused anything else, and the error would be in its log.
    let log = std::fs::read_to_string(standby.directory.path().join("log")).unwrap();
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn an_index_that_only_a_standby_scans_is_not_unused() {
    let database = Database::new(
        "standby_counters",
        "CREATE TABLE visit (id bigint PRIMARY KEY, place int NOT NULL, at int NOT NULL);
         INSERT INTO visit SELECT n, n % 500, n % 7 FROM generate_series(1, 60000) AS n;
         CREATE INDEX visit_place_idx ON visit (place); CREATE INDEX visit_at_idx ON visit (at, id);
         ANALYZE visit;",
    );
    let Some(standby) = Standby::start() else {
        return;
    };
    let mut client = Client::connect(&standby.conninfo(&database.name), NoTls).unwrap();
    client
        .batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM visit WHERE place = 7")
        .unwrap();
    drop(client);
    let unused = |report: &Value| -> Vec<String> {
        let found = report["existing_indexes"].as_array().unwrap().iter();
        let unused = found.filter(|index| index["finding"] == "unused");
        unused
            .map(|index| index["index"].as_str().unwrap().to_owned())
            .collect()
    };
    let arguments = [
        "--unused-after=0d",
        "--rehearse=off",
        "-c",
        "SELECT * FROM visit WHERE id = 7",
    ];
    let alone = database.advise(&arguments);
    assert_eq!(unused(&alone).len(), 2, "{:#}", alone["existing_indexes"]);
    let given = standby.conninfo(&database.name);
    // What ended on the standby is counted within a second.
    let began = Instant::now();
    let together = loop {
        let report = database.advise(&[&["--standby", &given][..], &arguments].concat());
        if unused(&report).len() < 2 || began.elapsed() > PATIENCE {
            break report;
        }
    };
    assert_eq!(unused(&together), ["public.visit_at_idx"]);
    let detail = together["existing_indexes"].to_string();
    assert!(
        detail.contains("what the given standby has scanned is counted, too"),
        "{detail}"
    );
    let other = standby.conninfo("postgres");
    let output = database
        .program(&[&["advise", "--standby", &other][..], &arguments].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text_of(&output));
    assert!(text_of(&output).contains("--standby 1: it is connected to the database postgres"));
}
