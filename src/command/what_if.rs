//! `advise --scale` and `--set`: the same workload on a twin with more rows, or with other settings.

use super::CommandError;
use super::planners::{TwinMaker, TwinPlanner};
use super::time_limit::TimeLimit;
use crate::advise::what_if::{Conditions, WhatIf};
use crate::advise::{Advice, advise};
use crate::cli::AdviseArgs;
use crate::planner::{Event, NamedIndex, Observer, Planner, Question, Target};
use crate::twin::Snapshot;
use crate::twin::growth::Growth;
use crate::verdict::{Limits, Rehearse};
use crate::workload::Workload;

/// The conditions that the options name.
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
        let mut planner = TwinPlanner::new(twin, None);
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
