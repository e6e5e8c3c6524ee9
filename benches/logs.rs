//! How fast server logs are read, beside pgBadger in the same run, and how much memory that takes:
//! `pgrehearse explain --log FILE --top 1`, measured from outside, against `pgbadger -j 1`. The aim:
//! at least 30 times the bytes for each second of processor time, and memory that does not grow with
//! the log.
//!
//! Run with `make bench-logs` (Debian: `apt-get install pgbadger`; without it only our own numbers are
//! printed). `--mb 500` makes the logs larger; `--file PATH` reads a log of your own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints what it measured"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};

/// `log_line_prefix` of the logs.
const PREFIX: &str = "%m [%p] %q%u@%d ";

/// `USER_HZ`: the unit of times in /proc, the same on every Linux that we know.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() {
    // Among tests a benchmark only has to build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let megabytes: usize = option("--mb").map_or(100, |text| text.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let cluster = Cluster::start(&binaries, &ClusterOptions::default(), &|| false).unwrap();
    let logs = match option("--file") {
        Some(file) => vec![("given", PathBuf::from(file))],
        None => [
            ("literals", literals as fn(usize) -> String),
            ("parameters", parameters),
            ("long statements", long_statements),
        ]
        .map(|(name, entry)| (name, written(directory.path(), name, entry, megabytes)))
        .to_vec(),
    };
    println!(
        "{:<16} {:>6} | {:>10} {:>8} {:>9} {:>8} | {:>10} {:>9} | {:>6}",
        "", "MB", "ours CPU s", "wall s", "MB/CPU s", "most MB", "pgBadger s", "MB/CPU s", "times"
    );
    for (name, log) in logs {
        row(name, &log, &cluster.conninfo(), directory.path());
    }
}

fn option(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

fn row(name: &str, log: &Path, conninfo: &str, directory: &Path) {
    let megabytes = fs::metadata(log).unwrap().len() as f64 / 1e6;
    let mut ours = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
    ours.args(["explain", "-q", "--top", "1", "-d", conninfo, "--log"])
        .arg(log);
    let ours = measured(&mut ours);
    let mut theirs = Command::new("pgbadger");
    theirs
        .args(["-j", "1", "-q", "-f", "stderr", "-p", PREFIX, "-o"])
        .arg(directory.join("pgbadger.json"))
        .arg(log);
    let theirs = Command::new("pgbadger")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok()
        .then(|| measured(&mut theirs));
    let speed = |used: &Used| megabytes / used.processor_s;
    let (badger_s, badger_speed, times) = match &theirs {
        Some(theirs) => (
            format!("{:.1}", theirs.processor_s),
            format!("{:.1}", speed(theirs)),
            format!("{:.1}", speed(&ours) / speed(theirs)),
        ),
        None => ("–".to_owned(), "–".to_owned(), "–".to_owned()),
    };
    println!(
        "{name:<16} {megabytes:>6.0} | {:>10.2} {:>8.2} {:>9.1} {:>8.0} | {badger_s:>10} {badger_speed:>9} | {times:>6}",
        ours.processor_s,
        ours.wall.as_secs_f64(),
        speed(&ours),
        ours.most_megabytes
    );
}

/// What a program took.
struct Used {
    processor_s: f64,
    wall: Duration,
    most_megabytes: f64,
}

fn measured(command: &mut Command) -> Used {
    let before = processor_time_of_children();
    let began = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most_kilobytes: f64 = 0.0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most_kilobytes = most_kilobytes.max(kilobytes.unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(5));
    }
    Used {
        processor_s: processor_time_of_children() - before,
        wall: began.elapsed(),
        most_megabytes: most_kilobytes / 1e3,
    }
}

/// `cutime` and `cstime` of /proc/self/stat, the 16th and 17th field: children that have ended.
fn processor_time_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = &stat[stat.rfind(')').unwrap() + 2..];
    let fields: Vec<&str> = behind_name.split(' ').collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    (ticks(16) + ticks(17)) / TICKS_PER_SECOND
}

fn written(directory: &Path, name: &str, entry: fn(usize) -> String, megabytes: usize) -> PathBuf {
    let path = directory.join(format!("{}.log", name.replace(' ', "-")));
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut bytes = 0;
    for number in 0.. {
        let text = entry(number);
        file.write_all(text.as_bytes()).unwrap();
        bytes += text.len();
        if bytes >= megabytes * 1_000_000 {
            break;
        }
    }
    file.flush().unwrap();
    path
}

/// `2024-05-01 12:00:00.123 UTC [4711] app@shop LOG:  duration: …`
fn head(number: usize) -> String {
    let (seconds, millis) = (number / 50, number * 20 % 1_000);
    format!(
        "2024-05-{:02} {:02}:{:02}:{:02}.{millis:03} UTC [{}] app@shop LOG:  duration: {}.{:03} ms ",
        1 + seconds / 86_400 % 28,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        4_000 + number % 90,
        number % 40,
        number * 7 % 1_000
    )
}

/// Statements with literals: 40 shapes.
fn literals(number: usize) -> String {
    let shape = number % 40;
    format!(
        "{} statement: SELECT o.id, o.total, o.state, c.name FROM orders_{shape} o JOIN customers c ON c.id = o.customer_id WHERE o.customer_id = {} \
         AND o.placed > '2024-04-{:02} 00:00:00' AND o.state IN ('open', 'paid', 'it''s {}') ORDER BY o.placed DESC LIMIT 20\n",
        head(number),
        number * 31 % 90_001,
        1 + number % 30,
        number % 1_000
    )
}

/// The extended protocol: parse and bind are logged, too, and the values.
fn parameters(number: usize) -> String {
    let shape = number % 40;
    let sql = format!(
        "<unnamed>: SELECT id, total FROM orders_{shape} WHERE customer_id = $1 AND placed > $2"
    );
    format!(
        "{head} parse {sql}\n{head} execute {sql}\n{detail}DETAIL:  parameters: $1 = '{}', $2 = '2024-04-{:02} 00:00:00+00'\n",
        number * 31 % 90_001,
        1 + number % 30,
        head = head(number),
        detail = head(number).split("LOG:").next().unwrap()
    )
}

/// Reports over many lines, with long lists.
fn long_statements(number: usize) -> String {
    let list: Vec<String> = (0..120)
        .map(|i| (number * 17 + i * 31).to_string())
        .collect();
    let columns: Vec<String> = (0..30)
        .map(|i| format!("\t\to.column_{i} AS c{i}"))
        .collect();
    format!(
        "{} execute <unnamed>: SELECT\n{}\n\tFROM orders_{} o\n\tWHERE o.id IN ({})\n\t  AND o.note LIKE '%{}%' -- a comment\n\tGROUP BY 1, 2\n",
        head(number),
        columns.join(",\n"),
        number % 12,
        list.join(", "),
        number % 777
    )
}
