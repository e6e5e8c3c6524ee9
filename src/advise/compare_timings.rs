//! With `analyze`, execution time decides among indexes of similar cost, and where costs are known
//! to be misleading.
//!
//! The planner's costs ignore the cache. They price a BRIN range as if it were exact, a GiST lookup
//! as a descent along one path, and a LIMIT as if it ended early. So an index that was chosen by
//! cost is compared with the next best ones: the statements that use it are executed with each of
//! them in its place. The shorter time wins; if the times are too similar, the number of blocks
//! decides.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::effort::{Effort, SlowerThan, effort};
use super::measure::{MIN_TIME, Measured};
use super::run::Run;
use super::verification::{Failure, Verification, VerifiedIndex};
use crate::model::Bytes;
use crate::plan::{NodeType, Plan};
use crate::planner::{Answer, Evidence, Planned, PlannerError, Question, Target, uses};
use crate::search::{Trial, TrialCost, TrialId, Trials};
use crate::workload::{Statement, StatementId};

/// Maximum number of alternatives that are timed for a chosen index.
const MAX_ALTERNATIVES: usize = 2;

/// Maximum factor between two costs that count as similar.
const SIMILAR_COST_FACTOR: f64 = 1.5;

/// A statement's time should fall by the same factor as its cost. If the cost falls by more than
/// this many times the factor of the time, the cost is misleading.
const MISLEADING_FACTOR: f64 = 4.0;

/// Where times are too similar, an index wins if the other one reads at least this many times as
/// many blocks.
const CLEARLY_MORE_BLOCKS: f64 = 2.0;

/// An index that is more than this many times as large must be at least this many times as fast.
const MUCH_LARGER_FACTOR: f64 = 2.0;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared<'a> {
    pub(super) verification: &'a Verification,
    pub(super) measured: &'a Measured,
    /// The trials with what the server showed of them.
    pub(super) trials: &'a Trials,
}

/// One chosen index and those that might be faster.
struct Comparison<'p> {
    current: &'p VerifiedIndex,
    current_effort: Effort,
    /// Those of its statements that took long enough to tell.
    statements: Vec<Statement>,
    /// What these statements use besides.
    beside: Vec<TrialId>,
    alternatives: Vec<TrialId>,
}

/// The indexes that lost the comparison.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Chosen indexes for which there is a faster one, and the alternatives that were slower than
    /// that: the set must be chosen again without them.
    pub(super) replaced: BTreeMap<TrialId, Failure>,
    /// Alternatives that are not faster than what was chosen.
    pub(super) not_faster: BTreeMap<TrialId, Failure>,
}

/// Executes the statements of verified indexes with alternatives that were not chosen.
pub(super) fn compare_timings(
    run: &mut Run<'_>,
    context: Context<'_>,
    compared: Compared<'_>,
) -> Result<Outcome, PlannerError> {
    let was_built =
        |verified: &&VerifiedIndex| verified.evidence == Evidence::RolledBackTransaction;
    let verified = compared.verification.verified.iter();
    let comparisons: Vec<Comparison<'_>> = verified
        .filter(was_built)
        .filter_map(|current| compared.comparison(context, current))
        .collect();
    let steps = comparisons.iter().map(|one| one.alternatives.len());
    run.begin("comparing", steps.sum());
    let mut outcome = Outcome::default();
    for comparison in &comparisons {
        let mut slower = comparison.execute(run, compared.trials)?;
        if slower.contains_key(&comparison.current.trial) {
            outcome.replaced.append(&mut slower);
        } else {
            outcome.not_faster.append(&mut slower);
        }
    }
    run.end();
    Ok(outcome)
}

impl<'a> Compared<'a> {
    /// Finds alternatives to time; none where no statement takes long enough, or the alternatives
    /// are all chosen.
    fn comparison(
        self,
        context: Context<'_>,
        current: &'a VerifiedIndex,
    ) -> Option<Comparison<'a>> {
        let is_long_enough = |id: &StatementId| {
            self.measured
                .times(id)
                .is_some_and(|(_, after)| after >= MIN_TIME)
        };
        let after = self.measured.after.iter();
        let using: BTreeMap<&StatementId, &Plan> = after
            .filter(|(id, plan)| is_long_enough(id) && uses(plan, &current.index))
            .collect();
        let misleading: BTreeSet<&StatementId> = using
            .iter()
            .filter(|(id, after)| self.costs_mislead(context, id, after))
            .map(|(id, _)| *id)
            .collect();
        let alternatives = alternatives(current.trial, &using, self.trials, &|id| {
            misleading.contains(id)
        });
        let verified = &self.verification.verified;
        let is_verified = |id: &TrialId| verified.iter().any(|verified| verified.trial == *id);
        if alternatives.iter().all(is_verified) {
            return None;
        }
        let find = |id: &&StatementId| context.workload.statement(id).cloned();
        let statements: Vec<Statement> = using.keys().filter_map(find).collect();
        let is_used = |other: &&VerifiedIndex| using.values().any(|plan| uses(plan, &other.index));
        let beside = verified
            .iter()
            .filter(|other| other.trial != current.trial)
            .filter(is_used);
        Some(Comparison {
            current,
            current_effort: effort(&statements, &self.measured.after)?,
            statements,
            beside: beside.map(|other| other.trial).collect(),
            alternatives,
        })
    }

    /// Costs are misleading under a LIMIT, where the planner assumes that enough rows are found
    /// early, and where the time did not fall as the cost did.
    fn costs_mislead(self, context: Context<'_>, id: &StatementId, after: &Plan) -> bool {
        let Some(before) = context.plan(id) else {
            return false;
        };
        let by_cost = before.total_cost().factor_to(after.total_cost());
        let by_time = self.measured.times(id).map_or(by_cost, |(before, after)| {
            before.0 / after.0.max(f64::MIN_POSITIVE)
        });
        *before.root().node_type() == NodeType::Limit || by_cost > MISLEADING_FACTOR * by_time
    }
}

/// Trials on the same table with a similar cost for one of these statements, the closest first;
/// where costs are misleading, all trials that helped.
fn alternatives(
    current: TrialId,
    using: &BTreeMap<&StatementId, &Plan>,
    trials: &Trials,
    costs_mislead: &dyn Fn(&StatementId) -> bool,
) -> Vec<TrialId> {
    let index = &trials[current].index.definition;
    let Some(current_costs) = trials[current].costs() else {
        return Vec::new();
    };
    let is_other_method = |trial: &Trial| trial.index.definition.method != index.method;
    let nearness = |trial: &Trial| -> Option<f64> {
        let costs = trial.costs()?;
        let ratio = |id: &StatementId| -> Option<f64> {
            let (own, others): (&TrialCost, &TrialCost) = (current_costs.get(id)?, costs.get(id)?);
            let ratio = others.cost.0 / own.cost.0.max(1.0);
            let may_be_faster =
                ratio <= SIMILAR_COST_FACTOR || is_other_method(trial) || costs_mislead(id);
            (others.used && may_be_faster).then_some(ratio)
        };
        let ratios = using.keys().filter_map(|id| ratio(id));
        ratios.min_by(f64::total_cmp)
    };
    let mut near: Vec<(f64, TrialId)> = trials
        .iter()
        .filter(|(id, trial)| *id != current && *trial.table() == index.table)
        .filter_map(|(id, trial)| Some((nearness(trial)?, id)))
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    // An index of another access method first, if there is one: costs are least comparable between
    // methods.
    let (others, same): (Vec<TrialId>, Vec<TrialId>) = near
        .into_iter()
        .map(|(_, id)| id)
        .partition(|id| is_other_method(&trials[*id]));
    let ranked = others
        .iter()
        .take(1)
        .chain(&same)
        .chain(others.iter().skip(1));
    ranked.copied().take(MAX_ALTERNATIVES).collect()
}

impl Comparison<'_> {
    /// Executes the statements with each alternative; every index that lost, against which.
    fn execute(
        &self,
        run: &mut Run<'_>,
        trials: &Trials,
    ) -> Result<BTreeMap<TrialId, Failure>, PlannerError> {
        let mut slower = BTreeMap::new();
        let mut best = Contender {
            trial: self.current.trial,
            size: self.current.index.size,
            effort: self.current_effort,
        };
        for alternative in &self.alternatives {
            run.step(&trials[*alternative].index.name);
            let Some(other) = self.execute_with(run, *alternative, trials)? else {
                continue;
            };
            if other.beats(best) {
                slower.insert(best.trial, self.failure(best, other, trials));
                best = other;
            } else if best.effort.is_clearly_shorter_than(other.effort) {
                slower.insert(other.trial, self.failure(other, best, trials));
            }
        }
        Ok(slower)
    }

    fn failure(&self, slower: Contender, faster: Contender, trials: &Trials) -> Failure {
        let statements = self.statements.iter();
        Failure::Faster(SlowerThan {
            statements: statements.map(|statement| statement.id.clone()).collect(),
            calls: self
                .statements
                .iter()
                .map(|statement| statement.calls)
                .sum(),
            effort: slower.effort,
            faster: trials[faster.trial].index.name.clone(),
            less: faster.effort,
        })
    }

    /// The statements, executed with the alternative in the chosen index's place; none where it was
    /// not used, or they did not end.
    fn execute_with(
        &self,
        run: &mut Run<'_>,
        alternative: TrialId,
        trials: &Trials,
    ) -> Result<Option<Contender>, PlannerError> {
        let beside = self.beside.iter().filter(|id| **id != alternative);
        let indexes = trials.indexes(std::iter::once(&alternative).chain(beside));
        let question = Question::plans(Target::Server, &self.statements)
            .executed()
            .with_indexes(&indexes);
        let Answer::Planned(Planned { plans, indexes, .. }) = run.ask(&question)? else {
            return Ok(None);
        };
        let Some(index) = indexes.first() else {
            return Ok(None);
        };
        let plans: BTreeMap<StatementId, Plan> = plans
            .into_iter()
            .filter_map(|(id, outcome)| Some((id, outcome.plan()?.clone())))
            .collect();
        let is_used = plans.values().any(|plan| uses(plan, index));
        let effort = effort(&self.statements, &plans).filter(|_| is_used);
        Ok(effort.map(|effort| Contender {
            trial: alternative,
            size: index.size,
            effort,
        }))
    }
}

/// An index whose statements were executed.
#[derive(Debug, Clone, Copy)]
struct Contender {
    trial: TrialId,
    size: Bytes,
    effort: Effort,
}

impl Contender {
    fn beats(self, current: Contender) -> bool {
        if self.size.0 as f64 > MUCH_LARGER_FACTOR * current.size.0 as f64 {
            return self.effort.time.0 * MUCH_LARGER_FACTOR <= current.effort.time.0;
        }
        let fewer_blocks = self.effort.blocks * CLEARLY_MORE_BLOCKS <= current.effort.blocks;
        self.effort.is_clearly_shorter_than(current.effort)
            || (fewer_blocks && !current.effort.is_clearly_shorter_than(self.effort))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;

    fn contender(size_mb: u64, time_ms: f64, blocks: f64) -> Contender {
        let time = Millis(time_ms);
        Contender {
            trial: TrialId(0),
            size: Bytes(size_mb * Bytes::MB),
            effort: Effort { time, blocks },
        }
    }

    #[test]
    fn time_decides_and_blocks_where_it_is_too_near_to_tell() {
        let current = contender(10, 100.0, 1_000.0);
        assert!(contender(10, 89.0, 1_000.0).beats(current));
        assert!(!contender(10, 95.0, 1_000.0).beats(current), "too near");
        assert!(
            contender(10, 105.0, 400.0).beats(current),
            "as fast, with fewer blocks"
        );
        assert!(
            !contender(10, 120.0, 400.0).beats(current),
            "fewer blocks, but slower"
        );
        assert!(
            !contender(30, 80.0, 100.0).beats(current),
            "three times the size"
        );
        assert!(
            contender(30, 50.0, 1_000.0).beats(current),
            "and twice as fast"
        );
    }

    #[test]
    fn a_slower_index_tells_what_was_executed() {
        let slower = SlowerThan {
            statements: ["a", "b"].map(|id| StatementId(id.to_owned())).to_vec(),
            calls: 1_000.0,
            effort: contender(1, 45_000.0, 3_356_000.0).effort,
            faster: "i".to_owned(),
            less: contender(1, 700.0, 63_000.0).effort,
        };
        assert_eq!(
            slower.to_string(),
            "a and b, executed, took on average 45 ms and 3,356 blocks with it, 0.7 ms and 63 blocks with i"
        );
    }
}
