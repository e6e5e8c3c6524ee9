//! Settings of a role and a database that would change what the server prints, how statements are
//! read, when they end, and which functions our own queries call: the reports stay the same.

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

use std::process::Output;

use live::{Database, cluster, file, program, text_of};
use serde_json::Value;

const TABLES: &str = r"CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL, state text, placed timestamptz,
         took interval, weight float8, token bytea);
     INSERT INTO orders SELECT n, n % 1000, 'C:\' || n % 50, timestamptz '2024-03-01 00:00:00+00' + n * interval '1 minute',
         n * interval '-1 hour 2 minutes', n / 3.0, decode(lpad(to_hex(n), 8, '0'), 'hex') FROM generate_series(1, 20000) AS n;
     ANALYZE orders;";

/// Values whose printed form depends on the settings.
const WORKLOAD: &str = r"-- name: plain
SELECT * FROM orders WHERE customer_id = 5;
-- name: parameter
SELECT * FROM orders WHERE customer_id = $1;
-- name: backslash
SELECT * FROM orders WHERE state = 'C:\7' AND customer_id < 10;
-- name: date
SELECT * FROM orders WHERE placed BETWEEN '2024-03-02 00:00:00+00' AND '2024-03-02 01:00:00+00';
-- name: interval
SELECT * FROM orders WHERE took = interval '-5 hours 10 minutes';
-- name: float
SELECT * FROM orders WHERE weight = 33.3333333333333357;
-- name: bytes
SELECT * FROM orders WHERE token = '\x00000010';
-- name: expression
SELECT * FROM orders WHERE lower(state) = 'c:\9';";

const HOSTILE: &[&str] = &[
    "statement_timeout = '20ms'",
    "lock_timeout = '1ms'",
    "idle_in_transaction_session_timeout = '1ms'",
    "idle_session_timeout = '50ms'",
    "standard_conforming_strings = off",
    "quote_all_identifiers = on",
    "DateStyle = 'SQL, MDY'",
    "IntervalStyle = sql_standard",
    "bytea_output = escape",
    "extra_float_digits = -10",
    "default_transaction_isolation = serializable",
    "default_transaction_deferrable = on",
    "client_encoding = LATIN1",
    "client_min_messages = debug5",
    "plan_cache_mode = force_custom_plan",
    "escape_string_warning = off",
];

fn run(database: &Database, role: &str, arguments: &[&str]) -> Output {
    let conninfo = cluster().conninfo_of(&database.name);
    program()
        .args(arguments)
        .arg("-d")
        .arg(conninfo.replace("user=postgres", &format!("user={role}")))
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text_of(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What does not change from run to run.
fn lasting(report: &Value) -> String {
    let mut lasting = report.clone();
    let mut clear = |pointer: &str| {
        if let Some(value) = lasting.pointer_mut(pointer) {
            *value = Value::Null;
        }
    };
    for pointer in ["/run", "/server", "/measured", "/writes"] {
        clear(pointer);
    }
    let mut lines = Vec::new();
    for part in [
        "workload",
        "recommendations",
        "rejected",
        "existing_indexes",
    ] {
        leaves(part, &lasting[part], &mut lines);
    }
    lines.join("\n")
}

/// Every value with its path, without times and sizes.
fn leaves(path: &str, value: &Value, lines: &mut Vec<String>) {
    const CHANGES: &[&str] = &[
        "_ms",
        "_s",
        "_bytes",
        "size",
        "write_block",
        "write_cost",
        "explanation",
    ];
    match value {
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                leaves(&format!("{path}/{number}"), value, lines);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if !CHANGES.iter().any(|end| name.ends_with(end)) {
                    leaves(&format!("{path}/{name}"), value, lines);
                }
            }
        }
        other => lines.push(format!("{path} = {other}")),
    }
}

#[test]
fn hostile_settings_do_not_change_a_report() {
    let database = Database::new("hostile_settings", TABLES);
    database.run(
        "DROP ROLE IF EXISTS hostile_role; DROP ROLE IF EXISTS plain_role;
         CREATE ROLE plain_role SUPERUSER LOGIN; CREATE ROLE hostile_role SUPERUSER LOGIN;",
    );
    for setting in HOSTILE {
        database.run(&format!("ALTER ROLE hostile_role SET {setting}"));
    }
    let workload = file(WORKLOAD);
    let workload = workload.path().to_str().unwrap();
    for rehearse in ["off", "twin", "transaction"] {
        let rehearse = format!("--rehearse={rehearse}");
        let advise = ["advise", "--format=json", &rehearse, "--file", workload];
        let expected = lasting(&report(&run(&database, "plain_role", &advise)));
        let got = lasting(&report(&run(&database, "hostile_role", &advise)));
        let differs: Vec<_> = expected
            .lines()
            .zip(got.lines())
            .filter(|(expected, got)| expected != got)
            .collect();
        assert!(differs.is_empty(), "{rehearse} {differs:#?}");
        assert_eq!(expected.lines().count(), got.lines().count(), "{rehearse}");
    }
    let folder = tempfile::tempdir().unwrap();
    let twin_file = folder.path().join("twin").display().to_string();
    let snapshot = [
        "snapshot", "--sample", "--output", &twin_file, "--file", workload,
    ];
    let output = run(&database, "hostile_role", &snapshot);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let advise = ["advise", "--format=json", "--snapshot", &twin_file];
    let offline = report(&program().args(advise).output().unwrap());
    assert!(!offline["recommendations"].as_array().unwrap().is_empty());
}

/// The DDL that a run with hostile settings prints does the same in any session.
#[test]
fn the_printed_ddl_means_the_same_everywhere() {
    let database = Database::new("hostile_ddl", TABLES);
    database.run("DROP ROLE IF EXISTS hostile_ddl; CREATE ROLE hostile_ddl SUPERUSER LOGIN");
    for setting in HOSTILE {
        database.run(&format!("ALTER ROLE hostile_ddl SET {setting}"));
    }
    let workload =
        file(r"SELECT id FROM orders WHERE state = 'C:\7' AND placed > '2024-03-12 00:00:00+00'");
    let advise = [
        "advise",
        "--format=json",
        "--rehearse=transaction",
        "--file",
        workload.path().to_str().unwrap(),
    ];
    let report = report(&run(&database, "hostile_ddl", &advise));
    for recommendation in report["recommendations"].as_array().unwrap() {
        for statement in recommendation["statements"]
            .as_array()
            .into_iter()
            .flatten()
        {
            database.run(statement.as_str().unwrap());
        }
        if recommendation["statements"].is_null() {
            database.run(
                &recommendation["ddl"]
                    .as_str()
                    .unwrap()
                    .replace(" CONCURRENTLY", ""),
            );
        }
    }
    assert!(!report["recommendations"].as_array().unwrap().is_empty());
}

/// Functions and operators of a schema in front of `pg_catalog`, with the names and types that our
/// queries use: each one reports its call.
#[test]
fn functions_in_front_of_the_catalog_are_not_called_by_our_queries() {
    let database = Database::new("hostile_path", TABLES);
    database.run(
        "CREATE SCHEMA evil;
         CREATE TABLE evil.called (name text);
         CREATE FUNCTION evil.caught(name text) RETURNS void LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'evil function called: %', name; END $$;
         DO $$
         DECLARE f record;
         BEGIN
             FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
                      FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset
                        AND p.proname IN ('current_setting', 'current_database', 'now', 'format', 'pg_relation_size', 'array_length', 'encode',
                            'set_config', 'quote_ident', 'to_regclass', 'pg_get_indexdef', 'format_type', 'pg_column_size', 'hashtid')
             LOOP
                 BEGIN
                     EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.arguments, f.result,
                         format('BEGIN PERFORM evil.caught(%L); RETURN NULL; END', f.proname));
                 EXCEPTION WHEN OTHERS THEN NULL;
                 END;
             END LOOP;
         END $$;
         CREATE FUNCTION evil.format(text, text, text) RETURNS text LANGUAGE plpgsql AS
             $$ BEGIN PERFORM evil.caught('format'); RETURN NULL; END $$;
         CREATE FUNCTION evil.same(oid, oid) RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM evil.caught('oid = oid'); RETURN NULL; END $$;
         CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
         CREATE DOMAIN evil.text AS pg_catalog.int4;
         DROP ROLE IF EXISTS hostile_path; CREATE ROLE hostile_path SUPERUSER LOGIN;
         ALTER ROLE hostile_path SET search_path = evil, pg_catalog, public;",
    );
    assert_ne!(
        database.text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace"),
        "2"
    );
    for rehearse in ["off", "transaction", "twin"] {
        let rehearse = format!("--rehearse={rehearse}");
        let advise = [
            "advise",
            "--format=json",
            &rehearse,
            "-c",
            "SELECT * FROM orders WHERE customer_id = 5",
            "-c",
            "SELECT * FROM orders WHERE lower(state) = 'c:7'",
        ];
        let output = run(&database, "hostile_path", &advise);
        let said = text_of(&output);
        assert!(!said.contains("evil function called"), "{rehearse} {said}");
        assert!(!said.contains("evil."), "{rehearse} {said}");
        let report = report(&output);
        let expected = if rehearse.ends_with("off") { 0 } else { 2 };
        assert_eq!(
            report["recommendations"].as_array().unwrap().len(),
            expected,
            "{rehearse} {said}"
        );
    }
}
