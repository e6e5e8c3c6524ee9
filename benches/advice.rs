//! How good the advice is. `make bench-advice`: the five sample workloads at full size;
//! `make bench-tpch`: TPC-H at scale factor 1; `make bench-cases`: the cases of `fixtures/cases`.
//!
//! The program is run as a user would run it, what it recommends is really created, and the server
//! is asked again: costs (before and after under the same statistics), sizes, times. A simple
//! greedy selection of one- and two-column btrees over the same planner twin is judged in the same
//! way, as a yardstick; for a case, an expert's indexes are. Sizes are in MB of 1 048 576 bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark may stop at the first surprise, and prints what it measured"
)]

#[path = "advice/advisor.rs"]
mod advisor;
#[path = "advice/case_files.rs"]
mod case_files;
#[path = "advice/case_verdict.rs"]
mod case_verdict;
#[path = "advice/cases.rs"]
mod cases;
#[path = "advice/comparisons.rs"]
mod comparisons;
#[path = "advice/draw.rs"]
mod draw;
#[path = "advice/figures.rs"]
mod figures;
#[path = "advice/greedy.rs"]
mod greedy;
#[path = "advice/judge.rs"]
mod judge;
#[path = "advice/literals.rs"]
mod literals;
#[path = "advice/options.rs"]
mod options;
#[path = "advice/robustness.rs"]
mod robustness;
#[path = "advice/samples.rs"]
mod samples;
#[path = "advice/server.rs"]
mod server;
#[path = "advice/tpch.rs"]
mod tpch;

use std::io::Write;
use std::time::Instant;

use clap::Parser;
use pgrehearse::internals::model::Bytes;
use serde_json::json;

use advisor::{Program, Proposal, Task};
use figures::{Figures, Run, by_group, megabytes};
use judge::{Judge, Judged, Verdict};
use options::Options;
use server::Server;

/// With calls: without a budget, and with the budgets of a careful expert; each statement once:
/// with these.
const EXPERTS_BUDGETS: &[u64] = &[783, 518];

/// Of TPC-H: the first three are those that published algorithms were measured at.
const TPCH_BUDGETS: &[u64] = &[78, 130, 341, 500, 1000];

/// What is measured, in the tables.
const PROGRAM: &str = "pgrehearse";

fn main() {
    // Among tests a benchmark only has to build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let options = Options::parse();
    let server = Server::start(options.server.as_deref());
    let (benchmark, runs) = if options.robustness {
        ("robustness", json!(robustness::run(&server, &options)))
    } else if let Some(names) = &options.cases {
        ("cases", json!(cases::run(&server, names, &options)))
    } else if options.tpch {
        ("tpch", json!(tpch(&server, &options)))
    } else {
        ("samples", json!(samples(&server, &options)))
    };
    if let Some(file) = &options.json {
        let line = json!({ "benchmark": benchmark, "label": options.label, "scale": options.scale, "runs": runs });
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

fn said<Result>(what: &str, act: impl FnOnce() -> Result) -> Result {
    let began = Instant::now();
    let result = act();
    eprintln!("{what}: {:.1} s", began.elapsed().as_secs_f64());
    result
}

/// A question to be put to the program and to the yardstick.
struct Case {
    name: &'static str,
    workload: String,
    budget: Option<Bytes>,
}

/// The usual ones shrink with the data.
fn budgets(options: &Options, usual: &[u64]) -> Vec<Bytes> {
    let scaled = |mb: &u64| Bytes((*mb as f64 * options.scale * Bytes::MB as f64) as u64);
    if options.budget.is_empty() {
        usual.iter().map(scaled).collect()
    } else {
        options.budget.clone()
    }
}

/// Who, on which case, proposes what. All of it before anything is created: an advisor has to find
/// the server as it is.
fn proposals<'c>(
    conninfo: &str,
    cases: &'c [Case],
    options: &Options,
) -> Vec<(&'static str, &'c Case, Proposal)> {
    let program = Program {
        file: options.program.as_deref(),
        options: &options.advise,
    };
    let mut proposals = Vec::new();
    for case in cases {
        let fixed = options
            .fixed_literals
            .then(|| literals::all_fixed(&case.workload));
        let task = Task {
            conninfo,
            workload: fixed.as_ref().unwrap_or(&case.workload),
            budget: case.budget,
        };
        let budget = case
            .budget
            .map_or_else(String::new, |budget| megabytes(budget.0));
        let what = format!("{} {budget}", case.name);
        proposals.push((
            PROGRAM,
            case,
            said(&format!("pgrehearse, {what}"), || program.advise(task)),
        ));
        if !options.no_yardstick {
            proposals.push((
                "greedy yardstick",
                case,
                said(&format!("yardstick, {what}"), || greedy::advise(task)),
            ));
        }
    }
    // Sets of the same advisor have indexes in common, which then are created once.
    proposals.sort_by_key(|(who, _, _)| *who != PROGRAM);
    proposals
}

fn run(who: &str, case: &Case, proposal: Proposal, verdict: Verdict, figures: Vec<Figures>) -> Run {
    let budget_bytes = case.budget.map(|budget| budget.0);
    Run {
        who: who.to_owned(),
        workload: case.name.to_owned(),
        budget_bytes,
        proposal,
        verdict,
        figures,
    }
}

fn samples(server: &Server, options: &Options) -> Vec<Run> {
    let database = format!(
        "bench_samples_{}",
        format!("{}", options.scale).replace('.', "_")
    );
    said("the sample workloads are loaded", || {
        server.database(&database, || {
            samples::load(server, &database, options.scale)
        });
    });
    let case = |name, with_calls, budget| Case {
        name,
        workload: samples::workload(with_calls),
        budget,
    };
    let mut cases = Vec::new();
    if options.budget.is_empty() {
        cases.push(case("calls", true, None));
    }
    for (name, with_calls) in [("calls", true), ("once", false)] {
        cases.extend(
            budgets(options, EXPERTS_BUDGETS)
                .into_iter()
                .map(|budget| case(name, with_calls, Some(budget))),
        );
    }
    let proposals = proposals(&server.conninfo_of(&database), &cases, options);
    let mut judge = Judge::new(
        server,
        &database,
        &samples::workload(true),
        !options.no_times,
    );
    let groups = samples::groups();
    let mut runs = Vec::new();
    for (who, case, proposal) in proposals {
        let verdict = said(&format!("judging {who}"), || {
            judge.judge(&proposal.statements)
        });
        let figures = by_group(&verdict, &groups);
        let run = run(who, case, proposal, verdict, figures);
        figures::print(&run, options.details);
        runs.push(run);
    }
    runs
}

fn tpch(server: &Server, options: &Options) -> Vec<Run> {
    let database = format!(
        "bench_tpch_{}",
        format!("{}", options.scale).replace('.', "_")
    );
    said("TPC-H is loaded", || {
        server.database(&database, || tpch::load(server, &database, options.scale))
    });
    let mut cases = Vec::new();
    for (name, all) in [("19 queries", false), ("22 queries", true)] {
        let workload = tpch::workload(all);
        let of = |budget| Case {
            name,
            workload: workload.clone(),
            budget: Some(budget),
        };
        cases.extend(budgets(options, TPCH_BUDGETS).into_iter().map(of));
    }
    let proposals = proposals(&server.conninfo_of(&database), &cases, options);
    let mut judge = Judge::new(server, &database, tpch::QUERIES, false);
    let mut runs = Vec::new();
    for (who, case, proposal) in proposals {
        let verdict = said(&format!("judging {who}"), || {
            judge.judge(&proposal.statements)
        });
        let figures = of_tpch(&verdict);
        runs.push(run(who, case, proposal, verdict, figures));
    }
    print_tpch(&runs, options);
    runs
}

/// The 19 queries, and all 22.
fn of_tpch(verdict: &Verdict) -> Vec<Figures> {
    let all: Vec<&Judged> = verdict.statements.iter().collect();
    let compared = |one: &&Judged| !tpch::DOMINATING.iter().any(|name| one.id.starts_with(name));
    let nineteen: Vec<&Judged> = all.iter().copied().filter(compared).collect();
    let indexes: Vec<_> = verdict.indexes.iter().collect();
    vec![
        Figures::of("19 queries", &nineteen, &indexes),
        Figures::of("22 queries", &all, &indexes),
    ]
}

fn print_tpch(runs: &[Run], options: &Options) {
    if options.details {
        for run in runs {
            println!(
                "\n== {}, {}, {} ==",
                run.who,
                run.workload,
                megabytes(run.budget_bytes.unwrap_or_default())
            );
            figures::print_statements(run, true);
            figures::print_indexes(&run.verdict);
            figures::print_effort(run);
        }
    }
    println!("\nCost after / before, with the indexes really built");
    println!(
        "{:<17} {:<11} {:>9} {:>10} {:>4} {:>7} {:>7} {:>8} {:>9} {:>9} {:>6} {:>7} {:>8} {:>9} {:>7} {:>7}",
        "advisor",
        "asked about",
        "budget",
        "real size",
        "n",
        "Σ of 19",
        "to beat",
        "mean 19",
        "Σ of 22",
        "mean 22",
        "worse",
        "wall, s",
        "x CREATE",
        "twin",
        "server",
        "builds"
    );
    for run in runs {
        let budget = run.budget_bytes.unwrap_or_default();
        let (nineteen, all) = (&run.figures[0], &run.figures[1]);
        let to_beat = tpch::TO_BEAT
            .iter()
            .find(|(mb, _)| options.scale == 1.0 && mb * Bytes::MB == budget);
        let over = if all.bytes > budget { "!" } else { "" };
        println!(
            "{:<17} {:<11} {:>9} {:>10} {:>4} {:>7.3} {:>7} {:>8.3} {:>9.5} {:>9.3} {:>6} {:>7.1} {:>8.2} {:>9} {:>7} {:>7}",
            run.who,
            run.workload,
            megabytes(budget),
            format!("{}{over}", megabytes(all.bytes)),
            all.indexes,
            nineteen.cost_after / nineteen.cost_before,
            to_beat.map_or_else(String::new, |(_, ratio)| format!("{ratio:.3}")),
            nineteen.mean_ratio,
            all.cost_after / all.cost_before,
            all.mean_ratio,
            all.worse.len(),
            run.proposal.wall_s,
            run.proposal.wall_s * 1000.0 / all.create_ms,
            run.proposal.twin_explains,
            run.proposal.server_explains,
            run.proposal.real_builds
        );
    }
}
