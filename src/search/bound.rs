//! How low could the cost of any set of these candidates be? A lower bound, by linear programming.
//!
//! With more indexes no plan becomes dearer. So what a statement costs with a large set of indexes
//! is the least that it can cost with any part of it: a set without some index costs at least as
//! much as all the others together. Such facts are linear in the choice of indexes; the cheapest
//! fractional choice that respects them and the budget is a bound for every real choice. After
//! CoPhy (Dash, Polyzotis, Ailamaki: "CoPhy: A Scalable, Portable, and Interactive Index Advisor
//! for Large Workloads", 2011), whose program has the plans themselves.

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};

use super::greedy::Search;
use super::optimality::Optimality;
use super::plans::Facts;
use super::trial::{TrialId, TrialSet};
use crate::model::Cost;
use crate::planner::PlannerError;

/// How often the planner is asked about what the cheapest fractional choice rests on.
const MAX_ROUNDS: usize = 3;

/// The solver's rounding, as a share.
const ROUNDING: f64 = 1e-6;

/// An index counts as chosen by a fractional choice from here on.
const MOSTLY: f64 = 0.5;

/// A lower bound, and the fractional choice that reaches it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    /// No set of the candidates within the limits costs less: Σ calls × cost, and what writes pay.
    pub(super) cost: Cost,
    /// The choice: how much of each index, largest first.
    pub(super) choice: Vec<(TrialId, f64)>,
}

impl Search<'_, '_> {
    /// None: there is no planner to ask, or the time is over before enough is known.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub(super) fn bound(&mut self) -> Result<Option<Bound>, PlannerError> {
        let tested = self.known.trials().iter();
        let all: TrialSet = tested
            .filter(|(_, trial)| trial.tested().is_some())
            .map(|(id, _)| id)
            .collect();
        if all.is_empty() {
            return Ok(None);
        }
        self.known.explore(&TrialSet::new(), &all)?;
        let mut best = None;
        for _ in 0..MAX_ROUNDS {
            let Some(facts) = self.known.facts() else {
                return Ok(best);
            };
            let Some(bound) = self.cheapest_choice(&facts) else {
                return Ok(best);
            };
            let chosen = bound.choice.iter().filter(|(_, share)| *share > MOSTLY);
            let chosen: TrialSet = chosen.map(|(id, _)| *id).collect();
            best = Some(bound);
            if !self.known.ask_downwards(&chosen)? {
                break;
            }
        }
        Ok(best)
    }

    /// The cheapest fractional choice that these facts allow within the limits.
    fn cheapest_choice(&self, facts: &[Facts]) -> Option<Bound> {
        let unit: f64 = facts.iter().map(|facts| facts.calls * facts.now).sum();
        if facts.is_empty() || unit <= 0.0 {
            return None;
        }
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let ids: Vec<TrialId> = self.known.trials().ids().collect();
        let choices: Vec<Variable> = ids
            .iter()
            .map(|id| problem.add_var(self.known.write_cost_at_least(*id) / unit, (0.0, 1.0)))
            .collect();
        let mut floor = 0.0;
        for facts in facts {
            floor += facts.calls * facts.floor;
            let range = facts.now - facts.floor;
            if range <= ROUNDING * facts.now {
                continue;
            }
            // The part of what the statement could save that is not saved.
            let left = problem.add_var(facts.calls * range / unit, (0.0, f64::INFINITY));
            for cut in &facts.cuts {
                let mut terms = LinearExpr::empty();
                terms.add(left, 1.0);
                for (trial, saved) in &cut.saved_by {
                    terms.add(*choices.get(*trial)?, saved / range);
                }
                let at_least = (cut.cost - facts.floor) / range;
                problem.add_constraint(terms, ComparisonOp::Ge, at_least);
            }
        }
        self.add_limits(&mut problem, &ids, &choices);
        let solution = problem.solve().ok()?;
        let cost = floor + unit * solution.objective();
        let shares = ids.iter().zip(&choices);
        let mut choice: Vec<(TrialId, f64)> = shares
            .map(|(id, choice)| (*id, solution.var_value(*choice)))
            .filter(|(_, share)| *share > ROUNDING)
            .collect();
        choice.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Some(Bound {
            cost: Cost(cost * (1.0 - ROUNDING)),
            choice,
        })
    }

    fn add_limits(&self, problem: &mut Problem, ids: &[TrialId], choices: &[Variable]) {
        if let Some(budget) = self.limits.budget {
            let mut terms = LinearExpr::empty();
            for (id, choice) in ids.iter().zip(choices) {
                let share = self.size(&[*id]).0 as f64 / budget.0.max(1) as f64;
                terms.add(*choice, share);
            }
            problem.add_constraint(terms, ComparisonOp::Le, 1.0);
        }
        if let Some(most) = self.limits.max_indexes {
            let mut terms = LinearExpr::empty();
            for choice in choices {
                terms.add(*choice, 1.0);
            }
            problem.add_constraint(terms, ComparisonOp::Le, most as f64);
        }
    }

    /// How far this choice can be from the best one.
    pub(super) fn optimality(
        &mut self,
        chosen: &[TrialId],
        bound: Option<&Bound>,
    ) -> Result<Option<Optimality>, PlannerError> {
        let Some(bound) = bound else {
            return Ok(None);
        };
        let cost = self.sum(chosen)?;
        // The search has learned more since then.
        let facts = self.known.facts();
        let now = facts.and_then(|facts| self.cheapest_choice(&facts));
        let bound = now.map_or(bound.cost, |now| Cost(now.cost.0.max(bound.cost.0)));
        let tested = self.known.trials().iter();
        Ok(Some(Optimality {
            cost: Cost(cost),
            bound: Cost(bound.0.min(cost)),
            candidates: tested.filter(|(_, trial)| trial.tested().is_some()).count(),
            is_limited: self.limits.budget.is_some() || self.limits.max_indexes.is_some(),
        }))
    }

    /// The indexes that the bound's choice has most of, as far as they fit.
    pub(super) fn rounded(&self, bound: &Bound) -> Vec<TrialId> {
        let mut set: Vec<TrialId> = Vec::new();
        for (id, _) in &bound.choice {
            set.push(*id);
            if !self.fits(&set) {
                set.pop();
            }
        }
        set
    }
}
