//! The five sample workloads at full size: 5 M transactions, 2 M jobs, 1 M references and 1.5 M saved items, 1 M overviews, 2 M orders.

use std::path::Path;
use std::sync::Mutex;

use super::judge::Group;
use super::server::Server;

/// Folder, `pgrehearse.scale` at full size, tables. Those that take longest first: two are loaded at a time.
const SAMPLES: &[(&str, f64, &[&str])] = &[
    ("002-table-sync", 25.0, &["transactions", "user_balance"]),
    ("004-gigs-and-events", 10.0, &["gigs", "orders", "events"]),
    ("000-job-queue", 10.0, &["jobs"]),
    ("001-remote-references", 10.0, &["remote_ref", "saved_item"]),
    ("003-game-overviews", 5.0, &["overviews"]),
];

fn read(sample: &str, file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/workloads").join(sample);
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// Two at a time; VACUUM comes in sessions of its own, when the first ones' changes are counted.
pub fn load(server: &Server, database: &str, share: f64) {
    let waiting = Mutex::new(SAMPLES.iter());
    let work = || {
        while let Some((sample, scale, _)) = { waiting.lock().unwrap().next() } {
            let scale = scale * share;
            let load = format!(
                "SET pgrehearse.scale = '{scale}';\n{}\n{}",
                read(sample, "schema.sql"),
                read(sample, "data.sql")
            );
            server.client(database).batch_execute(&load).unwrap();
            let mut client = server.client(database);
            read(sample, "finish.sql").lines().for_each(|line| client.batch_execute(line).unwrap());
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(work);
        threads.spawn(work);
    });
}

/// All statements, with their calls, or each once.
pub fn workload(with_calls: bool) -> String {
    let mut samples: Vec<&str> = SAMPLES.iter().map(|(sample, _, _)| *sample).collect();
    samples.sort_unstable();
    let text: String = samples.iter().map(|sample| read(sample, "workload.sql")).collect::<Vec<_>>().join("\n");
    if with_calls {
        return text;
    }
    text.lines().filter(|line| !line.starts_with("-- calls:")).collect::<Vec<_>>().join("\n")
}

/// Which tables make a sample.
pub fn groups() -> Vec<Group> {
    let group = |(sample, _, tables): &(&str, f64, &[&str])| Group {
        name: (*sample).to_owned(),
        tables: tables.iter().map(|table| (*table).to_owned()).collect(),
    };
    let mut groups: Vec<Group> = SAMPLES.iter().map(group).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}
