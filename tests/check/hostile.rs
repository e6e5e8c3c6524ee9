//! A migration is somebody else's text: what it cannot do.

use std::path::Path;

use serde_json::Value;

use crate::live::text_of;
use crate::shop::shop;

fn status(step: &Value) -> &str {
    step["status"].as_str().unwrap()
}

#[test]
fn nothing_reaches_the_machine() {
    let shop = shop();
    let stolen = Path::new("/tmp/pgrehearse-check-hostile");
    let _ = std::fs::remove_file(stolen);
    let attacks = [
        "COPY customer TO PROGRAM 'touch /tmp/pgrehearse-check-hostile'",
        "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch /tmp/pgrehearse-check-hostile'''; END $$",
        "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO ''/tmp/pgrehearse-check-hostile'''; END $$",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT pg_read_file(''/etc/passwd'')'; SELECT f()",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/pgrehearse-check-hostile')",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE ' || quote_ident(current_user) || ' SUPERUSER'; END $$",
        "SET ROLE pg_execute_server_program",
        "SET SESSION AUTHORIZATION DEFAULT; COPY customer TO PROGRAM 'touch /tmp/pgrehearse-check-hostile'",
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION dblink",
        "CREATE FUNCTION sys(cstring) RETURNS integer LANGUAGE c AS 'libc.so.6', 'system'",
        "CREATE LANGUAGE plpython3u",
        "LOAD 'auto_explain'",
        "ALTER SYSTEM SET archive_command = 'touch /tmp/pgrehearse-check-hostile'",
        "UPDATE pg_catalog.pg_proc SET prosecdef = false",
        "DELETE FROM pgrehearse_twin.large_files",
        "SELECT pgrehearse_twin.set_rows_aside(1259)",
        "CREATE SUBSCRIPTION s CONNECTION 'host=/tmp' PUBLICATION p",
    ];
    for (number, attack) in attacks.iter().enumerate() {
        let name = format!("hostile_{number}");
        let report = shop.report(&name, &format!("{attack};\n"));
        let steps = report["ddl"].as_array().unwrap();
        let is_refused = |step: &Value| status(step) != "ok" || step["handling"] != "executed";
        let last = steps.last().unwrap();
        // The last of these statements does nothing, because what it names is no file of a table.
        let is_harmless = attack.contains("set_rows_aside");
        assert!(is_refused(last) || is_harmless, "{attack}: {last:#}");
        assert!(!stolen.exists(), "{attack}");
    }
}

#[test]
fn a_statement_that_does_not_end_is_ended() {
    let report = shop().report(
        "endless",
        "SET statement_timeout = 0;\nDO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$;\n",
    );
    let steps = report["ddl"].as_array().unwrap();
    assert_eq!(status(&steps[1]), "failed");
    let error = steps[1]["error"].as_str().unwrap();
    assert!(error.contains("statement timeout"), "{error}");
}

#[test]
fn settings_and_temporary_tables_of_a_migration_change_no_plan_of_ours() {
    let report = shop().report(
        "session",
        "SET search_path = nowhere;\nSET enable_indexscan = off;\nSET enable_seqscan = off;\n\
         CREATE TEMP TABLE pg_class (a integer);\nCREATE TEMP TABLE orders (id text);\n",
    );
    for statement in report["statements"].as_array().unwrap() {
        assert_eq!(statement["change"], "same", "{statement:#}");
    }
}

#[test]
fn what_is_printed_has_no_control_characters() {
    let output = shop()
        .check("escape", "CREATE TABLE \"a\u{1b}[2Jb\" (x integer);\n-- \u{1b}]0;x\u{7}\nSELECT '\u{1b}[31m' FROM nowhere;\n", &["--annotations"])
        .output()
        .unwrap();
    assert!(!text_of(&output).contains('\u{1b}'), "{}", text_of(&output));
}
