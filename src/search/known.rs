//! The cost of the workload with sets of indexes: from trials of single indexes, and from the
//! planner for several together.
//!
//! A plan that uses some indexes of a set is also the plan for every subset that contains those
//! indexes: removing an unused index does not change the plan. So the planner is queried about few
//! sets, and about a statement only where one of its indexes is in question.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::costs::{Costs, Weighted};
use super::optimality::Optimality;
use super::plans::{Facts, Knowledge, Seen, StatementPlans, Used, Users};
use super::trial::{Trial, TrialCost, TrialId, TrialSet, Trials};
use super::unpriced::Unpriced;
use super::write_cost::WriteCosts;
use crate::index::Method;
use crate::model::{Bytes, Cost, QualifiedName};
use crate::planner::PlannerError;
use crate::verdict::MinImprovement;
use crate::workload::StatementId;

/// Existing indexes that can go, with their sizes.
pub type Superseded = BTreeMap<QualifiedName, Bytes>;

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

    /// The same for several sets; the planner may answer them at the same time.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    fn ask_all(&mut self, questions: &[SetQuestion]) -> Result<SetAnswers, PlannerError> {
        let answers = questions
            .iter()
            .map(|question| self.ask(&question.set, &question.statements));
        answers.collect()
    }

    /// Is there time left for the search?
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    fn has_time(&mut self) -> Result<bool, PlannerError> {
        Ok(true)
    }

    /// Shows how good the best set is that was found so far. From one time to the next the gap only
    /// falls.
    fn found(&mut self, _so_far: &Optimality) {}
}

/// Statements, and the set of indexes that they are planned with.
#[derive(Debug, Clone, PartialEq)]
pub struct SetQuestion {
    /// The indexes that exist.
    pub set: TrialSet,
    /// The statements.
    pub statements: Vec<StatementId>,
}

/// For each question what [`SetPlanner::ask`] answers.
pub type SetAnswers = Vec<Option<BTreeMap<StatementId, SetCost>>>;

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
    pub(super) trials: &'a Trials,
    pub(super) baseline: Costs,
    pub(super) planner: Option<&'a mut dyn SetPlanner>,
    /// For each statement, in the order of the baseline.
    pub(super) plans: Vec<StatementPlans>,
    /// For each trial, the statements whose plans may use it.
    pub(super) of_trial: Vec<Vec<usize>>,
    /// For each trial, what it costs alone, where that can be trusted.
    pub(super) alone: Vec<Vec<(usize, TrialCost)>>,
    /// What writes pay.
    pub(super) write_costs: WriteCosts,
    /// For each trial, the existing indexes that are not needed beside its index.
    pub(super) superseded: BTreeMap<TrialId, Superseded>,
    /// Of statements that are another one with other values: that one.
    pub(super) same_statement: BTreeMap<StatementId, StatementId>,
    /// For each statement, the indexes that it uses when all are there, if they are several.
    pub(super) bundles: Option<BTreeSet<Vec<TrialId>>>,
    pub(super) cut_short: bool,
    /// The choice was made before, with these indexes, as far as they were verified.
    pub(super) chosen_before: Option<Vec<TrialId>>,
    /// For the moment the planner is not asked.
    pub(super) is_paused: bool,
    /// Meanwhile: the indexes that known plans use together.
    ideas: Vec<Vec<TrialId>>,
    /// Meanwhile, for each statement: the known plans that use each index.
    users: Vec<Users>,
}

impl<'a> KnownCosts<'a> {
    /// What the trials showed, without a planner for more questions: a statement costs what it
    /// costs with the set's best member.
    pub fn from_trials(trials: &'a Trials, baseline: Costs) -> Self {
        let nothing = |weighted: &Weighted| {
            let mut plans = StatementPlans {
                tested: FixedBitSet::with_capacity(trials.len()),
                offered: FixedBitSet::with_capacity(trials.len()),
                relevant: FixedBitSet::with_capacity(trials.len()),
                ..StatementPlans::default()
            };
            plans.add(Seen {
                is_answer: false,
                asked: FixedBitSet::with_capacity(trials.len()),
                used: Used::default(),
                cost: weighted.cost,
                at_least: weighted.unpriced.planned(weighted.cost),
                unpriced: weighted.unpriced,
            });
            plans
        };
        let plans = baseline.as_slice().iter().map(nothing).collect();
        let mut known = KnownCosts {
            trials,
            baseline,
            planner: None,
            plans,
            of_trial: vec![Vec::new(); trials.len()],
            alone: vec![Vec::new(); trials.len()],
            write_costs: WriteCosts::default(),
            superseded: BTreeMap::new(),
            same_statement: BTreeMap::new(),
            bundles: None,
            cut_short: false,
            chosen_before: None,
            is_paused: false,
            ideas: Vec::new(),
            users: Vec::new(),
        };
        for (id, trial) in trials.iter() {
            for (statement, cost) in trial.costs().into_iter().flatten() {
                if let Some(place) = known.baseline.position(statement) {
                    known.add_trial(id, place, *cost);
                }
            }
        }
        known.set_relevance();
        known
    }

    fn add_trial(&mut self, id: TrialId, place: usize, cost: TrialCost) {
        let (Some(plans), Some(present)) = (
            self.plans.get_mut(place),
            self.baseline.as_slice().get(place),
        ) else {
            return;
        };
        let mut alone = FixedBitSet::with_capacity(self.trials.len());
        alone.insert(id.0);
        // Such a cost is a guess, and no gain.
        let is_used = cost.used && !cost.unpriced.walks_blindly;
        let (cost_alone, at_least, unpriced) = if is_used || !cost.used {
            (cost.unpriced.priced(cost.cost), cost.cost, cost.unpriced)
        } else {
            let at_least = present.unpriced.planned(present.cost);
            (present.cost, at_least, present.unpriced)
        };
        let used = if is_used {
            Used::of(&alone)
        } else {
            Used::default()
        };
        plans.add(Seen {
            is_answer: false,
            asked: alone,
            used,
            cost: cost_alone,
            at_least,
            unpriced,
        });
        if is_used {
            let cost = TrialCost {
                cost: cost_alone,
                ..cost
            };
            self.alone[id.0].push((place, cost));
        }
        plans.tested.insert(id.0);
    }

    /// Which statements a trial's index may serve.
    pub(super) fn set_relevance(&mut self) {
        for places in &mut self.of_trial {
            places.clear();
        }
        for (place, id) in self.baseline.ids().iter().enumerate() {
            let statement = self.same_statement.get(id).unwrap_or(id);
            let Some(plans) = self.plans.get_mut(place) else {
                continue;
            };
            plans.relevant.clone_from(&plans.tested);
            plans.relevant.union_with(&plans.offered);
            for trial in plans.relevant.clone().ones() {
                if skips_first_key(&self.trials[TrialId(trial)], statement) {
                    plans.relevant.set(trial, false);
                } else {
                    self.of_trial[trial].push(place);
                }
            }
        }
    }

    /// The same, with what was learned before about the same trials. Some may have been refused since
    /// then, which changes no plan that does not use them.
    #[must_use]
    pub fn remembering(self, knowledge: Knowledge) -> Self {
        let mut known = self;
        for (id, learned) in knowledge.learned {
            let place = known.baseline.position(&id);
            if let Some(plans) = place.and_then(|place| known.plans.get_mut(place)) {
                learned.into_iter().for_each(|seen| plans.add(seen));
            }
        }
        known
    }

    /// The choice is made again: of the first one these indexes were verified.
    #[must_use]
    pub fn again(self, chosen_before: Option<Vec<TrialId>>) -> Self {
        KnownCosts {
            chosen_before,
            ..self
        }
    }

    /// What was learned from the planner.
    pub fn into_knowledge(self) -> Knowledge {
        let of_each = self.plans.into_iter().zip(self.baseline.ids());
        let of_each = of_each.map(|(plans, id)| {
            let learned = plans.seen.into_iter().filter(|seen| seen.is_answer);
            (id.clone(), learned.collect())
        });
        Knowledge {
            learned: of_each.collect(),
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
        let mut known = KnownCosts {
            same_statement,
            ..self
        };
        known.set_relevance();
        known
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
        if self.superseded.is_empty() {
            return Bytes(0);
        }
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
        if self.write_costs.loads.is_empty() {
            return 0.0;
        }
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

    /// Is there a planner for sets, and may it be asked?
    pub fn has_planner(&self) -> bool {
        self.planner.is_some() && !self.is_paused
    }

    /// Costs are those of the known plans ([`KnownCosts::model`]) until the planner may be asked
    /// again.
    pub(super) fn pause(&mut self) {
        self.ideas = self.used_by_plans().into_iter().collect();
        self.users = self.plans.iter().map(StatementPlans::users).collect();
        self.is_paused = true;
    }

    /// May the planner not be asked?
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// The planner may be asked again.
    pub(super) fn resume(&mut self) {
        self.ideas = Vec::new();
        self.users = Vec::new();
        self.is_paused = false;
    }

    /// Is there time left? Otherwise the planner is not asked any more.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub(super) fn has_time(&mut self) -> Result<bool, PlannerError> {
        let has_time = match self.planner.as_mut() {
            Some(planner) => planner.has_time()?,
            None => !self.cut_short,
        };
        if !has_time {
            self.planner = None;
            self.cut_short = true;
        }
        Ok(has_time)
    }

    /// Shows how good the best set is that was found so far.
    pub(super) fn show(&mut self, so_far: &Optimality) {
        if let Some(planner) = self.planner.as_mut() {
            planner.found(so_far);
        }
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
        if self.is_paused {
            return Ok(self.model(set));
        }
        let bits = self.bits(set);
        let mut costs = self.baseline.clone();
        let unknown = self.take_known(&bits, &mut costs);
        let parts = unknown.into_iter();
        let parts: Vec<(usize, FixedBitSet)> = parts
            .map(|place| (place, self.plans[place].part(&bits)))
            .collect();
        self.ask_parts(&parts)?;
        for (place, part) in parts {
            let seen = match self.plans[place].known_of(&part) {
                Some(seen) => seen.clone(),
                // There is no planner to ask, or the time is over.
                None => self.at_most(place, &part),
            };
            costs.as_mut_slice()[place].set(&seen);
        }
        Ok(costs)
    }

    /// The same from what is known: no statement costs more under this set.
    pub fn model(&self, set: &TrialSet) -> Costs {
        let bits = self.bits(set);
        let mut costs = self.baseline.clone();
        for place in self.touched(&bits) {
            let present = &mut costs.as_mut_slice()[place];
            if let Some(seen) = self.plans[place].cheapest(&bits, present.cost) {
                present.set(seen);
            }
        }
        costs
    }

    /// The costs that are known with these indexes beside the chosen ones, under which they are these.
    pub(super) fn model_beside(&self, now: &Costs, chosen: &TrialSet, added: &[TrialId]) -> Costs {
        let mut costs = now.clone();
        for (place, with) in self.changes_beside(now, chosen, added) {
            if let Some(present) = costs.as_mut_slice().get_mut(place) {
                *present = with;
            }
        }
        costs
    }

    /// The statements whose costs these indexes change, by place. The costs now are those of the known
    /// plans with the chosen indexes.
    pub(super) fn changes_beside(
        &self,
        now: &Costs,
        chosen: &TrialSet,
        added: &[TrialId],
    ) -> Vec<(usize, Weighted)> {
        let mut bits = self.bits(chosen);
        bits.extend(added.iter().map(|id| id.0));
        let mut places: Vec<usize> = added
            .iter()
            .flat_map(|id| self.of_trial[id.0].iter().copied())
            .collect();
        places.sort_unstable();
        places.dedup();
        let changed = |place: usize| {
            let (plans, now) = (self.plans.get(place)?, now.as_slice().get(place)?);
            let mut with = *now;
            let cheapest = match self.users.get(place) {
                Some(users) => plans.cheapest_of(&bits, now.cost, users, added)?,
                None => plans.cheapest(&bits, now.cost)?,
            };
            with.set(cheapest);
            Some((place, with))
        };
        places.into_iter().filter_map(changed).collect()
    }

    /// For each index of the set what the workload would cost more without it, by the known plans.
    pub(super) fn losses(&self, set: &TrialSet) -> Vec<(TrialId, f64)> {
        let bits = self.bits(set);
        let lost = |id: TrialId| -> f64 {
            let mut others = bits.clone();
            others.set(id.0, false);
            let of_each = self.of_trial[id.0].iter().map(|place| {
                let (plans, today) = (&self.plans[*place], &self.baseline.as_slice()[*place]);
                let cost = |set: &FixedBitSet| {
                    let cheapest = plans.cheapest(set, today.cost);
                    cheapest.map_or(today.cost.0, |seen| seen.cost.0)
                };
                today.calls * (cost(&others) - cost(&bits))
            });
            of_each.sum()
        };
        set.iter().map(|id| (*id, lost(*id))).collect()
    }

    /// Is the index in the plan of a statement that costs less by the minimum gain, as far as is known?
    pub(super) fn helps(&self, set: &TrialSet, id: TrialId, least: MinImprovement) -> bool {
        let bits = self.bits(set);
        self.of_trial[id.0].iter().any(|place| {
            let (plans, today) = (&self.plans[*place], &self.baseline.as_slice()[*place]);
            let cheapest = plans.cheapest(&bits, today.cost);
            cheapest.is_some_and(|seen| {
                seen.used.contains(id.0) && least.reached(today.cost, seen.cost)
            })
        })
    }

    /// While the planner is not asked: what known plans use.
    pub(super) fn ideas(&self) -> &[Vec<TrialId>] {
        &self.ideas
    }

    /// The indexes that the known plans use, and of these the sets that some plan uses together.
    fn used_by_plans(&self) -> BTreeSet<Vec<TrialId>> {
        let plans = self.plans.iter();
        let best = plans.flat_map(|plans| plans.best.iter().map(|place| &plans.seen[*place].used));
        best.map(|used| used.ones().map(TrialId).collect())
            .collect()
    }

    /// The places of the statements that some of these indexes may serve.
    pub(super) fn touched(&self, set: &FixedBitSet) -> BTreeSet<usize> {
        set.ones()
            .flat_map(|trial| self.of_trial[trial].iter().copied())
            .collect()
    }

    /// Takes the costs that are known under this set; returns the places of the statements whose
    /// costs are not.
    pub(super) fn take_known(&mut self, set: &FixedBitSet, costs: &mut Costs) -> Vec<usize> {
        let mut unknown = Vec::new();
        for place in self.touched(set) {
            let plans = &mut self.plans[place];
            let part = plans.part(set);
            match plans.known_of(&part) {
                Some(seen) => costs.as_mut_slice()[place].set(seen),
                None => unknown.push(place),
            }
        }
        unknown
    }

    /// The same, where plans of these statements could use these trials' indexes, too, and were not
    /// planned with them.
    #[must_use]
    pub fn offering<'o>(self, offered: impl Iterator<Item = (TrialId, &'o StatementId)>) -> Self {
        let mut known = self;
        for (id, statement) in offered {
            let place = known.baseline.position(statement);
            if let Some(plans) = place.and_then(|place| known.plans.get_mut(place)) {
                plans.offered.insert(id.0);
            }
        }
        known.set_relevance();
        known
    }

    /// What is known of each statement, in the order of the baseline.
    pub(super) fn plans(&self) -> &[StatementPlans] {
        &self.plans
    }

    /// How low the cost of each statement can be, as far as is known; none where some statement was
    /// not planned with everything.
    pub(super) fn facts(&mut self) -> Option<Vec<Facts>> {
        let baseline = self.baseline.as_slice();
        let plans = self.plans.iter_mut().zip(baseline);
        let each = plans.map(|(plans, now)| plans.facts(now));
        each.collect()
    }

    /// The least that writes pay for this index, whatever others there are.
    pub(super) fn write_cost_at_least(&self, id: TrialId) -> f64 {
        self.write_costs.at_least(id)
    }

    /// Does some statement use this index under this set, as far as is known?
    pub(super) fn uses(&mut self, set: &TrialSet, id: TrialId) -> bool {
        let set = self.bits(set);
        self.of_trial[id.0].iter().any(|place| {
            let plans = &mut self.plans[*place];
            if self.is_paused {
                let today = self.baseline.as_slice()[*place].cost;
                let cheapest = plans.cheapest(&set, today);
                return cheapest.is_some_and(|seen| seen.used.contains(id.0));
            }
            let part = plans.part(&set);
            let seen = plans.known_of(&part);
            seen.is_some_and(|seen| seen.used.contains(id.0))
        })
    }

    pub(super) fn bits(&self, set: &TrialSet) -> FixedBitSet {
        let mut bits = FixedBitSet::with_capacity(self.trials.len());
        bits.extend(set.iter().map(|id| id.0));
        bits
    }

    /// The cost of a statement that was not planned with this set: the planner can still choose
    /// every known plan that uses only these indexes.
    pub(super) fn at_most(&self, place: usize, part: &FixedBitSet) -> Seen {
        let now = &self.baseline.as_slice()[place];
        let cheapest = self.plans[place].cheapest(part, now.cost);
        let (cost, unpriced) =
            cheapest.map_or((now.cost, now.unpriced), |seen| (seen.cost, seen.unpriced));
        Seen {
            is_answer: false,
            asked: part.clone(),
            used: Used::of(part),
            cost,
            at_least: cost,
            unpriced,
        }
    }

    /// From these costs, by what each of these indexes did alone.
    pub fn estimate(&self, now: &Costs, added: &[TrialId]) -> Costs {
        let mut costs = now.clone();
        for (place, trial) in added.iter().flat_map(|id| &self.alone[id.0]) {
            let id = &self.baseline.ids()[*place];
            let position = if costs.ids().get(*place) == Some(id) {
                Some(*place)
            } else {
                costs.position(id)
            };
            if let Some(statement) = position.and_then(|at| costs.as_mut_slice().get_mut(at))
                && trial.cost.0 < statement.cost.0
            {
                statement.cost = trial.cost;
                statement.unpriced = trial.unpriced;
            }
        }
        costs
    }
}

impl Weighted {
    fn set(&mut self, seen: &Seen) {
        self.cost = seen.cost;
        self.unpriced = seen.unpriced;
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
