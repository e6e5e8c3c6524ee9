//! The program is safe on a production server: it leaves nothing behind and does not block writers
//! for longer than allowed.

use std::time::Duration;

use pgrehearse::internals::db::conninfo::{Environment, OsFiles, Typed, resolve};
use pgrehearse::internals::db::{Interrupt, Safety, Server, Session, SessionOptions, connect};
use pgrehearse::internals::planner::{Answer, PlanOutcome, Planner, Question, Target};
use pgrehearse::internals::workload::{Statement, StatementId};

use crate::live::{Database, cluster, file, statement};

const TABLES: &str =
    "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, run_after bigint NOT NULL, note text);
     INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, n * 7 % 50000, 'note ' || n
     FROM generate_series(1, 50000) AS n;
     ANALYZE job;";

#[test]
fn a_run_leaves_nothing_behind() {
    let database = Database::new("nothing_left", TABLES);
    let before = database.catalog();
    let report = database.advise(&[
        "-c",
        "SELECT * FROM job WHERE state = 'QUEUED' ORDER BY run_after LIMIT 5; SELECT * FROM job WHERE lower(note) = 'note 7'; \
         SELECT id FROM job WHERE run_after = $1",
        "--rehearse",
        "transaction",
    ]);
    assert_eq!(report["rehearsal"]["left_behind"], 0);
    assert!(
        report["rehearsal"]["indexes_built"].as_u64().unwrap() >= 5,
        "{:#}",
        report["rehearsal"]
    );
    assert_eq!(database.catalog(), before);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgrehearse' AND datname = current_database()";
    assert_eq!(database.text(sessions), "0");
}

#[test]
fn bad_statements_do_not_stop_the_good_ones() {
    let database = Database::new("bad_statements", TABLES);
    let before = database.catalog();
    let workload = file(
        "-- name: good\nSELECT * FROM job WHERE state = 'QUEUED';
-- name: typo\nSELEC * FROM job;
-- name: missing\nSELECT *\nFROM no_such_table;
-- name: empty\n;
-- name: first\nselect 1; drop table job;
-- name: last\nSELECT * FROM job WHERE run_after = 4711;",
    );
    let report = database.advise(&["-f", workload.path().to_str().unwrap()]);
    let status = |id: &str| {
        statement(&report, id)["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let error = |id: &str| statement(&report, id)["error"].as_str().unwrap().to_owned();
    assert_eq!(["good", "first", "last"].map(status), ["planned"; 3]);
    assert_eq!(
        ["good", "last"].map(|id| statement(&report, id)["change"]
            .as_str()
            .unwrap()
            .to_owned()),
        ["better"; 2]
    );
    assert_eq!(status("typo"), "failed");
    assert_eq!(
        error("typo"),
        "ERROR: syntax error at or near \"SELEC\" (line 1, column 1)"
    );
    assert_eq!(
        error("missing"),
        "ERROR: relation \"no_such_table\" does not exist (line 2, column 6)"
    );
    assert_eq!(status("empty"), "skipped");
    let dropping = report["workload"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["sql"] == "drop table job")
        .unwrap();
    assert_eq!(
        dropping["error"],
        "this is DDL: `check --migrate` is for migrations"
    );
    assert_eq!(database.catalog(), before, "nothing was dropped");
}

fn session(database: &Database, safety: Safety) -> Session {
    let typed = Typed {
        dbname: Some(cluster().conninfo_of(&database.name)),
        ..Typed::default()
    };
    let no_variables: [(&str, &str); 0] = [];
    let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles).unwrap();
    let options = SessionOptions {
        safety,
        interrupt: Interrupt::never(),
        trace: None,
    };
    Session::connect(&settings, &connect::prompt_on_terminal, options).unwrap()
}

#[test]
fn a_second_statement_behind_a_semicolon_never_runs_whatever_the_splitter_does() {
    let database = Database::new("second_statement", TABLES);
    let session = session(&database, Safety::default());
    for sql in [
        "select 1; drop table job",
        "select $1; drop table job",
        "select 1) ; drop table job; --",
    ] {
        let statement = Statement {
            written: None,
            search_path: None,
            within_function: false,
            rows_per_call: None,
            id: StatementId("x".to_owned()),
            sql: sql.to_owned(),
            calls: 1.0,
            mean_time_ms: None,
            place: String::new(),
            varying_literals: std::collections::BTreeSet::new(),
            observed: Vec::new(),
            fixed_literals: std::collections::BTreeSet::new(),
            value_class: None,
            calls_of_classes: 0.0,
            authors: std::collections::BTreeSet::new(),
        };
        let Answer::Planned(planned) = Server::new(&session)
            .ask(&Question::plans(Target::Server, &[statement]))
            .unwrap()
        else {
            panic!()
        };
        let outcome = planned.plans.into_values().next().unwrap();
        assert!(
            matches!(outcome, PlanOutcome::Failed(_)),
            "{sql}: {outcome:?}"
        );
    }
    assert_eq!(database.text("SELECT count(*) FROM job"), "50000");
}

#[test]
fn a_lock_that_is_not_free_is_given_up() {
    let database = Database::new("locked", TABLES);
    let mut writer = database.client();
    let mut transaction = writer.transaction().unwrap();
    transaction
        .batch_execute("UPDATE job SET note = 'busy' WHERE id = 1")
        .unwrap();
    let query = "SELECT * FROM job WHERE state = 'QUEUED'";
    let report = database.advise(&[
        "--rehearse",
        "transaction",
        "--lock-timeout",
        "100ms",
        "-c",
        query,
    ]);
    let rejected = report["rejected"].as_array().unwrap();
    assert!(!rejected.is_empty());
    for candidate in rejected {
        assert_eq!(candidate["reason"], "lock_timeout", "{candidate:#}");
    }
    let details: Vec<_> = rejected
        .iter()
        .map(|candidate| candidate["detail"].as_str().unwrap())
        .collect();
    let waited = details
        .iter()
        .filter(|detail| detail.contains("--lock-timeout 100 ms"))
        .count();
    assert_eq!(
        waited, 1,
        "the lock is waited for once, not once for each candidate: {details:#?}"
    );
    assert!(
        report["notices"][0]
            .as_str()
            .unwrap()
            .contains("could not be tested now"),
        "{:#}",
        report["notices"]
    );
    transaction.commit().unwrap();
    assert!(report["recommendations"].as_array().unwrap().is_empty());
}

/// A slow immutable function, so that a build is slow.
const SLOW: &str = "CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
     $$ BEGIN PERFORM pg_sleep(0.002); RETURN x; END $$;";

#[test]
fn a_build_that_may_not_take_that_long_is_stopped() {
    let database = Database::new("too_slow", &format!("{TABLES}{SLOW}"));
    let before = database.catalog();
    let query = [
        "--rehearse",
        "transaction",
        "-c",
        "SELECT * FROM job WHERE slow(id) = 5",
    ];
    for (option, value, reason) in [
        ("--max-total-write-block", "0ms", "write_budget_spent"),
        ("--statement-timeout", "300ms", "statement_timeout"),
    ] {
        let report = database.advise(&[&query[..], &[option, value]].concat());
        let candidate = &report["rejected"].as_array().unwrap()[0];
        assert_eq!(candidate["reason"], reason, "{candidate:#}");
    }
    assert_eq!(database.catalog(), before);
}

#[test]
fn a_role_that_owns_no_table_gets_the_reason() {
    let database = Database::new(
        "not_owner",
        &format!(
            "{TABLES} DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON job TO reader;"
        ),
    );
    let output = database
        .program(&["advise", "--rehearse", "transaction", "--format", "json"])
        .args(["-c", "SELECT * FROM job WHERE state = 'QUEUED'"])
        .arg("-d")
        .arg(
            cluster()
                .conninfo_of(&database.name)
                .replace("user=postgres", "user=reader"),
        )
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rejected"][0]["reason"], "not_owner", "{report:#}");
}

#[test]
fn a_fresh_index_that_an_older_snapshot_hides_is_not_called_useless() {
    let database = Database::new("hot_updated", TABLES);
    let mut reader = database.client();
    let mut snapshot = reader
        .build_transaction()
        .isolation_level(postgres::IsolationLevel::RepeatableRead)
        .start()
        .unwrap();
    snapshot.query("SELECT 1 FROM job LIMIT 1", &[]).unwrap();
    database
        .run("ALTER TABLE job SET (fillfactor = 50); UPDATE job SET note = 'hot' WHERE id = 49999");
    let report = database.advise(&[
        "--rehearse",
        "transaction",
        "-c",
        "SELECT * FROM job WHERE run_after = 77",
    ]);
    let reasons: Vec<_> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"not_usable_now"), "{report:#}");
    std::thread::sleep(Duration::from_millis(1));
    snapshot.commit().unwrap();
}

#[test]
fn an_application_that_locks_in_another_order_is_never_the_victim() {
    const JOINED: &str = "CREATE TABLE a (id bigint PRIMARY KEY, k bigint NOT NULL, v text);
         CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint NOT NULL, w bigint NOT NULL, v text);
         INSERT INTO a SELECT n, n % 3000, 'v' FROM generate_series(1, 60000) AS n;
         INSERT INTO b SELECT n, n % 60000, n % 5000, 'v' FROM generate_series(1, 60000) AS n;
         ANALYZE;";
    let database = Database::new("lock_order", JOINED);
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let application = |first: &'static str, second: &'static str, id: i64| {
        let (mut client, stop) = (database.client(), stop.clone());
        client
            .batch_execute("SET deadlock_timeout = '100ms'")
            .unwrap();
        std::thread::spawn(move || {
            let mut done = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let update = |table| format!("UPDATE {table} SET v = v WHERE id = {id};");
                client
                    .batch_execute(&format!(
                        "BEGIN; {} SELECT pg_sleep(0.01); {} COMMIT",
                        update(first),
                        update(second)
                    ))
                    .unwrap();
                done += 1;
            }
            done
        })
    };
    let writers = [
        application("b", "a", 1),
        application("a", "b", 2),
        application("b", "a", 3),
    ];
    for _ in 0..3 {
        database.advise(&[
            "-c",
            "SELECT * FROM a JOIN b ON b.a_id = a.id WHERE a.k = 17 AND b.w = 3",
        ]);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for writer in writers {
        assert!(
            writer.join().unwrap() > 0,
            "no transaction of the application fails"
        );
    }
}

#[test]
fn functions_that_the_planner_evaluates_leave_nothing_behind() {
    let database = Database::new(
        "plan_time_writes",
        &format!(
            "{TABLES} CREATE TABLE audit (at timestamptz);
             CREATE FUNCTION writer() RETURNS bigint VOLATILE LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO audit VALUES (now()); RETURN 5; END $$;
             CREATE FUNCTION looks_stable() RETURNS bigint STABLE LANGUAGE plpgsql AS
                 $$ DECLARE r bigint; BEGIN SELECT writer() INTO r; RETURN r; END $$;"
        ),
    );
    let output = database
        .program(&[
            "advise",
            "-c",
            "SELECT * FROM job WHERE run_after = looks_stable()",
        ])
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("cannot execute INSERT in a read-only transaction")
    );
    assert_eq!(database.text("SELECT count(*) FROM audit"), "0");
}

#[test]
fn an_index_that_is_being_built_is_not_called_a_leftover() {
    let database = Database::new("being_built", TABLES);
    let mut writer = database.client();
    let mut transaction = writer.transaction().unwrap();
    transaction
        .batch_execute("UPDATE job SET note = 'busy' WHERE id = 1")
        .unwrap();
    let mut builder = database.client();
    let building = std::thread::spawn(move || {
        builder.batch_execute("CREATE INDEX CONCURRENTLY in_progress ON job (note)")
    });
    while database.text("SELECT count(*) FROM pg_stat_progress_create_index") == "0" {
        std::thread::sleep(Duration::from_millis(10));
    }
    let report = database.advise(&["--rehearse", "off", "-c", "SELECT count(*) FROM job"]);
    transaction.commit().unwrap();
    building.join().unwrap().unwrap();
    let findings = report["existing_indexes"].as_array().unwrap();
    let said: Vec<&str> = findings
        .iter()
        .map(|finding| finding["finding"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["being_built"], "{findings:#?}");
}
