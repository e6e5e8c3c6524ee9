//! Is the advice good for other values, too? Each statement is executed with values drawn from the
//! data, with the expert's indexes and with the recommended ones. Each set of values counts the
//! same: what many rows have is not asked for more often because of that.

use std::collections::BTreeSet;

use pgrehearse::internals::sql::fingerprint::fingerprint;
use pgrehearse::internals::sql::literals;
use pgrehearse::internals::sql::split::highest_parameter;
use pgrehearse::internals::sql::{ValuePlace, with_values};
use postgres::Client;
use postgres::error::SqlState;
use serde::Serialize;

use super::advisor::{Program, Proposal, Task};
use super::case_files::{Case, Named, named};
use super::case_verdict::{Compared, Measured};
use super::cases::{self, LONG_MS, Place, message, proposal};
use super::comparisons::quoted;
use super::draw::{Variant, variants};
use super::judge::{EXECUTED, PATIENCE_MS, explained};
use super::options::Options;
use super::samples;
use super::server::Server;

/// The expected time may be so many times that with the expert's indexes.
const MOST: f64 = 1.5;

/// Executions with each set, in turns; the first of each does not count.
const ROUNDS: usize = 4;

/// A statement with other values, over both sets of indexes.
#[derive(Debug, Serialize)]
struct Judged {
    label: String,
    sql: String,
    expert: Measured,
    ours: Measured,
}

#[derive(Debug, Serialize)]
struct Statement {
    name: String,
    /// What is expected when each set of values is as frequent as the others.
    expected: Compared,
    judged: Vec<Judged>,
    /// Sets of values with which the statement or a rewritten one could not be executed.
    skipped: Vec<String>,
}

/// A case, with what its statements take over all values.
#[derive(Debug, Serialize)]
pub struct Outcome {
    case: String,
    error: Option<String>,
    proposal: Proposal,
    reference: Vec<String>,
    statements: Vec<Statement>,
}

/// The cases that were asked for, or the sample workloads.
pub fn run(server: &Server, options: &Options) -> Vec<Outcome> {
    println!(
        "{:<28} {:<28} {:>6} {:>10} {:>10} {:>7} {:>7}  slowest by the reference",
        "case", "statement", "values", "expert ms", "ours ms", "ratio", "cost"
    );
    let mut outcomes = Vec::new();
    let mut judge = |case: &Case, alone: bool| {
        let outcome = outcome(server, case, options, alone);
        for statement in &outcome.statements {
            println!("{}", row(&outcome.case, statement));
            if options.details {
                print_details(statement);
            }
        }
        if let Some(error) = &outcome.error {
            println!("{:<28} {error}", outcome.case);
        }
        outcomes.push(outcome);
    };
    match &options.cases {
        Some(names) => cases::named(names, options).for_each(|case| judge(&case, false)),
        None => samples::cases(options.scale)
            .iter()
            .for_each(|case| judge(case, true)),
    }
    print_summary(&outcomes);
    outcomes
}

fn outcome(server: &Server, case: &Case, options: &Options, alone: bool) -> Outcome {
    let place = Place::of(server, case);
    let mut outcome = Outcome {
        case: case.name.clone(),
        error: None,
        proposal: Proposal::default(),
        reference: case.expert.clone(),
        statements: Vec::new(),
    };
    let judged = place.load().and_then(|()| {
        outcome.proposal = proposal(&place, options)?;
        if alone {
            outcome.reference = advised_alone(&place, options)?;
        }
        outcome.statements = judged(&place, &outcome)?;
        Ok(())
    });
    outcome.error = judged.err();
    server.drop(&place.database);
    outcome
}

/// The indexes that are advised when the program is asked about one statement at a time: each has
/// its own best set.
fn advised_alone(place: &Place<'_>, options: &Options) -> Result<Vec<String>, String> {
    let program = Program {
        file: options.program.as_deref(),
        options: &options.advise,
    };
    let mut extensions: BTreeSet<String> = BTreeSet::new();
    // What stands behind ON.
    let mut advised: BTreeSet<String> = BTreeSet::new();
    for one in named(&place.case.workload) {
        let answer = program.ask(Task {
            conninfo: &place.conninfo(&place.database),
            workload: &format!("-- name: {}\n{};", one.name, one.sql),
            budget: None,
        })?;
        let indexes = answer.statements.iter();
        let indexes = indexes.filter(|sql| sql.starts_with("CREATE INDEX"));
        advised.extend(indexes.filter_map(|sql| Some(sql.split_once(" ON ")?.1.to_owned())));
        let others = answer.statements.into_iter();
        extensions.extend(others.filter(|sql| sql.starts_with("CREATE EXTENSION")));
    }
    let create = |(number, definition): (usize, &String)| {
        format!("CREATE INDEX bench_alone_{number} ON {definition}")
    };
    let indexes = advised.iter().enumerate().map(create);
    Ok(extensions.into_iter().chain(indexes).collect())
}

/// Two copies of the database, one with each set of indexes.
struct Sets {
    expert: Client,
    ours: Client,
}

fn judged(place: &Place<'_>, outcome: &Outcome) -> Result<Vec<Statement>, String> {
    let copies = ["expert", "ours"].map(|who| format!("{}_{who}", place.database));
    let (expert, followed) = place.copied(&copies[0], &outcome.reference);
    let (ours, by_us) = place.copied(&copies[1], &outcome.proposal.statements);
    let mut sets = Sets { expert, ours };
    let error = followed.errors.iter().chain(&by_us.errors).next().cloned();
    let mut drawing = place.server.client(&place.database);
    let mut statements = Vec::new();
    for one in of_case(place.case) {
        let fixed = fixed(place.case, &one);
        let all = variants(&mut drawing, &one.sql, &|literal| {
            fixed.contains(&literal.value)
        });
        statements.push(sets.judge(place.case, &one, &all, &outcome.proposal));
    }
    drop((drawing, sets));
    copies.iter().for_each(|copy| place.server.drop(copy));
    error.map_or(Ok(statements), Err)
}

/// The statements that get other values: those of the workload; for those with parameters what is
/// executed in their place.
fn of_case(case: &Case) -> Vec<Named> {
    let workload = named(&case.workload).into_iter();
    let workload = workload.filter(|one| highest_parameter(&one.sql) == 0);
    let mut seen = BTreeSet::new();
    workload
        .chain(case.measured.iter().cloned())
        .filter(|one| seen.insert(fingerprint(&one.sql)))
        .collect()
}

/// Values that are fixed by an annotation, or that the expert's indexes name in a predicate.
fn fixed(case: &Case, statement: &Named) -> BTreeSet<String> {
    let workload = named(&case.workload).into_iter();
    let annotated = workload
        .filter(|one| one.name == statement.name)
        .flat_map(|one| one.fixed);
    let predicate = |sql: &String| {
        let lower = sql.to_ascii_lowercase();
        let predicate = lower.find(" where ").map(|start| &sql[start..]);
        literals(predicate.unwrap_or_default()).unwrap_or_default()
    };
    let of_indexes = case.expert.iter().flat_map(predicate);
    annotated
        .chain(of_indexes)
        .chain(statement.fixed.clone())
        .collect()
}

impl Sets {
    fn judge(
        &mut self,
        case: &Case,
        one: &Named,
        all: &[Variant],
        proposal: &Proposal,
    ) -> Statement {
        let by_expert = case
            .expert_queries
            .iter()
            .find(|query| query.name == one.name);
        let by_expert = by_expert.map(|query| query.sql.as_str());
        let by_us = proposal.rewrites.get(&one.name).map(String::as_str);
        let by_us = by_us.filter(|sql| highest_parameter(sql) == 0);
        let (mut judged, mut skipped) = (Vec::new(), Vec::new());
        for variant in all {
            let texts = rewritten(by_expert, variant).zip(rewritten(by_us, variant));
            let Some((expert, ours)) = texts else {
                skipped.push(format!("{}: not in the rewritten statement", variant.label));
                continue;
            };
            match self.compare(&expert, &ours) {
                Ok((expert, by_us)) => judged.push(Judged {
                    label: variant.label.clone(),
                    sql: ours,
                    expert,
                    ours: by_us,
                }),
                Err(error) => skipped.push(format!("{}: {error}", variant.label)),
            }
        }
        let expert = mean(judged.iter().map(|one| &one.expert));
        Statement {
            name: one.name.clone(),
            expected: Compared {
                name: one.name.clone(),
                before: expert.clone(),
                expert,
                ours: Ok(mean(judged.iter().map(|one| &one.ours))),
            },
            judged,
            skipped,
        }
    }

    /// The fastest of some executions of each, in turns, so that what else the machine does is the
    /// same for both.
    fn compare(&mut self, expert: &str, ours: &str) -> Result<(Measured, Measured), String> {
        let mut sides = [
            (&mut self.expert, expert, f64::INFINITY),
            (&mut self.ours, ours, f64::INFINITY),
        ];
        let mut costs = Vec::new();
        for (client, sql, _) in &mut sides {
            costs.push(ask(client, "", sql)?.cost);
        }
        for round in 0..ROUNDS {
            let mut slowest: f64 = 0.0;
            for (client, sql, fastest) in &mut sides {
                let ms = ask(client, EXECUTED, sql)?.ms;
                slowest = slowest.max(ms);
                if round > 0 || ms > LONG_MS {
                    *fastest = fastest.min(ms);
                }
            }
            if round > 0 && slowest > LONG_MS / 4.0 {
                break;
            }
        }
        let measured = |number: usize| Measured {
            cost: costs[number],
            ms: sides[number].2,
            indexes: BTreeSet::new(),
        };
        Ok((measured(0), measured(1)))
    }
}

/// What a statement writes is rolled back.
fn ask(client: &mut Client, how: &str, sql: &str) -> Result<Measured, String> {
    client.batch_execute("BEGIN").unwrap();
    let answer = explained(client, how, sql);
    client.batch_execute("ROLLBACK").unwrap();
    let measured = |cost, ms| Measured {
        cost,
        ms,
        indexes: BTreeSet::new(),
    };
    match answer {
        Ok(answer) => Ok(measured(
            answer["Plan"]["Total Cost"].as_f64().unwrap(),
            answer["Execution Time"].as_f64().unwrap_or_default(),
        )),
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
            Ok(measured(f64::NAN, PATIENCE_MS))
        }
        Err(error) => Err(message(&error)),
    }
}

/// The rewritten statement with the values of the variant; none where it does not have the values
/// that are replaced.
fn rewritten(sql: Option<&str>, variant: &Variant) -> Option<String> {
    let Some(sql) = sql else {
        return Some(variant.sql.clone());
    };
    let own = literals(sql).ok()?;
    if !variant.values.keys().all(|value| own.contains(value)) {
        return None;
    }
    let places = own.iter().enumerate().filter_map(|(position, value)| {
        let new = variant.values.get(value)?;
        Some((ValuePlace::Literal(position), quoted(new)))
    });
    with_values(sql, &places.collect())
}

fn mean<'m>(all: impl Iterator<Item = &'m Measured>) -> Measured {
    let all: Vec<&Measured> = all.collect();
    let of = |figure: fn(&Measured) -> f64| {
        all.iter().map(|one| figure(one)).sum::<f64>() / all.len().max(1) as f64
    };
    Measured {
        cost: of(|one| one.cost),
        ms: of(|one| one.ms),
        indexes: BTreeSet::new(),
    }
}

impl Statement {
    fn ratio(&self) -> f64 {
        self.expected.factor().unwrap_or(1.0)
    }

    fn ours(&self) -> &Measured {
        self.expected.ours.as_ref().expect("executed")
    }

    /// The values that are slowest against the expert's.
    fn slowest(&self) -> Option<&Judged> {
        let by = |one: &Judged| one.ours.ms.max(0.05) / one.expert.ms.max(0.05);
        self.judged.iter().max_by(|a, b| by(a).total_cmp(&by(b)))
    }
}

fn row(case: &str, statement: &Statement) -> String {
    let expert = &statement.expected.expert;
    let slowest = statement.slowest().map_or_else(String::new, |one| {
        format!(
            "{}: {:.2} against {:.2} ms",
            one.label, one.ours.ms, one.expert.ms
        )
    });
    let mark = match (statement.ratio() > MOST, statement.expected.is_good()) {
        (true, false) => "!!",
        (true, true) => " !",
        _ => "",
    };
    format!(
        "{case:<28} {:<28} {:>6} {:>10.2} {:>10.2} {:>7.2} {:>7.2}{mark}  {slowest}",
        statement.name,
        statement.judged.len(),
        expert.ms,
        statement.ours().ms,
        statement.ratio(),
        statement.ours().cost / expert.cost,
    )
}

fn print_details(statement: &Statement) {
    for one in &statement.judged {
        println!(
            "    {:<14} expert {:>9.2} ms ({:.0}), ours {:>9.2} ms ({:.0}): {}",
            one.label,
            one.expert.ms,
            one.expert.cost,
            one.ours.ms,
            one.ours.cost,
            one.sql.replace('\n', " ")
        );
    }
    for one in &statement.skipped {
        println!("    {one}");
    }
}

fn print_summary(outcomes: &[Outcome]) {
    let all = || outcomes.iter().flat_map(|one| &one.statements);
    let within = |most: f64| all().filter(|one| one.ratio() <= most).count();
    let executed: usize = all().map(|one| one.judged.len()).sum();
    println!(
        "{} statements with {executed} sets of values: expected time at most {MOST} times the reference's in {}",
        all().count(),
        within(MOST)
    );
    for most in [0.5, 0.9, 1.1, 1.5, 2.0, 5.0] {
        println!("  at most {most:.1}: {}", within(most));
    }
    for outcome in outcomes {
        for one in outcome.statements.iter().filter(|one| one.ratio() > MOST) {
            let why = if one.expected.is_good() {
                "instant, or at the same cost"
            } else {
                "worse"
            };
            println!("  {:.2}  {} {}: {why}", one.ratio(), outcome.case, one.name);
        }
    }
}
