//! The next major version: what is predicted, against a real server of that version with the same
//! tables.
//!
//! The other version's programs are looked for in `$PG_BIN_18` (and so on), /usr/lib/postgresql/18/bin,
//! and where scripts/make-plan-corpus.sh puts them. Where there are none, these tests say that they are
//! skipped, and pass.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pgrehearse::Plan;
use pgrehearse::internals::check::shape::shape;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls, SimpleQueryMessage};
use serde_json::Value;

use crate::live::{Database, cluster, program, text_of};

/// With it, ANALYZE reads all rows of these tables, so both versions find the same.
const ANALYZE: [&str; 3] = ["SET default_statistics_target = 1000", "VACUUM", "ANALYZE"];

/// The programs of the tests' server, and those of the latest later version that is here.
pub struct Versions {
    pub old: Binaries,
    pub new: Binaries,
}

pub fn versions() -> Option<Versions> {
    let old = Binaries::find(WhenMissing::Explain).unwrap();
    let found = (old.major + 1..=18).rev().find_map(|major| {
        let found = places(major)
            .iter()
            .find_map(|directory| Binaries::in_directory(directory).ok());
        found.filter(|found| found.major == major)
    });
    if found.is_none() {
        println!(
            "SKIPPED: no server programs of a version after {} are here (see tests/check/upgrade.rs)",
            old.major
        );
    }
    Some(Versions { new: found?, old })
}

fn places(major: u32) -> Vec<PathBuf> {
    let variable = |name: String| std::env::var_os(name).map(PathBuf::from);
    let servers = variable("SERVERS".to_owned())
        .unwrap_or_else(|| std::env::temp_dir().join("postgresql-servers"));
    variable(format!("PG_BIN_{major}"))
        .into_iter()
        .chain([
            PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")),
            servers.join(format!("{major}/package/native/bin")),
        ])
        .collect()
}

/// A server of the new version with these tables, and a connection to it.
pub fn upgraded(binaries: &Binaries, sql: &str) -> (Cluster, Client) {
    let server = Cluster::start(binaries, &ClusterOptions::default(), &|| false).unwrap();
    let mut client = Client::connect(&server.conninfo(), NoTls).unwrap();
    // A view of the old version that the new one refuses.
    for line in sql.lines().filter(|line| line.contains("buffers_backend")) {
        let _ = client.batch_execute(line);
    }
    let possible: Vec<&str> = sql
        .lines()
        .filter(|line| !line.contains("buffers_backend"))
        .collect();
    client.batch_execute(&possible.join("\n")).unwrap();
    ANALYZE
        .iter()
        .for_each(|statement| client.batch_execute(statement).unwrap());
    (server, client)
}

fn filled(name: &str, sql: &str) -> Database {
    let database = Database::new(name, sql);
    let mut client = database.client();
    ANALYZE
        .iter()
        .for_each(|statement| client.batch_execute(statement).unwrap());
    database
}

/// The plan of a real server; none if it refuses.
fn planned(client: &mut Client, sql: &str) -> Option<Plan> {
    let sql = sql.trim_end().trim_end_matches(';');
    client.batch_execute("BEGIN").unwrap();
    let answer = client.simple_query(&format!("EXPLAIN (FORMAT JSON, VERBOSE) {sql}"));
    client.batch_execute("ROLLBACK").unwrap();
    answer.ok()?.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let text = row.get(0).unwrap();
            let json: Value = serde_json::from_str(text).unwrap();
            Some(Plan::from_json(json[0].clone()).unwrap())
        }
        _ => None,
    })
}

fn with_programs(mut command: Command, versions: &Versions, options: &[&str]) -> Output {
    command
        .args(["--upgrade", &versions.new.major.to_string()])
        .arg("--pg-bin")
        .arg(&versions.old.directory)
        .arg("--pg-bin")
        .arg(&versions.new.directory)
        .args(options)
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text_of(output)))
}

/// What the prediction was worth.
#[derive(Debug, Default, PartialEq)]
struct Score {
    statements: usize,
    flipped: usize,
    predicted: usize,
    invented: usize,
    exact_costs: usize,
}

/// Compares every statement of the report with real servers of both versions.
fn compared(report: &Value, old: &mut Client, new: &mut Client) -> Score {
    let mut score = Score::default();
    for statement in report["statements"].as_array().unwrap() {
        let (id, sql) = (&statement["id"], statement["sql"].as_str().unwrap());
        let (before, after) = (planned(old, sql), planned(new, sql));
        let predicted = |side: &str| {
            let plan = &statement[side];
            (!plan.is_null()).then(|| Plan::from_json(plan.clone()).unwrap())
        };
        let shapes = |plan: &Option<Plan>| plan.as_ref().map(shape);
        let is_right = shapes(&after) == shapes(&predicted("plan_after"));
        if !is_right {
            println!(
                "{id}\nreally: {:?}\npredicted: {:?}",
                shapes(&after),
                shapes(&predicted("plan_after"))
            );
        }
        assert_eq!(shapes(&before), shapes(&predicted("plan_before")), "{id}");
        if before.is_none() {
            continue;
        }
        let really = shapes(&before) != shapes(&after);
        let told = matches!(
            statement["change"].as_str().unwrap(),
            "flipped" | "cannot_run"
        );
        score.statements += 1;
        score.flipped += usize::from(really);
        score.predicted += usize::from(really && told && is_right);
        score.invented += usize::from(told && !really);
        let cost = |plan: &Option<Plan>| plan.as_ref().map(|plan| plan.total_cost().0);
        score.exact_costs += usize::from(cost(&after) == cost(&predicted("plan_after")));
    }
    println!("{score:?}");
    score
}

fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_plans_of_the_next_version_are_those_that_it_makes() {
    let Some(versions) = versions() else { return };
    let sql = include_str!("upgrade/shop.sql");
    let database = filled("upgrade_shop", sql);
    let (_server, mut new) = upgraded(&versions.new, sql);
    let directory = tempfile::tempdir().unwrap();
    let queries = file(
        directory.path(),
        "q.sql",
        include_str!("upgrade/shop-queries.sql"),
    );
    let twin = directory.path().join("shop.twin");
    let output = database
        .program(&["snapshot", "-f", &queries, "-o", twin.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let check = || {
        let mut command = program();
        command.args(["check", "--snapshot", twin.to_str().unwrap()]);
        command
    };
    let output = with_programs(check(), &versions, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let report = report(&output);
    let score = compared(&report, &mut database.client(), &mut new);
    assert_eq!(score.invented, 0, "{score:?}");
    assert!(
        score.predicted * 100 >= score.flipped * 98,
        "at least 98 per cent: {score:?}"
    );
    let from_15_to_18 = versions.old.major <= 15 && versions.new.major == 18;
    if from_15_to_18 {
        assert!(score.flipped >= 20, "{score:?}");
        what_else_is_said(&report);
        let gated = with_programs(check(), &versions, &["--fail-on", "cannot-run"]);
        assert_eq!(gated.status.code(), Some(4), "{}", text_of(&gated));
        let text = text_of(&gated);
        assert!(
            text.contains("because of version (enable_presorted_aggregate)"),
            "{text}"
        );
        assert!(
            text.contains("--fail-on cannot-run: the view shop.buffers, statistics-view"),
            "{text}"
        );
    }
}

/// Settings that make the difference, those that are new, and a view that is refused.
fn what_else_is_said(report: &Value) {
    let statements = report["statements"].as_array().unwrap();
    let one = |id: &str| statements.iter().find(|one| one["id"] == id).unwrap();
    let distinct = one("count-distinct-grouped");
    assert_eq!(distinct["causes"], serde_json::json!(["version"]));
    assert_eq!(
        distinct["responsible"],
        serde_json::json!(["enable_presorted_aggregate"])
    );
    assert_eq!(one("statistics-view")["change"], "cannot_run");
    let settings = report["settings"].as_array().unwrap();
    let new = settings
        .iter()
        .find(|setting| setting["name"] == "enable_self_join_elimination")
        .unwrap();
    assert!(new["before"].is_null() && new["after"] == "on", "{new}");
    let notices = report["notices"].to_string();
    assert!(
        notices.contains("refuses the view shop.buffers, so an upgrade would fail"),
        "{notices}"
    );
}

#[test]
fn extensions_and_unusual_objects_are_carried_over() {
    let Some(versions) = versions() else { return };
    let sql = include_str!("upgrade/features.sql");
    let database = filled("upgrade_features", sql);
    database.run("ALTER DATABASE upgrade_features SET enable_memoize = off");
    let (_server, mut new) = upgraded(&versions.new, sql);
    new.batch_execute("SET enable_memoize = off").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let queries = file(
        directory.path(),
        "q.sql",
        include_str!("upgrade/features-queries.sql"),
    );
    let live = database.program(&["check", "-f", &queries]);
    let output = with_programs(live, &versions, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let report = report(&output);
    let score = compared(&report, &mut database.client(), &mut new);
    assert_eq!(
        (score.invented, score.predicted),
        (0, score.flipped),
        "{score:?}"
    );
    assert!(score.statements >= 25, "{score:?}");
    assert!(
        !report["settings"].to_string().contains("enable_memoize"),
        "what was set stays so"
    );
}

#[test]
fn the_sample_databases_after_an_upgrade() {
    let Some(versions) = versions() else { return };
    let mut total = Score::default();
    for sample in [
        "000-job-queue",
        "001-remote-references",
        "002-table-sync",
        "003-game-overviews",
        "004-gigs-and-events",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/workloads")
            .join(sample);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let sql = format!(
            "{};\nSET pgrehearse.scale = '0.02';\n{}",
            read("schema.sql"),
            read("data.sql")
        );
        let name = format!("upgrade_{}", sample.get(..3).unwrap());
        let database = filled(&name, &sql);
        let (_server, mut new) = upgraded(&versions.new, &sql);
        let queries = folder.join("workload.sql");
        let live = database.program(&["check", "-f", queries.to_str().unwrap()]);
        let output = with_programs(live, &versions, &["--format", "json"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{sample}: {}",
            text_of(&output)
        );
        let score = compared(&report(&output), &mut database.client(), &mut new);
        total.statements += score.statements;
        total.flipped += score.flipped;
        total.predicted += score.predicted;
        total.invented += score.invented;
        total.exact_costs += score.exact_costs;
    }
    println!("all samples: {total:?}");
    assert_eq!(
        (total.invented, total.predicted),
        (0, total.flipped),
        "{total:?}"
    );
}

#[test]
fn without_the_other_programs_nothing_is_built() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::new("upgrade_none", "CREATE TABLE t (a int)");
    let queries = file(directory.path(), "q.sql", "SELECT * FROM t;");
    let old = Binaries::find(WhenMissing::Explain).unwrap();
    let check = |version: u32| {
        let mut command = database.program(&["check", "-f", &queries]);
        command
            .env("PGREHEARSE_PG_BIN", &old.directory)
            .args(["--upgrade", &version.to_string()])
            .output()
            .unwrap()
    };
    let same = check(old.major.max(15));
    assert_ne!(same.status.code(), Some(0), "{}", text_of(&same));
    if old.major < 18 {
        let missing = check(18);
        assert_eq!(missing.status.code(), Some(1), "{}", text_of(&missing));
        let text = text_of(&missing);
        assert!(
            text.contains(&format!(
                "are of PostgreSQL {}, but PostgreSQL 18 is needed",
                old.major
            )),
            "{text}"
        );
        assert_eq!(missing.stdout, b"");
    }
    let none = check(13);
    assert_eq!(none.status.code(), Some(2), "{}", text_of(&none));
    assert!(cluster().data_directory().exists());
}
