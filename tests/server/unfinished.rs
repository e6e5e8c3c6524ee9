//! Indexes that a command with CONCURRENTLY is making, or has left behind; and indexes that do the
//! same and enforce something.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use postgres::Client;
use serde_json::Value;

use crate::live::{Database, recommended, rejected, text_of};

/// A generous time limit for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

const PARCELS: &str =
    "CREATE TABLE parcel (id bigint PRIMARY KEY, depot int NOT NULL, code int NOT NULL, note text);
     INSERT INTO parcel SELECT n, n % 4000, n, 'note ' || n FROM generate_series(1, 40000) AS n;
     ANALYZE parcel;";

/// The finding about an index, and its DDL.
fn finding<'r>(report: &'r Value, index: &str) -> &'r Value {
    let found = report["existing_indexes"].as_array().unwrap().iter();
    let mut found = found.filter(|found| found["index"] == format!("public.{index}"));
    found
        .next()
        .unwrap_or_else(|| panic!("nothing about {index}: {:#}", report["existing_indexes"]))
}

/// `duplicate a ← DROP INDEX …`, sorted.
fn findings(report: &Value) -> Vec<String> {
    let findings = report["existing_indexes"].as_array().unwrap().iter();
    let mut findings: Vec<String> = findings
        .map(|found| {
            let ddl = found["ddl"].as_str().unwrap();
            let index = found["index"].as_str().unwrap();
            let verb = ddl.split(" INDEX ").next().unwrap_or_default();
            let kind = found["finding"].as_str().unwrap();
            format!("{kind} {} {verb}", index.trim_start_matches("public."))
        })
        .collect();
    findings.sort();
    findings
}

fn detail<'r>(report: &'r Value, index: &str) -> &'r str {
    finding(report, index)["detail"].as_str().unwrap()
}

fn wait_until(database: &Database, condition: &str) {
    let began = Instant::now();
    while database.text(&format!("SELECT {condition}")) != "t" {
        assert!(began.elapsed() < PATIENCE, "not so: {condition}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A transaction that has done this and stays open.
fn open(database: &Database, sql: &str) -> Client {
    let mut client = database.client();
    client.batch_execute(&format!("BEGIN; {sql}")).unwrap();
    client
}

/// A statement that waits in another session.
fn start(database: &Database, sql: &'static str) -> JoinHandle<()> {
    let mut client = database.client();
    std::thread::spawn(move || client.batch_execute(sql).unwrap())
}

#[test]
fn what_is_being_built_now_is_neither_recommended_again_nor_called_a_leftover() {
    let database = Database::new("unfinished_now", PARCELS);
    let workload = [
        "-c",
        "-- name: of-depot\nSELECT note FROM parcel WHERE depot = 7; -- name: of-code\nSELECT note FROM parcel WHERE code = 77",
        "--rehearse",
        "twin",
    ];
    let before = database.advise(&workload);
    assert_eq!(recommended(&before, &["(depot)"]).len(), 1, "{before:#}");

    let mut writer = open(&database, "UPDATE parcel SET note = 'x' WHERE id = 1");
    let build = start(
        &database,
        "CREATE INDEX CONCURRENTLY parcel_depot_now ON parcel (depot)",
    );
    wait_until(
        &database,
        "EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase = 'waiting for writers before build')",
    );
    let report = database.advise(&workload);
    assert_eq!(findings(&report), ["being_built parcel_depot_now "]);
    let of_depot = |report: &Value| recommended(report, &["(depot"]).len();
    assert_eq!(of_depot(&report), 0, "{:#}", report["recommendations"]);
    assert_eq!(recommended(&report, &["(code)"]).len(), 1);
    let covered = rejected(&report, &["parcel (depot);"])[0];
    assert_eq!(covered["reason"], "redundant");
    assert!(
        covered["detail"]
            .as_str()
            .unwrap()
            .contains("public.parcel_depot_now is being built now"),
        "{covered:#}"
    );
    assert_eq!(
        report["workload"]["statements"][0]["no_index_helps"]["reason"],
        "being_built"
    );

    // Others' progress is hidden from a role without pg_read_all_stats.
    database.run_with_roles(
        "DO $$ BEGIN CREATE ROLE unfinished_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON parcel TO unfinished_reader",
    );
    let arguments = [&["advise", "--format", "json"], &workload[..]].concat();
    let mut program = database.program(&arguments);
    let output = program
        .env("PGOPTIONS", "-c role=unfinished_reader")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings(&report), ["being_built parcel_depot_now "]);
    assert_eq!(of_depot(&report), 0, "{:#}", report["recommendations"]);

    writer.batch_execute("COMMIT").unwrap();
    build.join().unwrap();
    assert_eq!(findings(&database.advise(&workload)), [""; 0]);
}

/// Runs a command that has to be cancelled because it waits.
fn give_up(database: &Database, sql: &str) {
    let mut client = database.client();
    client
        .batch_execute("SET statement_timeout = '1s'")
        .unwrap();
    let error = client.batch_execute(sql).unwrap_err();
    let code = error.code().expect("the server's own error");
    assert_eq!(code.code(), "57014", "{error}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn what_commands_with_concurrently_left_is_told_apart() {
    let database = Database::new("unfinished_leftovers", PARCELS);
    database.run(
        "CREATE INDEX parcel_depot ON parcel (depot); CREATE INDEX parcel_note ON parcel (note); CREATE INDEX own_ccnew ON parcel (code, note);
         CREATE UNIQUE INDEX parcel_code ON parcel (code)",
    );
    let writer = open(&database, "UPDATE parcel SET note = 'x' WHERE id = 1");
    give_up(
        &database,
        "CREATE INDEX CONCURRENTLY parcel_early ON parcel (id, note)",
    );
    give_up(
        &database,
        "CREATE UNIQUE INDEX CONCURRENTLY parcel_unique ON parcel (code, depot)",
    );
    give_up(&database, "REINDEX INDEX CONCURRENTLY parcel_depot");
    give_up(&database, "REINDEX INDEX CONCURRENTLY parcel_code");
    drop(writer);
    // Nobody writes any more; who only reads is waited for when the old index is dropped.
    let reader = open(&database, "SELECT count(*) FROM parcel");
    give_up(&database, "REINDEX INDEX CONCURRENTLY parcel_note");
    drop(reader);
    let states = "SELECT c.relname, indisready, indislive FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE NOT indisvalid ORDER BY 1";
    assert_eq!(
        database.text(states),
        "parcel_code_ccnew|f|t\nparcel_depot_ccnew|f|t\nparcel_early|f|t\nparcel_note_ccold|t|t\nparcel_unique|f|t"
    );

    let report = database.advise(&["-c", "SELECT note FROM parcel WHERE id = 5"]);
    assert_eq!(
        findings(&report),
        [
            "invalid parcel_code_ccnew DROP",
            "invalid parcel_depot_ccnew DROP",
            "invalid parcel_early DROP",
            "invalid parcel_note_ccold DROP",
            "invalid parcel_unique REINDEX",
        ]
    );
    let says = |index: &str, text: &str| {
        let detail = detail(&report, index);
        assert!(detail.contains(text), "{index}: {detail}");
    };
    says(
        "parcel_depot_ccnew",
        "the new version of public.parcel_depot, left behind by a REINDEX CONCURRENTLY that failed",
    );
    says("parcel_depot_ccnew", "writes make no entries in it yet");
    says(
        "parcel_depot_ccnew",
        "then REINDEX INDEX CONCURRENTLY public.parcel_depot again",
    );
    says("parcel_note_ccold", "the old version of public.parcel_note");
    says(
        "parcel_note_ccold",
        "kept up to date by each write and never used",
    );
    says("parcel_early", "CREATE INDEX CONCURRENTLY that failed");
    says("parcel_unique", "it is unique, so it is completed");
    for index in [
        "parcel_code_ccnew",
        "parcel_depot_ccnew",
        "parcel_early",
        "parcel_note_ccold",
        "parcel_unique",
    ] {
        database.run(finding(&report, index)["ddl"].as_str().unwrap());
    }
    assert_eq!(database.text(states), "");
    let left = "SELECT count(*) FROM pg_index WHERE indrelid = 'parcel'::regclass";
    assert_eq!(database.text(left), "6");

    // A DROP that was interrupted after the last moment.
    database.run("UPDATE pg_index SET indislive = false, indisready = false, indisvalid = false WHERE indexrelid = 'own_ccnew'::regclass");
    let report = database.advise(&["-c", "SELECT note FROM parcel WHERE id = 5"]);
    assert_eq!(findings(&report), ["invalid own_ccnew DROP"]);
    assert!(detail(&report, "own_ccnew").contains("DROP INDEX CONCURRENTLY that failed"));
}

const MEMBERS: &str = "CREATE TABLE club (id int PRIMARY KEY, code int NOT NULL);
     CREATE UNIQUE INDEX club_code ON club (code);
     CREATE UNIQUE INDEX club_code_again ON club (code);
     CREATE TABLE patron (id bigint PRIMARY KEY, mail text NOT NULL, card int NOT NULL, club int REFERENCES club (code), slot int4range,
                          CONSTRAINT patron_mail UNIQUE (mail),
                          CONSTRAINT patron_late UNIQUE (card) DEFERRABLE,
                          EXCLUDE USING gist (slot WITH &&), CONSTRAINT patron_adjacent EXCLUDE USING gist (slot WITH -|-));
     INSERT INTO club SELECT n, n FROM generate_series(1, 500) AS n;
     INSERT INTO patron SELECT n, 'm' || n || '@example.org', n, n % 500 + 1, int4range(n * 5, n * 5 + 1) FROM generate_series(1, 20000) AS n;
     CREATE TABLE letter (mail text REFERENCES patron (mail));
     ALTER TABLE patron ADD CONSTRAINT patron_mail_twice UNIQUE (mail);
     CREATE UNIQUE INDEX patron_id ON patron (id);
     CREATE UNIQUE INDEX patron_card ON patron (card);
     CREATE UNIQUE INDEX patron_card_desc ON patron (card DESC);
     CREATE UNIQUE INDEX patron_active ON patron (card) WHERE club IS NOT NULL;
     CREATE UNIQUE INDEX patron_card_mail ON patron (card, mail);
     ANALYZE;";

#[test]
fn duplicates_that_enforce_something_are_told_with_ddl_only_where_that_is_safe() {
    let database = Database::new("unfinished_unique", MEMBERS);
    let report = database.advise(&[
        "-c",
        "SELECT * FROM patron WHERE id = 5; SELECT * FROM club WHERE id = 3; SELECT * FROM patron WHERE card = 6",
    ]);
    // A deferrable constraint checks later, a partial one fewer rows, a longer key less: none of
    // them is a duplicate. Neither are two exclusion constraints on the same column.
    assert_eq!(
        findings(&report),
        [
            "duplicate club_code_again DROP",
            "duplicate patron_card_desc DROP",
            "duplicate patron_id DROP",
            "duplicate patron_mail_twice ",
        ],
        "{:#}",
        report["existing_indexes"]
    );
    let twice = detail(&report, "patron_mail_twice");
    assert!(
        twice.contains("ALTER TABLE public.patron DROP CONSTRAINT patron_mail_twice"),
        "{twice}"
    );
    for found in report["existing_indexes"].as_array().unwrap() {
        let ddl = found["ddl"].as_str().unwrap();
        if !ddl.is_empty() {
            database.run(ddl);
        }
    }
    let mut client = database.client();
    for refused in [
        "INSERT INTO club VALUES (501, 7)",
        "INSERT INTO patron VALUES (20001, 'm1@example.org', 20001)",
        "INSERT INTO patron VALUES (20001, 'new', 77)",
        "INSERT INTO patron VALUES (77, 'new', 20001)",
    ] {
        let error = client.batch_execute(refused).unwrap_err();
        assert_eq!(
            error.code().map(|code| code.code()),
            Some("23505"),
            "{refused}"
        );
    }
}

#[test]
fn indexes_of_partitioned_tables_have_the_size_of_their_parts_and_duplicates_among_them_are_told() {
    let database = Database::new(
        "unfinished_partitioned",
        "CREATE TABLE reading (id bigint, meter int, at date) PARTITION BY RANGE (at);
         CREATE TABLE reading_a PARTITION OF reading FOR VALUES FROM ('2023-01-01') TO ('2024-01-01') PARTITION BY HASH (meter);
         CREATE TABLE reading_a0 PARTITION OF reading_a FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE reading_a1 PARTITION OF reading_a FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         CREATE TABLE reading_b PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         INSERT INTO reading SELECT n, n % 5000, date '2023-01-01' + n % 700 FROM generate_series(1, 60000) AS n;
         CREATE INDEX reading_meter ON reading (meter); CREATE INDEX reading_meter_again ON reading (meter);
         CREATE INDEX reading_id_meter ON reading (id, meter);
         ANALYZE;",
    );
    database.run("SELECT count(*) FROM reading WHERE meter = 8");
    let workload = "SELECT * FROM reading WHERE meter = 7; SELECT * FROM reading WHERE id = 5";
    let report = database.advise(&["-c", workload]);
    let kept = if findings(&report) == ["duplicate reading_meter_again "] {
        "reading_meter"
    } else {
        assert_eq!(findings(&report), ["duplicate reading_meter "]);
        "reading_meter_again"
    };
    let told = &report["existing_indexes"][0];
    let sum = |index: &str| {
        let sum = format!("SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('{index}')");
        database.text(&sum).parse::<u64>().unwrap()
    };
    assert!(sum(kept) > 500_000);
    assert_eq!(told["size_bytes"].as_u64(), Some(sum(kept)));
    assert_eq!(told["freed_bytes"], told["size_bytes"]);
    let detail = told["detail"].as_str().unwrap();
    assert!(
        detail.contains("locks public.reading and all its partitions"),
        "{detail}"
    );
    let drops = report["hypothetical_drops"].as_array().unwrap();
    assert!(!drops.is_empty(), "{report:#}");
    for drop in drops {
        let index = drop["index"].as_str().unwrap();
        assert_eq!(drop["size_bytes"].as_u64(), Some(sum(index)), "{drop:#}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn the_indexes_of_all_tables_are_checked_where_that_is_asked_for() {
    let database = Database::new(
        "unfinished_all_tables",
        "CREATE SCHEMA archive;
         CREATE TABLE ticket (id int PRIMARY KEY, seat int); CREATE TABLE archive.\"Old Ticket\" (id int PRIMARY KEY, seat int, price int);
         CREATE MATERIALIZED VIEW revenue AS SELECT seat, sum(price) FROM archive.\"Old Ticket\" GROUP BY 1;
         INSERT INTO ticket SELECT n, n FROM generate_series(1, 1000) AS n;
         INSERT INTO archive.\"Old Ticket\" SELECT n, n % 100, n FROM generate_series(1, 20000) AS n;
         CREATE INDEX old_seat ON archive.\"Old Ticket\" (seat); CREATE INDEX old_seat_again ON archive.\"Old Ticket\" (seat);
         CREATE INDEX old_seat_price ON archive.\"Old Ticket\" (seat, price);
         CREATE INDEX old_price ON archive.\"Old Ticket\" (price);
         CREATE INDEX revenue_seat ON revenue (seat); CREATE INDEX revenue_seat_again ON revenue (seat);
         ANALYZE;",
    );
    let mut client = database.client();
    client
        .batch_execute("SELECT count(*) FROM archive.\"Old Ticket\" WHERE seat = 5; SELECT * FROM archive.\"Old Ticket\" WHERE price = 5; SELECT pg_stat_force_next_flush()")
        .ok();
    drop(client);
    let workload = ["-c", "SELECT * FROM ticket WHERE id = 5"];
    let narrow = database.advise(&workload);
    assert_eq!(narrow["checked_indexes"]["scope"], "workload");
    assert_eq!(
        narrow["checked_indexes"]["tables"],
        serde_json::json!(["public.ticket"])
    );
    assert_eq!(findings(&narrow), [""; 0]);

    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("run.json");
    let arguments = ["--all-tables", "--record", recording.to_str().unwrap()];
    let wide = database.advise(&[&workload[..], &arguments].concat());
    let tables = ["archive.\"Old Ticket\"", "public.revenue", "public.ticket"];
    assert_eq!(wide["checked_indexes"]["scope"], "all_tables");
    let mut checked: Vec<&str> = wide["checked_indexes"]["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table.as_str().unwrap())
        .collect();
    checked.sort_unstable();
    assert_eq!(checked, tables);
    assert_eq!(wide["checked_indexes"]["indexes"], 8);
    // What statements of other tables need is not known: old_seat is not called redundant.
    let duplicates = |report: &Value| {
        let mut found = findings(report);
        found.retain(|found| found.starts_with("duplicate "));
        found.len()
    };
    assert_eq!(findings(&wide).len(), 2, "{:#}", wide["existing_indexes"]);
    assert_eq!(duplicates(&wide), 2);

    // The recording has it all, and no workload is needed.
    let replayed = crate::live::program()
        .args(["review", "--format", "json", recording.to_str().unwrap()])
        .output()
        .unwrap();
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(replayed["existing_indexes"], wide["existing_indexes"]);
    let alone = database
        .program(&["advise", "--all-tables"])
        .output()
        .unwrap();
    let text = String::from_utf8(alone.stdout).unwrap();
    assert!(text.contains("· no workload\n"), "{text}");
    assert!(text.contains("without a workload: "), "{text}");
    let alone = database.advise(&["--all-tables"]);
    assert_eq!(alone["existing_indexes"], wide["existing_indexes"]);

    // A table that somebody has locked is named; nobody is waited for.
    let _locked = open(
        &database,
        "LOCK TABLE archive.\"Old Ticket\" IN ACCESS EXCLUSIVE MODE",
    );
    let locked = database.advise(&["--all-tables"]);
    assert_eq!(duplicates(&locked), 1);
    assert_eq!(
        locked["checked_indexes"]["locked_tables"],
        serde_json::json!(["archive.\"Old Ticket\""])
    );
    let unused = database.advise(&["--all-tables", "--unused-after", "0d"]);
    assert!(unused["checked_indexes"]["indexes"] == 3);
}

#[test]
fn a_twin_file_with_all_tables_says_what_is_wrong_with_their_indexes() {
    let database = Database::new(
        "unfinished_twin_file",
        "CREATE TABLE ticket (id int PRIMARY KEY, seat int); CREATE TABLE coupon (id int PRIMARY KEY, code text);
         CREATE INDEX coupon_code ON coupon (code); CREATE INDEX coupon_code_again ON coupon (code); ANALYZE;",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.twin");
    let file = file.to_str().unwrap();
    let advise = |more: &[&str]| {
        let fixed = ["advise", "--snapshot", file, "--format", "json"];
        let output = crate::live::program()
            .args(fixed)
            .args(more)
            .output()
            .unwrap();
        let report = serde_json::from_slice::<Value>(&output.stdout);
        report.map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let workload = ["-c", "SELECT * FROM ticket WHERE id = 5"];
    for workload in [&workload[..], &[]] {
        let snapshot = [&["snapshot", "--all-tables", "-o", file], workload].concat();
        assert!(database.program(&snapshot).status().unwrap().success());
        for more in [&[][..], &["--all-tables"]] {
            let report = advise(more).unwrap();
            assert_eq!(report["checked_indexes"]["scope"], "all_tables");
            assert_eq!(report["checked_indexes"]["indexes"], 4, "{report:#}");
            assert_eq!(
                findings(&report),
                ["duplicate coupon_code_again DROP"],
                "{report:#}"
            );
        }
    }
    let snapshot = [&["snapshot", "-o", file], &workload[..]].concat();
    assert!(database.program(&snapshot).status().unwrap().success());
    assert_eq!(advise(&[]).unwrap()["checked_indexes"]["scope"], "workload");
    let refused = advise(&["--all-tables"]).unwrap_err();
    assert!(refused.contains("snapshot --all-tables"), "{refused}");
}

const READINGS: &str =
    "CREATE TABLE reading (id bigint NOT NULL, meter int NOT NULL, at int NOT NULL, value float8) PARTITION BY RANGE (at);
     CREATE TABLE reading_1 PARTITION OF reading FOR VALUES FROM (0) TO (20000);
     CREATE TABLE reading_2 PARTITION OF reading FOR VALUES FROM (20000) TO (40000);
     CREATE TABLE reading_3 PARTITION OF reading FOR VALUES FROM (40000) TO (60000);
     CREATE TABLE reading_4 PARTITION OF reading FOR VALUES FROM (60000) TO (90000) PARTITION BY RANGE (at);
     CREATE TABLE \"reading 4a\" PARTITION OF reading_4 FOR VALUES FROM (60000) TO (90000);
     INSERT INTO reading SELECT n, n % 3000, n, n FROM generate_series(1, 80000) AS n;
     CREATE INDEX reading_meter ON ONLY reading (meter, at DESC);
     CREATE INDEX reading_1_meter ON reading_1 (meter, at DESC);
     ALTER INDEX reading_meter ATTACH PARTITION reading_1_meter;
     CREATE INDEX reading_2_by_meter ON reading_2 (meter, at DESC);
     CREATE INDEX reading_3_by_meter ON reading_3 (meter, at);
     CREATE UNIQUE INDEX reading_once ON ONLY reading (at, id);
     ALTER TABLE ONLY reading ADD CONSTRAINT reading_key UNIQUE (id, at);
     ANALYZE reading;";

#[test]
fn an_index_of_a_partitioned_table_that_lacks_parts_is_completed() {
    let database = Database::new("unfinished_partitions", READINGS);
    let report = database.advise(&[
        "-c",
        "SELECT value FROM reading WHERE meter = 17 ORDER BY at DESC LIMIT 5",
        "--unused-after",
        "0d",
    ]);
    let steps = finding(&report, "reading_meter")["ddl"].as_str().unwrap();
    let lines: Vec<&str> = steps.lines().collect();
    assert_eq!(
        lines,
        [
            "ALTER INDEX public.reading_meter ATTACH PARTITION public.reading_2_by_meter;",
            "CREATE INDEX CONCURRENTLY reading_3_meter_at_desc_idx ON public.reading_3 USING btree (meter, at DESC);",
            "ALTER INDEX public.reading_meter ATTACH PARTITION public.reading_3_meter_at_desc_idx;",
            "CREATE INDEX reading_4_meter_at_desc_idx ON ONLY public.reading_4 USING btree (meter, at DESC);",
            "ALTER INDEX public.reading_meter ATTACH PARTITION public.reading_4_meter_at_desc_idx;",
            "CREATE INDEX CONCURRENTLY \"reading 4a_meter_at_desc_idx\" ON public.\"reading 4a\" USING btree (meter, at DESC);",
            "ALTER INDEX public.reading_4_meter_at_desc_idx ATTACH PARTITION public.\"reading 4a_meter_at_desc_idx\";",
        ],
        "{steps}"
    );
    let said = detail(&report, "reading_meter");
    assert!(
        said.contains("4 partitions have no index that is attached to it (public.reading_2,"),
        "{said}"
    );
    assert!(
        recommended(&report, &["(meter, at DESC)"]).is_empty(),
        "{report:#}"
    );
    let dropped = findings(&report).join("\n");
    assert!(!dropped.contains("reading_2_by_meter"), "{dropped}");
    assert_eq!(finding(&report, "reading_key")["ddl"], "");
    for step in lines.into_iter().chain(
        finding(&report, "reading_once")["ddl"]
            .as_str()
            .unwrap()
            .lines(),
    ) {
        database.run(step);
    }
    let valid = "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index
                 WHERE indisvalid AND indrelid = 'reading'::regclass";
    assert_eq!(database.text(valid), "reading_meter reading_once");
}

#[test]
fn what_an_index_of_another_partitioned_table_lacks_is_told_with_all_tables() {
    let database = Database::new("unfinished_partitions_elsewhere", READINGS);
    database.run("CREATE TABLE other (id int PRIMARY KEY); DROP TABLE reading_2; CREATE EXTENSION postgres_fdw;
                  CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
                  CREATE TABLE tariff (id int NOT NULL, zone int) PARTITION BY LIST (zone);
                  CREATE TABLE tariff_1 PARTITION OF tariff FOR VALUES IN (1);
                  CREATE FOREIGN TABLE tariff_2 PARTITION OF tariff FOR VALUES IN (2) SERVER far;
                  CREATE INDEX tariff_id ON ONLY tariff (id)");
    let report = database.advise(&["-c", "SELECT * FROM other WHERE id = 1", "--all-tables"]);
    let steps = finding(&report, "reading_meter")["ddl"].as_str().unwrap();
    assert!(
        steps.starts_with("CREATE INDEX CONCURRENTLY reading_3_meter_at_desc_idx"),
        "{steps}"
    );
    assert_eq!(finding(&report, "tariff_id")["ddl"], "");
    assert!(
        detail(&report, "tariff_id").contains("foreign table"),
        "{report:#}"
    );
}
