//! What the workload costs under sets of indexes: what each did alone, and what the planner says of several together.
//!
//! A plan that uses some indexes of a set is the plan under every set between those and this one: what the planner does not use, it
//! does not miss. So few sets have to be asked about.

use std::collections::{BTreeMap, BTreeSet};

use super::upkeep::Upkeep;
use super::{PlannerError, Trial};
use crate::index::{Index, Method};
use crate::model::{Bytes, Cost, QualifiedName};
use crate::workload::StatementId;

/// A statement's weight and its cost as things are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// How often it runs.
    pub calls: f64,
    /// Its plan's cost without any new index.
    pub cost: Cost,
}

/// Statements with their weights and costs.
pub type Costs = BTreeMap<StatementId, Weighted>;

/// Existing indexes that can go, with their sizes.
pub type Superseded = BTreeMap<QualifiedName, Bytes>;

/// Σ calls × cost.
pub fn total(costs: &Costs) -> Cost {
    Cost(
        costs
            .values()
            .map(|weighted| weighted.calls * weighted.cost.0)
            .sum(),
    )
}

/// A planner that can be asked about any set of trials.
pub trait SetCosts {
    /// As [`Planners::time_left`](super::Planners::time_left).
    fn time_left(&mut self) -> bool {
        true
    }

    /// Each of these statements under exactly these trials' indexes.
    ///
    /// # Errors
    /// When it cannot be asked any more.
    fn ask(
        &mut self,
        set: &BTreeSet<usize>,
        statements: &[StatementId],
    ) -> Result<BTreeMap<StatementId, UnderSet>, PlannerError>;
}

/// A statement under a set of indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct UnderSet {
    /// The plan's cost.
    pub cost: Cost,
    /// The indexes of the set that the plan uses.
    pub used: BTreeSet<usize>,
}

/// Everything that is known so far, and somebody who knows more.
pub struct KnownCosts<'a> {
    trials: &'a [Trial],
    at_first: Costs,
    planner: Option<&'a mut dyn SetCosts>,
    /// For each statement, the sets that it was planned under.
    known: BTreeMap<StatementId, Vec<(BTreeSet<usize>, UnderSet)>>,
    /// For each statement, the trials on its tables.
    relevant: BTreeMap<StatementId, BTreeSet<usize>>,
    /// What writes pay.
    upkeep: Upkeep,
    /// For each trial, the existing indexes that are not needed beside its index.
    superseded: Vec<Superseded>,
    /// For each statement, the indexes that it uses when all are there, if they are several.
    bundles: Option<BTreeSet<Vec<usize>>>,
    cut_short: bool,
}

impl<'a> KnownCosts<'a> {
    /// What the trials showed, and nobody to ask about more: a statement costs what it costs with the set's best member.
    pub fn of_singles(trials: &'a [Trial], at_first: Costs) -> Self {
        let mut known: BTreeMap<StatementId, Vec<(BTreeSet<usize>, UnderSet)>> = BTreeMap::new();
        let mut relevant: BTreeMap<StatementId, BTreeSet<usize>> = BTreeMap::new();
        for (id, weighted) in &at_first {
            let nothing = UnderSet {
                cost: weighted.cost,
                used: BTreeSet::new(),
            };
            known
                .entry(id.clone())
                .or_default()
                .push((BTreeSet::new(), nothing));
        }
        for (position, trial) in trials.iter().enumerate() {
            let Some((_, costs)) = trial.built() else {
                continue;
            };
            for (id, cost) in costs {
                let used = if cost.used {
                    BTreeSet::from([position])
                } else {
                    BTreeSet::new()
                };
                known.entry(id.clone()).or_default().push((
                    BTreeSet::from([position]),
                    UnderSet {
                        cost: cost.cost,
                        used,
                    },
                ));
                relevant.entry(id.clone()).or_default().insert(position);
            }
        }
        let upkeep = Upkeep::default();
        KnownCosts {
            trials,
            at_first,
            planner: None,
            known,
            relevant,
            upkeep,
            superseded: Vec::new(),
            bundles: None,
            cut_short: false,
        }
    }

    /// The same, with a planner to ask about sets.
    pub fn asking(trials: &'a [Trial], at_first: Costs, planner: &'a mut dyn SetCosts) -> Self {
        KnownCosts {
            planner: Some(planner),
            ..KnownCosts::of_singles(trials, at_first)
        }
    }

    /// The same, with what writes pay for the trials' indexes.
    #[must_use]
    pub fn with_upkeep(self, upkeep: Upkeep) -> Self {
        KnownCosts { upkeep, ..self }
    }

    /// The same, with what could go once each trial's index is there.
    #[must_use]
    pub fn with_superseded(self, superseded: Vec<Superseded>) -> Self {
        KnownCosts { superseded, ..self }
    }

    /// The size of the existing indexes that can go with these trials' indexes.
    pub fn superseded_size(&self, set: &[usize]) -> Bytes {
        let of_set = set
            .iter()
            .filter_map(|position| self.superseded.get(*position))
            .flatten();
        of_set
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .copied()
            .sum()
    }

    /// What writes pay for these indexes, in planner units.
    pub fn upkeep(&self, set: &[usize]) -> f64 {
        self.upkeep.of(set)
    }

    /// What writes pay more for these indexes when those are there already, in planner units.
    pub fn upkeep_beside(&self, added: &[usize], chosen: &[usize]) -> f64 {
        self.upkeep.of(&[chosen, added].concat()) - self.upkeep.of(chosen)
    }

    /// The trials, by position.
    pub fn trials(&self) -> &'a [Trial] {
        self.trials
    }

    /// The statements without any new index.
    pub fn at_first(&self) -> &Costs {
        &self.at_first
    }

    /// Is there somebody to ask?
    pub fn can_ask(&self) -> bool {
        self.planner.is_some()
    }

    /// Did time run out? From then on nobody is asked, and what is known has to do.
    pub fn cut_short(&self) -> bool {
        self.cut_short
    }

    /// What the workload costs under this set.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn under(&mut self, set: &BTreeSet<usize>) -> Result<Costs, PlannerError> {
        let mut costs = self.at_first.clone();
        let mut unknown: Vec<StatementId> = Vec::new();
        for (id, weighted) in &mut costs {
            match self.known_of(id, &self.relevant_part(id, set)) {
                Some(cost) => weighted.cost = cost,
                None => unknown.push(id.clone()),
            }
        }
        let mut answered = self.ask(set, &unknown)?;
        for id in unknown {
            let part = self.relevant_part(&id, set);
            let Some(weighted) = costs.get_mut(&id) else {
                continue;
            };
            let at_most = self.at_most(&id, weighted.cost, &part);
            weighted.cost = at_most;
            let Some(answered) = &mut answered else {
                continue;
            };
            // A statement that the planner cannot plan: what its indexes did alone, wherever that was seen, has to do.
            let under = answered.remove(&id).unwrap_or_else(|| UnderSet {
                cost: at_most,
                used: part.clone(),
            });
            weighted.cost = under.cost;
            self.known.entry(id).or_default().push((part, under));
        }
        Ok(costs)
    }

    /// None: there is nobody to ask, or no time left.
    fn ask(
        &mut self,
        set: &BTreeSet<usize>,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, UnderSet>>, PlannerError> {
        let Some(planner) = self.planner.as_mut().filter(|_| !statements.is_empty()) else {
            return Ok(None);
        };
        if !planner.time_left() {
            self.planner = None;
            self.cut_short = true;
            return Ok(None);
        }
        planner.ask(set, statements).map(Some)
    }

    /// What nobody was asked about: the planner can still choose every plan that was seen and uses only these indexes.
    fn at_most(&self, id: &StatementId, at_first: Cost, part: &BTreeSet<usize>) -> Cost {
        let seen = self.known.get(id).into_iter().flatten();
        let possible =
            seen.filter(|(_, under)| !under.used.is_empty() && under.used.is_subset(part));
        possible
            .map(|(_, under)| under.cost)
            .fold(at_first, |least, cost| Cost(least.0.min(cost.0)))
    }

    fn relevant_part(&self, id: &StatementId, set: &BTreeSet<usize>) -> BTreeSet<usize> {
        self.relevant
            .get(id)
            .map(|relevant| relevant & set)
            .unwrap_or_default()
    }

    /// By a set that was asked about and holds this one, and whose plan uses nothing else.
    fn known_of(&self, id: &StatementId, part: &BTreeSet<usize>) -> Option<Cost> {
        let known = self.known.get(id)?.iter();
        let answers = |(asked, under): &&(BTreeSet<usize>, UnderSet)| {
            asked.is_superset(part) && under.used.is_subset(part)
        };
        known.rev().find(answers).map(|(_, under)| under.cost)
    }

    /// From these costs, by what each of these indexes did alone.
    pub fn estimate(&self, now: &Costs, added: &[usize]) -> Costs {
        let mut costs = now.clone();
        for (_, alone) in added
            .iter()
            .filter_map(|position| self.trials[*position].built())
        {
            for (id, trial) in alone.iter().filter(|(_, trial)| trial.used) {
                if let Some(statement) = costs.get_mut(id) {
                    statement.cost = Cost(statement.cost.0.min(trial.cost.0));
                }
            }
        }
        costs
    }

    /// Indexes that some statement uses together when all are there: several may pay that do not pay alone.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn bundles(&mut self, chosen: &[usize]) -> Result<Vec<Vec<usize>>, PlannerError> {
        if self.bundles.is_none() {
            let mut bundles = BTreeSet::new();
            if self.can_ask() {
                let built = self
                    .trials
                    .iter()
                    .enumerate()
                    .filter(|(_, trial)| trial.built().is_some());
                let all: BTreeSet<usize> = built.map(|(position, _)| position).collect();
                self.under(&all)?;
                for (id, known) in &self.known {
                    let used = known.iter().map(|(_, under)| &under.used);
                    let several = used.filter(|used| used.len() > 1 && !self.is_in_one(id, used));
                    bundles.extend(several.map(|used| used.iter().copied().collect::<Vec<_>>()));
                }
            }
            self.bundles = Some(bundles);
        }
        let fresh = |bundle: &&Vec<usize>| bundle.iter().any(|position| !chosen.contains(position));
        Ok(self
            .bundles
            .iter()
            .flatten()
            .filter(fresh)
            .cloned()
            .collect())
    }

    /// Is there one index, which the statement uses, with the keys of all of these? It finds the same rows without putting two bitmaps
    /// together; what makes those seem cheaper is that the planner takes their conditions to be independent, whatever
    /// CREATE STATISTICS told it (`cost_bitmap_and_node`, src/backend/optimizer/path/costsize.c).
    fn is_in_one(&self, id: &StatementId, used: &BTreeSet<usize>) -> bool {
        let plain = |index: &Index| index.method == Method::Btree && index.predicate.is_none();
        let has_all = |one: &Index| {
            plain(one)
                && used
                    .iter()
                    .map(|position| &self.trials[*position].index.definition)
                    .all(|index| {
                        plain(index)
                            && index.table == one.table
                            && index.keys.iter().all(|key| one.keys.contains(key))
                    })
        };
        let is_used = |trial: &Trial| {
            trial
                .built()
                .is_some_and(|(_, costs)| costs.get(id).is_some_and(|cost| cost.used))
        };
        self.trials
            .iter()
            .any(|trial| has_all(&trial.index.definition) && is_used(trial))
    }
}
