//! How the time and the memory of `advise` grow with the workload: `make bench-growth`.
//!
//! Statements as an ORM makes them, of up to 56 templates on 46 tables, each with values of its own;
//! the planner twin of a throwaway server is asked. The exponent is that of the power law through
//! the measured times (least squares of their logarithms). Then the largest workload once more with
//! one twin and with as many as there are processors, in turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints what it measured"
)]

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls};
use serde_json::Value;

#[derive(Debug, Parser)]
struct Options {
    /// Numbers of statements
    #[arg(long, value_delimiter = ',', default_value = "10,30,100,300,1000")]
    statements: Vec<usize>,
    /// How often each is measured; the fastest counts
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// The number of statements with which numbers of twins are compared; 0 does not compare them
    #[arg(long, default_value_t = 100)]
    compare_jobs: usize,
    /// Also verify on the server
    #[arg(long)]
    verify: bool,
    /// Further options for `advise`
    #[arg(long, value_delimiter = ' ')]
    with: Vec<String>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

const TABLES: usize = 46;
const TEMPLATES: usize = 56;

/// Numbers that are the same in each run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }
}

struct Table {
    name: String,
    rows: usize,
    /// The table that it refers to.
    parent: usize,
}

fn tables() -> Vec<Table> {
    let mut numbers = Numbers(7);
    let table = |number: usize| Table {
        name: format!("thing{number}"),
        rows: [500, 2_000, 8_000, 20_000, 40_000, 60_000][numbers.below(6)],
        parent: numbers.below(number.max(1)),
    };
    (0..TABLES).map(table).collect()
}

fn schema(tables: &[Table]) -> String {
    let mut sql = String::from("SELECT setseed(0.5);");
    for Table { name, rows, parent } in tables {
        let parents = tables[*parent].rows;
        let _ = write!(
            sql,
            "CREATE TABLE {name} (id bigserial PRIMARY KEY, parent_id bigint NOT NULL, tenant_id int NOT NULL, state varchar(20) NOT NULL,
                name text, email text, amount numeric(10, 2), created_at timestamptz NOT NULL, updated_at timestamptz, deleted_at timestamptz, meta jsonb);
             INSERT INTO {name} (parent_id, tenant_id, state, name, email, amount, created_at, updated_at, deleted_at, meta)
             SELECT 1 + (random() * {parents})::int, 1 + (power(random(), 3) * 200)::int,
                (ARRAY['active', 'active', 'active', 'active', 'pending', 'done', 'done', 'failed'])[1 + (random() * 7)::int],
                '{name} ' || n, 'u' || n || '@example.org', random() * 1000, now() - random() * interval '400 days',
                now() - random() * interval '40 days', CASE WHEN random() < 0.1 THEN now() END, jsonb_build_object('k', n % 50)
             FROM generate_series(1, {rows}) AS n;"
        );
    }
    sql + "ANALYZE;"
}

/// The statement of a template with values.
fn statement(number: usize, tables: &[Table], numbers: &mut Numbers) -> String {
    let template = number % TEMPLATES;
    let table = &tables[template % TABLES];
    let (name, parent) = (&table.name, &tables[table.parent]);
    let owner = 1 + numbers.below(parent.rows);
    let (tenant, day) = (1 + numbers.below(200), 1 + numbers.below(30));
    let row = 1 + numbers.below(table.rows);
    let state = ["active", "pending", "done", "failed"][numbers.below(4)];
    match template * 7 % 9 {
        0 => format!(
            "SELECT * FROM {name} WHERE parent_id = {owner} ORDER BY created_at DESC LIMIT 20"
        ),
        1 => format!(
            "SELECT * FROM {name} WHERE tenant_id = {tenant} AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 25"
        ),
        2 => format!("SELECT 1 AS one FROM {name} WHERE email = 'u{row}@example.org' LIMIT 1"),
        3 => {
            format!("SELECT count(*) FROM {name} WHERE state = '{state}' AND tenant_id = {tenant}")
        }
        4 => format!(
            "SELECT c.* FROM {name} AS c INNER JOIN {parent} AS p ON p.id = c.parent_id WHERE p.tenant_id = {tenant} AND c.state = '{state}' \
             ORDER BY c.id LIMIT 50",
            parent = parent.name
        ),
        5 => format!("SELECT * FROM {name} WHERE parent_id IN ({owner}, {row}, {day})"),
        6 => format!(
            "UPDATE {name} SET updated_at = now() WHERE parent_id = {owner} AND state = '{state}'"
        ),
        7 => format!(
            "SELECT sum(amount) FROM {name} WHERE created_at > now() - interval '{day} days' AND tenant_id = {tenant}"
        ),
        _ => format!("SELECT * FROM {name} WHERE lower(email) = 'u{row}@example.org'"),
    }
}

fn workload(statements: usize, tables: &[Table]) -> String {
    let mut numbers = Numbers(3);
    let mut sql = String::new();
    for number in 0..statements {
        let text = statement(number, tables, &mut numbers);
        let _ = writeln!(sql, "-- name: s{number}\n{text};");
    }
    sql
}

/// What one run took.
struct Run {
    time: Duration,
    /// Of the program, without its twins.
    memory_mb: f64,
    explains: u64,
    indexes: usize,
}

/// The most memory that a running process has had.
fn peak_memory_mb(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1_024.0)
}

fn run(server: &Cluster, file: &std::path::Path, arguments: &[String]) -> Run {
    let began = Instant::now();
    let mut running = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args([
            "advise",
            "-q",
            "--format",
            "json",
            "-d",
            &server.conninfo(),
            "-f",
        ])
        .arg(file)
        .args(arguments)
        .stdout(Stdio::from(
            std::fs::File::create(file.with_extension("json")).unwrap(),
        ))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut memory_mb: f64 = 0.0;
    let status = loop {
        if let Some(memory) = peak_memory_mb(running.id()) {
            memory_mb = memory_mb.max(memory);
        }
        if let Some(status) = running.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let time = began.elapsed();
    assert!(status.success(), "advise: {status}");
    let report = std::fs::read(file.with_extension("json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    Run {
        time,
        memory_mb,
        explains: report["rehearsal"]["twin_explains"].as_u64().unwrap(),
        indexes: report["recommendations"].as_array().unwrap().len(),
    }
}

fn fastest(runs: impl Iterator<Item = Run>) -> Run {
    runs.min_by_key(|run| run.time).unwrap()
}

/// Of `time = a × statements ^ exponent`.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let logarithms: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let number = logarithms.len() as f64;
    let mean_x = logarithms.iter().map(|(x, _)| x).sum::<f64>() / number;
    let mean_y = logarithms.iter().map(|(_, y)| y).sum::<f64>() / number;
    let above: f64 = logarithms
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    above
        / logarithms
            .iter()
            .map(|(x, _)| (x - mean_x).powi(2))
            .sum::<f64>()
}

/// A bar for each time, on a logarithmic scale.
fn plot(points: &[(f64, f64)]) {
    const COLUMNS: f64 = 50.0;
    let least = points
        .iter()
        .map(|(_, time)| *time)
        .fold(f64::MAX, f64::min);
    let most = points.iter().map(|(_, time)| *time).fold(0.0, f64::max);
    for (statements, time) in points {
        let share = (time / least).ln() / (most / least).ln().max(f64::MIN_POSITIVE);
        let bar = "█".repeat(1 + (share * COLUMNS) as usize);
        println!("{statements:>6}  {bar} {time:.1} s");
    }
}

fn main() {
    let options = Options::parse();
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let server = Cluster::start(&binaries, &ClusterOptions::default(), &|| false).unwrap();
    let tables = tables();
    Client::connect(&server.conninfo(), NoTls)
        .unwrap()
        .batch_execute(&schema(&tables))
        .unwrap();
    let folder = std::env::temp_dir().join(format!("growth-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let rehearse = if options.verify {
        "--yes"
    } else {
        "--rehearse=twin"
    };
    let mut arguments = vec![rehearse.to_owned()];
    arguments.extend(options.with.clone());
    println!("statements       s    MB  EXPLAINs  indexes");
    let mut points = Vec::new();
    for number in &options.statements {
        let file = folder.join(format!("{number}.sql"));
        std::fs::write(&file, workload(*number, &tables)).unwrap();
        let run = fastest((0..options.rounds).map(|_| run(&server, &file, &arguments)));
        println!(
            "{number:>10}  {:>6.1}  {:>4.0}  {:>8}  {:>7}",
            run.time.as_secs_f64(),
            run.memory_mb,
            run.explains,
            run.indexes
        );
        points.push((*number as f64, run.time.as_secs_f64()));
    }
    println!("time ~ statements ^ {:.2}", exponent(&points));
    plot(&points);
    if options.compare_jobs > 0 {
        let file = folder.join("jobs.sql");
        std::fs::write(&file, workload(options.compare_jobs, &tables)).unwrap();
        let with = |jobs: &str| {
            let jobs = ["--jobs", jobs].map(str::to_owned);
            run(&server, &file, &[arguments.as_slice(), &jobs].concat())
        };
        let mut pairs = Vec::new();
        for _ in 0..options.rounds {
            pairs.push((with("1").time.as_secs_f64(), with("2").time.as_secs_f64()));
        }
        for (one, two) in pairs {
            println!(
                "{} statements: --jobs 1 {one:.1} s, --jobs 2 {two:.1} s: {:.2} ×",
                options.compare_jobs,
                one / two
            );
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
