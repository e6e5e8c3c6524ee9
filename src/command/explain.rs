//! `pgrehearse explain`: the plans of a workload without new indexes, shown or saved for review.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::{CommandError, Outcome, connection, review, workload};
use crate::cli::{Cli, ExplainArgs};
use crate::db::Server;
use crate::plan::Plan;
use crate::plan::read::ReadPlan;
use crate::planner::{Answer, Event, PlanOutcome, Planner, Question, Target};
use crate::report::review::Reviewed;
use crate::sentences;
use crate::terminal::{self, Progress};
use crate::verdict::Limits;
use crate::workload::{Statement, Workload};

pub(super) fn run(cli: &Cli, arguments: &ExplainArgs) -> Result<Outcome, CommandError> {
    workload::check(&arguments.workload)?;
    let interrupt = connection::interrupt()?;
    let session =
        connection::session(cli, arguments.safety.safety(&Limits::default()), &interrupt)?;
    let progress = Progress::new(&cli.output);
    let workload = workload::read(&arguments.workload, &session, &|event| {
        progress.observe(event)
    })?;
    let reviewed = plans(cli, &workload, &mut Server::new(&session))?;
    if let Some(directory) = &arguments.save {
        save(directory, &workload, &reviewed)?;
    }
    review::write_reviewed(cli, &reviewed)
}

fn plans(
    cli: &Cli,
    workload: &Workload,
    planner: &mut dyn Planner,
) -> Result<Vec<Reviewed>, CommandError> {
    let progress = Progress::new(&cli.output);
    progress.observe(Event::Begin {
        what: "planning",
        steps: workload.statements().len(),
    });
    let mut reviewed = Vec::new();
    for statement in workload.statements() {
        progress.observe(Event::Step(&statement.id.0));
        let answer = planner.ask(&Question::plans(
            Target::Server,
            std::slice::from_ref(statement),
        ))?;
        reviewed.push(Reviewed {
            file: statement.id.0.clone(),
            plans: outcome(answer, statement),
        });
    }
    progress.observe(Event::End);
    Ok(reviewed)
}

fn outcome(answer: Answer, statement: &Statement) -> Result<Vec<ReadPlan>, String> {
    let Answer::Planned(mut planned) = answer else {
        return Err("the server gave no plan".to_owned());
    };
    match planned.plans.remove(&statement.id) {
        Some(PlanOutcome::Plan(plan)) => Ok(vec![ReadPlan::of_statement(plan, &statement.sql)]),
        Some(PlanOutcome::Failed(message)) => Err(message),
        Some(PlanOutcome::TwinOnly(reason)) => Err(sentences::not_planned(&reason)),
        Some(PlanOutcome::NotExecuted(reason)) => Err(sentences::not_executed(&reason)),
        Some(PlanOutcome::Empty) | None => Err("the statement is empty".to_owned()),
    }
}

/// Writes one file for each statement: EXPLAIN's JSON with the statement's text, as auto_explain
/// logs it.
fn save(directory: &Path, workload: &Workload, reviewed: &[Reviewed]) -> Result<(), CommandError> {
    let file_error = |path: &Path, error: &std::io::Error| {
        CommandError::Other(format!("{}: {error}", path.display()))
    };
    fs::create_dir_all(directory).map_err(|error| file_error(directory, &error))?;
    let mut taken = BTreeSet::new();
    for (statement, reviewed) in workload.statements().iter().zip(reviewed) {
        let Ok(plans) = &reviewed.plans else { continue };
        let path = directory.join(file_name(&statement.id.0, &mut taken));
        let plans: Vec<&Plan> = plans.iter().map(|read| &read.plan).collect();
        let json = serde_json::to_string_pretty(&plans)
            .map_err(|error| CommandError::Other(error.to_string()))?;
        terminal::create_private(&path)
            .and_then(|mut created| created.write_all((json + "\n").as_bytes()))
            .map_err(|error| file_error(&path, &error))?;
    }
    Ok(())
}

/// A file name for a statement: inside the directory, not too long, and unique.
fn file_name(id: &str, taken: &mut BTreeSet<String>) -> String {
    const MAX_CHARACTERS: usize = 60;
    let safe = |c: char| {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '_'
        }
    };
    let name: String = id.chars().map(safe).collect();
    let name: String = name
        .trim_matches('.')
        .chars()
        .take(MAX_CHARACTERS)
        .collect();
    let name = if name.is_empty() {
        "statement".to_owned()
    } else {
        name
    };
    let numbered = (2usize..).map(|number| format!("{name}-{number}.json"));
    let free = std::iter::once(format!("{name}.json"))
        .chain(numbered)
        .find(|file| taken.insert(file.clone()));
    free.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::RefusalCause;
    use crate::planner::test_planner::{TestPlanner, id, planned, seq_scan, table};

    /// The result for a statement.
    fn shown(answer: Answer) -> Result<Vec<ReadPlan>, String> {
        let planner = TestPlanner::new([table("t", &["a bigint"])]);
        let planner = planner.statement("s", "SELECT 1", seq_scan("t", 1.0));
        outcome(answer, &planner.workload().statements()[0])
    }

    #[test]
    fn a_statement_is_shown_with_its_plan_or_its_error() {
        let found = shown(planned(&[("s", &seq_scan("t", 7.0))])).unwrap();
        assert_eq!(found[0].query.as_deref(), Some("SELECT 1"));
        assert_eq!(found[0].plan.total_cost().0, 7.0);
        let failing = |outcome| {
            let plans = [(id("s"), outcome)].into();
            let planned = crate::planner::Planned {
                plans,
                ..Default::default()
            };
            shown(Answer::Planned(planned)).unwrap_err()
        };
        assert_eq!(failing(PlanOutcome::Failed("no".to_owned())), "no");
        assert_eq!(failing(PlanOutcome::Empty), "the statement is empty");
        let refused = Answer::Refused(RefusalCause::NoServer.into());
        assert_eq!(shown(refused).unwrap_err(), "the server gave no plan");
    }

    #[test]
    fn every_statement_gets_a_file_of_its_own_in_the_directory() {
        let mut taken = BTreeSet::new();
        let long = "x".repeat(300);
        let names = ["a b", "a_b", "...", "../up", &long].map(|id| file_name(id, &mut taken));
        assert_eq!(
            names[..4],
            ["a_b.json", "a_b-2.json", "statement.json", "_up.json"]
        );
        assert_eq!(names[4].len(), 65);
    }
}
