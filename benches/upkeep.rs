//! What an index costs writers, predicted and measured: `make bench-upkeep`.
//!
//! For each access method: a table with rows, more rows are inserted (or changed) with the index and
//! without it, and the difference is set against what the program says that a row costs
//! (`upkeep_cost`). Time is the CPU time of the server process, because that is what a busy machine
//! changes least; a pending list of GIN is flushed within it. What a planner unit is worth is
//! measured, too, as pgbench's readers pay for it: a row by its primary key, in a statement of its
//! own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints what it measured"
)]

use std::process::Command;

use clap::Parser;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Access, Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls, SimpleQueryMessage};
use serde_json::Value;

#[derive(Debug, Parser)]
struct Options {
    /// Rows that the table has
    #[arg(long, default_value_t = 100_000)]
    rows: u32,
    /// Rows that are inserted
    #[arg(long, default_value_t = 40_000)]
    more: u32,
    /// How often each is measured; the fastest counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Only the cases whose index has this in its definition
    #[arg(long)]
    only: Option<String>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// An index, and a statement that wants it.
struct Case {
    /// What follows the table's name in CREATE INDEX.
    index: &'static str,
    reads: &'static str,
    writes: Writes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writes {
    Inserts,
    /// Of the indexed column: without the index they are HOT.
    Updates,
}

const fn inserts(index: &'static str, reads: &'static str) -> Case {
    Case {
        index,
        reads,
        writes: Writes::Inserts,
    }
}

const CASES: &[Case] = &[
    inserts("(number)", "SELECT * FROM item WHERE number = 5"),
    inserts("(hash)", "SELECT * FROM item WHERE hash = 'x'"),
    inserts(
        "(shop, number)",
        "SELECT * FROM item WHERE shop = 5 AND number > 999000000",
    ),
    inserts(
        "(number) INCLUDE (hash)",
        "SELECT hash FROM item WHERE number BETWEEN 5000 AND 9000000",
    ),
    inserts(
        "(number) WHERE shop IS NULL",
        "SELECT * FROM item WHERE shop IS NULL AND number < 100000",
    ),
    Case {
        index: "(number)",
        reads: "SELECT * FROM item WHERE number = 5",
        writes: Writes::Updates,
    },
    inserts("USING hash (hash)", "SELECT * FROM item WHERE hash = 'x'"),
    inserts(
        "USING brin (at)",
        "SELECT count(*) FROM item WHERE at BETWEEN '2024-01-10' AND '2024-01-14'",
    ),
    inserts(
        "USING gin (tags)",
        "SELECT * FROM item WHERE tags @> ARRAY[5, 900]",
    ),
    inserts(
        "USING gin (marks)",
        "SELECT * FROM item WHERE marks @> ARRAY[77]",
    ),
    inserts("USING gin (doc)", "SELECT * FROM item WHERE doc ? 'x'"),
    inserts(
        "USING gin (doc jsonb_path_ops)",
        "SELECT * FROM item WHERE doc @> '{\"user\": 7}'",
    ),
    inserts(
        "USING gin (lexemes)",
        "SELECT * FROM item WHERE lexemes @@ 'w77'::tsquery",
    ),
    inserts(
        "USING gin (to_tsvector('simple', body))",
        "SELECT * FROM item WHERE to_tsvector('simple', body) @@ 'w77'::tsquery",
    ),
    inserts(
        "USING gin (title gin_trgm_ops)",
        "SELECT * FROM item WHERE title LIKE '%w77ab%'",
    ),
    inserts(
        "USING gist (area)",
        "SELECT * FROM item WHERE area && box '(1,1),(2,2)'",
    ),
    inserts(
        "USING gist (during)",
        "SELECT * FROM item WHERE during && int4range(5, 7)",
    ),
    inserts(
        "USING gist (place)",
        "SELECT * FROM item ORDER BY place <-> point '(5,5)' LIMIT 5",
    ),
    inserts(
        "USING spgist (place)",
        "SELECT * FROM item WHERE place <@ box '(1,1),(2,2)'",
    ),
    inserts(
        "USING spgist (address)",
        "SELECT * FROM item WHERE address <<= inet '10.1.2.0/24'",
    ),
];

/// `source` has the rows of the table and those that are inserted.
const SOURCE: &str = "CREATE EXTENSION pg_trgm;
CREATE FUNCTION words(n int, row_number bigint) RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT string_agg('w' || substr(md5((20000 * power(random(), 3))::int::text), 1, 6), ' ') FROM generate_series(1, n) WHERE row_number > 0 $$;
SELECT setseed(0.5);
CREATE TABLE source AS
SELECT g AS id, (random() * 1e9)::int AS number, md5(random()::text) AS hash, CASE WHEN g % 10 > 0 THEN (random() * 100)::int END AS shop,
       timestamptz '2024-01-01' + g * interval '1 minute' AS at,
       (SELECT array_agg((1000 * power(random(), 2))::int) FROM generate_series(1, 8) WHERE g > 0) AS tags,
       (SELECT array_agg((random() * 1e6)::int) FROM generate_series(1, 8) WHERE g > 0) AS marks,
       jsonb_build_object('user', g % 5000, 'kind', 'k' || g % 20, 'token', md5(g::text), 'size', (random() * 1e5)::int, 'list', jsonb_build_array('a' || g % 100, 'b' || g % 1000)) AS doc,
       words(3, g) AS title, words(30, g) AS body, NULL::tsvector AS lexemes,
       box(point(random() * 1000, random() * 1000), point(random() * 1000, random() * 1000)) AS area, point(random() * 1000, random() * 1000) AS place,
       int4range(lower, lower + 5000) AS during, ('10.' || (random() * 255)::int || '.' || (random() * 255)::int || '.' || (random() * 255)::int)::inet AS address
FROM (SELECT g, (random() * 1e6)::int AS lower FROM generate_series(1, ROWS::bigint) AS g) AS numbered;
UPDATE source SET lexemes = to_tsvector('simple', body);
CREATE UNIQUE INDEX ON source (id);";

fn main() {
    // Among tests a benchmark only has to build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let options = Options::parse();
    let server = Server::start();
    let mut client = server.client();
    let rows = (options.rows + options.more).to_string();
    client
        .batch_execute(&SOURCE.replace("ROWS", &rows))
        .unwrap();
    client.batch_execute("VACUUM ANALYZE source").unwrap();
    fill(&mut client, &options, None);
    let unit = unit(&mut client, options.rows);
    println!(
        "{} rows and {} more; a planner unit is {unit:.2} µs of a pgbench -S\n",
        options.rows, options.more
    );
    println!(
        "| index | writes | size MB | predicted | measured µs | measured | predicted : measured |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|");
    let without = |client: &mut Client, writes| {
        let rounds = 0..options.rounds + 2;
        let times = rounds.map(|_| measure(client, &options, None, writes).0);
        times.fold(f64::INFINITY, f64::min)
    };
    let (inserted, updated) = (
        without(&mut client, Writes::Inserts),
        without(&mut client, Writes::Updates),
    );
    let chosen = CASES.iter().filter(|case| {
        let only = options.only.as_ref();
        only.is_none_or(|only| case.index.contains(only))
    });
    for case in chosen {
        let without = match case.writes {
            Writes::Inserts => inserted,
            Writes::Updates => updated,
        };
        compare(&server, &options, case, without, unit);
    }
}

/// Prints what a row costs in this index, predicted and measured; `without` it a row takes so many
/// microseconds, and a planner unit `unit` of them.
fn compare(server: &Server, options: &Options, case: &Case, without: f64, unit: f64) {
    let mut client = server.client();
    fill(&mut client, options, None);
    let predicted = server.predicted(case);
    let (mut least, mut size) = (f64::INFINITY, 0.0);
    for _ in 0..options.rounds {
        let (time, bytes) = measure(&mut client, options, Some(case.index), case.writes);
        (least, size) = (least.min(time), bytes);
    }
    let measured = (least - without).max(0.0);
    let units = measured / unit;
    let (predicted, ratio) = match predicted {
        Some(predicted) => (
            format!("{predicted:.3}"),
            format!("{:.2}", predicted / units),
        ),
        None => ("no candidate".to_owned(), String::new()),
    };
    let writes = match case.writes {
        Writes::Inserts => "inserts",
        Writes::Updates => "updates",
    };
    println!(
        "| `{}` | {writes} | {:.1} | {predicted} | {measured:.2} | {units:.3} | {ratio} |",
        case.index,
        size / 1_048_576.0
    );
}

/// The table with its first rows, and an index.
fn fill(client: &mut Client, options: &Options, index: Option<&str>) {
    let index = index.map_or_else(String::new, |index| {
        format!("CREATE INDEX item_measured ON item {index};")
    });
    client
        .batch_execute(&format!(
            "DROP TABLE IF EXISTS item; CREATE TABLE item (LIKE source) WITH (fillfactor = 60);
             INSERT INTO item SELECT * FROM source WHERE id <= {};
             ALTER TABLE item ADD PRIMARY KEY (id); {index}",
            options.rows
        ))
        .unwrap();
    client.batch_execute("VACUUM ANALYZE item").unwrap();
    client.batch_execute("CHECKPOINT").unwrap();
}

/// Microseconds of a row that is written, and the index's bytes before.
fn measure(
    client: &mut Client,
    options: &Options,
    index: Option<&str>,
    writes: Writes,
) -> (f64, f64) {
    fill(client, options, index);
    let (first, last) = (options.rows, options.rows + options.more);
    let source = format!("SELECT count(*) FROM source WHERE id > {first}");
    client.simple_query(&source).unwrap();
    let size = "SELECT coalesce(pg_relation_size(to_regclass('item_measured')), 0)::float8";
    let size: f64 = client.query_one(size, &[]).unwrap().get(0);
    let is_gin = index.is_some_and(|index| index.contains("USING gin"));
    let write = match writes {
        Writes::Inserts => {
            format!("INSERT INTO item SELECT * FROM source WHERE id > {first} AND id <= {last}")
        }
        // A row of each page, so that there is room for its new version.
        Writes::Updates => format!(
            "UPDATE item SET number = number + 1 WHERE id <= {}",
            options.more
        ),
    };
    let pid = pid(client);
    let before = cpu_ns(pid);
    client.batch_execute(&write).unwrap();
    if is_gin {
        client
            .batch_execute("SELECT gin_clean_pending_list('item_measured')")
            .unwrap();
    }
    let time = (cpu_ns(pid) - before) as f64 / 1_000.0;
    (time / f64::from(options.more), size)
}

/// Microseconds of a planner unit: what a row by its primary key takes, for what it costs.
fn unit(client: &mut Client, rows: u32) -> f64 {
    const LOOKUPS: u32 = 20_000;
    let cost = client.simple_query("EXPLAIN (FORMAT JSON) SELECT number FROM item WHERE id = 77");
    let cost = cost.unwrap().into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => serde_json::from_str::<Value>(row.get(0)?).ok(),
        _ => None,
    });
    let cost = cost.unwrap()[0]["Plan"]["Total Cost"].as_f64().unwrap();
    let pid = pid(client);
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let before = cpu_ns(pid);
        for number in 0..LOOKUPS {
            let id = number.wrapping_mul(7_919) % rows + 1;
            let lookup = format!("SELECT number FROM item WHERE id = {id}");
            client.simple_query(&lookup).unwrap();
        }
        let time = (cpu_ns(pid) - before) as f64 / 1_000.0 / f64::from(LOOKUPS);
        least = least.min(time);
    }
    least / cost
}

fn pid(client: &mut Client) -> i32 {
    client
        .query_one("SELECT pg_backend_pid()", &[])
        .unwrap()
        .get(0)
}

/// Nanoseconds that a process has run (Linux: Documentation/scheduler/sched-stats.rst).
fn cpu_ns(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    let first = text.split_whitespace().next().unwrap();
    first.parse().unwrap()
}

struct Server {
    conninfo: String,
    _cluster: Cluster,
}

impl Server {
    fn start() -> Server {
        let binaries = Binaries::find(WhenMissing::Explain)
            .expect("a PostgreSQL server (14 to 18) is needed: scripts/ensure-postgres.sh");
        let options = ClusterOptions {
            settings: "shared_buffers = 1GB\nmax_wal_size = 16GB\ncheckpoint_timeout = 1h\nautovacuum = off\njit = off\n\
                       max_parallel_workers_per_gather = 0\n"
                .to_owned(),
            access: Access::Trust,
            ..ClusterOptions::default()
        };
        let cluster = Cluster::start(&binaries, &options, &|| false).unwrap();
        let directory = cluster.directory().display().to_string();
        Server {
            conninfo: format!("host={directory} port=5432 user=postgres dbname=postgres"),
            _cluster: cluster,
        }
    }

    fn client(&self) -> Client {
        Client::connect(&self.conninfo, NoTls).unwrap()
    }

    /// What the program says that a written row costs in this index; none where it is no candidate
    /// of its own.
    fn predicted(&self, case: &Case) -> Option<f64> {
        const CALLS: f64 = 1_000.0;
        let write = match case.writes {
            Writes::Inserts => "INSERT INTO item SELECT * FROM source WHERE id = 1",
            Writes::Updates => "UPDATE item SET number = number + 1 WHERE id = 1",
        };
        let workload = format!(
            "-- calls: {CALLS}\n{};\n-- calls: {CALLS}\n{write};",
            case.reads
        );
        let output = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
            .args([
                "advise",
                "--format",
                "json",
                "--quiet",
                "--rehearse",
                "twin",
            ])
            .args(["-d", &self.conninfo, "-c", &workload])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let all = ["recommendations", "rejected"].map(|list| report[list].as_array().unwrap());
        // The server writes what is the default, and more parentheses.
        let plain = |text: &str| {
            let text = text.split(" ON ").last().unwrap_or_default();
            let text = text.split(" WITH (").next().unwrap_or_default();
            let spoken = ["USING btree", "::regconfig", "public.", "(", ")", " ", ";"];
            spoken
                .iter()
                .fold(text.to_owned(), |text, word| text.replace(word, ""))
        };
        let wanted = plain(&format!(" ON item {}", case.index));
        let mut found = all
            .into_iter()
            .flatten()
            .filter(|index| plain(index["ddl"].as_str().unwrap()) == wanted);
        let cost = found.find_map(|index| index["upkeep_cost"].as_f64())?;
        Some(cost / CALLS)
    }
}
