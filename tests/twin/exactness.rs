//! Without new indexes, the twin plans every statement exactly as the server that it copies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Access, Binaries, Cluster, ClusterOptions};
use pgrehearse::internals::db::conninfo::{Environment, OsFiles, Settings, Typed, resolve};
use pgrehearse::internals::db::{Interrupt, Safety, Scope, Server, Session, SessionOptions, Twin};
use pgrehearse::internals::planner::{Answer, PlanOutcome, Planner, Question, Target};
use pgrehearse::internals::twin::Snapshot;
use pgrehearse::internals::twin::agreement::Agreement;
use pgrehearse::internals::workload::{StatementId, Workload, file};

use crate::live::{Database, cluster};

pub fn session(conninfo: &str) -> Session {
    let (settings, options) = connection(conninfo);
    Session::connect(&settings, &|_| Ok(String::new()), options).unwrap()
}

/// A session of the superuser of a server that becomes a twin.
pub fn own_session(conninfo: &str) -> Session {
    let (settings, options) = connection(conninfo);
    Session::connect_to_own(&settings, &|_| Ok(String::new()), options).unwrap()
}

fn connection(conninfo: &str) -> (Settings, SessionOptions) {
    let typed = Typed {
        dbname: Some(conninfo.to_owned()),
        ..Typed::default()
    };
    let no_variables: [(&str, &str); 0] = [];
    let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles).unwrap();
    let options = SessionOptions {
        safety: Safety::default(),
        interrupt: Interrupt::listen(|_| ()).unwrap(),
        trace: std::env::var_os("TRACE")
            .map(|_| (|sql: &str| eprintln!("{}", &sql[..sql.len().min(300)])) as fn(&str)),
    };
    (settings, options)
}

pub fn conninfo(database: &Database, role: &str) -> String {
    cluster()
        .conninfo_of(&database.name)
        .replace("user=postgres", &format!("user={role}"))
}

/// A server and its twin.
pub struct Pair {
    pub server: Session,
    pub twin: Twin,
}

/// A twin with this snapshot.
pub fn load(snapshot: &Snapshot) -> Twin {
    load_into(start(), snapshot)
}

/// A server for a twin.
pub fn start() -> Cluster {
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let options = ClusterOptions {
        settings: "shared_buffers = 32MB\nsynchronous_commit = off\n".to_owned(),
        without_checksums: true,
        access: Access::Password,
        ..ClusterOptions::default()
    };
    let began = Instant::now();
    let copy = Cluster::start(&binaries, &options, &|| false).unwrap();
    eprintln!("cluster {:?}", began.elapsed());
    copy
}

/// A twin with this snapshot on this server.
pub fn load_into(copy: Cluster, snapshot: &Snapshot) -> Twin {
    let twin_session = own_session(&copy.conninfo());
    let began = Instant::now();
    let twin = Twin::load(snapshot, copy, twin_session).unwrap();
    eprintln!("load {:?}", began.elapsed());
    twin
}

impl Pair {
    pub fn of(database: &Database) -> Pair {
        Pair::seen_by(database, "postgres").0
    }

    /// The server with this role, its twin, and the snapshot.
    pub fn seen_by(database: &Database, role: &str) -> (Pair, Snapshot) {
        Pair::connected(&conninfo(database, role))
    }

    pub fn connected(conninfo: &str) -> (Pair, Snapshot) {
        let server = session(conninfo);
        let began = Instant::now();
        let snapshot = server.snapshot(&Scope::Everything).unwrap();
        eprintln!("snapshot {:?}", began.elapsed());
        let twin = load(&snapshot);
        (Pair { server, twin }, snapshot)
    }

    pub fn compare(&mut self, workload: &Workload) -> BTreeMap<StatementId, Agreement> {
        let Answer::Planned(real) = Server::new(&self.server)
            .ask(&Question::plans(Target::Server, workload.statements()))
            .unwrap()
        else {
            panic!()
        };
        let Answer::Planned(copy) = self
            .twin
            .ask(&Question::plans(Target::Twin, workload.statements()))
            .unwrap()
        else {
            panic!()
        };
        let mut agreements = BTreeMap::new();
        for (id, outcome) in &real.plans {
            let agreement = match (outcome, &copy.plans[id]) {
                (PlanOutcome::Plan(real), PlanOutcome::Plan(copy)) => {
                    Agreement::between(real, copy)
                }
                (PlanOutcome::Failed(real), PlanOutcome::Failed(copy)) if real == copy => {
                    eprintln!("{id}: {real}");
                    Agreement::Exact
                }
                (real, copy) if real == copy => Agreement::Exact,
                (real, copy) => {
                    eprintln!("{id}: {real:?}\n{copy:?}");
                    Agreement::Different
                }
            };
            if agreement != Agreement::Exact {
                eprintln!(
                    "{id}: {agreement:?}\n{:?}\n{:?}",
                    outcome.plan(),
                    copy.plans[id].plan()
                );
            }
            agreements.insert(id.clone(), agreement);
        }
        agreements
    }
}

/// The five sample workloads.
pub const SAMPLES: [&str; 5] = [
    "000-job-queue",
    "001-remote-references",
    "002-table-sync",
    "003-game-overviews",
    "004-gigs-and-events",
];

/// A sample workload's statements.
pub fn sample_sql(sample: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/workloads")
        .join(sample);
    std::fs::read_to_string(folder.join("workload.sql")).unwrap()
}

/// The script names the database `features`, so two tests cannot use it at the same time.
pub fn features_database() -> MutexGuard<'static, ()> {
    static FEATURES: Mutex<()> = Mutex::new(());
    FEATURES.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn workload(sql: &str) -> Workload {
    let mut workload = Workload::default();
    file::read("workload.sql", sql, &mut workload).unwrap();
    workload
}

#[test]
fn the_sample_workloads_are_planned_alike() {
    for sample in SAMPLES {
        let database = Database::sample(&format!("twin_{}", &sample[..3]), sample, "0.2");
        let agreements = Pair::of(&database).compare(&workload(&sample_sql(sample)));
        assert!(!agreements.is_empty());
        assert!(
            agreements
                .values()
                .all(|agreement| *agreement == Agreement::Exact),
            "{sample}: {agreements:?}"
        );
    }
}

/// The planner still sees rows at the end of an index that were deleted while another transaction
/// of the server was running.
pub fn wait_for_older_transactions(database: &Database) {
    let now = database.text("SELECT pg_current_xact_id()");
    let over = || {
        database.text(&format!(
            "SELECT pg_snapshot_xmin(pg_current_snapshot()) > '{now}'::xid8"
        )) == "t"
    };
    let began = Instant::now();
    while !over() {
        assert!(
            began.elapsed().as_secs() < 120,
            "a transaction does not end"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Everything that the planner reads, and tables that changed since their ANALYZE.
#[test]
fn every_kind_of_table_and_index_is_planned_alike() {
    let _guard = features_database();
    let database = Database::new("features", include_str!("features.sql"));
    include_str!("features-drift.sql")
        .lines()
        .for_each(|statement| database.run(statement));
    wait_for_older_transactions(&database);
    let agreements = Pair::of(&database).compare(&workload(include_str!("features-queries.sql")));
    assert_eq!(agreements.len(), 69);
    let different: Vec<_> = agreements
        .iter()
        .filter(|(_, agreement)| **agreement != Agreement::Exact)
        .collect();
    assert!(different.is_empty(), "{different:?}");
}

/// Unusual objects: user-defined names, types and operators, partitions of every kind, settings of
/// a role.
#[test]
fn what_is_rarely_seen_is_planned_alike() {
    Database::new("twin_oddities", "DROP ROLE IF EXISTS twin_oddities_role");
    let database = Database::new("twin_oddities", "");
    include_str!("oddities.sql")
        .split("-- commit")
        .for_each(|part| database.run(&format!("--{part}")));
    let mut queries = include_str!("oddities-queries.sql").to_owned();
    if database
        .client()
        .batch_execute(include_str!("oddities-icu.sql"))
        .is_ok()
    {
        queries += include_str!("oddities-icu-queries.sql");
    }
    if database.text("SHOW server_version_num").as_str() >= "180000" {
        database.run(include_str!("oddities-18.sql"));
        queries += include_str!("oddities-18-queries.sql");
    }
    let (mut pair, snapshot) = Pair::seen_by(&database, "twin_oddities_role");
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let agreements = pair.compare(&workload(&queries));
    let different: Vec<_> = agreements
        .iter()
        .filter(|(_, agreement)| **agreement != Agreement::Exact)
        .collect();
    assert!(different.is_empty(), "{different:?}");
}
