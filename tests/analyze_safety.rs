//! `--analyze` executes nothing that has effects a rollback does not undo, or that reaches outside
//! the database; it says so for each statement.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]
#![allow(dead_code, reason = "not everything of the common module is used")]

#[path = "common/live.rs"]
mod live;

use live::{Database, cluster, file, statement, text_of};
use postgres::{Client, NoTls};
use serde_json::Value;

const TABLES: &str =
    "CREATE TABLE small AS SELECT g AS id, g % 10 AS k FROM generate_series(1, 50000) g; ANALYZE small;
     CREATE TABLE sink (t text); CREATE SEQUENCE sq;";

/// Advises with `--analyze` on named statements, with every index built.
fn analyzed(database: &Database, statements: &[(&str, &str)], options: &[&str]) -> Value {
    let texts = statements
        .iter()
        .map(|(name, sql)| format!("-- name: {name}\n{sql};\n"));
    let workload = file(&texts.collect::<String>());
    let mut arguments = vec!["-f", workload.path().to_str().unwrap(), "--analyze"];
    arguments.extend(["--rehearse", "transaction"]);
    arguments.extend(options);
    database.advise(&arguments)
}

fn reason<'r>(report: &'r Value, name: &str) -> &'r str {
    let statement = statement(report, name);
    assert_eq!(statement["time_before_ms"], Value::Null, "{name}");
    statement["not_executed"]
        .as_str()
        .unwrap_or_else(|| panic!("{name} was executed, or no index helps it: {statement:#}"))
}

fn is_executed(report: &Value, name: &str) -> bool {
    statement(report, name)["time_before_ms"].is_number()
        && statement(report, name)["not_executed"].is_null()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn what_has_effects_is_not_executed_and_the_report_says_why() {
    let database = Database::new("analyze_effects", TABLES);
    database.run("CREATE EXTENSION dblink; CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw");
    database.run("CREATE FOREIGN TABLE passwd (line text) SERVER files OPTIONS (filename '/etc/passwd', delimiter E'\\x01')");
    let conninfo = cluster().conninfo_of(&database.name);
    let mut victim =
        Client::connect(&format!("{conninfo} application_name=victim"), NoTls).unwrap();
    let mut holder = database.client();
    let listener = holder.execute("LISTEN chan", &[]).unwrap();
    assert_eq!(listener, 0);
    let before = database
        .text("SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()");
    let large_objects = database.text("SELECT count(*) FROM pg_largeobject_metadata");
    let link = format!(
        "SELECT dblink_exec('{}', 'insert into sink values (1)'), s.* FROM small s WHERE id = 8",
        conninfo.replace('\'', "''")
    );
    let cases: Vec<(&str, &str, &str)> = vec![
        ("dblink", &link, "dblink_exec"),
        (
            "terminate",
            "SELECT pg_terminate_backend(a.pid), s.* FROM small s, pg_stat_activity a WHERE id = 10 AND a.application_name = 'victim'",
            "pg_terminate_backend",
        ),
        (
            "lo_import",
            "SELECT lo_import('/etc/hostname'), s.* FROM small s WHERE id = 12",
            "lo_import",
        ),
        (
            "advisory",
            "SELECT pg_advisory_lock(4242), s.* FROM small s WHERE id = 14",
            "pg_advisory_lock",
        ),
        (
            "notify",
            "SELECT pg_notify('chan', 'x'), s.* FROM small s WHERE id = 15",
            "pg_notify",
        ),
        (
            "reset",
            "SELECT pg_stat_reset(), s.* FROM small s WHERE id = 18",
            "pg_stat_reset",
        ),
        (
            "switch-wal",
            "SELECT pg_switch_wal(), s.* FROM small s WHERE id = 19",
            "pg_switch_wal",
        ),
        (
            "message",
            "SELECT pg_logical_emit_message(false, 'p', 'x'), s.* FROM small s WHERE id = 20",
            "pg_logical_emit_message",
        ),
        (
            "read-file",
            "SELECT pg_read_file('/etc/passwd'), s.* FROM small s WHERE id = 22",
            "pg_read_file",
        ),
        (
            "sleep",
            "SELECT pg_sleep(2), s.* FROM small s WHERE id = 11",
            "pg_sleep",
        ),
        (
            "nextval",
            "SELECT nextval('sq'), s.* FROM small s WHERE id = 23",
            "nextval",
        ),
        (
            "setting",
            "SELECT set_config('work_mem', '1MB', false), s.* FROM small s WHERE id = 24",
            "set_config",
        ),
        (
            "xid",
            "SELECT txid_current(), s.* FROM small s WHERE id = 25",
            "txid_current",
        ),
        (
            "text",
            "SELECT table_to_xml('small', true, false, ''), s.* FROM small s WHERE id = 26",
            "table_to_xml",
        ),
        (
            "for-update",
            "SELECT * FROM small WHERE id = 27 FOR UPDATE",
            "locks rows",
        ),
        (
            "foreign-table",
            "SELECT * FROM small, passwd WHERE id = 28 AND line LIKE 'root%'",
            "passwd",
        ),
        (
            "in-condition",
            "SELECT * FROM small WHERE id = 29 AND pg_try_advisory_lock(k)",
            "pg_try_advisory_lock",
        ),
        (
            "in-aggregate",
            "SELECT sum(nextval('sq')) FROM small WHERE id = 30",
            "nextval",
        ),
    ];
    let statements: Vec<(&str, &str)> = cases.iter().map(|(name, sql, _)| (*name, *sql)).collect();
    let harmless = (
        "harmless",
        "SELECT count(*), max(k), lower('X'), now() FROM small WHERE id = 7",
    );
    let report = analyzed(&database, &[&statements[..], &[harmless]].concat(), &[]);
    for (name, _, expected) in &cases {
        let why = reason(&report, name);
        assert!(why.contains(expected), "{name}: {why}");
    }
    assert!(
        is_executed(&report, "harmless"),
        "{:#}",
        statement(&report, "harmless")
    );

    assert_eq!(database.text("SELECT count(*) FROM sink"), "0");
    assert_eq!(
        victim.query("SELECT 1", &[]).unwrap().len(),
        1,
        "it is alive"
    );
    assert_eq!(
        database.text("SELECT count(*) FROM pg_largeobject_metadata"),
        large_objects
    );
    assert_eq!(database.text("SELECT is_called FROM sq"), "f");
    assert_eq!(
        database
            .text("SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()"),
        before
    );
    holder.batch_execute("SELECT 1").unwrap();
    let mut notifications = holder.notifications();
    assert!(
        postgres::fallible_iterator::FallibleIterator::next(&mut notifications.iter())
            .unwrap()
            .is_none()
    );
}

/// The twin cannot plan what only a superuser may call, and no index helps the last ones: they are
/// named all the same.
#[test]
fn a_statement_that_no_index_helps_is_named_too() {
    let database = Database::new("analyze_others", TABLES);
    let workload = file(
        "-- name: read-file\nSELECT pg_read_file('/etc/passwd'), s.* FROM small s WHERE id = 22;\n\
         -- name: reset\nSELECT pg_stat_reset(), s.* FROM small s;\n\
         -- name: next\nSELECT nextval('sq');\n\
         -- name: write\nINSERT INTO sink VALUES ('x');\n\
         -- name: harmless\nSELECT count(*) FROM sink;\n",
    );
    let report = database.advise(&["-f", workload.path().to_str().unwrap(), "--analyze"]);
    for (name, expected) in [
        ("read-file", "pg_read_file"),
        ("reset", "pg_stat_reset"),
        ("next", "nextval"),
        ("write", "writes"),
    ] {
        let why = reason(&report, name);
        assert!(why.contains(expected), "{name}: {why}");
    }
    assert_eq!(statement(&report, "harmless")["not_executed"], Value::Null);
    assert_eq!(database.text("SELECT is_called FROM sq"), "f");
}

/// Names the volatile function behind functions, views, policies, operators, aggregates and types.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_calls_it_indirectly_is_not_executed() {
    let database = Database::new("analyze_indirect", TABLES);
    database.run(
        "CREATE FUNCTION hidden(i int) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('sq'); RETURN i; END $$;
         CREATE FUNCTION wrapped(i int) RETURNS int STABLE LANGUAGE sql AS $$ SELECT hidden(i) $$;
         CREATE FUNCTION atomic(i int) RETURNS int STABLE LANGUAGE sql BEGIN ATOMIC SELECT wrapped(i); END;
         CREATE FUNCTION defaulted(i int, j int DEFAULT nextval('sq')) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT i $$;
         CREATE FUNCTION dynamic(i int) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT next' || 'val(''sq'')'; RETURN i; END $$;
         CREATE FUNCTION escaped(i int) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM U&\"\\006eextval\"('sq'); RETURN i; END $$;
         CREATE FUNCTION spaced(i int) RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM \"nextval\" /* a comment */ ('sq'); RETURN i; END $$;
         CREATE VIEW inner_view AS SELECT id, k, nextval('sq') AS n FROM small;
         CREATE VIEW outer_view AS SELECT id, n FROM inner_view;
         CREATE FUNCTION same(int, int) RETURNS bool STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN hidden($1) = $2; END $$;
         CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
         CREATE FUNCTION step(int, int) RETURNS int STABLE LANGUAGE sql AS $$ SELECT hidden($2) $$;
         CREATE AGGREGATE last_of(int) (SFUNC = step, STYPE = int);
         CREATE FUNCTION is_fine(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN hidden($1) > 0; END $$;
         CREATE DOMAIN checked AS int CHECK (is_fine(VALUE));
         CREATE FUNCTION harmless(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN i + 1; END $$;
         CREATE TABLE own (id serial PRIMARY KEY, v int); INSERT INTO own (v) SELECT g FROM generate_series(1, 50000) g; ANALYZE own;
         SELECT setval('sq', 1, false)",
    );
    let cases = [
        (
            "function",
            "SELECT hidden(k) FROM small WHERE id = 1",
            "nextval",
        ),
        (
            "wrapped",
            "SELECT wrapped(k) FROM small WHERE id = 2",
            "nextval",
        ),
        (
            "atomic",
            "SELECT atomic(k) FROM small WHERE id = 3",
            "nextval",
        ),
        (
            "default",
            "SELECT defaulted(k) FROM small WHERE id = 4",
            "nextval",
        ),
        (
            "dynamic",
            "SELECT dynamic(k) FROM small WHERE id = 5",
            "dynamic",
        ),
        (
            "escaped",
            "SELECT escaped(k) FROM small WHERE id = 6",
            "escaped",
        ),
        (
            "spaced",
            "SELECT spaced(k) FROM small WHERE id = 7",
            "nextval",
        ),
        ("view", "SELECT n FROM outer_view WHERE id = 8", "nextval"),
        (
            "operator",
            "SELECT * FROM small WHERE id = 9 AND k === 9",
            "nextval",
        ),
        (
            "aggregate",
            "SELECT last_of(k) FROM small WHERE id = 10",
            "nextval",
        ),
        (
            "domain",
            "SELECT k::checked FROM small WHERE id = 11",
            "nextval",
        ),
        (
            "subquery",
            "SELECT * FROM small WHERE id = 12 AND k < (SELECT max(wrapped(1)))",
            "nextval",
        ),
    ];
    let statements = cases.map(|(name, sql, _)| (name, sql));
    let harmless = [
        ("harmless", "SELECT harmless(k) FROM small WHERE id = 13"),
        ("serial", "SELECT * FROM own WHERE v = 14"),
    ];
    let report = analyzed(&database, &[&statements[..], &harmless].concat(), &[]);
    for (name, _, expected) in cases {
        let why = reason(&report, name);
        assert!(why.contains(expected), "{name}: {why}");
    }
    for (name, _) in harmless {
        assert!(is_executed(&report, name), "{:#}", statement(&report, name));
    }
    assert_eq!(database.text("SELECT is_called FROM sq"), "f");
}

/// A policy applies to roles other than the owner: here to one that has the owner's rights.
#[test]
fn policies_are_checked_too() {
    let database = Database::new("analyze_policies", TABLES);
    database.run(
        "CREATE FUNCTION hidden(i int) RETURNS bool STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('sq'); RETURN true; END $$;
         ALTER TABLE small ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON small USING (hidden(id));",
    );
    let report = analyzed(
        &database,
        &[("policy", "SELECT * FROM small WHERE id = 1")],
        &[],
    );
    let why = reason(&report, "policy");
    assert!(why.contains("nextval"), "{why}");
}

#[test]
fn who_insists_gets_a_statement_executed() {
    let database = Database::new("analyze_insist", TABLES);
    let statements = [
        ("one", "SELECT nextval('sq') FROM small WHERE id = 1"),
        ("other", "SELECT nextval('sq') FROM small WHERE id = 2"),
        (
            "locks",
            "SELECT pg_try_advisory_xact_lock(k) FROM small WHERE id = 3",
        ),
    ];
    let report = analyzed(&database, &statements, &["--analyze-volatile", "locks"]);
    assert!(
        is_executed(&report, "locks"),
        "{:#}",
        statement(&report, "locks")
    );
    assert!(reason(&report, "other").contains("--analyze-volatile"));
    let unknown = [
        "-c",
        "SELECT 1",
        "--analyze",
        "--analyze-volatile",
        "nobody",
    ];
    let output = database
        .program(&[&["advise"], &unknown[..]].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text_of(&output));
    assert!(text_of(&output).contains("nobody"), "{}", text_of(&output));
}

#[test]
fn the_time_for_executing_is_limited() {
    let database = Database::new("analyze_time", TABLES);
    let slow = "WITH RECURSIVE r (n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM r WHERE n < 1000000000) \
                SELECT * FROM small, (SELECT max(n) FROM r) AS m WHERE id = 1";
    let report = analyzed(
        &database,
        &[("slow", slow)],
        &["--max-analyze-time", "200ms"],
    );
    let why = reason(&report, "slow");
    assert!(why.contains("--max-analyze-time"), "{why}");
}

#[test]
fn the_text_report_names_what_was_not_executed() {
    let database = Database::new("analyze_text", TABLES);
    let sql = "SELECT nextval('sq') FROM small WHERE id = 1";
    let options = [
        "advise",
        "--verbose",
        "--rehearse",
        "transaction",
        "--analyze",
        "-c",
        sql,
    ];
    let output = database.program(&options).output().unwrap();
    let text = text_of(&output);
    assert!(
        text.contains("not executed: it may call nextval(regclass)"),
        "{text}"
    );
}
