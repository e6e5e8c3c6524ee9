//! The cost of the workload with sets of indexes: from trials of single indexes, and from the
//! planner for several together.
//!
//! A plan that uses some indexes of a set is also the plan for every subset that contains those
//! indexes: removing an unused index does not change the plan. So the planner is queried about few
//! sets.

use std::collections::{BTreeMap, BTreeSet};

use super::trial::{Trial, TrialCost, TrialId, TrialSet, Trials};
use super::unpriced::Unpriced;
use super::write_cost::WriteCosts;
use crate::index::{Index, Method};
use crate::model::{Bytes, Cost, QualifiedName};
use crate::planner::PlannerError;
use crate::workload::StatementId;

/// A statement's weight and its present cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// How often it runs.
    pub calls: f64,
    /// Its plan's cost.
    pub cost: Cost,
    /// What the cost says too little about.
    pub unpriced: Unpriced,
}

impl Weighted {
    fn set(&mut self, under: &SetCost) {
        self.cost = under.cost;
        self.unpriced = under.unpriced;
    }
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

/// Plans statements with sets of candidates.
pub trait SetPlanner {
    /// The costs of these statements with exactly these trials' indexes; none when the time for the
    /// search is over.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError>;
}

/// A statement with a set of indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct SetCost {
    /// The plan's cost.
    pub cost: Cost,
    /// What the cost says too little about.
    pub unpriced: Unpriced,
    /// The indexes of the set that the plan uses.
    pub used: TrialSet,
}

/// The costs that are known so far, and a planner to ask for more.
pub struct KnownCosts<'a> {
    trials: &'a Trials,
    baseline: Costs,
    planner: Option<&'a mut dyn SetPlanner>,
    /// For each statement, the sets that it was planned under.
    known: BTreeMap<StatementId, Vec<(TrialSet, SetCost)>>,
    /// For each statement, the trials on its tables.
    relevant: BTreeMap<StatementId, TrialSet>,
    /// What writes pay.
    write_costs: WriteCosts,
    /// For each trial, the existing indexes that are not needed beside its index.
    superseded: BTreeMap<TrialId, Superseded>,
    /// Of statements that are another one with other values: that one.
    same_statement: BTreeMap<StatementId, StatementId>,
    /// For each statement, the indexes that it uses when all are there, if they are several.
    bundles: Option<BTreeSet<Vec<TrialId>>>,
    cut_short: bool,
}

impl<'a> KnownCosts<'a> {
    /// What the trials showed, without a planner for more questions: a statement costs what it
    /// costs with the set's best member.
    pub fn from_trials(trials: &'a Trials, baseline: Costs) -> Self {
        let mut known: BTreeMap<StatementId, Vec<(TrialSet, SetCost)>> = BTreeMap::new();
        let mut relevant: BTreeMap<StatementId, TrialSet> = BTreeMap::new();
        for (id, weighted) in &baseline {
            let nothing = SetCost {
                cost: weighted.cost,
                unpriced: weighted.unpriced,
                used: BTreeSet::new(),
            };
            known
                .entry(id.clone())
                .or_default()
                .push((BTreeSet::new(), nothing));
        }
        for (id, trial) in trials.iter() {
            for (statement, cost) in trial.costs().into_iter().flatten() {
                let alone = TrialSet::from([id]);
                // Such a cost is a guess, and no gain.
                let is_used = cost.used && !cost.unpriced.walks_blindly;
                let Some(present) = baseline.get(statement) else {
                    continue;
                };
                let cost = if is_used || !cost.used {
                    SetCost {
                        cost: cost.cost,
                        unpriced: cost.unpriced,
                        used: if is_used {
                            alone.clone()
                        } else {
                            TrialSet::new()
                        },
                    }
                } else {
                    SetCost {
                        cost: present.cost,
                        unpriced: present.unpriced,
                        used: TrialSet::new(),
                    }
                };
                known
                    .entry(statement.clone())
                    .or_default()
                    .push((alone, cost));
                relevant.entry(statement.clone()).or_default().insert(id);
            }
        }
        KnownCosts {
            trials,
            baseline,
            planner: None,
            known,
            relevant,
            write_costs: WriteCosts::default(),
            superseded: BTreeMap::new(),
            same_statement: BTreeMap::new(),
            bundles: None,
            cut_short: false,
        }
    }

    /// The same, with a planner to ask about sets.
    pub fn asking(trials: &'a Trials, baseline: Costs, planner: &'a mut dyn SetPlanner) -> Self {
        KnownCosts {
            planner: Some(planner),
            ..KnownCosts::from_trials(trials, baseline)
        }
    }

    /// The same, where some statements are others with other values.
    #[must_use]
    pub fn with_classes(self, same_statement: BTreeMap<StatementId, StatementId>) -> Self {
        KnownCosts {
            same_statement,
            ..self
        }
    }

    /// The statement that this one is, with whatever values.
    pub(super) fn statement<'id>(&'id self, id: &'id StatementId) -> &'id StatementId {
        self.same_statement.get(id).unwrap_or(id)
    }

    /// The same, with what writes pay for the trials' indexes.
    #[must_use]
    pub fn with_write_costs(self, write_costs: WriteCosts) -> Self {
        KnownCosts {
            write_costs,
            ..self
        }
    }

    /// The same, with what could go once each trial's index is there.
    #[must_use]
    pub fn with_superseded(self, superseded: BTreeMap<TrialId, Superseded>) -> Self {
        KnownCosts { superseded, ..self }
    }

    /// The size of the existing indexes that can go with these trials' indexes.
    pub fn superseded_size(&self, set: &[TrialId]) -> Bytes {
        let of_set = set
            .iter()
            .filter_map(|id| self.superseded.get(id))
            .flatten();
        of_set
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .copied()
            .sum()
    }

    /// What writes pay for these indexes, in planner units.
    pub fn write_cost(&self, set: &[TrialId]) -> f64 {
        self.write_costs.of(set)
    }

    /// What writes pay more for these indexes when those are there already, in planner units.
    pub fn additional_write_cost(&self, added: &[TrialId], chosen: &[TrialId]) -> f64 {
        self.write_costs.of(&[chosen, added].concat()) - self.write_costs.of(chosen)
    }

    /// The trials, by id.
    pub fn trials(&self) -> &'a Trials {
        self.trials
    }

    /// The statements without any new index.
    pub fn baseline(&self) -> &Costs {
        &self.baseline
    }

    /// Is there a planner for sets?
    pub fn has_planner(&self) -> bool {
        self.planner.is_some()
    }

    /// Did the search time run out? After that the planner is not queried, and known costs decide.
    pub fn cut_short(&self) -> bool {
        self.cut_short
    }

    /// What the workload costs under this set.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn under(&mut self, set: &TrialSet) -> Result<Costs, PlannerError> {
        let mut costs = self.baseline.clone();
        let mut unknown: Vec<StatementId> = Vec::new();
        for (id, weighted) in &mut costs {
            match self.known_of(id, &self.relevant_part(id, set)) {
                Some(known) => weighted.set(known),
                None => unknown.push(id.clone()),
            }
        }
        let mut answered = self.ask(set, &unknown)?;
        for id in unknown {
            let part = self.relevant_part(&id, set);
            let Some(weighted) = costs.get_mut(&id) else {
                continue;
            };
            let at_most = SetCost {
                used: part.clone(),
                ..self.at_most(&id, weighted, &part)
            };
            weighted.set(&at_most);
            let Some(answered) = &mut answered else {
                continue;
            };
            // The planner cannot plan this statement: use the known costs with its single indexes.
            let under = answered.remove(&id);
            let under =
                under.filter(|under| under.used.is_subset(&part) && !under.unpriced.walks_blindly);
            let under = under.unwrap_or(at_most);
            weighted.set(&under);
            self.known.entry(id).or_default().push((part, under));
        }
        Ok(costs)
    }

    /// None: there is no planner to ask, or the time is over.
    fn ask(
        &mut self,
        set: &TrialSet,
        statements: &[StatementId],
    ) -> Result<Option<BTreeMap<StatementId, SetCost>>, PlannerError> {
        let Some(planner) = self.planner.as_mut().filter(|_| !statements.is_empty()) else {
            return Ok(None);
        };
        let answer = planner.ask(set, statements)?;
        if answer.is_none() {
            self.planner = None;
            self.cut_short = true;
        }
        Ok(answer)
    }

    /// The cost of a statement that was not planned with this set: the planner can still choose
    /// every known plan that uses only these indexes.
    fn at_most(&self, id: &StatementId, baseline: &Weighted, part: &TrialSet) -> SetCost {
        let baseline = SetCost {
            cost: baseline.cost,
            unpriced: baseline.unpriced,
            used: TrialSet::new(),
        };
        let seen = self.known.get(id).into_iter().flatten();
        let possible =
            seen.filter(|(_, under)| !under.used.is_empty() && under.used.is_subset(part));
        let costs = possible.map(|(_, under)| under.clone());
        costs.fold(baseline, |least, under| {
            if under.cost.0 < least.cost.0 {
                under
            } else {
                least
            }
        })
    }

    fn relevant_part(&self, id: &StatementId, set: &TrialSet) -> TrialSet {
        let relevant = self.relevant.get(id);
        let relevant = relevant.map_or_else(BTreeSet::new, |trials| {
            trials.intersection(set).copied().collect()
        });
        let statement = self.statement(id);
        let trials = relevant.into_iter();
        trials
            .filter(|id| !skips_first_key(&self.trials[*id], statement))
            .collect()
    }

    /// By a set that was asked about and holds this one, and whose plan uses nothing else.
    fn known_of(&self, id: &StatementId, part: &TrialSet) -> Option<&SetCost> {
        let known = self.known.get(id)?.iter();
        let answers = |(asked, under): &&(TrialSet, SetCost)| {
            asked.is_superset(part) && under.used.is_subset(part)
        };
        known.rev().find(answers).map(|(_, under)| under)
    }

    /// From these costs, by what each of these indexes did alone.
    pub fn estimate(&self, now: &Costs, added: &[TrialId]) -> Costs {
        let mut costs = now.clone();
        for alone in added.iter().filter_map(|id| self.trials[*id].costs()) {
            let trusted = |trial: &TrialCost| trial.used && !trial.unpriced.walks_blindly;
            for (id, trial) in alone.iter().filter(|(_, trial)| trusted(trial)) {
                if let Some(statement) = costs.get_mut(id)
                    && trial.cost.0 < statement.cost.0
                {
                    statement.cost = trial.cost;
                    statement.unpriced = trial.unpriced;
                }
            }
        }
        costs
    }

    /// Indexes that some statement uses together when all are there: several may pay that do not
    /// pay alone.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn bundles(&mut self, chosen: &[TrialId]) -> Result<Vec<Vec<TrialId>>, PlannerError> {
        if self.bundles.is_none() {
            let mut bundles = BTreeSet::new();
            if self.has_planner() {
                let built = self
                    .trials
                    .iter()
                    .filter(|(_, trial)| trial.tested().is_some());
                let all: TrialSet = built.map(|(id, _)| id).collect();
                self.under(&all)?;
                for (id, known) in &self.known {
                    let several = known
                        .iter()
                        .map(|(_, under)| under)
                        .filter(|under| under.used.len() > 1 && !self.is_in_one(id, under));
                    bundles.extend(
                        several.map(|under| under.used.iter().copied().collect::<Vec<_>>()),
                    );
                }
            }
            self.bundles = Some(bundles);
        }
        let fresh = |bundle: &&Vec<TrialId>| bundle.iter().any(|id| !chosen.contains(id));
        Ok(self
            .bundles
            .iter()
            .flatten()
            .filter(fresh)
            .cloned()
            .collect())
    }

    /// Is there one index, which the statement uses, with the keys of all of these, whose bitmaps the
    /// plan puts together by AND? It finds the same rows; what makes two bitmaps seem cheaper is an
    /// estimate ([`Unpriced::ands_bitmaps`]).
    fn is_in_one(&self, id: &StatementId, under: &SetCost) -> bool {
        let used = &under.used;
        let plain = |index: &Index| index.method == Method::Btree && index.predicate.is_none();
        let has_all = |one: &Index| {
            plain(one)
                && used
                    .iter()
                    .map(|id| &self.trials[*id].index.definition)
                    .all(|index| {
                        plain(index)
                            && index.table == one.table
                            && index.keys.iter().all(|key| one.keys.contains(key))
                    })
        };
        let is_used = |trial: &Trial| {
            let cost = trial.costs().and_then(|costs| costs.get(id));
            cost.is_some_and(|cost| cost.used)
        };
        under.unpriced.ands_bitmaps
            && self
                .trials
                .iter()
                .any(|(_, trial)| has_all(&trial.index.definition) && is_used(trial))
    }
}

/// Does the statement not search by the first key of a GiST index of several? Its cost then says
/// nothing: the planner prices the keys as if their order did not matter (`gistcostestimate`,
/// src/backend/utils/adt/selfuncs.c), but the upper levels of the tree are split by the first one
/// (<https://www.postgresql.org/docs/current/indexes-multicolumn.html>).
fn skips_first_key(trial: &Trial, statement: &StatementId) -> bool {
    let index = &trial.index.definition;
    index.method == Method::Gist && index.keys.len() > 1 && !trial.asked_by.contains(statement)
}
