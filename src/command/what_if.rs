//! `advise --scale` and `--set`: the same workload on a twin with more rows, or with other
//! settings.

use super::CommandError;
use super::planners::{TwinMaker, TwinPlanner};
use super::time_limit::TimeLimit;
use crate::advise::what_if::{Conditions, WhatIf};
use crate::advise::{Advice, advise};
use crate::cli::AdviseArgs;
use crate::db::Twins;
use crate::planner::{Event, NamedIndex, Observer, Planner, Question, Target};
use crate::twin::Snapshot;
use crate::twin::growth::Growth;
use crate::verdict::{Limits, Rehearse};
use crate::workload::Workload;

/// The conditions that the options name.
#[derive(Clone)]
pub(super) struct ChangedConditions {
    growth: Growth,
    conditions: Conditions,
}

impl ChangedConditions {
    /// The conditions of these options, if they change any.
    pub(super) fn read(arguments: &AdviseArgs) -> Result<Option<ChangedConditions>, CommandError> {
        let mut growth = Growth::default();
        for text in &arguments.scale {
            growth.add(text).map_err(CommandError::Usage)?;
        }
        let conditions = Conditions {
            growth: arguments.scale.clone(),
            settings: arguments.settings.iter().cloned().collect(),
        };
        let changes_something = !conditions.growth.is_empty() || !conditions.settings.is_empty();
        Ok(changes_something.then_some(ChangedConditions { growth, conditions }))
    }

    /// Advises again under these conditions, and compares.
    pub(super) fn compare(
        &self,
        now: &Advice,
        (workload, limits): (&Workload, &Limits),
        snapshot: &Snapshot,
        twin_maker: &TwinMaker,
        observer: Observer<'_>,
    ) -> Result<WhatIf, CommandError> {
        if let Some(unknown) = self.growth.unknown(snapshot).first() {
            return Err(CommandError::Usage(format!(
                "--scale: the workload uses no table {unknown}"
            )));
        }
        observer(Event::Begin {
            what: "what if",
            steps: 1,
        });
        observer(Event::Step(&self.conditions.to_string()));
        let twin = twin_maker.make(&snapshot.grown(&self.growth))?;
        for (name, value) in &self.conditions.settings {
            twin.set(name, value)?;
        }
        observer(Event::End);
        let limits = Limits {
            rehearse: Rehearse::Twin,
            ..limits.clone()
        };
        let mut planner = TwinPlanner::new(Twins::one(twin), None);
        let mut planner = TimeLimit::new(&mut planner, limits.search_time);
        let then = advise(workload, &limits, &mut planner, observer)?;
        let chosen_now: Vec<NamedIndex> = now
            .recommendations
            .iter()
            .map(|recommendation| recommendation.index.clone())
            .collect();
        let question =
            Question::plans(Target::Twin, workload.statements()).with_indexes(&chosen_now);
        let same_set = planner.ask(&question)?.into_plans();
        Ok(WhatIf::compare(
            now,
            &then,
            &same_set,
            self.conditions.clone(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    /// The conditions of `pgrehearse advise` with these options.
    fn read(options: &[&str]) -> Result<Option<Conditions>, CommandError> {
        let words = ["pgrehearse", "advise", "-c", "SELECT 1"];
        let cli = Cli::try_parse_from(words.iter().chain(options)).unwrap();
        let Some(Command::Advise(arguments)) = cli.command else {
            panic!("another command");
        };
        let changed = ChangedConditions::read(&arguments)?;
        Ok(changed.map(|changed| changed.conditions))
    }

    #[test]
    fn without_options_nothing_is_asked() {
        assert_eq!(read(&[]).unwrap(), None);
    }

    #[test]
    fn growth_and_settings_are_kept_as_they_were_typed() {
        let options = [
            "--scale",
            "10",
            "--scale",
            "orders=2",
            "--set",
            "work_mem=1GB",
        ];
        let conditions = read(&options).unwrap().unwrap();
        assert_eq!(conditions.growth, ["10", "orders=2"]);
        let work_mem = ("work_mem".to_owned(), "1GB".to_owned());
        assert_eq!(conditions.settings, [work_mem].into());
        assert_eq!(
            conditions.to_string(),
            "data at 10 × its size, orders at 2 × its size, work_mem = 1GB"
        );
    }

    #[test]
    fn growth_that_makes_no_sense_is_wrong_usage() {
        for scale in ["0", "many", "=2", "orders=-1"] {
            let error = read(&["--scale", scale]).unwrap_err();
            assert_eq!(error.exit_status(), 2, "{scale}");
            assert!(error.to_string().contains(scale), "{error}");
        }
    }
}
