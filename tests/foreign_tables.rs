//! A warehouse that reads two applications' databases through postgres_fdw, on a real server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]
#![allow(dead_code, reason = "not everything of the common module is used")]

#[path = "common/live.rs"]
mod live;

use std::path::Path;

use live::{Database, cluster, program, text_of};
use serde_json::Value;

/// The test server trusts everybody, so this one is never asked for; it must not get out all the same.
const PASSWORD: &str = "s3cret-of-the-mapping";

/// An option of the test server's connection string.
fn option(name: &str) -> String {
    let conninfo = cluster().conninfo();
    let mut pairs = conninfo.split(' ').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name).unwrap();
    value.trim_matches('\'').to_owned()
}

/// The sample workload's three databases, with this prefix.
struct Warehouse {
    app1: Database,
    app2: Database,
    warehouse: Database,
}

impl Warehouse {
    fn new(prefix: &str) -> Warehouse {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workloads/000-warehouse");
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let scaled = |sql: String| format!("SET pgrehearse.scale = '0.2'; {sql}");
        let app = |name: &str| {
            let database = Database::new(
                &format!("{prefix}_{name}"),
                &scaled(read(&format!("{name}.sql"))),
            );
            database.run("VACUUM ANALYZE");
            database
        };
        let (app1, app2) = (app("app1"), app("app2"));
        let connect = format!(
            "SET pgrehearse.host = '{}'; SET pgrehearse.port = '{}'; SET pgrehearse.remote_user = '{}'; SET pgrehearse.remote_password = '{}';
             SET pgrehearse.app1 = '{}'; SET pgrehearse.app2 = '{}';",
            option("host"), option("port"), option("user"), PASSWORD, app1.name, app2.name
        );
        let sql = format!("{connect} {}", scaled(read("warehouse.sql")));
        let warehouse = Database::new(&format!("{prefix}_warehouse"), &sql);
        warehouse.run("VACUUM ANALYZE alarms");
        Warehouse {
            app1,
            app2,
            warehouse,
        }
    }
}

const WORKLOAD: &str = "fixtures/workloads/000-warehouse/workload.sql";

fn server<'r>(report: &'r Value, name: &str) -> &'r Value {
    let servers = report["foreign_servers"].as_array().unwrap();
    let mut named = servers.iter().filter(|server| server["name"] == name);
    named
        .next()
        .unwrap_or_else(|| panic!("no {name}: {servers:#?}"))
}

fn ddl(indexes: &Value) -> Vec<String> {
    let indexes = indexes.as_array().unwrap().iter();
    indexes
        .map(|index| index["ddl"].as_str().unwrap().to_owned())
        .collect()
}

fn statement<'r>(report: &'r Value, id: &str) -> &'r Value {
    let statements = report["workload"]["statements"].as_array().unwrap();
    statements.iter().find(|found| found["id"] == id).unwrap()
}

#[test]
fn without_following_the_indexes_there_are_unproved_and_local_advice_is_kept() {
    let databases = Warehouse::new("unproved");
    let report = databases
        .warehouse
        .advise(&["--rehearse=twin", "-f", WORKLOAD]);
    let app1 = server(&report, "app1_server");
    assert_eq!(app1["report"], Value::Null);
    assert_eq!(app1["database"], databases.app1.name);
    let to_try = ddl(&app1["unproved"]);
    assert!(
        to_try.contains(
            &"CREATE INDEX CONCURRENTLY payments_user_id_idx ON public.payments (user_id);"
                .to_owned()
        ),
        "{to_try:?}"
    );
    let app2 = ddl(&server(&report, "app2_server")["unproved"]);
    assert!(
        app2.iter()
            .any(|ddl| ddl.contains("ON public.transfers (account_id")),
        "{app2:?}"
    );
    // The twin plans foreign tables as the server does, and the local table gets its index.
    for id in [
        "warehouse-alarms-of-user",
        "warehouse-failed-but-moved",
        "warehouse-payments-of-user",
    ] {
        assert_eq!(statement(&report, id)["twin_agreement"], "exact", "{id}");
    }
    let local = ddl(&report["recommendations"]);
    assert!(
        local
            .iter()
            .any(|ddl| ddl.contains("ON public.alarms") && ddl.contains("user_id")),
        "{local:?}"
    );
    let lookup = statement(&report, "warehouse-payments-of-user");
    assert_eq!(lookup["no_index_helps"]["reason"], "on_foreign_server");
}

#[test]
fn followed_servers_are_advised_on_and_their_ddl_runs_there() {
    let databases = Warehouse::new("followed");
    let before = [&databases.app1, &databases.app2, &databases.warehouse].map(Database::catalog);
    let report = databases
        .warehouse
        .advise(&["--follow-foreign", "--yes", "-f", WORKLOAD]);
    let after = [&databases.app1, &databases.app2, &databases.warehouse].map(Database::catalog);
    assert!(before == after, "something was left behind");
    // The foreign tables were never analyzed: the servers' own estimates are others.
    let remedies = report["remedies"].as_array().unwrap();
    let estimates = remedies
        .iter()
        .find(|remedy| remedy["kind"] == "use_remote_estimate")
        .unwrap_or_else(|| panic!("{remedies:#?}"));
    assert_eq!(
        estimates["statements"],
        serde_json::json!(["ALTER SERVER app1_server OPTIONS (ADD use_remote_estimate 'true');"])
    );
    assert!(
        estimates["explanation"]
            .as_str()
            .unwrap()
            .contains("never analyzed here")
    );
    for (name, database, statement_id) in [
        (
            "app1_server",
            &databases.app1,
            "warehouse-payments-of-user@app1_server",
        ),
        (
            "app2_server",
            &databases.app2,
            "warehouse-transfers-of-account@app2_server",
        ),
    ] {
        let server = server(&report, name);
        assert_eq!(server["error"], Value::Null);
        assert_eq!(server["unproved"], serde_json::json!([]));
        let there = &server["report"];
        assert_eq!(there["server"]["database"], database.name);
        assert_eq!(there["rehearsal"]["left_behind"], 0);
        let found = statement(there, statement_id);
        let cost = |which: &str| found[which].as_f64().unwrap();
        assert!(cost("cost_after") * 10.0 < cost("cost_before"), "{found:#}");
        for index in there["recommendations"].as_array().unwrap() {
            let id = index["id"].as_str().unwrap();
            assert!(id.starts_with(&format!("{name}.r")), "{id}");
            assert_eq!(index["evidence"], "rolled_back_transaction");
            for sql in index["statements"].as_array().unwrap() {
                let result = database.client().batch_execute(sql.as_str().unwrap());
                result.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
        }
    }
}

#[test]
fn a_server_that_cannot_be_asked_is_told_and_its_indexes_stay_unproved() {
    let databases = Warehouse::new("unreachable");
    databases.warehouse.run(
        "ALTER SERVER app1_server OPTIONS (SET host '/nonexistent'); CREATE SCHEMA other;
         DO $$ BEGIN CREATE ROLE analyst LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT USAGE ON SCHEMA app1, app2 TO analyst; GRANT SELECT ON ALL TABLES IN SCHEMA app1, app2 TO analyst;
         GRANT SELECT ON alarms TO analyst",
    );
    let report =
        databases
            .warehouse
            .advise(&["--follow-foreign", "--rehearse=twin", "-f", WORKLOAD]);
    let app1 = server(&report, "app1_server");
    assert!(
        app1["error"].as_str().unwrap().contains("/nonexistent"),
        "{app1:#}"
    );
    assert!(!ddl(&app1["unproved"]).is_empty());
    assert_eq!(server(&report, "app2_server")["error"], Value::Null);
    // A role without a user mapping has to say how to connect, and then it can.
    let conninfo = cluster().conninfo_of(&databases.warehouse.name);
    let as_analyst = conninfo.replace("user=postgres", "user=analyst");
    let given = format!(
        "app1_server={}",
        cluster().conninfo_of(&databases.app1.name)
    );
    let output = program()
        .args([
            "advise",
            "--format=json",
            "--rehearse=twin",
            "--follow-foreign",
            "-f",
            WORKLOAD,
        ])
        .args(["--foreign-server", &given, "-d", &as_analyst])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let app2 = server(&report, "app2_server")["error"].as_str().unwrap();
    assert!(
        app2.contains("no user mapping") && app2.contains("--foreign-server app2_server="),
        "{app2}"
    );
    assert!(server(&report, "app1_server")["report"].is_object());
    assert!(!String::from_utf8_lossy(&output.stdout).contains(PASSWORD));
}

/// The twin must never connect anywhere: what a server's options say is not copied, and nobody has a
/// user mapping.
#[test]
fn the_twin_file_has_no_way_to_the_other_servers() {
    let databases = Warehouse::new("snapshotted");
    databases.warehouse.run(
        "ALTER SERVER app1_server OPTIONS (ADD use_remote_estimate 'true', ADD fdw_startup_cost '7', ADD extensions 'pg_trgm')",
    );
    let file = std::env::temp_dir().join(format!("pgrehearse-test-{}.twin", std::process::id()));
    let path = file.to_str().unwrap();
    let output = databases
        .warehouse
        .program(&["snapshot", "-f", WORKLOAD, "-o", path])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let unpacked = std::process::Command::new("zcat")
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&unpacked.stdout).into_owned();
    assert!(text.contains("pg_foreign_server") && text.contains("fdw_startup_cost=7"));
    for secret in [
        PASSWORD.to_owned(),
        option("host"),
        databases.app1.name,
        "use_remote_estimate".to_owned(),
    ] {
        let catalogs = text.split("\"catalog\"").next().unwrap();
        assert!(!catalogs.contains(&secret), "{secret} is in the twin file");
    }
    let output = program()
        .args(["advise", "--format=json", "--snapshot", path])
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        statement(&report, "warehouse-failed-but-moved")["status"],
        "planned"
    );
    assert!(!report["foreign_servers"].as_array().unwrap().is_empty());
}
