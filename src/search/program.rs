//! The choice under a budget as a linear program over the known plans: which plan each statement
//! gets, and which indexes exist for that.
//!
//! An index counts as chosen as far as plans that use it are. That is the program of CoPhy (Dash,
//! Polyzotis, Ailamaki: "CoPhy: A Scalable, Portable, and Interactive Index Advisor for Large
//! Workloads", 2011) without the demand that choices are whole. Only few are not, because a budget
//! is one row, so rounding loses little.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};

use super::greedy::Search;
use super::plans::{Seen, StatementPlans};
use super::relaxation::ROUNDING;
use super::trial::TrialId;
use crate::model::{Bytes, Cost};

/// A plan is left out if another one does with fewer of the same indexes, and costs more by no more
/// than this share of what the statement can save.
const NEARLY_AS_CHEAP: f64 = 0.002;

impl Search<'_, '_> {
    /// The indexes that the cheapest fractional choice has most of, as far as they fit. Empty where
    /// the solver fails.
    pub(super) fn by_program(&self, budget: Bytes) -> Vec<TrialId> {
        let mut choice = self.cheapest_choice(budget).unwrap_or_default();
        choice.retain(|(_, share)| *share > ROUNDING);
        choice.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        self.as_far_as_they_fit(choice.into_iter().map(|(id, _)| id))
    }

    /// How much of each index.
    fn cheapest_choice(&self, budget: Bytes) -> Option<Vec<(TrialId, f64)>> {
        let today = self.known.baseline().as_slice();
        let unit: f64 = today.iter().map(|now| now.calls * now.cost.0).sum();
        if unit <= 0.0 {
            return None;
        }
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let ids: Vec<TrialId> = self.known.trials().ids().collect();
        let choices: Vec<Variable> = ids
            .iter()
            .map(|id| problem.add_var(self.known.write_cost_at_least(*id) / unit, (0.0, 1.0)))
            .collect();
        for (now, plans) in today.iter().zip(self.known.plans()) {
            let mut one_plan = LinearExpr::empty();
            let mut with: BTreeMap<usize, LinearExpr> = BTreeMap::new();
            let mut add = |cost: f64, used: &mut dyn Iterator<Item = usize>| {
                let plan = problem.add_var(now.calls * cost / unit, (0.0, f64::INFINITY));
                one_plan.add(plan, 1.0);
                for trial in used {
                    let with = with.entry(trial).or_insert_with(LinearExpr::empty);
                    with.add(plan, 1.0);
                }
            };
            add(now.cost.0, &mut std::iter::empty());
            for seen in worth_choosing(plans, now.cost) {
                add(seen.cost.0, &mut seen.used.ones());
            }
            problem.add_constraint(one_plan, ComparisonOp::Eq, 1.0);
            for (trial, mut plans) in with {
                plans.add(*choices.get(trial)?, -1.0);
                problem.add_constraint(plans, ComparisonOp::Le, 0.0);
            }
        }
        let mut size = LinearExpr::empty();
        let mut number = LinearExpr::empty();
        for (id, choice) in ids.iter().zip(&choices) {
            size.add(*choice, self.size(&[*id]).0 as f64 / budget.0.max(1) as f64);
            number.add(*choice, 1.0);
        }
        problem.add_constraint(size, ComparisonOp::Le, 1.0);
        if let Some(most) = self.limits.max_indexes {
            problem.add_constraint(number, ComparisonOp::Le, most as f64);
        }
        let solution = problem.solve().ok()?;
        let shares = choices.iter().map(|choice| solution.var_value(*choice));
        Some(ids.into_iter().zip(shares).collect())
    }

    /// As many of these as fit, in their order.
    pub(super) fn as_far_as_they_fit(&self, ids: impl Iterator<Item = TrialId>) -> Vec<TrialId> {
        let mut set: Vec<TrialId> = Vec::new();
        for id in ids {
            set.push(id);
            if !self.fits(&set) {
                set.pop();
            }
        }
        set
    }
}

/// The plans that are cheaper than today's, without those that hardly are for what they use more.
fn worth_choosing(plans: &StatementPlans, now: Cost) -> Vec<&Seen> {
    let cheaper: Vec<&Seen> = plans.best().filter(|seen| seen.cost.0 < now.0).collect();
    let floor = cheaper.first().map_or(now.0, |seen| seen.cost.0);
    let nearly = NEARLY_AS_CHEAP * (now.0 - floor);
    let is_needed = |seen: &&Seen| {
        let does_with_less = |other: &&Seen| {
            other.cost.0 <= seen.cost.0 + nearly
                && other.used != seen.used
                && other.used.is_part_of(&seen.used)
        };
        !cheaper.iter().any(does_with_less)
    };
    cheaper.iter().copied().filter(is_needed).collect()
}
