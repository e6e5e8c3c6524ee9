//! How low could the cost of any set of these candidates be? A lower bound, by linear programming.
//!
//! With more indexes no plan becomes dearer. So what a statement costs with a large set of indexes
//! is the least that it can cost with any part of it: a set without some index costs at least as
//! much as all the others together. The cheapest fractional choice that respects such facts and the
//! budget (`relaxation`) is a bound for every real choice. What it rests on is asked about, which
//! raises it, until it is near to the set that was found. After
//! CoPhy (Dash, Polyzotis, Ailamaki: "CoPhy: A Scalable, Portable, and Interactive Index Advisor
//! for Large Workloads", 2011), whose program has the plans themselves.

use super::costs::planned_total;
use super::greedy::Search;
use super::optimality::Optimality;
use super::relaxation::{Choosable, ROUNDING, Relaxation};
use super::trial::{TrialId, TrialSet};
use crate::model::Cost;
use crate::planner::PlannerError;

/// How often the planner is asked about what the cheapest fractional choice rests on, before a set is
/// looked for.
const MAX_ROUNDS: usize = 4;

/// A bound so near to a set that was found is good enough, as a share.
const GOOD_ENOUGH: f64 = 0.01;

/// A round has to raise the bound by this share; else it is one in vain, and after so many it is left.
const WORTH_A_ROUND: f64 = 0.0005;
const MAX_ROUNDS_IN_VAIN: usize = 3;

/// An index counts as chosen by a fractional choice from here on.
const MOSTLY: f64 = 0.5;

/// A lower bound, and the fractional choice that reaches it.
pub(super) struct Bound {
    relaxation: Relaxation,
    /// The choice: how much of each index, largest first.
    choice: Vec<(TrialId, f64)>,
}

impl Bound {
    /// No set of the candidates within the limits costs less: Σ calls × cost, and what writes pay.
    pub(super) fn cost(&self) -> Cost {
        self.relaxation.cost()
    }

    fn of(relaxation: Relaxation) -> Bound {
        let choice = relaxation.choice().iter().enumerate();
        let choice = choice.map(|(trial, share)| (TrialId(trial), *share));
        let mut choice: Vec<(TrialId, f64)> =
            choice.filter(|(_, share)| *share > ROUNDING).collect();
        choice.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Bound { relaxation, choice }
    }
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
        self.known.ask_downwards(&all)?;
        let Some(facts) = self.known.facts() else {
            return Ok(None);
        };
        let indexes = self.known.trials().ids().map(|id| Choosable {
            write_cost: self.known.write_cost_at_least(id),
            share_of_budget: self.limits.budget.map_or(0.0, |budget| {
                self.size(&[id]).0 as f64 / budget.0.max(1) as f64
            }),
        });
        let indexes: Vec<Choosable> = indexes.collect();
        match Relaxation::new(&facts, indexes, self.limits.max_indexes) {
            Some(relaxation) => {
                let is_first = self.known.chosen_before.is_none();
                let rounds = if is_first { MAX_ROUNDS } else { 0 };
                Ok(Some(self.tightened(relaxation, None, rounds)?))
            }
            None => Ok(None),
        }
    }

    /// The bound by what is known now, and by what this many rounds of questions tell.
    pub(super) fn tighten(
        &mut self,
        bound: &mut Option<Bound>,
        found: f64,
        rounds: usize,
    ) -> Result<(), PlannerError> {
        if let Some(before) = bound.take() {
            *bound = Some(self.tightened(before.relaxation, Some(found), rounds)?);
        }
        Ok(())
    }

    /// The bound by what is known; asks about what it rests on, this many times, until it is near to
    /// the cost of the best set that is known.
    fn tightened(
        &mut self,
        relaxation: Relaxation,
        found: Option<f64>,
        rounds: usize,
    ) -> Result<Bound, PlannerError> {
        let mut relaxation = relaxation;
        let mut rounds_in_vain = 0;
        for round in 0..=rounds {
            let before = relaxation.cost().0;
            let Some(facts) = self.known.facts() else {
                break;
            };
            relaxation.learn(&facts);
            let cost = relaxation.cost().0;
            if cost > before + WORTH_A_ROUND * before.abs() {
                rounds_in_vain = 0;
            } else {
                rounds_in_vain += 1;
            }
            let is_near = found.is_some_and(|found| found <= cost * (1.0 + GOOD_ENOUGH));
            let is_enough = is_near || rounds_in_vain > MAX_ROUNDS_IN_VAIN || round == rounds;
            if is_enough || !self.ask_about(&relaxation)? {
                break;
            }
        }
        Ok(Bound::of(relaxation))
    }

    /// What do statements cost with what the choice has of anything, and with what it has most of?
    /// Returns whether there was anything to ask.
    fn ask_about(&mut self, relaxation: &Relaxation) -> Result<bool, PlannerError> {
        let choice = relaxation.choice();
        let mut has_asked = false;
        for least in [ROUNDING, MOSTLY] {
            let chosen = choice.iter().enumerate();
            let chosen = chosen.filter(|(_, share)| **share > least);
            let chosen: TrialSet = chosen.map(|(trial, _)| TrialId(trial)).collect();
            has_asked |= self.known.ask_downwards(&chosen)?;
        }
        Ok(has_asked && self.known.has_time()?)
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
        let costs = self.costs(chosen)?;
        let cost = planned_total(&costs).0 + self.known.write_cost(chosen);
        let distrusted = costs.as_slice().iter().zip(self.known.plans());
        let distrusted = distrusted.filter(|(now, plans)| {
            let planned = now.unpriced.planned(now.cost);
            plans.seen.iter().any(|seen| seen.is_distrusted(planned))
        });
        let tested = self.known.trials().iter();
        Ok(Some(Optimality {
            cost: Cost(cost),
            bound: Cost(bound.cost().0.min(cost)),
            distrusted: distrusted.count(),
            candidates: tested.filter(|(_, trial)| trial.tested().is_some()).count(),
            is_limited: self.limits.budget.is_some() || self.limits.max_indexes.is_some(),
        }))
    }

    /// The indexes that the bound's choice has most of, as far as they fit.
    pub(super) fn rounded(&self, bound: &Bound) -> Vec<TrialId> {
        self.as_far_as_they_fit(bound.choice.iter().map(|(id, _)| *id))
    }
}
