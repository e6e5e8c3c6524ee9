//! Candidates: the twin with its estimates compared with a server that builds them and rolls back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pgrehearse::internals::db::{NamedColumns, SampleSource, Server};
use pgrehearse::internals::index::NamedIndex;
use pgrehearse::internals::index::parse_index;
use pgrehearse::internals::plan::{Plan, Property};
use pgrehearse::internals::planner::{
    Answer, Planned, Planner, Question, Target, TestedIndex, uses,
};
use pgrehearse::internals::sql::fingerprint::identifiers;
use pgrehearse::internals::workload::Statement;

use crate::exactness::{Pair, SAMPLES, sample_sql, workload};
use crate::live::Database;

/// `CREATE INDEX` statements without their first words, one a line.
const WORKLOADS: [&str; 5] = [
    include_str!("candidates/000.txt"),
    include_str!("candidates/001.txt"),
    include_str!("candidates/002.txt"),
    include_str!("candidates/003.txt"),
    include_str!("candidates/004.txt"),
];
const FEATURES: &str = include_str!("candidates/features.txt");

/// Properties that the planner estimated, as opposed to what the plan does.
const NUMBERS: [&str; 4] = ["Startup Cost", "Total Cost", "Plan Rows", "Plan Width"];

#[derive(Debug, Default)]
struct Tally {
    pairs: usize,
    same_shape: usize,
    exact: usize,
    /// Counts pairs where either plan uses the index.
    involved: usize,
    used_otherwise: usize,
    deviations: Vec<f64>,
    candidates: usize,
    near: usize,
    refused: usize,
    lines: Vec<String>,
    /// Statements with slightly different numbers.
    inexact: BTreeMap<String, usize>,
    creating: Duration,
}

/// A tally for each access method.
type Tallies = BTreeMap<String, Tally>;

pub fn named(line: &str, number: usize) -> NamedIndex {
    let index = parse_index(&format!("CREATE INDEX i {line}"))
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    NamedIndex {
        name: format!("candidate_{number}"),
        definition: index,
    }
}

/// The plan's steps, with the same name for the index.
fn shape(plan: &Plan, build: &TestedIndex) -> Vec<String> {
    let node = |node: &pgrehearse::internals::plan::Node| {
        let properties = node
            .properties
            .iter()
            .filter(|(name, _)| !NUMBERS.contains(name));
        let value = |(name, value): (&str, &Property)| match value.as_str() {
            Some(text) if name == "Index Name" && build.names.contains(text) => {
                format!("{name}: candidate")
            }
            _ => format!("{name}: {value:?}"),
        };
        format!(
            "{}{}",
            " ".repeat(node.depth),
            properties.map(value).collect::<Vec<_>>().join(", ")
        )
    };
    plan.nodes().iter().map(node).collect()
}

fn numbers(plan: &Plan) -> Vec<Option<f64>> {
    plan.nodes()
        .iter()
        .flat_map(|node| NUMBERS.map(|name| node.number(name)))
        .collect()
}

struct Rehearsal {
    pair: Pair,
    statements: Vec<Statement>,
    columns: NamedColumns,
    with_samples: bool,
}

impl Rehearsal {
    fn new(database: &Database, sql: &str, with_samples: bool) -> Rehearsal {
        let workload = workload(sql);
        let pair = Pair::of(database);
        // A statement that has no plan without new indexes is not rehearsed either.
        let Answer::Planned(now) = Server::new(&pair.server)
            .ask(&Question::plans(Target::Server, workload.statements()))
            .unwrap()
        else {
            panic!()
        };
        let statements = workload
            .statements()
            .iter()
            .filter(|statement| now.plans[&statement.id].plan().is_some());
        let statements: Vec<Statement> = statements.cloned().collect();
        let mut columns = NamedColumns::default();
        for statement in &statements {
            columns.add(&BTreeSet::new(), &identifiers(&statement.sql));
        }
        Rehearsal {
            pair,
            statements,
            columns,
            with_samples,
        }
    }

    fn real(&self, indexes: &[NamedIndex]) -> Answer {
        let mut server = Server::new(&self.pair.server);
        let tables = indexes
            .iter()
            .map(|index| index.definition.table.clone())
            .collect();
        server.catalog(&tables).unwrap();
        server
            .ask(&Question::plans(Target::Server, &self.statements).with_indexes(indexes))
            .unwrap()
    }

    fn twin(&mut self, indexes: &[NamedIndex]) -> Answer {
        if self.with_samples {
            let Pair { server, twin, .. } = &mut self.pair;
            for index in indexes {
                for request in twin.needed_samples(index, &self.columns).unwrap().requests {
                    if let Some(sample) = server.sample(&request).unwrap() {
                        twin.add_sample(&sample).unwrap();
                    }
                }
            }
        }
        self.pair
            .twin
            .ask(&Question::plans(Target::Twin, &self.statements).with_indexes(indexes))
            .unwrap()
    }

    fn compare(&mut self, index: NamedIndex, tallies: &mut Tallies) {
        let tally = tallies
            .entry(index.definition.method.name().to_owned())
            .or_default();
        let definition = index.definition.definition();
        let indexes = [index];
        let began = Instant::now();
        let twin = self.twin(&indexes);
        tally.creating += began.elapsed();
        let real = self.real(&indexes);
        match (real, twin) {
            (Answer::Planned(real), Answer::Planned(twin)) => tally.add(&definition, &real, &twin),
            (Answer::Refused(_), Answer::Refused(_)) => {}
            (real, twin) => {
                tally.refused += 1;
                let refusal = |answer: Answer| match answer {
                    Answer::Refused(refusal) => format!("{:?}", refusal.cause),
                    Answer::Planned(_) => "planned".to_owned(),
                };
                tally.lines.push(format!(
                    "REFUSED {definition}: {} / {}",
                    refusal(real),
                    refusal(twin)
                ));
            }
        }
    }
}

impl Tally {
    fn add(&mut self, definition: &str, real: &Planned, twin: &Planned) {
        let (real_build, twin_build) = (&real.indexes[0], &twin.indexes[0]);
        let ratio = twin_build.size.0 as f64 / real_build.size.0.max(1) as f64;
        self.candidates += 1;
        if (ratio - 1.0).abs() <= 0.25 {
            self.near += 1;
        }
        let mark = if (ratio - 1.0).abs() > 0.25 {
            "SIZE"
        } else {
            ""
        };
        self.lines.push(format!(
            "{ratio:6.2} {:>9} {mark:5}{definition}",
            real_build.size.0 / 8192
        ));
        for (id, outcome) in &real.plans {
            let (Some(one), Some(other)) = (outcome.plan(), twin.plans[id].plan()) else {
                assert_eq!(
                    outcome.plan().is_some(),
                    twin.plans[id].plan().is_some(),
                    "{id}: {:?}",
                    twin.plans[id]
                );
                continue;
            };
            self.pairs += 1;
            let (cost, copied) = (one.total_cost().0, other.total_cost().0);
            let deviation = if cost == copied {
                0.0
            } else {
                (copied / cost.max(1e-9) - 1.0).abs()
            };
            self.deviations.push(deviation);
            let (here, there) = (uses(one, real_build), uses(other, twin_build));
            self.involved += usize::from(here || there);
            self.used_otherwise += usize::from(here != there);
            let same = shape(one, real_build) == shape(other, twin_build);
            self.same_shape += usize::from(same);
            self.exact += usize::from(same && numbers(one) == numbers(other));
            if same && deviation <= 0.05 && numbers(one) != numbers(other) {
                *self.inexact.entry(id.0.clone()).or_default() += 1;
            }
            if !same || deviation > 0.05 {
                let said = if same { "numbers" } else { "SHAPE" };
                self.lines.push(format!(
                    "       {said} {id}: {} / {} (used {here} / {there})",
                    one.total_cost().0,
                    other.total_cost().0
                ));
                if !same && std::env::var_os("SHOW").is_some() {
                    self.lines.extend(shape(one, real_build));
                    self.lines.push("       ---".to_owned());
                    self.lines.extend(shape(other, twin_build));
                }
            }
        }
    }

    fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.deviations.clone();
        sorted.sort_by(f64::total_cmp);
        let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or(0.0)
    }

    fn line(&self, name: &str) -> String {
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        format!(
            "{name:8} {:>4} {:>6} {:>7.1}% {:>7.1}% {:>9.4} {:>9.4} {:>9} {:>9} {:>8.0}% {:>7} {:>8.1}",
            self.candidates,
            self.pairs,
            percent(self.same_shape, self.pairs),
            percent(self.exact, self.pairs),
            self.percentile(0.95),
            self.percentile(1.0),
            self.involved,
            self.used_otherwise,
            percent(self.near, self.candidates),
            self.refused,
            self.creating.as_secs_f64() * 1000.0 / self.candidates.max(1) as f64,
        )
    }

    fn merge(&mut self, other: &Tally) {
        self.pairs += other.pairs;
        self.same_shape += other.same_shape;
        self.exact += other.exact;
        self.involved += other.involved;
        self.used_otherwise += other.used_otherwise;
        self.deviations.extend(&other.deviations);
        self.candidates += other.candidates;
        self.near += other.near;
        self.refused += other.refused;
        self.creating += other.creating;
    }
}

fn table(tallies: &Tallies) -> (String, Tally) {
    let mut all = Tally::default();
    let mut lines = vec![
        "method      n  pairs    shape    exact  p95 dev.  max dev.  involved  otherwise  <25 % refused  ms/first"
            .to_owned(),
    ];
    for (method, tally) in tallies {
        lines.push(tally.line(method));
        all.merge(tally);
    }
    lines.push(all.line("all"));
    (lines.join("\n"), all)
}

fn run(rehearsal: &mut Rehearsal, lines: &str, tallies: &mut Tallies) {
    for (number, line) in lines
        .lines()
        .filter(|line| line.starts_with("ON "))
        .enumerate()
    {
        rehearsal.compare(named(line, number), tallies);
    }
}

/// 0.3 means 60 000 rows in each large table, half of which a sample has. `SCALE=5` tests samples
/// better, but is slow.
fn scale() -> String {
    std::env::var("SCALE").unwrap_or_else(|_| "0.3".to_owned())
}

fn sample_workloads(with_samples: bool) -> Tallies {
    let mut tallies = Tallies::new();
    for (sample, lines) in SAMPLES.iter().zip(WORKLOADS) {
        let number = sample.get(..3).unwrap();
        if std::env::var("ONLY").is_ok_and(|only| !only.contains(number)) {
            continue;
        }
        let database = Database::sample(&format!("candidates_{number}"), sample, &scale());
        database.run("CREATE EXTENSION IF NOT EXISTS pg_trgm");
        run(
            &mut Rehearsal::new(&database, &sample_sql(sample), with_samples),
            lines,
            &mut tallies,
        );
    }
    tallies
}

fn features(with_samples: bool) -> Tallies {
    let mut tallies = Tallies::new();
    let database = Database::new("features", include_str!("features.sql"));
    // Metapages of GIN are read from the file.
    database.run("CHECKPOINT");
    let queries = include_str!("features-queries.sql");
    run(
        &mut Rehearsal::new(&database, queries, with_samples),
        FEATURES,
        &mut tallies,
    );
    tallies
}

fn check(tallies: &Tallies) {
    let (table, all) = table(tallies);
    let details: Vec<&str> = tallies
        .values()
        .flat_map(|tally| &tally.lines)
        .map(String::as_str)
        .collect();
    let details = details.join("\n");
    assert_eq!(all.refused, 0, "{table}\n{details}");
    assert!(
        all.same_shape as f64 >= 0.99 * all.pairs as f64,
        "{table}\n{details}"
    );
    assert!(
        all.near as f64 >= 0.9 * all.candidates as f64,
        "{table}\n{details}"
    );
}

#[test]
fn indexes_on_the_sample_workloads_are_used_as_if_they_were_built() {
    check(&sample_workloads(true));
}

#[test]
fn indexes_of_every_kind_are_used_as_if_they_were_built() {
    let _guard = crate::exactness::features_database();
    check(&features(true));
}

#[test]
#[ignore = "prints figures; run with --ignored --nocapture"]
fn figures() {
    let _guard = crate::exactness::features_database();
    for with_samples in [true, false] {
        for (title, tallies) in [
            ("sample workloads", sample_workloads(with_samples)),
            ("features", features(with_samples)),
        ] {
            tallies
                .values()
                .flat_map(|tally| &tally.lines)
                .for_each(|line| println!("{line}"));
            tallies
                .iter()
                .for_each(|(method, tally)| println!("{method} inexact: {:?}", tally.inexact));
            println!(
                "\n{title}, samples: {with_samples}\n{}\n",
                table(&tallies).0
            );
        }
    }
}
