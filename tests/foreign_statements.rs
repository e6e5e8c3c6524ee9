//! `--pg-stat-statements` takes texts of other users. The server plans them only where that
//! executes no function of somebody who is not trusted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]
#![allow(dead_code, reason = "not everything of the common module is used")]

#[path = "common/live.rs"]
mod live;

use std::sync::{Mutex, MutexGuard, PoisonError};

use live::{Database, cluster, text_of};
use postgres::{Client, NoTls};
use serde_json::Value;

/// `pg_stat_statements` and roles are the whole server's: one test at a time.
static SERVER: Mutex<()> = Mutex::new(());

struct Setting {
    database: Database,
    _alone: MutexGuard<'static, ()>,
}

/// A function of an unprivileged role that waits for a superuser to execute it, and leaves a trace
/// then; it writes through a connection of its own, as the planner's transaction is
/// read-only and rolled back.
fn setting(name: &str) -> Setting {
    let alone = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let database = Database::new(
        name,
        "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION dblink;",
    );
    database.run(
        "DO $$ BEGIN CREATE ROLE hostile LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         CREATE TABLE traces (who text); GRANT ALL ON traces TO PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC;
         CREATE TABLE small AS SELECT g AS id, g % 1000 AS k, g % 500 AS m FROM generate_series(1, 50000) g;
         GRANT SELECT ON small TO PUBLIC; ANALYZE small;
         CREATE TABLE mine AS TABLE small; ALTER TABLE mine OWNER TO hostile; ANALYZE mine;",
    );
    let conninfo = cluster().conninfo_of(&database.name).replace('\'', "''");
    let body = format!(
        "BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN \
         PERFORM public.dblink_exec('{conninfo}', format('INSERT INTO traces VALUES (%L)', current_user || ' ' || current_setting('data_directory') || ' ' || current_query())); END IF; RETURN i; END"
    );
    let function = format!(
        "SET ROLE hostile; CREATE FUNCTION trace(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ {body} $$"
    );
    database.run(&function);
    database.run("SELECT pg_stat_statements_reset()");
    Setting {
        database,
        _alone: alone,
    }
}

impl Setting {
    /// Executes these statements as this role, often enough to be at the top.
    fn executed_by(&self, role: &str, statements: &[&str]) {
        let mut client: Client =
            Client::connect(&cluster().conninfo_of(&self.database.name), NoTls).unwrap();
        client.batch_execute(&format!("SET ROLE {role}")).unwrap();
        for statement in statements {
            client.batch_execute(statement).unwrap();
        }
        drop(client);
        self.database.run("TRUNCATE traces");
    }

    /// Of executions on the server itself; the twin is another matter.
    fn traces(&self) -> String {
        self.database
            .text("SELECT string_agg(who, ',') FROM traces WHERE strpos(who, current_setting('data_directory')) > 0")
    }
}

fn find<'r>(report: &'r Value, text: &str) -> &'r Value {
    let statements = report["workload"]["statements"].as_array().unwrap();
    let mut found = statements
        .iter()
        .filter(|statement| statement["sql"].as_str().unwrap().contains(text));
    found
        .next()
        .unwrap_or_else(|| panic!("no statement has {text}: {statements:#?}"))
}

const CALL: &str = "SELECT * FROM small WHERE k = trace(5)";
const PLAIN: &str = "SELECT * FROM small WHERE m = 7";

/// Shows that the danger is real: the plain planning of the statement executes the function.
#[test]
fn the_plain_explain_executes_it() {
    let setting = setting("foreign_danger");
    setting.database.run(&format!("EXPLAIN {CALL}"));
    assert_ne!(setting.traces(), "NULL");
}

#[test]
fn the_server_is_not_asked_about_a_statement_that_may_call_somebodys_function() {
    let setting = setting("foreign_advise");
    setting.executed_by("hostile", &[CALL, PLAIN]);
    let record = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    let record = record.path().to_str().unwrap();
    let options = ["--pg-stat-statements", "--record", record];
    let report = setting.database.advise(&options);
    assert_eq!(setting.traces(), "NULL");
    let replayed = live::program()
        .args(["review", record, "--format", "json"])
        .output()
        .unwrap();
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(replayed["workload"], report["workload"]);
    let called = find(&report, "trace");
    let why = called["twin_only"].as_str().unwrap();
    assert!(
        why.contains("trace(integer)") && why.contains("hostile"),
        "{why}"
    );
    assert_eq!(called["status"], "planned", "{called:#}");
    let notices = report["notices"].to_string();
    assert!(notices.contains("planner twin only"), "{notices}");
    let plain = find(&report, "m = $1");
    assert_eq!(plain["twin_only"], Value::Null);
    assert_eq!(plain["status"], "planned");
    let evidence = |ddl: &str| {
        let all = report["recommendations"].as_array().unwrap().iter();
        let mut one = all.filter(|index| index["ddl"].as_str().unwrap().contains(ddl));
        one.next()
            .map(|index| index["evidence"].as_str().unwrap().to_owned())
    };
    assert_eq!(evidence("(m)").as_deref(), Some("rolled_back_transaction"));
    if let Some(evidence) = evidence("(k)") {
        assert_eq!(evidence, "planner_twin");
    }
}

/// Neither where there is no twin, nor where only plans are asked for.
#[test]
fn without_a_twin_it_is_not_planned() {
    let setting = setting("foreign_no_twin");
    setting.executed_by("hostile", &[CALL, PLAIN]);
    let report = setting
        .database
        .advise(&["--pg-stat-statements", "--rehearse", "transaction"]);
    let called = find(&report, "trace");
    assert_eq!(called["status"], "failed");
    assert!(
        called["error"].as_str().unwrap().contains("trace(integer)"),
        "{called:#}"
    );
    assert_eq!(find(&report, "m = $1")["status"], "planned");
    let output = setting
        .database
        .program(&["explain", "--pg-stat-statements", "--top", "5"])
        .output()
        .unwrap();
    let text = text_of(&output);
    assert!(text.contains("not planned on the server"), "{text}");
    assert_eq!(setting.traces(), "NULL");
}

/// A partial index of the statement's table has the function in its predicate, a view calls it, a
/// domain checks with it.
#[test]
fn what_leads_to_the_function_is_followed() {
    let setting = setting("foreign_indirect");
    setting.database.run(
        "SET ROLE hostile; CREATE INDEX ON mine (m) WHERE k > trace(3); CREATE VIEW seen AS SELECT id, trace(4) AS t FROM small;
         CREATE FUNCTION wrapper(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT trace(5) $$;
         CREATE FUNCTION positive(i int) RETURNS bool IMMUTABLE LANGUAGE sql AS $$ SELECT trace(i) > 0 $$;
         CREATE DOMAIN checked AS int CHECK (positive(VALUE));",
    );
    let statements = [
        "SELECT * FROM mine WHERE m = 11",
        "SELECT * FROM seen WHERE id = 12",
        "SELECT wrapper(1) FROM small WHERE id = 13",
        "SELECT * FROM small WHERE id = 14::checked",
    ];
    setting.executed_by("hostile", &statements);
    let report = setting
        .database
        .advise(&["--pg-stat-statements", "--rehearse", "off"]);
    assert_eq!(setting.traces(), "NULL");
    for text in ["FROM mine", "FROM seen", "wrapper", "checked"] {
        let found = find(&report, text);
        assert!(found["twin_only"].is_string(), "{found:#}");
    }
}

/// Making the twin reads the ends of indexes, and the planner folds the expressions of all indexes
/// of a table whatever the query is.
#[test]
fn tables_whose_planning_executes_somebodys_function_are_not_read() {
    let setting = setting("foreign_tables");
    setting.database.run(
        "CREATE SCHEMA elsewhere; GRANT ALL ON SCHEMA elsewhere TO hostile; SET ROLE hostile;
         CREATE INDEX ON mine (k) WHERE k > trace(3); CREATE INDEX ON mine (id);
         CREATE TABLE elsewhere.small AS TABLE small; CREATE INDEX ON elsewhere.small (id);
         CREATE INDEX ON elsewhere.small (m) WHERE k > trace(3); CREATE INDEX ON elsewhere.small ((k + trace(1)));",
    );
    setting.executed_by("hostile", &["SELECT * FROM mine WHERE m = 11 AND k < 5"]);
    setting.database.advise(&["--pg-stat-statements"]);
    assert_eq!(setting.traces(), "NULL");
    setting
        .database
        .advise(&["-c", "SELECT * FROM public.small WHERE m = 11 AND k < 5"]);
    assert_eq!(setting.traces(), "NULL");
}

/// Functions of superusers, of extensions and of the one who asks are trusted; so are one's own
/// statements.
#[test]
fn trusted_functions_and_own_statements_are_planned_as_before() {
    let setting = setting("foreign_trusted");
    setting
        .database
        .run("CREATE FUNCTION trusted(i int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT i $$");
    setting.executed_by("app", &["SELECT * FROM small WHERE k = trusted(5)"]);
    setting.executed_by(
        "postgres",
        &["SELECT * FROM small WHERE id = 1 AND k = trace(9)"],
    );
    let report = setting
        .database
        .advise(&["--pg-stat-statements", "--rehearse", "off"]);
    for text in ["trusted", "trace"] {
        let found = find(&report, text);
        assert_eq!(found["twin_only"], Value::Null, "{found:#}");
        assert_eq!(found["status"], "planned", "{found:#}");
    }
    let own = setting.database.advise(&["-c", CALL, "--rehearse", "off"]);
    assert_eq!(own["workload"]["statements"][0]["twin_only"], Value::Null);
}

/// `pg_stat_statements` of PostgreSQL 18 drops comments in front of a statement, so the mark of our
/// own queries stands behind their first word.
#[test]
fn our_own_queries_are_no_part_of_the_workload() {
    let setting = setting("foreign_own");
    setting.database.run("SELECT pg_stat_statements_reset()");
    setting.executed_by("app", &[PLAIN]);
    let analyze = ["--analyze", "-c", PLAIN];
    setting.database.advise(&analyze);
    let count = |pattern: &str| {
        setting.database.text(&format!(
            "SELECT count(*) FROM pg_stat_statements WHERE query LIKE '{pattern}'"
        ))
    };
    assert_eq!(count("/* pgrehearse%"), "0");
    assert_ne!(count("SELECT /* pgrehearse%"), "0");
    assert_ne!(count("WITH /* pgrehearse%"), "0");
    let report = setting.database.advise(&["--pg-stat-statements"]);
    let statements = report["workload"]["statements"].as_array().unwrap();
    assert!(!statements.is_empty());
    for statement in statements {
        let sql = statement["sql"].as_str().unwrap();
        assert!(
            !sql.contains("pgrehearse") && !sql.contains("pg_catalog."),
            "{sql}"
        );
    }
}
