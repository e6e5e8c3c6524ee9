//! `pgrehearse mcp`, asked by a client of the protocol's own SDK.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "shared with tests of whole reports")]
mod live;

use std::path::Path;

use live::{Database, cluster, text_of};
use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE item (id bigint PRIMARY KEY, owner bigint NOT NULL, note text);
     INSERT INTO item SELECT n, n % 5000, 'note ' || n FROM generate_series(1, 50000) AS n; ANALYZE item;";

const BY_OWNER: &str = "-- name: by-owner\n-- calls: 100\nSELECT * FROM item WHERE owner = 5";

/// Runs a conversation. What needs the server's own client is done outside of it: that one blocks.
fn converse(conversation: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(conversation);
}

type Client = RunningService<RoleClient, ()>;

async fn client(arguments: &[&str]) -> Client {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
    command.arg("mcp").args(arguments);
    for variable in [
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGDATABASE",
        "PGPASSWORD",
        "PGSERVICE",
    ] {
        command.env_remove(variable);
    }
    ().serve(TokioChildProcess::new(command).unwrap())
        .await
        .unwrap()
}

/// The answer's text, and whether it is an error.
async fn call(client: &Client, tool: &'static str, arguments: Value) -> (String, bool) {
    let arguments = arguments.as_object().unwrap().clone();
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    let result = client.call_tool(request).await.unwrap();
    let result = serde_json::to_value(result).unwrap();
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    (text, result["isError"] == true)
}

fn indexes(database: &Database) -> String {
    database.text("SELECT count(*) FROM pg_index WHERE indrelid = 'item'::regclass")
}

#[test]
fn an_assistant_advises_and_looks_at_parts_and_nothing_changes() {
    let database = Database::new("mcp", TABLES);
    let conninfo = cluster().conninfo_of(&database.name);
    converse(advises_and_looks_at_parts(&conninfo));
    assert_eq!(indexes(&database), "1", "only the primary key");
}

async fn advises_and_looks_at_parts(conninfo: &str) {
    let client = client(&["-d", conninfo]).await;

    let tools = client.list_all_tools().await.unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "advise",
            "check",
            "explain",
            "recommendation",
            "review",
            "statement"
        ]
    );
    for tool in &tools {
        let tool = serde_json::to_value(tool).unwrap();
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool:#}");
        assert!(!tool["description"].as_str().unwrap().is_empty());
    }

    let (text, failed) = call(&client, "recommendation", json!({"id": "r1"})).await;
    assert!(failed && text.contains("call advise first"), "{text}");
    let (text, failed) = call(&client, "explain", json!({"sql": BY_OWNER})).await;
    assert!(!failed && text.contains("Seq Scan on item"), "{text}");
    let (text, failed) = call(&client, "advise", json!({"sql": BY_OWNER})).await;
    assert!(
        !failed && text.contains("CREATE INDEX CONCURRENTLY item_owner_idx"),
        "{text}"
    );
    assert!(text.contains("used by the planner twin"), "{text}");
    let (text, failed) = call(&client, "recommendation", json!({"id": "r1"})).await;
    assert!(
        !failed && text.contains("BEFORE") && text.contains("by-owner"),
        "{text}"
    );
    let (text, failed) = call(&client, "statement", json!({"name": "by-owner"})).await;
    assert!(
        !failed && text.contains("SELECT * FROM item WHERE owner = 5"),
        "{text}"
    );
    let migration = "CREATE INDEX item_owner ON item (owner);";
    let arguments = json!({"migration": migration, "sql": BY_OWNER});
    let (text, failed) = call(&client, "check", arguments).await;
    assert!(
        !failed && text.contains("by-owner") && text.contains("CONCURRENTLY"),
        "{text}"
    );
    assert!(client.list_all_resources().await.unwrap().is_empty());
    let (text, failed) = call(&client, "statement", json!({"name": "--help"})).await;
    assert!(
        failed && text.contains("the report has no"),
        "no option: {text}"
    );
    let (text, failed) = call(&client, "explain", json!({"sql": "SELECT * FROM nowhere"})).await;
    assert!(failed && text.contains("nowhere"), "{text}");
    let (text, failed) = call(&client, "advise", json!({"sql": "DROP TABLE item"})).await;
    assert!(failed, "{text}");
    client.cancel().await.unwrap();
}

#[test]
fn a_twin_file_needs_no_database() {
    let database = Database::new("mcp_snapshot", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.twin");
    let path = file.to_str().unwrap();
    let output = database
        .program(&["snapshot", "-c", BY_OWNER, "--output", path])
        .output()
        .unwrap();
    assert!(
        output.status.success() && Path::new(path).exists(),
        "{}",
        text_of(&output)
    );

    converse(asks_a_twin_file(path));
}

async fn asks_a_twin_file(path: &str) {
    // The host does not exist: it would fail if it were connected to.
    let client = client(&["--snapshot", path, "-h", "/nowhere"]).await;
    let (text, failed) = call(&client, "advise", json!({})).await;
    assert!(
        !failed && text.contains("CREATE INDEX CONCURRENTLY item_owner_idx"),
        "{text}"
    );
    let sql = "SELECT * FROM item WHERE note = 'x'";
    let (text, failed) = call(&client, "explain", json!({"sql": sql})).await;
    assert!(!failed && text.contains("Seq Scan on item"), "{text}");
    let (text, failed) = call(&client, "advise", json!({"pg_stat_statements": true})).await;
    assert!(failed && text.contains("there is no server"), "{text}");
    let migration = json!({"migration": "ALTER TABLE item DROP COLUMN owner"});
    let (text, _) = call(&client, "check", migration).await;
    assert!(text.contains("by-owner"), "cannot run any more: {text}");
    reads_resources(&client).await;
    client.cancel().await.unwrap();
}

/// The text of a resource.
async fn read(client: &Client, address: &str) -> Result<String, String> {
    let request = ReadResourceRequestParams::new(address);
    let result = client.read_resource(request).await;
    let result = result.map_err(|error| error.to_string())?;
    let result = serde_json::to_value(result).unwrap();
    Ok(result["contents"][0]["text"].as_str().unwrap().to_owned())
}

async fn reads_resources(client: &Client) {
    let listed = client.list_all_resources().await.unwrap();
    let mut addresses: Vec<String> = listed.into_iter().map(|one| one.uri).collect();
    addresses.sort_unstable();
    let expected = ["file", "tables", "workload"].map(|name| format!("pgrehearse://{name}"));
    assert_eq!(addresses, expected);
    let workload = read(client, "pgrehearse://workload").await.unwrap();
    assert!(
        workload.contains("-- name: by-owner\n-- calls: 100\nSELECT"),
        "{workload}"
    );
    let tables = read(client, "pgrehearse://tables").await.unwrap();
    assert!(
        tables.contains("public.item: 50000 rows") && tables.contains("item_pkey"),
        "{tables}"
    );
    assert!(!tables.contains("note 7"), "no values: {tables}");
    let file = read(client, "pgrehearse://file").await.unwrap();
    assert!(file.contains("\"statements\": 1"), "{file}");
    for address in ["pgrehearse://../../etc/passwd", "file:///etc/passwd"] {
        let error = read(client, address).await.unwrap_err();
        assert!(error.contains("there is no resource"), "{error}");
    }
}

#[test]
fn plans_of_the_user_are_reviewed_without_a_database() {
    converse(reviews_plans());
}

async fn reviews_plans() {
    let client = client(&["-h", "/nowhere"]).await;
    let plan = "Sort  (cost=9.00..9.50 rows=10 width=4) (actual time=80.1..90.2 rows=250000 loops=1)\n  \
                Sort Key: a\n  Sort Method: external merge  Disk: 3000kB\n  \
                ->  Seq Scan on t  (cost=0.00..8.50 rows=10 width=4) (actual time=0.1..20.2 rows=250000 loops=1)\nExecution Time: 95.0 ms\n";
    let (text, failed) = call(&client, "review", json!({"plan": plan})).await;
    assert!(!failed && text.contains("spill"), "{text}");
    let (text, failed) = call(&client, "review", json!({"plan": "no plan"})).await;
    assert!(failed && !text.is_empty(), "{text}");
    client.cancel().await.unwrap();
}
