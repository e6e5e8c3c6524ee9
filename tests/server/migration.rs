//! `--format sql`: what it writes runs with psql as it is, twice, and its reverse takes it back.

use std::process::{Command, Output};

use crate::live::{Database, cluster, file, program, text_of};

const TABLES: &str = "CREATE SCHEMA \"My Shop\";
     CREATE TABLE \"My Shop\".\"Order\" (id bigint PRIMARY KEY, customer int, note text, a int, b int);
     INSERT INTO \"My Shop\".\"Order\" SELECT n, n % 2000, 'note ' || n, n % 100, n % 100 FROM generate_series(1, 60000) AS n;
     CREATE TABLE event (id bigint, kind int, at timestamptz) PARTITION BY RANGE (id);
     CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (30000);
     CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (30000) TO (90000);
     INSERT INTO event SELECT n, n % 4000, now() FROM generate_series(1, 60000) AS n;
     ANALYZE;";

const WORKLOAD: &str =
    "-- name: of-customer\nSELECT * FROM \"My Shop\".\"Order\" WHERE customer = 5;
     -- name: by-note\nSELECT * FROM \"My Shop\".\"Order\" WHERE lower(note) = 'note 7';
     -- name: of-kind\nSELECT * FROM event WHERE kind = 77;";

fn psql(database: &Database, sql: &str) -> Output {
    let script = file(sql);
    Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(script.path())
        .arg("-d")
        .arg(cluster().conninfo_of(&database.name))
        .output()
        .unwrap()
}

fn indexes(database: &Database) -> String {
    database.text(
        "SELECT coalesce(string_agg(indexrelid::regclass || ' ' || indisvalid, ', ' ORDER BY indexrelid::regclass::text), 'none')
         FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
         WHERE NOT indisprimary AND relnamespace IN ('public'::regnamespace, '\"My Shop\"'::regnamespace)",
    )
}

/// The migration up and down, of one recorded run.
fn migrations(database: &Database) -> [String; 2] {
    let recording = tempfile::NamedTempFile::new().unwrap();
    let path = recording.path().to_str().unwrap();
    database.advise(&["-c", WORKLOAD, "--record", path]);
    [&[][..], &["--down"]].map(|down| {
        let mut review = program();
        review.args(["review", path, "--format", "sql"]).args(down);
        let output = review.output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        String::from_utf8(output.stdout).unwrap()
    })
}

#[test]
fn a_migration_runs_as_it_is_again_and_back() {
    let database = Database::new("migration", TABLES);
    let [up, down] = migrations(&database);
    assert_eq!(indexes(&database), "none", "advising left something");
    for _ in 0..2 {
        let output = psql(&database, &up);
        assert!(output.status.success(), "{}\n{up}", text_of(&output));
    }
    let built = indexes(&database);
    assert!(!built.contains("false"), "{built}");
    assert!(
        built.contains("customer") && built.contains("event_1"),
        "{built}"
    );
    assert_eq!(
        up.matches("ANALYZE \"My Shop\".\"Order\";").count(),
        1,
        "{up}"
    );
    let again = database.advise(&["-c", WORKLOAD]);
    assert_eq!(
        again["recommendations"].as_array().unwrap().len(),
        0,
        "{again:#}"
    );

    let output = psql(&database, &down);
    assert!(output.status.success(), "{}\n{down}", text_of(&output));
    assert_eq!(indexes(&database), "none");
}

#[test]
fn an_index_that_a_failed_build_left_is_no_success() {
    let database = Database::new("migration_invalid", TABLES);
    let [up, _] = migrations(&database);
    let output = psql(&database, &up);
    assert!(output.status.success(), "{}", text_of(&output));
    database.run(
        "UPDATE pg_index SET indisvalid = false FROM pg_class
         WHERE pg_class.oid = indexrelid AND relname LIKE '%customer%'",
    );
    let output = psql(&database, &up);
    assert!(!output.status.success(), "{up}");
    let text = text_of(&output);
    assert!(
        text.contains("missing or invalid: ") && text.contains("customer"),
        "{text}"
    );
    assert!(text.contains("DROP INDEX CONCURRENTLY"), "{text}");
}
