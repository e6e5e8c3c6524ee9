//! At which `random_page_cost` would the planner use an index? Asked of the server for indexes that exist, and of the planner twin for
//! the candidates: at the lowest value that makes sense, and if one is used there, at values in between.

use std::collections::BTreeMap;

use super::facts::setting;
use crate::advise::verification::Known;
use crate::advise::{Baseline, Run};
use crate::candidate::Candidate;
use crate::model::Cost;
use crate::plan::Plan;
use crate::rehearsal::{
    Answer, Event, Hypothesis, NamedIndex, PlanOutcome, PlannerError, Target, Trial,
};
use crate::workload::{Statement, StatementId};

const NAME: &str = "random_page_cost";

/// An index that is used only below the present value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::advise) struct LowerPageCost {
    /// It as people know it: its name, or what is indexed.
    pub(super) index: String,
    /// The present value.
    pub(super) now: f64,
    /// The greatest value, to one digit behind the point (two below a difference of one), at which it is used.
    pub(super) at: f64,
    /// The statement's cost there.
    pub(super) cost: Cost,
}

/// The greatest value at which an index is used, and the statement's cost there.
type Threshold = (f64, Cost);

/// For each of these statements, what a lower value would bring, if anything.
pub(super) fn ask(
    run: &mut Run<'_>,
    known: Known<'_>,
    (candidates, trials): (&[Candidate], &[Trial]),
    undecided: &[Statement],
) -> Result<BTreeMap<StatementId, LowerPageCost>, PlannerError> {
    let mut found = BTreeMap::new();
    let Some(range) = Range::of(known).filter(|_| !undecided.is_empty()) else {
        return Ok(found);
    };
    (run.observer)(Event::Begin {
        what: "asking why",
        steps: undecided.len(),
    });
    let lowest = range.plans(run, Target::Server, &[], undecided, range.lowest)?;
    for statement in undecided {
        (run.observer)(Event::Step(&statement.id.0));
        let before = known
            .baseline
            .get(&statement.id)
            .and_then(PlanOutcome::plan);
        let plan = lowest.get(&statement.id).and_then(PlanOutcome::plan);
        let Some((before, plan)) = before.zip(plan) else {
            continue;
        };
        let existing = plan
            .index_names()
            .into_iter()
            .find(|name| !before.index_names().contains(name));
        let lower = match existing.map(str::to_owned) {
            Some(index) => {
                let used = |plan: &Plan| plan.index_names().contains(index.as_str());
                range
                    .bisect(run, (Target::Server, &[]), statement, &used)?
                    .map(|seen| (index.clone(), seen))
            }
            None => range.candidate(run, known, (candidates, trials), statement)?,
        };
        if let Some((index, (at, cost))) = lower {
            found.insert(
                statement.id.clone(),
                LowerPageCost {
                    index,
                    now: range.now,
                    at,
                    cost,
                },
            );
        }
    }
    (run.observer)(Event::End);
    Ok(found)
}

/// The values from `seq_page_cost` to below the present one, in steps.
struct Range {
    /// How many steps make one.
    steps_in_one: f64,
    lowest: i64,
    /// The first step that is not below the present value.
    end: i64,
    now: f64,
}

impl Range {
    /// None where the value is as low as reading page after page already.
    fn of(known: Known<'_>) -> Option<Range> {
        let now = setting(known.catalog, NAME, 4.0);
        let least = setting(known.catalog, "seq_page_cost", 1.0);
        let steps_in_one = if now - least >= 1.0 { 10.0 } else { 100.0 };
        let (lowest, end) = (
            (least * steps_in_one).ceil() as i64,
            (now * steps_in_one).ceil() as i64,
        );
        (lowest < end && now.is_finite()).then_some(Range {
            steps_in_one,
            lowest,
            end,
            now,
        })
    }

    fn plans(
        &self,
        run: &mut Run<'_>,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
        step: i64,
    ) -> Result<Baseline, PlannerError> {
        let value = (step as f64 / self.steps_in_one).to_string();
        let hypothesis = Hypothesis::Setting {
            name: NAME.to_owned(),
            value,
        };
        Ok(
            match run.suppose(target, &hypothesis, indexes, statements)? {
                Answer::Planned(planned) => planned.plans,
                Answer::Refused(_) => Baseline::new(),
            },
        )
    }

    /// The greatest value at which the plan uses it, and the cost there; none when not even the lowest will do.
    fn bisect(
        &self,
        run: &mut Run<'_>,
        (target, indexes): (Target, &[NamedIndex]),
        statement: &Statement,
        used: &dyn Fn(&Plan) -> bool,
    ) -> Result<Option<Threshold>, PlannerError> {
        let (mut low, mut high) = (self.lowest - 1, self.end);
        let mut best = None;
        let mut next = self.lowest;
        while high - low > 1 {
            let plans = self.plans(run, target, indexes, std::slice::from_ref(statement), next)?;
            match plans
                .get(&statement.id)
                .and_then(PlanOutcome::plan)
                .filter(|plan| used(plan))
            {
                Some(plan) => {
                    best = Some((next as f64 / self.steps_in_one, plan.total_cost()));
                    low = next;
                }
                None if next == self.lowest => return Ok(None),
                None => high = next,
            }
            next = i64::midpoint(low, high);
        }
        Ok(best)
    }

    /// Of the candidates that this statement asked for and that no plan used, the one that is used first.
    fn candidate(
        &self,
        run: &mut Run<'_>,
        known: Known<'_>,
        (candidates, trials): (&[Candidate], &[Trial]),
        statement: &Statement,
    ) -> Result<Option<(String, Threshold)>, PlannerError> {
        if known.twin.target() == Target::Server || known.twin.failure(&statement.id).is_some() {
            return Ok(None);
        }
        let asked = candidates
            .iter()
            .zip(trials)
            .filter(|(candidate, _)| candidate.asked_by.contains(&statement.id));
        let unused = asked.map(|(_, trial)| trial).filter(|trial| {
            trial
                .built()
                .is_some_and(|(_, costs)| costs.get(&statement.id).is_some_and(|cost| !cost.used))
        });
        let unused: Vec<&Trial> = unused.collect();
        let indexes: Vec<NamedIndex> = unused.iter().map(|trial| trial.index.clone()).collect();
        if indexes.is_empty() {
            return Ok(None);
        }
        let together = self.plans(
            run,
            Target::Twin,
            &indexes,
            std::slice::from_ref(statement),
            self.lowest,
        )?;
        let Some(plan) = together.get(&statement.id).and_then(PlanOutcome::plan) else {
            return Ok(None);
        };
        let reads = |trial: &Trial, plan: &Plan| {
            trial
                .built()
                .is_some_and(|(build, _)| crate::rehearsal::uses(plan, build))
        };
        let Some(trial) = unused.into_iter().find(|trial| reads(trial, plan)) else {
            return Ok(None);
        };
        let alone = std::slice::from_ref(&trial.index);
        let seen = self.bisect(run, (Target::Twin, alone), statement, &|plan| {
            reads(trial, plan)
        })?;
        Ok(seen.map(|seen| {
            (
                format!("an index on {}", trial.index.definition.definition()),
                seen,
            )
        }))
    }
}
