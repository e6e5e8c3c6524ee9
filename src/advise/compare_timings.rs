//! `--analyze`: time decides among candidates that cost about the same, or whose costs are known to mislead.
//!
//! The planner's costs know nothing of the cache, take a BRIN range for as good as rows, a GiST lookup for a walk down one path, and a
//! LIMIT for ending early. So an index that was chosen by its cost is run against the next best: the statements that use it are
//! executed with each in its place. Time decides; where that is too near to tell, blocks do.

use std::collections::{BTreeMap, BTreeSet};

use super::Run;
use super::measure::Measured;
use super::verification::{Failure, Known, Verification, VerifiedIndex};
use crate::model::{Bytes, Millis, group_thousands};
use crate::plan::{NodeType, Plan};
use crate::rehearsal::{
    Answer, Event, Evidence, NamedIndex, PlanOutcome, Planned, PlannerError, Trial, TrialCost, uses,
};
use crate::workload::{Statement, StatementId};

/// So many others are run against a chosen index.
const MAX_ALTERNATIVES: usize = 2;

/// Costs are close up to this factor.
const CLOSE: f64 = 1.5;

/// A statement's time should have fallen like its cost; if it fell so many times less, its costs mislead.
const MISLEADING_FACTOR: f64 = 4.0;

/// A time has to be shorter by this share to be called shorter.
const CLEARLY_SHORTER: f64 = 0.1;

/// Times that are too near to tell are decided by blocks, if one reads so many times as many.
const CLEARLY_MORE_BLOCKS: f64 = 2.0;

/// An index of more than this many times the size has to be as many times faster.
const LARGER: f64 = 2.0;

/// What executing the statements of a contest took, Σ calls × each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Effort {
    time: Millis,
    blocks: f64,
}

impl std::fmt::Display for Effort {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} and {} blocks",
            self.time,
            group_thousands(self.blocks, 0)
        )
    }
}

/// How an index was beaten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SlowerThan {
    /// The statements that were executed.
    statements: Vec<StatementId>,
    effort: Effort,
    /// The name of the other index.
    by: String,
    less: Effort,
}

impl std::fmt::Display for SlowerThan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<&str> = self.statements.iter().map(|id| id.0.as_str()).collect();
        let SlowerThan {
            effort, by, less, ..
        } = self;
        write!(
            formatter,
            "{}, executed, took {effort} with it, {less} with {by}",
            ids.join(" and ")
        )
    }
}

/// One index and those that might do its work faster.
struct TimingComparison<'p> {
    current: &'p VerifiedIndex,
    /// Those of its statements that took long enough to tell.
    statements: Vec<Statement>,
    /// What these statements use besides.
    beside: Vec<usize>,
    alternatives: Vec<usize>,
}

/// Who lost, and against whom.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Where what was chosen lost, all that did: the choice has to be made again without them.
    pub(super) replaced: BTreeMap<usize, Failure>,
    /// Not chosen, and not faster either.
    pub(super) not_faster: BTreeMap<usize, Failure>,
}

/// Runs what was proved against what was not chosen.
pub(super) fn compare(
    run: &mut Run<'_>,
    verification: &Verification,
    measured: &Measured,
    trials: &[Trial],
    known: Known<'_>,
) -> Result<Outcome, PlannerError> {
    let built = |verified: &&VerifiedIndex| verified.evidence == Evidence::RolledBackTransaction;
    let comparisons: Vec<TimingComparison<'_>> = verification
        .verified
        .iter()
        .filter(built)
        .filter_map(|current| {
            compare_timings(current, verification, measured, (trials, known, run))
        })
        .collect();
    let mut outcome = Outcome::default();
    (run.observer)(Event::Begin {
        what: "comparing",
        steps: comparisons
            .iter()
            .map(|compare_timings| compare_timings.alternatives.len())
            .sum(),
    });
    for compare_timings in &comparisons {
        let mut lost = BTreeMap::new();
        let Some(current_effort) = effort(&compare_timings.statements, &measured.after) else {
            continue;
        };
        let mut best = (
            compare_timings.current.trial,
            compare_timings.current.build.size,
            current_effort,
        );
        for alternative in &compare_timings.alternatives {
            let name = &trials[*alternative].index.name;
            (run.observer)(Event::Step(name));
            let Some((size, alternative_effort)) =
                run_with(run, *alternative, compare_timings, trials)?
            else {
                continue;
            };
            let (present, present_size, current) = best;
            let slower_than = |effort, winner: usize, less| {
                let statements = compare_timings
                    .statements
                    .iter()
                    .map(|statement| statement.id.clone())
                    .collect();
                Failure::Faster(SlowerThan {
                    statements,
                    effort,
                    by: trials[winner].index.name.clone(),
                    less,
                })
            };
            if wins((size, alternative_effort), (present_size, current)) {
                lost.insert(
                    present,
                    slower_than(current, *alternative, alternative_effort),
                );
                best = (*alternative, size, alternative_effort);
            } else if current.clearly_shorter(alternative_effort) {
                lost.insert(
                    *alternative,
                    slower_than(alternative_effort, present, current),
                );
            }
        }
        let replaced = lost.contains_key(&compare_timings.current.trial);
        if replaced {
            &mut outcome.replaced
        } else {
            &mut outcome.not_faster
        }
        .append(&mut lost);
    }
    (run.observer)(Event::End);
    Ok(outcome)
}

/// Is there anybody to run against?
fn compare_timings<'p>(
    current: &'p VerifiedIndex,
    verification: &'p Verification,
    measured: &Measured,
    (trials, known, run): (&[Trial], Known<'_>, &Run<'_>),
) -> Option<TimingComparison<'p>> {
    let using = measured.after.iter().filter(|(id, plan)| {
        let long_enough = measured
            .times(id)
            .is_some_and(|(_, after)| after >= super::measure::MIN_TIME);
        long_enough && uses(plan, &current.build)
    });
    let using: BTreeMap<&StatementId, &Plan> = using.collect();
    let misled: BTreeSet<&StatementId> = using
        .iter()
        .filter(|(id, after)| costs_mislead(id, after, measured, known))
        .map(|(id, _)| *id)
        .collect();
    let alternatives = alternatives(current.trial, &using, trials, |id| misled.contains(id));
    if alternatives.is_empty()
        || alternatives.iter().all(|alternative| {
            verification
                .verified
                .iter()
                .any(|verified| verified.trial == *alternative)
        })
    {
        return None;
    }
    let beside = verification.verified.iter().filter(|other| {
        other.trial != current.trial && using.values().any(|plan| uses(plan, &other.build))
    });
    Some(TimingComparison {
        current,
        statements: using
            .keys()
            .filter_map(|id| run.workload.statement(id).cloned())
            .collect(),
        beside: beside.map(|other| other.trial).collect(),
        alternatives,
    })
}

/// With LIMIT the planner hopes to find enough soon; and where time did not fall as cost did, something is wrong with the cost.
fn costs_mislead(id: &StatementId, after: &Plan, measured: &Measured, known: Known<'_>) -> bool {
    let Some(before) = known.baseline.get(id).and_then(PlanOutcome::plan) else {
        return false;
    };
    let predicted_factor = before.total_cost().factor_to(after.total_cost());
    let kept = measured
        .times(id)
        .map_or(predicted_factor, |(before, after)| {
            before.0 / after.0.max(f64::MIN_POSITIVE)
        });
    *before.root().node_type() == NodeType::Limit || predicted_factor > MISLEADING_FACTOR * kept
}

/// Those on the same table that did nearly as well for one of these statements, the nearest first; all that helped, where costs mislead.
fn alternatives(
    current: usize,
    using: &BTreeMap<&StatementId, &Plan>,
    trials: &[Trial],
    costs_mislead: impl Fn(&StatementId) -> bool,
) -> Vec<usize> {
    let Some((_, current_effort)) = trials[current].built() else {
        return Vec::new();
    };
    let index = &trials[current].index.definition;
    let nearness = |trial: &Trial| -> Option<f64> {
        let (_, costs) = trial.built()?;
        let other_method = trial.index.definition.method != index.method;
        let ratio = |id: &&StatementId| -> Option<f64> {
            let (own, others): (&TrialCost, &TrialCost) = (current_effort.get(id)?, costs.get(id)?);
            let ratio = others.cost.0 / own.cost.0.max(1.0);
            (others.used && (ratio <= CLOSE || other_method || costs_mislead(id))).then_some(ratio)
        };
        using
            .keys()
            .copied()
            .filter_map(|id| ratio(&id))
            .min_by(f64::total_cmp)
    };
    let others = trials.iter().enumerate().filter(|(position, trial)| {
        *position != current && trial.index.definition.table == index.table
    });
    let mut near: Vec<(f64, usize)> = others
        .filter_map(|(position, trial)| Some((nearness(trial)?, position)))
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    // One of another method first, if there is one: it is there that costs mislead most.
    let method = |position: &usize| trials[*position].index.definition.method != index.method;
    let (others, same): (Vec<usize>, Vec<usize>) = near
        .into_iter()
        .map(|(_, position)| position)
        .partition(method);
    others
        .iter()
        .take(1)
        .chain(&same)
        .chain(others.iter().skip(1))
        .copied()
        .take(MAX_ALTERNATIVES)
        .collect()
}

/// The statements, executed with the rival in the champion's place.
fn run_with(
    run: &mut Run<'_>,
    alternative: usize,
    compare_timings: &TimingComparison<'_>,
    trials: &[Trial],
) -> Result<Option<(Bytes, Effort)>, PlannerError> {
    let beside = compare_timings
        .beside
        .iter()
        .filter(|position| **position != alternative);
    let indexes: Vec<NamedIndex> = std::iter::once(&alternative)
        .chain(beside)
        .map(|position| trials[*position].index.clone())
        .collect();
    let Answer::Planned(Planned { plans, builds, .. }) =
        run.execute(&indexes, &compare_timings.statements)?
    else {
        return Ok(None);
    };
    let Some(build) = builds.first() else {
        return Ok(None);
    };
    let plans: BTreeMap<StatementId, Plan> = plans
        .into_iter()
        .filter_map(|(id, outcome)| Some((id, outcome.plan()?.clone())))
        .collect();
    let used = plans.values().any(|plan| uses(plan, build));
    Ok(effort(&compare_timings.statements, &plans)
        .filter(|_| used)
        .map(|effort| (build.size, effort)))
}

/// None when a statement was not executed to its end.
fn effort(statements: &[Statement], plans: &BTreeMap<StatementId, Plan>) -> Option<Effort> {
    let mut effort = Effort::default();
    for statement in statements {
        let plan = plans.get(&statement.id)?;
        effort.time.0 += statement.calls * plan.execution_time()?.0;
        effort.blocks += statement.calls * plan.shared_blocks().unwrap_or(0.0);
    }
    Some(effort)
}

impl Effort {
    fn clearly_shorter(self, other: Effort) -> bool {
        self.time.0 <= other.time.0 * (1.0 - CLEARLY_SHORTER)
    }
}

fn wins(
    (size, alternative_effort): (Bytes, Effort),
    (champions_size, current): (Bytes, Effort),
) -> bool {
    if size.0 as f64 > LARGER * champions_size.0 as f64 {
        return alternative_effort.time.0 * LARGER <= current.time.0;
    }
    let fewer_blocks = alternative_effort.blocks * CLEARLY_MORE_BLOCKS <= current.blocks;
    alternative_effort.clearly_shorter(current)
        || (fewer_blocks && !current.clearly_shorter(alternative_effort))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effort(time_ms: f64, blocks: f64) -> Effort {
        Effort {
            time: Millis(time_ms),
            blocks,
        }
    }

    #[test]
    fn time_decides_and_blocks_where_it_is_too_near_to_tell() {
        let mb = |size: u64| Bytes(size * Bytes::MB);
        let current = (mb(10), effort(100.0, 1_000.0));
        assert!(wins((mb(10), effort(89.0, 1_000.0)), current));
        assert!(!wins((mb(10), effort(95.0, 1_000.0)), current), "too near");
        assert!(
            wins((mb(10), effort(105.0, 400.0)), current),
            "as fast, with fewer blocks"
        );
        assert!(
            !wins((mb(10), effort(120.0, 400.0)), current),
            "fewer blocks, but slower"
        );
        assert!(
            !wins((mb(30), effort(80.0, 100.0)), current),
            "three times the size"
        );
        assert!(
            wins((mb(30), effort(50.0, 1_000.0)), current),
            "and twice as fast"
        );
    }

    #[test]
    fn a_defeat_tells_what_was_seen() {
        let statements = ["a", "b"].map(|id| StatementId(id.to_owned())).to_vec();
        let slower_than = SlowerThan {
            statements,
            effort: effort(45.0, 3_356.0),
            by: "i".to_owned(),
            less: effort(0.7, 63.0),
        };
        assert_eq!(
            slower_than.to_string(),
            "a and b, executed, took 45 ms and 3,356 blocks with it, 0.7 ms and 63 blocks with i"
        );
    }
}
