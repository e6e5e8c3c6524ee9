//! What a question costs: to the planner twin, to HypoPG (where the server has it), and to the
//! server that really builds the index.
//!
//! `cargo bench --bench twin`; `SCALE` is the size of the sample workload (1 is 200 000 rows). It
//! starts its own servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints"
)]

#[path = "../tests/common/live.rs"]
#[allow(dead_code, reason = "the program itself is not run")]
mod live;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use live::{Database, cluster};
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Access, Binaries, Cluster, ClusterOptions};
use pgrehearse::internals::db::conninfo::{Environment, OsFiles, Settings, Typed, resolve};
use pgrehearse::internals::db::{
    Interrupt, NamedColumns, Safety, SampleSource, Scope, Server, Session, SessionOptions, Twin,
};
use pgrehearse::internals::index::NamedIndex;
use pgrehearse::internals::index::parse_index;
use pgrehearse::internals::planner::{Answer, Planner, Question, Target};
use pgrehearse::internals::sql::fingerprint::identifiers;
use pgrehearse::internals::workload::{Statement, Workload, file};

const SAMPLE: &str = "002-table-sync";
const CANDIDATES: &str = include_str!("../tests/twin/candidates/002.txt");
const ROUNDS: usize = 200;

fn main() {
    let scale = std::env::var("SCALE").unwrap_or_else(|_| "1".to_owned());
    let database = Database::sample("speed", SAMPLE, &scale);
    let workload = workload();
    let statements = workload.statements();
    let indexes = indexes();
    let server = session(&cluster().conninfo_of(&database.name));
    println!(
        "{} candidates, {} statements, scale {scale}",
        indexes.len(),
        statements.len()
    );

    let mut twin = twin(&server);
    create(
        "new candidate, statistics only",
        &mut twin,
        &indexes,
        |_, _| (),
    );
    let mut columns = NamedColumns::default();
    for statement in statements {
        columns.add(&BTreeSet::new(), &identifiers(&statement.sql));
    }
    let mut sampled = self::twin(&server);
    let fetch = |twin: &mut Twin, index: &NamedIndex| {
        for request in twin.needed_samples(index, &columns).unwrap().requests {
            if let Some(sample) = server.sample(&request).unwrap() {
                twin.add_sample(&sample).unwrap();
            }
        }
    };
    create("new candidate, with samples", &mut sampled, &indexes, fetch);

    questions(
        "what-if, 1 index, 1 statement",
        &mut twin,
        &indexes,
        &statements[1..2],
    );
    questions(
        "what-if, 1 index, all statements",
        &mut twin,
        &indexes,
        statements,
    );
    let mut sets: Vec<Duration> = (0..ROUNDS)
        .map(|_| time(|| plan(&mut twin, &indexes[..4], statements)))
        .collect();
    report("what-if, 4 indexes, all statements", &mut sets);
    hypopg(&database, &statements[1]);
    let mut real = Server::new(&server);
    let tables: BTreeSet<_> = indexes
        .iter()
        .map(|index| index.definition.table.clone())
        .collect();
    real.catalog(&tables).unwrap();
    let mut builds: Vec<Duration> = indexes
        .iter()
        .map(|index| time(|| plan(&mut real, std::slice::from_ref(index), &statements[1..2])))
        .collect();
    report("really built, 1 statement", &mut builds);
}

fn session(conninfo: &str) -> Session {
    let (settings, options) = connection(conninfo);
    Session::connect(&settings, &|_| Ok(String::new()), options).unwrap()
}

/// A session of the superuser of a server that becomes a twin.
fn own_session(conninfo: &str) -> Session {
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
        interrupt: Interrupt::never(),
        trace: None,
    };
    (settings, options)
}

fn twin(server: &Session) -> Twin {
    let snapshot = server.snapshot(&Scope::Everything).unwrap();
    let options = ClusterOptions {
        settings: "shared_buffers = 32MB\nsynchronous_commit = off\n".to_owned(),
        without_checksums: true,
        access: Access::Password,
        ..ClusterOptions::default()
    };
    let copy = Cluster::start(
        &Binaries::find(WhenMissing::Explain).unwrap(),
        &options,
        &|| false,
    )
    .unwrap();
    let session = own_session(&copy.conninfo());
    Twin::load(&snapshot, copy, session).unwrap()
}

fn workload() -> Workload {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/workloads")
        .join(SAMPLE)
        .join("workload.sql");
    let mut workload = Workload::default();
    file::read(
        "workload.sql",
        &std::fs::read_to_string(path).unwrap(),
        &mut workload,
    )
    .unwrap();
    workload
}

fn indexes() -> Vec<NamedIndex> {
    let index = |(number, line): (usize, &str)| NamedIndex {
        name: format!("candidate_{number}"),
        definition: parse_index(&format!("CREATE INDEX i {line}")).unwrap(),
    };
    CANDIDATES.lines().enumerate().map(index).collect()
}

fn time(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn plan(planner: &mut dyn Planner, indexes: &[NamedIndex], statements: &[Statement]) {
    // The twin answers whatever target is named.
    let question = Question::plans(Target::Server, statements).with_indexes(indexes);
    assert!(matches!(
        planner.ask(&question).unwrap(),
        Answer::Planned(_)
    ));
}

fn create(
    what: &str,
    twin: &mut Twin,
    indexes: &[NamedIndex],
    before: impl Fn(&mut Twin, &NamedIndex),
) {
    let one = |index| {
        time(|| {
            before(twin, index);
            plan(twin, std::slice::from_ref(index), &[]);
        })
    };
    let mut times: Vec<Duration> = indexes.iter().map(one).collect();
    report(what, &mut times);
}

fn questions(what: &str, twin: &mut Twin, indexes: &[NamedIndex], statements: &[Statement]) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.extend(
            indexes
                .iter()
                .map(|index| time(|| plan(twin, std::slice::from_ref(index), statements))),
        );
    }
    report(what, &mut times);
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let total: Duration = times.iter().sum();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{what:36} median {:>9.3} ms  p90 {:>9.3} ms  mean {:>9.3} ms  {:>9.1} a second",
        at(0.5),
        at(0.9),
        total.as_secs_f64() * 1e3 / times.len() as f64,
        times.len() as f64 / total.as_secs_f64()
    );
}

fn hypopg(database: &Database, statement: &Statement) {
    let mut client = database.client();
    if client.batch_execute("CREATE EXTENSION hypopg").is_err() {
        println!("hypopg: this server does not have it");
        return;
    }
    let indexes: Vec<&str> = CANDIDATES
        .lines()
        .filter(|line| !line.contains("USING"))
        .collect();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        for line in &indexes {
            times.push(time(|| {
                let create = "SELECT hypopg_create_index($1)";
                client
                    .execute(create, &[&format!("CREATE INDEX {line}")])
                    .unwrap();
                client
                    .simple_query(&format!("EXPLAIN (FORMAT JSON, VERBOSE) {}", statement.sql))
                    .unwrap();
                client.batch_execute("SELECT hypopg_reset()").unwrap();
            }));
        }
    }
    report("hypopg, 1 index, 1 statement", &mut times);
}
