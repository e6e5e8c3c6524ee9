//! Which set of indexes pays for the whole workload?
//!
//! Picks one index after the other, the one that saves most, or a smaller one that saves nearly as
//! much; takes out again what a later pick made unnecessary; then exchanges single indexes for
//! others, and two for one, where that helps; of many leaves out those that nobody would miss
//! (`negligible`). Under `--budget` sets are first looked for by the
//! plans that are known (`budget`). The planner plans with every set as a whole
//! ([`KnownCosts`]), so that indexes that pay only together, or only alone, are chosen correctly.
//! Deterministic: ties go to the smaller index, then to the name.
//!
//! After Extend (Schlosser, Kossmann, Boissier: "Efficient Scalable Multi-Attribute Index Selection
//! Using Recursive Strategies", 2019) and the "what-if" caching of Papadomanolakis, Dash and
//! Ailamaki ("Efficient Use of the Query Optimizer for Automated Physical Design", 2007).

use std::collections::BTreeMap;

use crate::planner::PlannerError;
use crate::verdict::{Limits, Reason};

mod bound;
mod budget;
pub mod costs;
mod curve;
mod exchange;
mod greedy;
pub mod known;
mod negligible;
mod optimality;
pub mod plans;
mod program;
mod questions;
mod relaxation;
mod shorter;
pub mod trial;
pub mod unpriced;
pub mod write_cost;

pub use curve::{Curve, CurvePoint};
pub use greedy::is_gain;
use greedy::{Preference, Search};
use known::KnownCosts;
pub use optimality::Optimality;
pub use trial::{Trial, TrialCost, TrialId, TrialOutcome, TrialSet, Trials};
pub use unpriced::Unpriced;

/// What the search decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// The indexes to verify, in the order they were picked.
    pub chosen: Vec<TrialId>,
    /// What a limit kept out.
    pub kept_out: BTreeMap<TrialId, Reason>,
    /// Time ran out: it is the best set found until then.
    pub cut_short: bool,
    /// How far it can be from the best; none where that is not known.
    pub optimality: Option<Optimality>,
    /// What smaller and larger sets would cost.
    pub curve: Curve,
}

/// Picks indexes as long as one makes some statement cheaper by at least `--min-improvement`.
///
/// # Errors
/// When the planner cannot be asked any more.
pub fn choose(known: &mut KnownCosts<'_>, limits: &Limits) -> Result<Selection, PlannerError> {
    let mut search = Search {
        known,
        limits,
        budget: limits.budget,
        ceiling: None,
        kept_out: BTreeMap::new(),
    };
    let mut bound = search.bound()?;
    let before = search.known.chosen_before.take();
    let is_mended = limits.budget.is_some() && before.is_some();
    let mut chosen = match (limits.budget, before) {
        (Some(_), Some(verified)) => search.mended(verified)?,
        (Some(budget), None) => search.within(budget, &mut bound)?,
        (None, verified) => search.pick(verified.unwrap_or_default(), Preference::Saving)?,
    };
    if !is_mended {
        search.set_ceiling(&chosen)?;
        search.exchange(&mut chosen)?;
        search.merge(&mut chosen)?;
        search.shorten(&mut chosen)?;
    }
    search.fill(&mut chosen)?;
    search.leave_out_negligible(&mut chosen);
    search.note_write_costs();
    let optimality = search.optimality(&chosen, bound.as_ref())?;
    let mut kept_out = std::mem::take(&mut search.kept_out);
    let curve = search.curve(&chosen)?;
    kept_out.retain(|id, _| !chosen.contains(id));
    Ok(Selection {
        chosen,
        kept_out,
        cut_short: known.cut_short(),
        optimality,
        curve,
    })
}

#[cfg(test)]
mod tests;
