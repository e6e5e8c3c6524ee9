//! What counts is who waits: a build is cancelled when a session has waited for it too long, and
//! goes on where nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::live::{Database, cluster, text_of};

/// 500 rows at 2 ms each: a build takes at least a second.
const SLOW_TABLE: &str = "CREATE TABLE job (id bigint PRIMARY KEY, note text);
     INSERT INTO job SELECT n, 'note ' || n FROM generate_series(1, 500) AS n;
     CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN x; END $$;
     ANALYZE job;";

const QUERY: &str = "SELECT * FROM job WHERE slow(id) = 5";

/// A session that writes to the table again and again.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Writer {
    fn start(database: &Database) -> Writer {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut client, ended) = (database.client(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                client
                    .batch_execute("UPDATE job SET note = note WHERE id = 1")
                    .unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Writer { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

fn rehearse(database: &Database, options: &[&str]) -> Value {
    let common = ["--rehearse", "transaction", "-c", QUERY];
    database.advise(&[&common[..], options].concat())
}

fn ms(report: &Value, field: &str) -> f64 {
    report["rehearsal"][field].as_f64().unwrap()
}

#[test]
fn a_build_is_cancelled_when_a_writer_has_waited_too_long() {
    let database = Database::new("writer_waits", SLOW_TABLE);
    let before = database.catalog();
    let writer = Writer::start(&database);
    let report = rehearse(&database, &["--max-write-block", "300ms"]);
    writer.stop();
    let candidate = &report["rejected"][0];
    assert_eq!(candidate["reason"], "write_block_too_long", "{candidate:#}");
    let detail = candidate["detail"].as_str().unwrap();
    assert!(detail.contains("a session waited for it"), "{detail}");
    assert!(
        ms(&report, "longest_wait_ms") > 0.0,
        "{:#}",
        report["rehearsal"]
    );
    assert_eq!(database.catalog(), before);
}

#[test]
fn a_long_build_that_nobody_waits_for_is_not_cancelled() {
    let database = Database::new("nobody_waits", SLOW_TABLE);
    let report = rehearse(&database, &["--max-write-block", "50ms"]);
    let rehearsal = &report["rehearsal"];
    let notices = report["notices"].to_string();
    assert!(!notices.contains("watch"), "{notices}");
    assert!(rehearsal["indexes_built"].as_u64() >= Some(1), "{report:#}");
    assert!(
        ms(&report, "longest_write_block_ms") > 50.0,
        "{rehearsal:#}"
    );
    assert_eq!(rehearsal["total_wait_ms"], 0.0, "{rehearsal:#}");
}

#[test]
fn readers_and_writers_of_other_tables_are_not_counted() {
    let database = Database::new(
        "others_write",
        &format!("{SLOW_TABLE} CREATE TABLE other (id bigint); INSERT INTO other VALUES (1)"),
    );
    let mut client = database.client();
    let mut other = client.transaction().unwrap();
    other
        .batch_execute("UPDATE other SET id = 2; SELECT * FROM job LIMIT 1")
        .unwrap();
    let mut waiting = database.client();
    let waiter = std::thread::spawn(move || waiting.batch_execute("UPDATE other SET id = 3"));
    let report = rehearse(&database, &["--max-write-block", "50ms"]);
    other.commit().unwrap();
    waiter.join().unwrap().unwrap();
    assert_eq!(report["rehearsal"]["total_wait_ms"], 0.0, "{report:#}");
    assert!(report["rehearsal"]["indexes_built"].as_u64() >= Some(1));
}

#[test]
fn a_session_that_waits_behind_another_one_is_as_long_as_that_one() {
    // DDL waits for the build; it is what waits, and it stops the build.
    let database = Database::new("ddl_waits", SLOW_TABLE);
    let (stop, mut client) = (Arc::new(AtomicBool::new(false)), database.client());
    let ended = stop.clone();
    let migration = std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            client
                .batch_execute("LOCK TABLE job IN ACCESS EXCLUSIVE MODE")
                .ok();
            client
                .batch_execute("BEGIN; LOCK TABLE job IN ACCESS EXCLUSIVE MODE; ROLLBACK")
                .unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let report = rehearse(&database, &["--max-write-block", "200ms"]);
    stop.store(true, Ordering::Relaxed);
    migration.join().unwrap();
    assert_eq!(report["rejected"][0]["reason"], "write_block_too_long");
}

#[test]
fn a_role_without_rights_sees_who_waits() {
    let role = "DROP ROLE IF EXISTS unprivileged; CREATE ROLE unprivileged LOGIN; ALTER TABLE job OWNER TO unprivileged; \
                GRANT CREATE ON SCHEMA public TO unprivileged;";
    let database = Database::new("unprivileged", &format!("{SLOW_TABLE} {role}"));
    let writer = Writer::start(&database);
    let as_role = cluster()
        .conninfo_of(&database.name)
        .replace("user=postgres", "user=unprivileged");
    let output = database
        .program(&["advise", "--format", "json", "--rehearse", "transaction"])
        .args(["--max-write-block", "300ms", "-c", QUERY, "-d", &as_role])
        .output()
        .unwrap();
    writer.stop();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text_of(&output)));
    assert_eq!(report["rejected"][0]["reason"], "write_block_too_long");
    let detail = report["rejected"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("a session waited for it"), "{detail}");
}

#[test]
fn where_nobody_can_watch_the_whole_build_is_limited() {
    let role = "DROP ROLE IF EXISTS once; CREATE ROLE once LOGIN CONNECTION LIMIT 1; ALTER TABLE job OWNER TO once; \
                GRANT CREATE ON SCHEMA public TO once;";
    let database = Database::new("unwatched", &format!("{SLOW_TABLE} {role}"));
    let before = database.catalog();
    let as_role = cluster()
        .conninfo_of(&database.name)
        .replace("user=postgres", "user=once");
    let output = database
        .program(&["advise", "--format", "json", "--rehearse", "transaction"])
        .args(["--max-write-block", "300ms", "-c", QUERY, "-d", &as_role])
        .output()
        .unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text_of(&output)));
    assert_eq!(report["rejected"][0]["reason"], "write_block_too_long");
    let detail = report["rejected"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("could not be watched"), "{detail}");
    let notices = report["notices"].to_string();
    assert!(
        notices.contains("that waited for the builds could not be watched"),
        "{notices}"
    );
    assert_eq!(database.catalog(), before);
}

#[test]
fn all_waiting_of_a_run_stays_within_its_total() {
    let tables: String = (0..4)
        .map(|n| {
            format!(
                "CREATE TABLE job{n} (id bigint PRIMARY KEY, note text);
                 INSERT INTO job{n} SELECT n, 'note ' || n FROM generate_series(1, 500) AS n; ANALYZE job{n};"
            )
        })
        .collect();
    let database = Database::new("total_wait", &format!("{SLOW_TABLE} {tables}"));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let (mut client, ended) = (database.client(), stop.clone());
            std::thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let update = format!("UPDATE job{n} SET note = note WHERE id = 1");
                    client.batch_execute(&update).unwrap();
                    std::thread::sleep(Duration::from_millis(2));
                }
            })
        })
        .collect();
    let queries: Vec<String> = (0..4)
        .map(|n| format!("SELECT * FROM job{n} WHERE slow(id) = 5"))
        .collect();
    let report = database.advise(&[
        "--rehearse",
        "transaction",
        "--max-write-block",
        "300ms",
        "--max-total-write-block",
        "400ms",
        "-c",
        &queries.join(";"),
    ]);
    stop.store(true, Ordering::Relaxed);
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
    let reasons: Vec<&str> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rejected| rejected["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"write_block_too_long"), "{reasons:?}");
    assert!(reasons.contains(&"write_budget_spent"), "{reasons:?}");
}
