//! The figures of a verdict, as text and as JSON.

use std::collections::BTreeSet;

use pgrehearse::internals::model::Bytes;
use serde::Serialize;

use super::advisor::Proposal;
use super::judge::{Built, Group, Judged, Verdict};

/// An improvement is one by more than this.
const IMPROVED: f64 = 1.5;

/// Beyond what rounding explains.
const WORSE: f64 = 1.01;

/// A run of somebody for one workload and budget.
#[derive(Debug, Serialize)]
pub struct Run {
    pub who: String,
    /// `calls`, `once`, `19 queries`, `22 queries`.
    pub workload: String,
    pub budget_bytes: Option<u64>,
    pub proposal: Proposal,
    pub verdict: Verdict,
    pub figures: Vec<Figures>,
}

/// Of a group of statements, or of all.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub name: String,
    pub statements: usize,
    /// Σ calls × cost.
    pub weighted_before: f64,
    pub weighted_after: f64,
    /// Σ cost.
    pub cost_before: f64,
    pub cost_after: f64,
    /// Of before / after.
    pub geometric_mean: f64,
    /// Of after / before.
    pub mean_ratio: f64,
    pub improved: usize,
    pub worse: Vec<String>,
    pub indexes: usize,
    pub bytes: u64,
    pub create_ms: f64,
    /// Σ over the statements that were executed.
    pub time_before_ms: f64,
    pub time_after_ms: f64,
    pub timed: usize,
    pub faster: usize,
}

impl Judged {
    pub fn factor(&self) -> f64 {
        self.before / self.after
    }

    fn times(&self) -> Option<(f64, f64)> {
        Some((self.time_before_ms?, self.time_after_ms?))
    }
}

impl Figures {
    pub fn of(name: &str, statements: &[&Judged], indexes: &[&Built]) -> Figures {
        let sum =
            |value: &dyn Fn(&Judged) -> f64| statements.iter().map(|one| value(one)).sum::<f64>();
        let count = statements.len().max(1) as f64;
        let times: Vec<(f64, f64)> = statements.iter().filter_map(|one| one.times()).collect();
        Figures {
            name: name.to_owned(),
            statements: statements.len(),
            weighted_before: sum(&|one| one.calls * one.before),
            weighted_after: sum(&|one| one.calls * one.after),
            cost_before: sum(&|one| one.before),
            cost_after: sum(&|one| one.after),
            geometric_mean: (sum(&|one| one.factor().ln()) / count).exp(),
            mean_ratio: sum(&|one| one.after / one.before) / count,
            improved: statements
                .iter()
                .filter(|one| one.factor() > IMPROVED)
                .count(),
            worse: statements
                .iter()
                .filter(|one| one.after > one.before * WORSE)
                .map(|one| one.id.clone())
                .collect(),
            indexes: indexes.len(),
            bytes: indexes.iter().map(|index| index.bytes).sum(),
            create_ms: indexes.iter().map(|index| index.create_ms).sum(),
            time_before_ms: times.iter().map(|(before, _)| before).sum(),
            time_after_ms: times.iter().map(|(_, after)| after).sum(),
            timed: times.len(),
            faster: times
                .iter()
                .filter(|(before, after)| before / after > IMPROVED)
                .count(),
        }
    }

    fn row(&self) -> String {
        let (times, faster) = match self.timed {
            0 => (String::new(), String::new()),
            timed => (
                factor(self.time_before_ms, self.time_after_ms),
                format!("{}/{timed}", self.faster),
            ),
        };
        format!(
            "{:<23} {:>5} {:>9.3e} {:>9.3e} {:>8} {:>9.3e} {:>9.3e} {:>7} {:>9.1} {:>6} {:>5} {:>4} {:>9} {:>8} {:>6}",
            self.name,
            self.statements,
            self.weighted_before,
            self.weighted_after,
            factor(self.weighted_before, self.weighted_after),
            self.cost_before,
            self.cost_after,
            factor(self.cost_before, self.cost_after),
            self.geometric_mean,
            format!("{}/{}", self.improved, self.statements),
            self.worse.len(),
            self.indexes,
            megabytes(self.bytes),
            times,
            faster
        )
    }
}

fn factor(before: f64, after: f64) -> String {
    format!("{:.2}x", before / after)
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / Bytes::MB as f64)
}

/// By the tables of the plan, and all together.
pub fn by_group(verdict: &Verdict, groups: &[Group]) -> Vec<Figures> {
    let of = |group: &Group| {
        let is_in =
            |tables: &BTreeSet<String>| tables.iter().any(|table| group.tables.contains(table));
        let statements: Vec<&Judged> = verdict
            .statements
            .iter()
            .filter(|one| is_in(&one.tables))
            .collect();
        let indexes: Vec<&Built> = verdict
            .indexes
            .iter()
            .filter(|one| group.tables.contains(&one.table))
            .collect();
        Figures::of(&group.name, &statements, &indexes)
    };
    let mut figures: Vec<Figures> = groups.iter().map(of).collect();
    figures.push(Figures::of(
        "total",
        &verdict.statements.iter().collect::<Vec<_>>(),
        &verdict.indexes.iter().collect::<Vec<_>>(),
    ));
    figures
}

const HEAD: &str = "                              Σ calls x cost                 Σ cost                      geometric improved            \
                    index    time faster";

/// The table of a run on the samples.
pub fn print(run: &Run, details: bool) {
    let budget = run
        .budget_bytes
        .map_or_else(|| "no budget".to_owned(), megabytes);
    println!("\n== {}, weights: {}, {budget} ==", run.who, run.workload);
    println!("{HEAD}");
    println!(
        "{:<23} {:>5} {:>9} {:>9} {:>8} {:>9} {:>9} {:>7} {:>9} {:>6} {:>5} {:>4} {:>9} {:>8} {:>6}",
        "sample",
        "stmts",
        "before",
        "after",
        "factor",
        "before",
        "after",
        "factor",
        "mean",
        ">1.5x",
        "worse",
        "n",
        "size",
        "factor",
        ">1.5x"
    );
    run.figures
        .iter()
        .for_each(|figures| println!("{}", figures.row()));
    print_effort(run);
    print_statements(run, details);
    if details {
        print_indexes(&run.verdict);
    }
}

/// What the search took, beside what creating its result takes.
pub fn print_effort(run: &Run) {
    let Run {
        proposal, verdict, ..
    } = run;
    let create_s: f64 = verdict
        .indexes
        .iter()
        .map(|index| index.create_ms)
        .sum::<f64>()
        / 1000.0;
    println!(
        "   advise {:.1} s, CREATE INDEX {create_s:.1} s: {:.2} x; EXPLAINs: {} in the twin, {} on the server; real builds: {}; \
         predicted size {}; evidence {:?}",
        proposal.wall_s,
        proposal.wall_s / create_s,
        proposal.twin_explains,
        proposal.server_explains,
        proposal.real_builds,
        megabytes(proposal.predicted_bytes),
        proposal.evidence
    );
    if !proposal.failed.is_empty() {
        println!("   not planned: {}", proposal.failed.join(", "));
    }
    let bytes: u64 = verdict.indexes.iter().map(|index| index.bytes).sum();
    if run.budget_bytes.is_some_and(|budget| bytes > budget) {
        println!("   OVER THE BUDGET: {}", megabytes(bytes));
    }
}

/// All of them, or those that were not helped.
pub fn print_statements(run: &Run, all: bool) {
    for one in run
        .verdict
        .statements
        .iter()
        .filter(|one| all || one.factor() <= IMPROVED)
    {
        let time = one
            .times()
            .map(|(before, after)| format!("  {before:.1} -> {after:.1} ms"))
            .unwrap_or_default();
        let worse = if one.after > one.before * WORSE {
            "  WORSE"
        } else {
            ""
        };
        println!(
            "   {:<32} {:>12.1} -> {:>12.1} {:>9.2}x{time}{worse}",
            one.id,
            one.before,
            one.after,
            one.factor()
        );
    }
}

pub fn print_indexes(verdict: &Verdict) {
    for index in &verdict.indexes {
        println!(
            "   {:>10} {:>7.1} s  {}",
            megabytes(index.bytes),
            index.create_ms / 1000.0,
            index.definition
        );
    }
}
