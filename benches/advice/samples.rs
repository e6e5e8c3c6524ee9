//! The five sample workloads at full size: 5 M transactions, 2 M jobs, 1 M references and 1.5 M
//! saved items, 1 M overviews, 2 M orders.

use std::path::Path;
use std::sync::Mutex;

use super::case_files::{About, Case, named};
use super::judge::Group;
use super::server::Server;

/// Folder, `pgrehearse.scale` at full size, tables.
type Sample = (&'static str, f64, &'static [&'static str]);

/// Those that take longest first: two are loaded at a time.
const SAMPLES: &[Sample] = &[
    ("002-table-sync", 25.0, &["transactions", "user_balance"]),
    ("004-gigs-and-events", 10.0, &["gigs", "orders", "events"]),
    ("000-job-queue", 10.0, &["jobs"]),
    ("001-remote-references", 10.0, &["remote_ref", "saved_item"]),
    ("003-game-overviews", 5.0, &["overviews"]),
];

fn read(sample: &str, file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/workloads")
        .join(sample);
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// Two at a time. VACUUM comes when all is there and the loading sessions are gone: a transaction
/// that is still open would keep pages from becoming all-visible, and counts of changes only arrive
/// when a session ends.
pub fn load(server: &Server, database: &str, share: f64) {
    two_at_a_time(|(sample, scale, _)| {
        let scale = scale * share;
        let (schema, data) = (read(sample, "schema.sql"), read(sample, "data.sql"));
        let script = format!("SET pgrehearse.scale = '{scale}';\n{schema}\n{data}");
        server.client(database).batch_execute(&script).unwrap();
    });
    for (sample, _, _) in SAMPLES {
        let mut client = server.client(database);
        read(sample, "finish.sql")
            .lines()
            .for_each(|line| client.batch_execute(line).unwrap());
    }
}

/// Each as a case without an expert.
pub fn cases(share: f64) -> Vec<Case> {
    let mut samples: Vec<&Sample> = SAMPLES.iter().collect();
    samples.sort_by_key(|(sample, _, _)| *sample);
    let case = |(sample, scale, _): &&Sample| {
        let (schema, data) = (read(sample, "schema.sql"), read(sample, "data.sql"));
        let scale = scale * share;
        let mut setup = vec![format!(
            "SET pgrehearse.scale = '{scale}';\n{schema}\n{data}"
        )];
        setup.extend(read(sample, "finish.sql").lines().map(str::to_owned));
        let workload = read(sample, "workload.sql");
        Case {
            name: (*sample).to_owned(),
            about: About::default(),
            setup,
            measured: named(&workload),
            workload,
            expert: Vec::new(),
            expert_queries: Vec::new(),
        }
    };
    samples.iter().map(case).collect()
}

fn two_at_a_time(work: impl Fn(&Sample) + Sync) {
    let waiting = Mutex::new(SAMPLES.iter());
    let worker = || {
        while let Some(sample) = { waiting.lock().unwrap().next() } {
            work(sample);
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(worker);
        threads.spawn(worker);
    });
}

/// All statements, with their calls, or each once.
pub fn workload(with_calls: bool) -> String {
    let mut samples: Vec<&str> = SAMPLES.iter().map(|(sample, _, _)| *sample).collect();
    samples.sort_unstable();
    let text: String = samples
        .iter()
        .map(|sample| read(sample, "workload.sql"))
        .collect::<Vec<_>>()
        .join("\n");
    if with_calls {
        return text;
    }
    text.lines()
        .filter(|line| !line.starts_with("-- calls:"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Which tables make a sample.
pub fn groups() -> Vec<Group> {
    let group = |(sample, _, tables): &Sample| Group {
        name: (*sample).to_owned(),
        tables: tables.iter().map(|table| (*table).to_owned()).collect(),
    };
    let mut groups: Vec<Group> = SAMPLES.iter().map(group).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}
