//! At which `random_page_cost` would the planner use an index? The server is asked about indexes
//! that exist, and the planner twin about the candidates: at the lowest value that makes sense, and
//! if one is used there, at values in between.

use std::collections::BTreeMap;

use super::facts::setting;
use crate::advise::baseline::Baseline;
use crate::advise::context::Context;
use crate::advise::no_index_helps::{IndexChoice, LowerPageCost};
use crate::advise::run::Run;
use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::{
    Hypothesis, NamedIndex, PlanOutcome, PlannerError, Question, Target, TestedIndex, uses,
};
use crate::search::{Trial, Trials};
use crate::workload::{Statement, StatementId};

const NAME: &str = "random_page_cost";

/// The maximum value at which an index is used, and the statement's cost at that value.
type Threshold = (f64, Cost);

/// For each of these statements, what a lower value would bring, if anything.
pub(super) fn ask(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    undecided: &[Statement],
) -> Result<BTreeMap<StatementId, LowerPageCost>, PlannerError> {
    let mut found = BTreeMap::new();
    let Some(range) = Range::of(context).filter(|_| !undecided.is_empty()) else {
        return Ok(found);
    };
    run.begin("testing a lower random_page_cost", undecided.len());
    let lowest = range.plans(run, (Target::Server, &[]), undecided, range.lowest)?;
    for statement in undecided {
        run.step(&statement.id.0);
        let before = context.plan(&statement.id);
        let plan = lowest.get(&statement.id).and_then(PlanOutcome::plan);
        let Some((before, plan)) = before.zip(plan) else {
            continue;
        };
        let lower = match newly_used(before, plan) {
            Some(index) => range.existing(run, statement, index)?,
            None => range.candidate(run, context, trials, statement)?,
        };
        if let Some((index, (at, cost))) = lower {
            let now = range.now;
            let lower = LowerPageCost {
                index,
                now,
                at,
                cost,
            };
            found.insert(statement.id.clone(), lower);
        }
    }
    run.end();
    Ok(found)
}

/// An index that the first plan does not use, and the second does.
fn newly_used(before: &Plan, plan: &Plan) -> Option<String> {
    let known = before.index_names();
    let mut names = plan.index_names().into_iter();
    names.find(|name| !known.contains(name)).map(str::to_owned)
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
    /// None where the value is already as low as `seq_page_cost`.
    fn of(context: Context<'_>) -> Option<Range> {
        let now = setting(context.catalog, NAME, 4.0);
        let min = setting(context.catalog, "seq_page_cost", 1.0);
        let steps_in_one = if now - min >= 1.0 { 10.0 } else { 100.0 };
        let (lowest, end) = (
            (min * steps_in_one).ceil() as i64,
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
        (target, indexes): (Target, &[NamedIndex]),
        statements: &[Statement],
        step: i64,
    ) -> Result<Baseline, PlannerError> {
        let hypothesis = Hypothesis::Setting {
            name: NAME.to_owned(),
            value: (step as f64 / self.steps_in_one).to_string(),
        };
        let question = Question::plans(target, statements)
            .with_indexes(indexes)
            .under(hypothesis);
        Ok(run.ask(&question)?.into_plans())
    }

    /// The maximum value at which the plan uses it, and the cost at that value; none when the plan
    /// does not use it even at the minimum.
    fn bisect(
        &self,
        run: &mut Run<'_>,
        asked: (Target, &[NamedIndex]),
        statement: &Statement,
        used: &dyn Fn(&Plan) -> bool,
    ) -> Result<Option<Threshold>, PlannerError> {
        let (mut low, mut high) = (self.lowest - 1, self.end);
        let mut best = None;
        let mut next = self.lowest;
        while high - low > 1 {
            let plans = self.plans(run, asked, std::slice::from_ref(statement), next)?;
            let plan = plans.get(&statement.id).and_then(PlanOutcome::plan);
            match plan.filter(|plan| used(plan)) {
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

    fn existing(
        &self,
        run: &mut Run<'_>,
        statement: &Statement,
        index: String,
    ) -> Result<Option<(IndexChoice, Threshold)>, PlannerError> {
        let used = |plan: &Plan| plan.index_names().contains(index.as_str());
        let threshold = self.bisect(run, (Target::Server, &[]), statement, &used)?;
        Ok(threshold.map(|threshold| (IndexChoice::Existing(index), threshold)))
    }

    /// Of the candidates for this statement that no plan used, the one that is used first.
    fn candidate(
        &self,
        run: &mut Run<'_>,
        context: Context<'_>,
        trials: &Trials,
        statement: &Statement,
    ) -> Result<Option<(IndexChoice, Threshold)>, PlannerError> {
        if context.target() == Target::Server || context.twin.failure(&statement.id).is_some() {
            return Ok(None);
        }
        let unused = unused_candidates(trials, &statement.id);
        let indexes: Vec<NamedIndex> = unused
            .iter()
            .map(|(trial, _)| trial.index.clone())
            .collect();
        if indexes.is_empty() {
            return Ok(None);
        }
        let statements = std::slice::from_ref(statement);
        let together = self.plans(run, (Target::Twin, &indexes), statements, self.lowest)?;
        let Some(plan) = together.get(&statement.id).and_then(PlanOutcome::plan) else {
            return Ok(None);
        };
        let mut unused = unused.into_iter();
        let Some((trial, tested)) = unused.find(|(_, tested)| uses(plan, tested)) else {
            return Ok(None);
        };
        let alone = std::slice::from_ref(&trial.index);
        let used = |plan: &Plan| uses(plan, tested);
        let threshold = self.bisect(run, (Target::Twin, alone), statement, &used)?;
        let index = IndexChoice::Candidate(Box::new(trial.index.definition.clone()));
        Ok(threshold.map(|threshold| (index, threshold)))
    }
}

/// The statement's candidates that were tested and not used.
fn unused_candidates<'t>(
    trials: &'t Trials,
    statement: &StatementId,
) -> Vec<(&'t Trial, &'t TestedIndex)> {
    let is_unused = |trial: &Trial| {
        let cost = trial.costs().and_then(|costs| costs.get(statement));
        trial.asked_by.contains(statement) && cost.is_some_and(|cost| !cost.used)
    };
    let trials = trials.iter().map(|(_, trial)| trial);
    let unused = trials.filter(|trial| is_unused(trial));
    unused
        .filter_map(|trial| Some((trial, trial.tested()?)))
        .collect()
}
