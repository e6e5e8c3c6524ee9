//! Which questions to the planner are still needed, and what is learned from its answers.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use fixedbitset::FixedBitSet;

use super::known::{KnownCosts, SetCost, SetQuestion};
use super::plans::{Seen, Used};
use super::trial::{Trial, TrialId, TrialSet};
use crate::index::{Index, Method};
use crate::planner::PlannerError;
use crate::workload::StatementId;

/// Statements are planned with several ideas at once where there are at least so many: otherwise
/// asking about each takes no more questions.
const MIN_IDEAS_TOGETHER: usize = 3;

/// A statement uses few of the ideas that are offered at a time.
const MAX_LAYERS: usize = 6;

impl KnownCosts<'_> {
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
                let used = seen.used.ones().filter(|trial| !chosen.contains(*trial));
                let used: Vec<usize> = used.collect();
                used.iter().for_each(|trial| part.set(*trial, false));
                let left = part.count_ones(..) - part.intersection_count(&chosen);
                if !used.is_empty() && left >= MIN_IDEAS_TOGETHER {
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
            let Some(today) = self.baseline.as_slice().get(place) else {
                continue;
            };
            let present = plans.cheapest(&part, today.cost);
            let cost = present.map_or(today.cost.0, |seen| seen.cost.0);
            let mut used = FixedBitSet::with_capacity(self.trials.len());
            if let Some(present) = present {
                used.extend(present.used.ones());
            }
            let better = plans.best.iter().map(|at| &plans.seen[*at]);
            let mut further = FixedBitSet::with_capacity(self.trials.len());
            for seen in better.take_while(|seen| seen.cost.0 < cost) {
                further.extend(seen.used.ones());
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
    pub(super) fn ask_parts(
        &mut self,
        wanted: &[(usize, FixedBitSet)],
    ) -> Result<(), PlannerError> {
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
                .for_each(|seen| used.extend(seen.used.ones()));
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
                    let outside = seen.used.ones().filter(|trial| !set.contains(*trial));
                    let outside: Vec<usize> = outside.collect();
                    if outside.is_empty() {
                        break;
                    }
                    outside.iter().for_each(|trial| part.set(*trial, false));
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
                used: Used::of(&used),
                cost: under.unpriced.priced(under.cost),
                at_least: under.cost,
                unpriced: under.unpriced,
            },
            None => self.at_most(place, &part),
        };
        self.plans[place].add(seen);
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
                    let several =
                        several.filter(|seen| seen.used.count() > 1 && !self.is_in_one(id, seen));
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
    /// estimate ([`super::unpriced::Unpriced::ands_bitmaps`]).
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

    /// How many answers are known.
    pub(super) fn answers(&self) -> usize {
        self.plans.iter().map(|plans| plans.seen.len()).sum()
    }
}
