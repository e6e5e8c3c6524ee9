//! The cost of the workload with sets of indexes: from trials of single indexes, and from the
//! planner for several together.
//!
//! A plan that uses some indexes of a set is also the plan for every subset that contains those
//! indexes: removing an unused index does not change the plan. So the planner is queried about few
//! sets, and about a statement only where one of its indexes is in question.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fixedbitset::FixedBitSet;

use super::costs::{Costs, Weighted};
use super::trial::{Trial, TrialCost, TrialId, TrialSet, Trials};
use super::unpriced::Unpriced;
use super::write_cost::WriteCosts;
use crate::index::{Index, Method};
use crate::model::{Bytes, Cost, QualifiedName};
use crate::planner::PlannerError;
use crate::verdict::MinImprovement;
use crate::workload::StatementId;

/// Statements are planned with several ideas at once where there are at least so many: otherwise
/// asking about each takes no more questions.
const MIN_IDEAS_TOGETHER: usize = 3;

/// A statement uses few of the ideas that are offered at a time.
const MAX_LAYERS: usize = 6;

/// A plan says something about the least cost of a statement where so few of its indexes were missing.
const MAX_MISSING: usize = 16;

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

/// What is known of how low the cost of a statement can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// How often it runs.
    pub(super) calls: f64,
    /// Its cost without any new index.
    pub(super) now: f64,
    /// Its cost with all of them.
    pub(super) floor: f64,
    /// What it costs at least, depending on which indexes there are.
    pub(super) cuts: Vec<Cut>,
}

/// A statement costs at least this much without certain indexes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub(super) cost: f64,
    /// The indexes that it is without, and how much less it may cost with each of them.
    pub(super) saved_by: Vec<(usize, f64)>,
}

/// What the planner said about sets of indexes.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    learned: BTreeMap<StatementId, Vec<Seen>>,
}

impl Knowledge {
    /// Forgets what was said while these indexes had another size.
    pub fn forget(&mut self, resized: &TrialSet) {
        for learned in self.learned.values_mut() {
            learned.retain(|seen| !resized.iter().any(|id| seen.asked.contains(id.0)));
        }
    }
}

/// A plan of a statement that was seen.
#[derive(Debug, Clone)]
struct Seen {
    /// Is it the planner's answer about a set? Otherwise it is from a trial, or what had to do where
    /// there is no answer.
    is_answer: bool,
    /// The indexes that existed.
    asked: FixedBitSet,
    /// Those that it uses.
    used: FixedBitSet,
    cost: Cost,
    unpriced: Unpriced,
}

/// What is known of a statement.
#[derive(Debug, Clone, Default)]
struct StatementPlans {
    /// The trials that it was planned with.
    tested: FixedBitSet,
    /// Others that its plans could use.
    offered: FixedBitSet,
    /// Those of them that may serve it.
    relevant: FixedBitSet,
    /// Every plan that was seen.
    seen: Vec<Seen>,
    /// Those of them that use new indexes, the cheapest first, by their places in `seen`; without
    /// plans for which a cheaper one uses fewer of the same indexes.
    best: Vec<usize>,
    /// The plan with exactly this part of the relevant trials, by its place in `seen`.
    with: HashMap<FixedBitSet, usize>,
}

impl StatementPlans {
    fn part(&self, set: &FixedBitSet) -> FixedBitSet {
        let mut part = self.relevant.clone();
        part.intersect_with(set);
        part
    }

    fn add(&mut self, seen: Seen) {
        let place = self.seen.len();
        self.with.insert(seen.asked.clone(), place);
        if !seen.used.is_clear() {
            self.keep_if_best(&seen, place);
        }
        self.seen.push(seen);
    }

    fn keep_if_best(&mut self, new: &Seen, place: usize) {
        let costs = |at: &usize| self.seen[*at].cost.0;
        let rank = self.best.partition_point(|at| costs(at) <= new.cost.0);
        let (cheaper, dearer) = self.best.split_at(rank);
        let mut cheaper = cheaper.iter();
        if cheaper.any(|at| self.seen[*at].used.is_subset(&new.used)) {
            return;
        }
        let needed = |at: &&usize| !new.used.is_subset(&self.seen[**at].used);
        let kept: Vec<usize> = dearer.iter().filter(needed).copied().collect();
        self.best.truncate(rank);
        self.best.push(place);
        self.best.extend(kept);
    }

    /// By a set that was asked about and holds this one, and whose plan uses nothing else.
    fn known_of(&mut self, part: &FixedBitSet) -> Option<&Seen> {
        if let Some(place) = self.with.get(part) {
            return self.seen.get(*place);
        }
        let answers = |seen: &Seen| part.is_subset(&seen.asked) && seen.used.is_subset(part);
        let place = self.seen.iter().rposition(answers)?;
        self.with.insert(part.clone(), place);
        self.seen.get(place)
    }

    /// None: it was not planned with everything.
    fn facts(&mut self, now: &Weighted) -> Option<Facts> {
        let mut facts = Facts {
            calls: now.calls,
            now: now.cost.0,
            floor: now.cost.0,
            cuts: Vec::new(),
        };
        let mut part = self.relevant.clone();
        let floor = self.known_of(&part)?.cost.0.min(now.cost.0);
        facts.floor = floor;
        // With everything, without what that plan uses, without what the next one uses, …: a set with
        // one of the first indexes may cost what the first plan costs, and so on.
        let mut saved_by: Vec<(usize, f64)> = Vec::new();
        let mut least = floor;
        while let Some(seen) = self.known_of(&part) {
            let cost = seen.cost.0.clamp(least, now.cost.0.max(least));
            if cost > floor {
                let saved = saved_by.iter().map(|(trial, with)| (*trial, cost - with));
                facts.cuts.push(Cut {
                    cost,
                    saved_by: saved.collect(),
                });
            }
            if seen.used.is_clear() {
                break;
            }
            saved_by.extend(seen.used.ones().map(|trial| (trial, cost)));
            let used = seen.used.clone();
            part.difference_with(&used);
            least = cost;
        }
        let few_missing = |seen: &&Seen| {
            let missing = self.relevant.difference_count(&seen.asked);
            missing > 0 && missing <= MAX_MISSING && seen.cost.0 > floor
        };
        for seen in self.seen.iter().filter(few_missing) {
            let missing = self.relevant.difference(&seen.asked);
            facts.cuts.push(Cut {
                cost: seen.cost.0,
                saved_by: missing.map(|trial| (trial, seen.cost.0 - floor)).collect(),
            });
        }
        Some(facts)
    }

    /// The cheapest plan that was seen and uses only these: the planner can choose each of them.
    fn cheapest(&self, set: &FixedBitSet) -> Option<&Seen> {
        let mut plans = self.best.iter().filter_map(|place| self.seen.get(*place));
        plans.find(|seen| seen.used.is_subset(set))
    }
}

/// The costs that are known so far, and a planner to ask for more.
pub struct KnownCosts<'a> {
    trials: &'a Trials,
    baseline: Costs,
    planner: Option<&'a mut dyn SetPlanner>,
    /// For each statement, in the order of the baseline.
    plans: Vec<StatementPlans>,
    /// For each trial, the statements whose plans may use it.
    of_trial: Vec<Vec<usize>>,
    /// For each trial, what it costs alone, where that can be trusted.
    alone: Vec<Vec<(usize, TrialCost)>>,
    /// What writes pay.
    write_costs: WriteCosts,
    /// For each trial, the existing indexes that are not needed beside its index.
    superseded: BTreeMap<TrialId, Superseded>,
    /// Of statements that are another one with other values: that one.
    same_statement: BTreeMap<StatementId, StatementId>,
    /// For each statement, the indexes that it uses when all are there, if they are several.
    bundles: Option<BTreeSet<Vec<TrialId>>>,
    cut_short: bool,
    /// For the moment the planner is not asked.
    is_paused: bool,
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
                used: FixedBitSet::with_capacity(trials.len()),
                cost: weighted.cost,
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
            is_paused: false,
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
        let (cost_alone, unpriced) = if is_used || !cost.used {
            (cost.cost, cost.unpriced)
        } else {
            (present.cost, present.unpriced)
        };
        let used = if is_used {
            alone.clone()
        } else {
            FixedBitSet::with_capacity(self.trials.len())
        };
        plans.add(Seen {
            is_answer: false,
            asked: alone,
            used,
            cost: cost_alone,
            unpriced,
        });
        if is_used {
            self.alone[id.0].push((place, cost));
        }
        plans.tested.insert(id.0);
    }

    /// Which statements a trial's index may serve.
    fn set_relevance(&mut self) {
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
        self.is_paused = true;
    }

    /// How many answers are known.
    pub(super) fn answers(&self) -> usize {
        self.plans.iter().map(|plans| plans.seen.len()).sum()
    }

    /// May the planner not be asked?
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// The planner may be asked again.
    pub(super) fn resume(&mut self) {
        self.is_paused = false;
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

    /// Asks about what is not known of these sets, with few questions that can be answered at the same
    /// time.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn learn_all(&mut self, sets: &[TrialSet]) -> Result<(), PlannerError> {
        let mut parts: Vec<(usize, FixedBitSet)> = Vec::new();
        let mut wanted: HashSet<(usize, FixedBitSet)> = HashSet::new();
        for set in sets {
            let bits = self.bits(set);
            let mut costs = self.baseline.clone();
            for place in self.take_known(&bits, &mut costs) {
                let part = (place, self.plans[place].part(&bits));
                if wanted.insert(part.clone()) {
                    parts.push(part);
                }
            }
        }
        self.ask_parts(&parts)
    }

    /// Learns what these ideas bring beside the chosen indexes, with few questions: each statement is
    /// planned with all of them, then without those that its plan used, until it uses none. Those
    /// that were not used then bring nothing alone either, and need not be asked about one by one.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn explore(&mut self, chosen: &TrialSet, ideas: &TrialSet) -> Result<(), PlannerError> {
        let (chosen, ideas) = (self.bits(chosen), self.bits(ideas));
        let touched = self.touched(&ideas);
        let mut open: Vec<(usize, FixedBitSet)> = Vec::new();
        for place in touched {
            let all = &chosen | &ideas;
            let part = self.plans[place].part(&all);
            let number = part.count_ones(..) - part.intersection_count(&chosen);
            if number >= MIN_IDEAS_TOGETHER {
                open.push((place, part));
            }
        }
        for _ in 0..MAX_LAYERS {
            self.ask_parts(&open)?;
            let mut next = Vec::new();
            for (place, mut part) in open {
                let Some(seen) = self.plans[place].known_of(&part) else {
                    continue;
                };
                let mut used = seen.used.clone();
                used.difference_with(&chosen);
                part.difference_with(&used);
                let left = part.count_ones(..) - part.intersection_count(&chosen);
                if !used.is_clear() && left >= MIN_IDEAS_TOGETHER {
                    next.push((place, part));
                }
            }
            open = next;
        }
        Ok(())
    }

    /// Learns what lies around a set: what each statement costs without each index that it uses, and
    /// with each further one that it uses in a better plan.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub(super) fn learn_around(&mut self, set: &TrialSet) -> Result<(), PlannerError> {
        let bits = self.bits(set);
        let mut unknown: Vec<(usize, FixedBitSet)> = Vec::new();
        for (place, plans) in self.plans.iter_mut().enumerate() {
            let part = plans.part(&bits);
            let present = plans.cheapest(&part);
            let today = self.baseline.as_slice().get(place);
            let cost = present.map(|seen| seen.cost.0);
            let cost = cost.or(today.map(|today| today.cost.0)).unwrap_or_default();
            let mut used = FixedBitSet::with_capacity(self.trials.len());
            if let Some(present) = present {
                used.union_with(&present.used);
            }
            let better = plans.best.iter().map(|at| &plans.seen[*at]);
            let mut further = FixedBitSet::with_capacity(self.trials.len());
            for seen in better.take_while(|seen| seen.cost.0 < cost) {
                further.union_with(&seen.used);
            }
            further.difference_with(&part);
            for trial in used.ones().chain(further.ones()) {
                let mut other = part.clone();
                other.toggle(trial);
                if plans.relevant.contains(trial) && plans.known_of(&other).is_none() {
                    unknown.push((place, other));
                }
            }
        }
        self.ask_parts(&unknown)
    }

    /// Plans each of these statements with exactly this part of the indexes that may serve it.
    /// Statements whose indexes have nothing to do with each other's share a question.
    fn ask_parts(&mut self, wanted: &[(usize, FixedBitSet)]) -> Result<(), PlannerError> {
        let mut groups: Vec<(FixedBitSet, Vec<usize>)> = Vec::new();
        for (place, part) in wanted {
            if self.plans[*place].known_of(part).is_some() {
                continue;
            }
            let fits = |(set, members): &&mut (FixedBitSet, Vec<usize>)| {
                let mut more = set.clone();
                more.union_with(part);
                self.plans[*place].part(&more) == *part
                    && members.iter().all(|member| {
                        self.plans[*member].part(&more) == self.plans[*member].part(set)
                    })
            };
            match groups.iter_mut().find(fits) {
                Some((set, members)) => {
                    set.union_with(part);
                    members.push(*place);
                }
                None => groups.push((part.clone(), vec![*place])),
            }
        }
        let may_ask = !groups.is_empty() && !self.is_paused;
        let Some(planner) = self.planner.as_mut().filter(|_| may_ask) else {
            return Ok(());
        };
        let question = |(set, members): &(FixedBitSet, Vec<usize>)| SetQuestion {
            set: set.ones().map(TrialId).collect(),
            statements: members
                .iter()
                .map(|place| self.baseline.ids()[*place].clone())
                .collect(),
        };
        let questions: Vec<SetQuestion> = groups.iter().map(question).collect();
        let answers = planner.ask_all(&questions)?;
        for ((set, members), answer) in groups.into_iter().zip(answers) {
            let Some(mut answer) = answer else {
                self.planner = None;
                self.cut_short = true;
                continue;
            };
            for place in members {
                let part = self.plans[place].part(&set);
                let answered = answer.remove(&self.baseline.ids()[place]);
                self.learn(place, part, answered);
            }
        }
        Ok(())
    }

    /// The same from what is known: no statement costs more under this set.
    pub fn model(&self, set: &TrialSet) -> Costs {
        let bits = self.bits(set);
        let mut costs = self.baseline.clone();
        for place in self.touched(&bits) {
            let plans = &self.plans[place];
            if let Some(seen) = plans.cheapest(&plans.part(&bits)) {
                let present = &mut costs.as_mut_slice()[place];
                if seen.cost.0 < present.cost.0 {
                    present.set(seen);
                }
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

    /// The statements whose costs these indexes change, by place.
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
            let cheapest = plans.cheapest(&plans.part(&bits))?;
            (cheapest.cost.0 < now.cost.0).then(|| {
                let mut with = *now;
                with.set(cheapest);
                (place, with)
            })
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
                    let cheapest = plans.cheapest(&plans.part(set));
                    cheapest.map_or(today.cost.0, |seen| seen.cost.0.min(today.cost.0))
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
            let cheapest = plans.cheapest(&plans.part(&bits));
            cheapest.is_some_and(|seen| {
                seen.used.contains(id.0) && least.reached(today.cost, seen.cost)
            })
        })
    }

    /// The indexes that the known plans use, and of these the sets that some plan uses together.
    pub(super) fn used_by_plans(&self) -> BTreeSet<Vec<TrialId>> {
        let plans = self.plans.iter();
        let best = plans.flat_map(|plans| plans.best.iter().map(|place| &plans.seen[*place].used));
        best.map(|used| used.ones().map(TrialId).collect())
            .collect()
    }

    /// The places of the statements that some of these indexes may serve.
    fn touched(&self, set: &FixedBitSet) -> BTreeSet<usize> {
        set.ones()
            .flat_map(|trial| self.of_trial[trial].iter().copied())
            .collect()
    }

    /// Takes the costs that are known under this set; returns the places of the statements whose
    /// costs are not.
    fn take_known(&mut self, set: &FixedBitSet, costs: &mut Costs) -> Vec<usize> {
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

    /// Which of the offered indexes would some statement use, beside others or without better ones?
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub fn worth_testing(&mut self) -> Result<BTreeMap<TrialId, Vec<StatementId>>, PlannerError> {
        let all = self
            .trials
            .iter()
            .filter(|(_, trial)| trial.tested().is_some());
        let all = all.map(|(id, _)| id).collect();
        self.explore(&TrialSet::new(), &all)?;
        let mut worth: BTreeMap<TrialId, Vec<StatementId>> = BTreeMap::new();
        for (plans, statement) in self.plans.iter().zip(self.baseline.ids()) {
            let mut used = FixedBitSet::with_capacity(self.trials.len());
            if plans.relevant.count_ones(..) < MIN_IDEAS_TOGETHER {
                used.clone_from(&plans.offered);
            }
            plans
                .seen
                .iter()
                .for_each(|seen| used.union_with(&seen.used));
            used.difference_with(&plans.tested);
            for trial in used.ones() {
                worth
                    .entry(TrialId(trial))
                    .or_default()
                    .push(statement.clone());
            }
        }
        Ok(worth)
    }

    /// How low the cost of each statement can be, as far as is known; none where some statement was
    /// not planned with everything.
    pub(super) fn facts(&mut self) -> Option<Vec<Facts>> {
        let baseline = self.baseline.as_slice();
        let plans = self.plans.iter_mut().zip(baseline);
        let each = plans.map(|(plans, now)| plans.facts(now));
        each.collect()
    }

    /// Plans each statement with everything but what its plans use and this set does not have, until
    /// they use nothing else. Returns whether there was anything to ask.
    ///
    /// # Errors
    /// When the planner cannot be asked any more.
    pub(super) fn ask_downwards(&mut self, set: &TrialSet) -> Result<bool, PlannerError> {
        let set = self.bits(set);
        let mut has_asked = false;
        for _ in 0..MAX_LAYERS {
            let mut unknown = Vec::new();
            for (place, plans) in self.plans.iter_mut().enumerate() {
                let mut part = plans.relevant.clone();
                while let Some(seen) = plans.known_of(&part) {
                    let mut outside = seen.used.clone();
                    outside.difference_with(&set);
                    if outside.is_clear() {
                        break;
                    }
                    part.difference_with(&outside);
                }
                if plans.known_of(&part).is_none() {
                    unknown.push((place, part));
                }
            }
            if unknown.is_empty() || !self.has_planner() {
                break;
            }
            has_asked = true;
            self.ask_parts(&unknown)?;
        }
        Ok(has_asked)
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
            let part = plans.part(&set);
            let seen = plans.known_of(&part);
            seen.is_some_and(|seen| seen.used.contains(id.0))
        })
    }

    fn bits(&self, set: &TrialSet) -> FixedBitSet {
        let mut bits = FixedBitSet::with_capacity(self.trials.len());
        bits.extend(set.iter().map(|id| id.0));
        bits
    }

    /// Keeps the planner's answer. Where it cannot plan the statement, the known costs with single
    /// indexes have to do.
    fn learn(&mut self, place: usize, part: FixedBitSet, answered: Option<SetCost>) {
        let answered = answered.filter(|under| !under.unpriced.walks_blindly);
        let answered = answered.map(|under| (self.bits(&under.used), under));
        let answered = answered.filter(|(used, _)| used.is_subset(&part));
        let seen = match answered {
            Some((used, under)) => Seen {
                is_answer: true,
                asked: part,
                used,
                cost: under.cost,
                unpriced: under.unpriced,
            },
            None => self.at_most(place, &part),
        };
        self.plans[place].add(seen);
    }

    /// The cost of a statement that was not planned with this set: the planner can still choose
    /// every known plan that uses only these indexes.
    fn at_most(&self, place: usize, part: &FixedBitSet) -> Seen {
        let now = &self.baseline.as_slice()[place];
        let cheapest = self.plans[place].cheapest(part);
        let cheapest = cheapest.filter(|seen| seen.cost.0 < now.cost.0);
        let (cost, unpriced) =
            cheapest.map_or((now.cost, now.unpriced), |seen| (seen.cost, seen.unpriced));
        Seen {
            is_answer: false,
            asked: part.clone(),
            used: part.clone(),
            cost,
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
                for (place, id) in self.baseline.ids().iter().enumerate() {
                    let several = self.plans[place].seen.iter();
                    let several = several
                        .filter(|seen| seen.used.count_ones(..) > 1 && !self.is_in_one(id, seen));
                    bundles.extend(several.map(|seen| seen.used.ones().map(TrialId).collect()));
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
    fn is_in_one(&self, id: &StatementId, under: &Seen) -> bool {
        let plain = |index: &Index| index.method == Method::Btree && index.predicate.is_none();
        let has_all = |one: &Index| {
            plain(one)
                && under
                    .used
                    .ones()
                    .map(|trial| &self.trials[TrialId(trial)].index.definition)
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
