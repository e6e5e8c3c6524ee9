//! Existing indexes: which ones the report proposes to drop or rebuild, and which never.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pgrehearse::internals::cluster::Binaries;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use serde_json::Value;

use crate::live::{Database, cluster, recommended, text_of};

/// A generous time limit for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The findings as `finding index`, sorted by index.
fn findings(report: &Value) -> Vec<String> {
    let of = |found: &Value| {
        format!(
            "{} {}",
            found["finding"].as_str().unwrap(),
            found["index"]
                .as_str()
                .unwrap()
                .trim_start_matches("public.")
        )
    };
    let mut findings: Vec<String> = report["existing_indexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(of)
        .collect();
    findings.sort();
    findings
}

/// The bloated indexes among the findings; a recommended index may replace one.
fn bloated(report: &Value) -> Vec<String> {
    findings(report)
        .into_iter()
        .filter(|found| found.starts_with("bloated "))
        .collect()
}

fn finding<'r>(report: &'r Value, index: &str) -> &'r Value {
    let found = report["existing_indexes"].as_array().unwrap().iter();
    let mut found = found.filter(|found| found["index"] == format!("public.{index}"));
    found.next().unwrap_or_else(|| {
        panic!(
            "nothing is said about {index}: {:#}",
            report["existing_indexes"]
        )
    })
}

const BOOKINGS: &str = "CREATE TABLE room (id int PRIMARY KEY);
     INSERT INTO room SELECT generate_series(1, 50);
     CREATE TABLE booking (id bigint PRIMARY KEY, room int NOT NULL REFERENCES room, during int4range, code int NOT NULL, guest int, note text,
                           EXCLUDE USING gist (during WITH &&));
     INSERT INTO booking SELECT n, n % 50 + 1, int4range(n, n + 1), n, n % 9000, 'note ' || n FROM generate_series(1, 20000) AS n;
     CREATE UNIQUE INDEX booking_code ON booking (code);
     ALTER TABLE booking REPLICA IDENTITY USING INDEX booking_code;
     CREATE UNIQUE INDEX booking_twice ON booking (code, id);
     CREATE INDEX booking_room ON booking (room);
     CREATE INDEX booking_note ON booking (note);
     CREATE INDEX booking_during ON booking USING gist (during);
     ALTER TABLE booking CLUSTER ON booking_note;
     CREATE INDEX booking_guest ON booking (guest);
     ANALYZE;";

/// The workload uses booking_guest, which has no scans yet.
const BY_GUEST: &str = "SELECT * FROM booking WHERE guest = 5";

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn what_nothing_has_used_since_the_counters_began_is_named_with_that_time() {
    let database = Database::new("existing_unused", BOOKINGS);
    database.run("SELECT pg_stat_reset()");
    let report = database.advise(&["-c", BY_GUEST, "--unused-after", "0d"]);
    // The one on during duplicates the index of the exclusion constraint; constraint indexes,
    // unique ones and the one in use are not named.
    assert_eq!(
        findings(&report),
        [
            "duplicate booking_during",
            "unused booking_note",
            "unused booking_room"
        ]
    );
    let reset = "SELECT to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM pg_stat_database \
                 WHERE datname = current_database()";
    let room = finding(&report, "booking_room");
    assert_eq!(room["unused_since"], database.text(reset));
    assert_eq!(report["server"]["counted_since"], room["unused_since"]);
    assert_eq!(
        (&room["scans"], &room["freed_bytes"]),
        (&0.into(), &room["size_bytes"])
    );
    let detail = |index: &str| {
        finding(&report, index)["detail"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for words in [
        "were reset at",
        "each standby counts its own scans",
        "only index for the foreign key booking_room_fkey",
    ] {
        assert!(
            detail("booking_room").contains(words),
            "{}",
            detail("booking_room")
        );
    }
    assert!(
        detail("booking_note").contains("the table is clustered on it")
            && !detail("booking_note").contains("foreign key")
    );

    // Reading the ends of indexes does not count as a use, at least in a superuser's run: another
    // run gives the same result.
    let again = database.advise(&["-c", BY_GUEST, "--unused-after", "0d"]);
    assert_eq!(findings(&again), findings(&report));
    let text = database
        .program(&["advise", "-c", BY_GUEST, "--unused-after", "0d"])
        .output()
        .unwrap();
    assert!(
        text_of(&text).contains("DROP INDEX CONCURRENTLY public.booking_room;"),
        "{}",
        text_of(&text)
    );
    if let Some(_standby) = Receiver::start() {
        let replicated = database.advise(&["-c", BY_GUEST, "--unused-after", "0d"]);
        assert_eq!(replicated["server"]["standbys"], 1);
        let detail = finding(&replicated, "booking_room")["detail"]
            .as_str()
            .unwrap();
        assert!(
            detail.contains("a standby is connected, which counts its own scans"),
            "{detail}"
        );
    }
    database.run(room["ddl"].as_str().unwrap());
}

/// Replicates the whole server, as a standby does, until it is dropped.
struct Receiver {
    program: Child,
    _directory: tempfile::TempDir,
}

impl Receiver {
    /// None if the server's programs do not include pg_receivewal.
    fn start() -> Option<Receiver> {
        let binaries = Binaries::find(WhenMissing::Explain).unwrap();
        let programs = binaries
            .directory
            .join("initdb")
            .canonicalize()
            .unwrap()
            .parent()
            .unwrap()
            .to_owned();
        if !programs.join("pg_receivewal").exists() {
            println!(
                "skipped: there is no pg_receivewal in {}",
                programs.display()
            );
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(programs.join("pg_receivewal"));
        command
            .arg("-D")
            .arg(directory.path())
            .arg("-d")
            .arg(cluster().conninfo());
        let program = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let receiver = Receiver {
            program,
            _directory: directory,
        };
        let began = Instant::now();
        let postgres = Database {
            name: "postgres".to_owned(),
        };
        while postgres.text("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
            != "1"
        {
            assert!(began.elapsed() < PATIENCE, "it does not replicate");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(receiver)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn an_index_that_was_scanned_or_that_was_not_watched_for_long_is_not_unused() {
    let database = Database::new("existing_scanned", BOOKINGS);
    let early = database.advise(&["-c", BY_GUEST]);
    assert_eq!(
        findings(&early),
        ["duplicate booking_during"],
        "the counters of this server are minutes old"
    );
    let mut client = database.client();
    client
        .batch_execute("SET enable_seqscan = off; SELECT count(*) FROM booking WHERE room = 7")
        .unwrap();
    drop(client);
    let began = Instant::now();
    while database.text("SELECT pg_stat_get_numscans('booking_room'::regclass) > 0") != "t" {
        assert!(began.elapsed() < PATIENCE, "the scan was not counted");
        std::thread::sleep(Duration::from_millis(50));
    }
    let report = database.advise(&["-c", BY_GUEST, "--unused-after", "0d"]);
    assert_eq!(
        findings(&report),
        ["duplicate booking_during", "unused booking_note"]
    );
    assert!(
        finding(&report, "booking_note")["detail"]
            .as_str()
            .unwrap()
            .contains("statistics began")
    );
}

#[test]
fn what_a_failed_concurrent_build_left_is_dropped_or_completed() {
    let database = Database::new(
        "existing_invalid",
        "CREATE TABLE part (id bigint PRIMARY KEY, code int, divisor int);
         INSERT INTO part SELECT n, n % 19999, n % 100 FROM generate_series(1, 20000) AS n; ANALYZE part;",
    );
    let mut client = database.client();
    assert!(
        client
            .batch_execute("CREATE INDEX CONCURRENTLY part_quotient ON part ((100 / divisor))")
            .is_err()
    );
    assert!(
        client
            .batch_execute("CREATE UNIQUE INDEX CONCURRENTLY part_code ON part (code)")
            .is_err()
    );
    let report = database.advise(&["-c", "SELECT * FROM part WHERE divisor = 5"]);
    assert_eq!(
        findings(&report),
        ["invalid part_code", "invalid part_quotient"]
    );
    let ddl = |index: &str| finding(&report, index)["ddl"].as_str().unwrap().to_owned();
    assert_eq!(
        ddl("part_quotient"),
        "DROP INDEX CONCURRENTLY public.part_quotient;"
    );
    assert_eq!(
        ddl("part_code"),
        "REINDEX INDEX CONCURRENTLY public.part_code;",
        "a unique one is never dropped"
    );
    database.run("DELETE FROM part WHERE id > 19999");
    database.run(&ddl("part_quotient"));
    database.run(&ddl("part_code"));
    let valid =
        "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid = 'part'::regclass";
    assert_eq!(database.text(valid), "2|t");
}

#[test]
fn a_partition_s_part_of_an_index_is_left_alone_and_what_repeats_it_is_not() {
    let database = Database::new(
        "existing_partitions",
        "CREATE TABLE event (id bigint, kind int, at int) PARTITION BY RANGE (id);
         CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10000);
         CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (10000) TO (50000);
         INSERT INTO event SELECT n, n % 5000, n FROM generate_series(1, 40000) AS n;
         CREATE INDEX event_kind ON event (kind);
         CREATE INDEX event_kind_at ON event (kind, at);
         CREATE INDEX event_2_again ON event_2 (kind);
         ANALYZE event;",
    );
    let report = database.advise(&[
        "-c",
        "SELECT * FROM event WHERE at = 5",
        "--unused-after",
        "0d",
    ]);
    assert_eq!(
        findings(&report),
        ["duplicate event_2_again"],
        "{:#}",
        report["existing_indexes"]
    );
    database.run(finding(&report, "event_2_again")["ddl"].as_str().unwrap());
}

#[test]
fn a_bloated_index_is_found_with_the_size_that_it_then_has() {
    let database = Database::new(
        "existing_bloated",
        "CREATE TABLE entry (id bigint PRIMARY KEY, owner int NOT NULL, kind int NOT NULL, note text) WITH (autovacuum_enabled = off);
         INSERT INTO entry SELECT n, n * 7919::bigint % 150000, n % 20, 'note ' || n FROM generate_series(1, 400000) AS n;
         CREATE INDEX entry_pair ON entry (owner, id);
         CREATE INDEX entry_loose ON entry (note) WITH (fillfactor = 50);
         CREATE INDEX entry_upper ON entry (upper(note)) WHERE kind < 15;
         CREATE INDEX entry_repeats ON entry (kind);
         ANALYZE entry;",
    );
    let workload = [
        "-c",
        "SELECT note FROM entry WHERE kind = 3 ORDER BY owner DESC, note LIMIT 5",
    ];
    assert_eq!(
        bloated(&database.advise(&workload)),
        [""; 0],
        "all is freshly built, one of it at half its room"
    );

    database.run("DELETE FROM entry WHERE id % 8 <> 0");
    database.run("VACUUM entry");
    let names = ["entry_loose", "entry_pair", "entry_pkey", "entry_upper"];
    let report = database.advise(&workload);
    assert_eq!(
        bloated(&report),
        names.map(|name| format!("bloated {name}")),
        "{:#}",
        report["existing_indexes"]
    );
    for name in names {
        let found = finding(&report, name);
        let expected = found["expected_size_bytes"].as_f64().unwrap();
        assert_eq!(
            found["freed_bytes"].as_f64().unwrap(),
            found["size_bytes"].as_f64().unwrap() - expected
        );
        assert!(
            found["detail"].as_str().unwrap().contains("estimated"),
            "{found:#}"
        );
        database.run(found["ddl"].as_str().unwrap());
        let really: f64 = database
            .text(&format!("SELECT pg_relation_size('{name}')"))
            .parse()
            .unwrap();
        assert!(
            (expected / really - 1.0).abs() < 0.25,
            "{name}: {expected} foretold, {really} built"
        );
    }
    assert_eq!(
        bloated(&database.advise(&workload)),
        [""; 0],
        "rebuilt, none is bloated"
    );
}

#[test]
fn bloated_indexes_are_reported_even_if_no_index_helps() {
    let database = Database::new(
        "existing_served",
        "CREATE TABLE entry (id bigint PRIMARY KEY) WITH (autovacuum_enabled = off);
         INSERT INTO entry SELECT generate_series(1, 300000); DELETE FROM entry WHERE id % 8 <> 0;",
    );
    database.run("VACUUM ANALYZE entry");
    let report = database.advise(&["-c", "SELECT * FROM entry WHERE id = 3"]);
    let tried = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|candidate| !candidate["evidence"].is_null());
    assert_eq!(
        (
            report["recommendations"].as_array().unwrap().len(),
            tried.count()
        ),
        (0, 0),
        "nothing to rehearse"
    );
    assert_eq!(findings(&report), ["bloated entry_pkey"]);
}

#[test]
fn without_a_sample_bloat_of_an_expression_index_is_not_guessed() {
    let database = Database::new(
        "existing_unsampled",
        "CREATE TABLE entry (id bigint, note text) WITH (autovacuum_enabled = off);
         INSERT INTO entry SELECT n, 'note ' || n FROM generate_series(1, 300000) AS n;
         CREATE INDEX entry_note ON entry (note); CREATE INDEX entry_upper ON entry (upper(note));
         DELETE FROM entry WHERE id % 8 <> 0; ANALYZE entry;",
    );
    database.run("VACUUM ANALYZE entry");
    let report = database.advise(&["-c", "SELECT * FROM entry WHERE id = 3", "--no-sample"]);
    assert_eq!(findings(&report), ["bloated entry_note"]);
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, owner int NOT NULL, at int NOT NULL, note text);
     INSERT INTO orders SELECT n, n % 100, n * 7919::bigint % 100000, 'note ' || n FROM generate_series(1, 100000) AS n;
     CREATE INDEX orders_owner ON orders (owner);";

#[test]
fn a_recommended_index_replaces_a_shorter_one_when_nothing_gets_worse_without_it() {
    let database = Database::new("existing_replaced", &format!("{ORDERS} ANALYZE orders;"));
    let workload = "-- name: recent\nSELECT note FROM orders WHERE owner = 5 AND at > 99900;
                    -- name: owner\nSELECT note FROM orders WHERE owner = 7 ORDER BY at LIMIT 10";
    let report = database.advise(&["-c", workload]);
    let [longer] = recommended(&report, &["(owner, at)"])[..] else {
        panic!("{:#}", report["recommendations"])
    };
    assert_eq!(findings(&report), ["redundant orders_owner"]);
    let found = finding(&report, "orders_owner");
    assert_eq!(
        (&found["recommendation"], &found["ddl"]),
        (
            &longer["id"],
            &"DROP INDEX CONCURRENTLY public.orders_owner;".into()
        )
    );
    let explanation = longer["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("It replaces public.orders_owner (")
            && explanation.ends_with("which can then be dropped."),
        "{explanation}"
    );
    let drop = report["hypothetical_drops"]
        .as_array()
        .unwrap()
        .iter()
        .find(|drop| drop["index"] == "public.orders_owner");
    assert_eq!(
        drop.unwrap()["worse"],
        Value::Array(Vec::new()),
        "judged by itself it says the same"
    );

    for statement in longer["statements"].as_array().unwrap() {
        database.run(statement.as_str().unwrap());
    }
    database.run(found["ddl"].as_str().unwrap());
    let really = database.advise(&["-c", workload]);
    for (promised, really) in report["workload"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .zip(really["workload"]["statements"].as_array().unwrap())
    {
        let (promised, really) = (
            promised["cost_after"].as_f64().unwrap(),
            really["cost_before"].as_f64().unwrap(),
        );
        assert!(
            really < promised * 1.02,
            "{promised} promised, {really} really"
        );
    }
}

#[test]
fn a_shorter_index_that_serves_something_better_is_not_called_redundant() {
    let database = Database::new("existing_kept", ORDERS);
    database.run("VACUUM ANALYZE orders");
    // Its entries share keys, so counting over it is much cheaper than over the longer one.
    let workload = "-- name: recent\nSELECT note FROM orders WHERE owner = $1 AND at > $2 ORDER BY at LIMIT 10;
                    -- name: counted\nSELECT count(*) FROM orders WHERE owner < 60";
    let report = database.advise(&["-c", workload]);
    let longer = recommended(&report, &["(owner, at)"]);
    assert_eq!(longer.len(), 1, "{:#}", report["recommendations"]);
    assert_eq!(
        longer[0]["replaces"][0], "public.orders_owner",
        "by its columns it could"
    );
    assert_eq!(
        findings(&report),
        [""; 0],
        "{:#}",
        report["existing_indexes"]
    );
    assert!(
        !longer[0]["explanation"]
            .as_str()
            .unwrap()
            .contains("replaces public."),
        "{longer:#?}"
    );
}

/// Either order of two columns serves a statement that compares both; the one that makes an
/// existing index redundant is chosen.
#[test]
fn an_index_is_rather_extended_than_added() {
    let database = Database::new(
        "existing_extended",
        "CREATE TABLE visit (id bigint PRIMARY KEY, shop int NOT NULL, guest int NOT NULL, note text);
         INSERT INTO visit SELECT n, n % 300, n * 7919::bigint % 400, 'note ' || n FROM generate_series(1, 90000) AS n;
         CREATE INDEX visit_shop ON visit (shop); ANALYZE visit;",
    );
    let both = "-- name: both\nSELECT note FROM visit WHERE guest = $1 AND shop = $2";
    let report = database.advise(&["-c", both]);
    let ddl = report["recommendations"][0]["ddl"].as_str().unwrap();
    assert!(
        ddl.contains("(shop, guest)"),
        "{:#}",
        report["recommendations"]
    );
    assert_eq!(findings(&report), ["redundant visit_shop"]);
    let explanation = report["recommendations"][0]["explanation"]
        .as_str()
        .unwrap();
    assert!(
        explanation.contains("It replaces public.visit_shop ("),
        "{explanation}"
    );

    database.run("DROP INDEX visit_shop; CREATE INDEX visit_guest ON visit (guest)");
    let report = database.advise(&["-c", both]);
    assert!(
        report["recommendations"][0]["ddl"]
            .as_str()
            .unwrap()
            .contains("(guest, shop)"),
        "{:#}",
        report["recommendations"]
    );
    assert_eq!(findings(&report), ["redundant visit_guest"]);
}

#[test]
fn indexes_of_the_system_are_left_alone() {
    let database = Database::new("system_indexes", "");
    let report = database.advise(&[
        "--unused-after",
        "0s",
        "-c",
        "SELECT * FROM pg_class WHERE relname = 'o'",
    ]);
    assert_eq!(
        report["existing_indexes"].as_array().unwrap().len(),
        0,
        "{report:#}"
    );
    assert_eq!(
        report["hypothetical_drops"].as_array().unwrap().len(),
        0,
        "{report:#}"
    );
}
