//! The proof of the chosen set: built together, planned together, rolled back; and the plans as things are taken again right
//! after, because CREATE INDEX leaves more accurate row counts behind and before and after have to be under the same ones.
//!
//! With a planner twin the set is first put to the twin as a whole; what holds there is built on the server, where that is allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::compare_timings::SlowerThan;
use super::{Baseline, Run, TwinView, build_refusal, index_tables};
use crate::catalog::Catalog;
use crate::model::{Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::rehearsal::{
    Answer, Build, Event, Evidence, NamedIndex, PlanOutcome, Planned, PlannerError, Refusal,
    Target, Trial, TrialOutcome, uses,
};
use crate::verdict::Reason;
use crate::workload::{Statement, StatementId};

/// What a proof goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) catalog: &'a Catalog,
    pub(super) twin: &'a TwinView,
}

/// What was seen of the chosen set.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Verification {
    /// The indexes that some statement's plan used and gained enough by, as positions in the trials.
    pub(super) verified: Vec<VerifiedIndex>,
    /// The plans without and with them, of the statements that touch their tables.
    pub(super) before: Baseline,
    /// The plans with the set.
    pub(super) after: BTreeMap<StatementId, Plan>,
    /// Chosen, but not borne out.
    pub(super) failed: BTreeMap<usize, Failure>,
    /// What the twin foresaw for each statement, where the server was asked, too: its cost before and after.
    pub(super) predicted: BTreeMap<StatementId, (Cost, Cost)>,
}

/// One index that was borne out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct VerifiedIndex {
    /// Its position in the list of trials.
    pub(super) trial: usize,
    /// As it was built in the proof, or as the twin has it.
    pub(super) build: Build,
    /// Writers' wait in the transaction that built it.
    pub(super) write_block: Millis,
    /// Where it was seen.
    pub(super) evidence: Evidence,
    /// Why it was not built on the server, when only the twin was asked.
    pub(super) not_built: Option<Refusal>,
    /// As the twin had it, when the server was asked, too.
    pub(super) predicted: Option<Build>,
}

/// Why a chosen index did not survive its proof.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Failure {
    /// The planner used none of it beside the others.
    NotUsed,
    /// Used, but not for enough.
    GainTooSmall,
    /// Built, but an older snapshot of another session kept the planner from it.
    NotUsableNow,
    /// It could not be built again.
    Refused(Refusal),
    /// Every statement that used it took longer when it was executed; the worst, without and with the index.
    Slower(StatementId, Millis, Millis),
    /// Another one did its work faster when both were executed.
    Faster(SlowerThan),
}

impl Failure {
    /// Did executing statements show it?
    pub(super) fn is_measured(&self) -> bool {
        matches!(self, Failure::Slower(..) | Failure::Faster(_))
    }
}

/// What the server showed of indexes that were built together. A set that is proved again after another choice has most of them in
/// common with the one before: these are not built again.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<Vec<usize>, SeenGroup>);

#[derive(Debug, Clone)]
struct SeenGroup {
    before: Baseline,
    with: Planned,
}

/// Puts the chosen set to whoever there is, and drops what is not borne out.
pub(super) fn verify(
    run: &mut Run<'_>,
    chosen: &[usize],
    trials: &[Trial],
    known: Known<'_>,
    already: &mut Seen,
) -> Result<Verification, PlannerError> {
    if known.twin.target() == Target::Server {
        return verify_with(run, Target::Server, chosen, trials, known, already);
    }
    let (built, others): (Vec<usize>, Vec<usize>) = chosen
        .iter()
        .partition(|position| was_really_built(&trials[**position]));
    let predicted = verify_with(run, Target::Twin, &others, trials, known, already)?;
    let held: Vec<usize> = predicted
        .verified
        .iter()
        .map(|verified| verified.trial)
        .collect();
    let mut kept_off: BTreeMap<usize, Refusal> = BTreeMap::new();
    for position in &held {
        let table = known
            .catalog
            .table(&trials[*position].index.definition.table);
        if let Some(refusal) =
            table.and_then(|table| build_refusal(table, known.catalog, run.limits))
        {
            kept_off.insert(*position, refusal);
        }
    }
    let mut allowed: Vec<usize> = held
        .into_iter()
        .filter(|position| !kept_off.contains_key(position))
        .collect();
    allowed.extend(&built);
    allowed.sort_unstable();
    let mut seen = verify_with(run, Target::Server, &allowed, trials, known, already)?;
    let never_predicted = seen.split_off(&built);
    let mut verification = predicted.confirmed_by(seen, kept_off);
    verification.extend(never_predicted);
    Ok(verification)
}

/// Not by the twin, whose builds take no time.
pub(super) fn was_really_built(trial: &Trial) -> bool {
    matches!(&trial.outcome, TrialOutcome::Built { build, .. } if build.build_time.0 > 0.0)
}

/// Drops what is not borne out until what remains is.
fn verify_with(
    run: &mut Run<'_>,
    target: Target,
    chosen: &[usize],
    trials: &[Trial],
    known: Known<'_>,
    already: &mut Seen,
) -> Result<Verification, PlannerError> {
    let mut verification = Verification::default();
    let mut left: Vec<usize> = chosen.to_vec();
    let what = if target == Target::Twin {
        "checking the set"
    } else {
        "proving the set"
    };
    (run.observer)(Event::Begin {
        what,
        steps: left.len(),
    });
    while !left.is_empty() {
        let mut attempt = Verification {
            failed: std::mem::take(&mut verification.failed),
            ..Verification::default()
        };
        let groups = match target {
            Target::Server => groups(&left, trials, run, known),
            Target::Twin => vec![left.clone()],
        };
        for group in groups {
            verify_group(run, target, &group, trials, known, (&mut attempt, already))?;
        }
        let failed = attempt.judge(&left, run);
        verification = attempt;
        if failed.is_empty() {
            break;
        }
        left.retain(|position| !failed.contains(position));
    }
    (run.observer)(Event::End);
    Ok(if left.is_empty() {
        Verification {
            failed: verification.failed,
            ..Verification::default()
        }
    } else {
        verification
    })
}

/// Tables that some statement reads together have to get their indexes in one transaction for that statement's plan to be seen;
/// otherwise a transaction has one table. If the builds together would block writers for too long, each table is proved alone.
pub(super) fn groups(
    left: &[usize],
    trials: &[Trial],
    run: &Run<'_>,
    known: Known<'_>,
) -> Vec<Vec<usize>> {
    let table_of = |position: usize| &trials[position].index.definition.table;
    let mut groups: Vec<(BTreeSet<QualifiedName>, Vec<usize>)> = Vec::new();
    for position in left {
        match groups
            .iter_mut()
            .find(|(tables, _)| tables.contains(table_of(*position)))
        {
            Some((_, members)) => members.push(*position),
            None => groups.push((
                BTreeSet::from([table_of(*position).clone()]),
                vec![*position],
            )),
        }
    }
    for plan in known.baseline.values().filter_map(PlanOutcome::plan) {
        let read_together = index_tables(plan, known.catalog);
        let (mut joined, others): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(tables, _)| !tables.is_disjoint(&read_together));
        groups = others;
        let members: Vec<usize> = joined
            .iter()
            .flat_map(|(_, members)| members.iter().copied())
            .collect();
        if joined.len() > 1 && fits_write_block(&members, trials, run, known.catalog) {
            groups.push((
                joined
                    .iter()
                    .flat_map(|(tables, _)| tables.iter().cloned())
                    .collect(),
                members,
            ));
        } else {
            groups.append(&mut joined);
        }
    }
    groups.sort_by_key(|(_, members)| members.first().copied());
    groups
        .into_iter()
        .flat_map(|(_, members)| fitting_parts(members, trials, run, known.catalog))
        .collect()
}

/// A table's indexes in as few transactions as `--max-write-block` allows.
fn fitting_parts(
    members: Vec<usize>,
    trials: &[Trial],
    run: &Run<'_>,
    catalog: &Catalog,
) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for member in members {
        match parts.last_mut() {
            Some(part)
                if fits_write_block(
                    &[part.as_slice(), &[member]].concat(),
                    trials,
                    run,
                    catalog,
                ) =>
            {
                part.push(member);
            }
            _ => parts.push(vec![member]),
        }
    }
    parts
}

/// How long a build is thought to take where nobody has built it yet: five million rows took 11 s.
const BUILD_MS_A_ROW: f64 = 0.0022;

fn fits_write_block(members: &[usize], trials: &[Trial], run: &Run<'_>, catalog: &Catalog) -> bool {
    let build_time = |position: &usize| {
        let trial = &trials[*position];
        match &trial.outcome {
            TrialOutcome::Built { build, .. } if build.build_time.0 > 0.0 => build.build_time,
            TrialOutcome::Built { .. } => {
                let rows = catalog
                    .table(&trial.index.definition.table)
                    .and_then(|table| table.rows);
                Millis(rows.unwrap_or(0.0) * BUILD_MS_A_ROW)
            }
            TrialOutcome::Refused(_) => Millis(f64::INFINITY),
        }
    };
    run.limits.have_room_for(members.iter().map(build_time))
}

fn verify_group(
    run: &mut Run<'_>,
    target: Target,
    group: &[usize],
    trials: &[Trial],
    known: Known<'_>,
    (verification, already): (&mut Verification, &mut Seen),
) -> Result<(), PlannerError> {
    if let Some(SeenGroup { before, with }) = already
        .0
        .get(group)
        .filter(|_| target == Target::Server)
        .cloned()
    {
        verification.take(target, group, before, with);
        return Ok(());
    }
    let indexes: Vec<NamedIndex> = group
        .iter()
        .map(|position| trials[*position].index.clone())
        .collect();
    let tables = indexes
        .iter()
        .map(|index| index.definition.table.clone())
        .collect();
    let statements: Vec<Statement> =
        super::touching(run.workload, known.baseline, known.catalog, &tables);
    for index in &indexes {
        (run.observer)(Event::Step(&index.name));
    }
    match run.ask(target, &indexes, &statements)? {
        Answer::Planned(with) => {
            let before = match target {
                Target::Server => {
                    let before = run.plan_baseline(Target::Server, &statements)?;
                    already.0.insert(
                        group.to_vec(),
                        SeenGroup {
                            before: before.clone(),
                            with: with.clone(),
                        },
                    );
                    before
                }
                Target::Twin => known.twin.basis(known.baseline).clone(),
            };
            verification.take(target, group, before, with);
            Ok(())
        }
        Answer::Refused(refusal) if group.len() > 1 && is_of_one(&refusal) => {
            let (one, other) = group.split_at(group.len() / 2);
            verify_group(run, target, one, trials, known, (verification, already))?;
            verify_group(run, target, other, trials, known, (verification, already))
        }
        Answer::Refused(refusal) => {
            verification.failed.extend(
                group
                    .iter()
                    .map(|position| (*position, Failure::Refused(refusal.clone()))),
            );
            Ok(())
        }
    }
}

/// Together, but perhaps not one by one: it takes too long, or one of them fails and the others need not.
fn is_of_one(refusal: &Refusal) -> bool {
    matches!(
        refusal.reason,
        Reason::WriteBlockTooLong | Reason::StatementTimeout | Reason::BuildFailed
    )
}

impl Verification {
    /// Adds what was seen of indexes that were there together.
    fn take(&mut self, target: Target, group: &[usize], before: Baseline, with: Planned) {
        let Planned {
            plans,
            builds,
            write_block,
        } = with;
        let verified = |(trial, build): (&usize, Build)| VerifiedIndex {
            trial: *trial,
            build,
            write_block,
            evidence: target.into(),
            not_built: None,
            predicted: None,
        };
        self.verified.extend(group.iter().zip(builds).map(verified));
        self.merge(before, plans);
    }

    /// Takes out the indexes with which everything took longer. The plans with the set stay: another choice follows, or they were seen.
    pub(super) fn fail_slower(&mut self, measured: &super::measure::Measured) {
        let slower = self
            .verified
            .iter()
            .filter_map(|verified| Some((verified.trial, measured.slower(verified)?)));
        let slower: Vec<(usize, (StatementId, Millis, Millis))> = slower.collect();
        for (position, (id, before, after)) in slower {
            self.verified.retain(|verified| verified.trial != position);
            self.failed
                .insert(position, Failure::Slower(id, before, after));
        }
    }

    /// Takes out the indexes that others did better than; as with [`Verification::fail_slower`].
    pub(super) fn replace_by_faster(&mut self, replaced: BTreeMap<usize, Failure>) {
        self.verified
            .retain(|verified| !replaced.contains_key(&verified.trial));
        self.failed.extend(replaced);
    }

    /// Takes out what was seen of these indexes, and the plans.
    fn split_off(&mut self, positions: &[usize]) -> Verification {
        let (of_these, others): (Vec<VerifiedIndex>, Vec<VerifiedIndex>) =
            std::mem::take(&mut self.verified)
                .into_iter()
                .partition(|verified| positions.contains(&verified.trial));
        self.verified = others;
        let failed = positions
            .iter()
            .filter_map(|position| Some((*position, self.failed.remove(position)?)));
        let failed = failed.collect();
        Verification {
            verified: of_these,
            failed,
            before: self.before.clone(),
            after: self.after.clone(),
            predicted: BTreeMap::new(),
        }
    }

    /// Adds what was seen of more indexes; of statements that are there already, nothing new is to be said.
    fn extend(&mut self, more: Verification) {
        self.verified.extend(more.verified);
        self.verified.sort_by_key(|verified| verified.trial);
        self.failed.extend(more.failed);
        if self.verified.is_empty() {
            return;
        }
        for (id, plan) in more.after {
            if !self.after.contains_key(&id) {
                self.before.extend(
                    more.before
                        .get(&id)
                        .map(|before| (id.clone(), before.clone())),
                );
                self.after.insert(id, plan);
            }
        }
    }

    /// What the twin foresaw, with what the server showed. An index that the server did not build stays on the twin's word; one that
    /// was built and not used is out.
    fn confirmed_by(
        mut self,
        seen: Verification,
        mut kept_off: BTreeMap<usize, Refusal>,
    ) -> Verification {
        for (position, failure) in seen.failed {
            match failure {
                // The server would not build it: the twin, which has no rows, could not know.
                Failure::Refused(refusal) if refusal.reason == Reason::BuildFailed => {
                    self.failed.insert(position, Failure::Refused(refusal));
                }
                Failure::Refused(refusal) => {
                    kept_off.insert(position, refusal);
                }
                Failure::NotUsableNow => {
                    kept_off.insert(position, not_usable_now());
                }
                Failure::NotUsed
                | Failure::GainTooSmall
                | Failure::Slower(..)
                | Failure::Faster(_) => {
                    self.failed.insert(position, failure);
                }
            }
        }
        let mut result = Verification {
            failed: self.failed,
            ..Verification::default()
        };
        let (held, dropped): (Vec<VerifiedIndex>, Vec<VerifiedIndex>) = self
            .verified
            .into_iter()
            .partition(|verified| !result.failed.contains_key(&verified.trial));
        for predicted in held {
            match seen
                .verified
                .iter()
                .find(|verified| verified.trial == predicted.trial)
            {
                Some(verified) => result.verified.push(VerifiedIndex {
                    predicted: Some(predicted.build),
                    ..verified.clone()
                }),
                None => {
                    let not_built = kept_off.remove(&predicted.trial);
                    result.verified.push(VerifiedIndex {
                        not_built,
                        ..predicted
                    });
                }
            }
        }
        let on_the_twins_word = |plan: &Plan| {
            result.verified.iter().any(|verified| {
                verified.evidence == Evidence::PlannerTwin && uses(plan, &verified.build)
            })
        };
        for (id, predicted) in self.after {
            let cost_before = self
                .before
                .get(&id)
                .and_then(PlanOutcome::plan)
                .map(Plan::total_cost);
            match seen
                .after
                .get(&id)
                .filter(|_| !on_the_twins_word(&predicted))
            {
                Some(plan) => {
                    result.predicted.extend(
                        cost_before.map(|before| (id.clone(), (before, predicted.total_cost()))),
                    );
                    result.before.extend(
                        seen.before
                            .get(&id)
                            .map(|before| (id.clone(), before.clone())),
                    );
                    result.after.insert(id, plan.clone());
                }
                None if dropped
                    .iter()
                    .any(|dropped| uses(&predicted, &dropped.build)) => {}
                None => {
                    result
                        .before
                        .extend(self.before.remove(&id).map(|before| (id.clone(), before)));
                    result.after.insert(id, predicted);
                }
            }
        }
        result
    }

    /// A statement that touches several groups keeps its best plan: each was really seen.
    fn merge(&mut self, before: Baseline, after: Baseline) {
        self.before.extend(before);
        for (id, outcome) in after {
            let PlanOutcome::Plan(plan) = outcome else {
                continue;
            };
            let better = self
                .after
                .get(&id)
                .is_none_or(|known| plan.total_cost() < known.total_cost());
            if better {
                self.after.insert(id, plan);
            }
        }
    }

    /// Takes out the indexes that were not borne out; says which of those left to prove are gone.
    fn judge(&mut self, left: &[usize], run: &Run<'_>) -> BTreeSet<usize> {
        let mut failed: BTreeSet<usize> = left
            .iter()
            .filter(|position| self.failed.contains_key(position))
            .copied()
            .collect();
        let drop_effects: Vec<(usize, Option<Failure>)> = self
            .verified
            .iter()
            .map(|index| (index.trial, self.failure(&index.build, run)))
            .collect();
        for (trial, failure) in drop_effects {
            if let Some(failure) = failure {
                failed.insert(trial);
                self.failed.insert(trial, failure);
            }
        }
        failed
    }

    fn failure(&self, build: &Build, run: &Run<'_>) -> Option<Failure> {
        let mut used = false;
        for (id, after) in self.after.iter().filter(|(_, plan)| uses(plan, build)) {
            used = true;
            if self.cost_before(id).is_some_and(|before| {
                run.limits
                    .min_improvement
                    .reached(before, after.total_cost())
            }) {
                return None;
            }
        }
        Some(match (used, build.usable) {
            (true, _) => Failure::GainTooSmall,
            (false, true) => Failure::NotUsed,
            (false, false) => Failure::NotUsableNow,
        })
    }

    fn cost_before(&self, id: &StatementId) -> Option<Cost> {
        Some(self.before.get(id)?.plan()?.total_cost())
    }
}

/// In the words of a refusal.
fn not_usable_now() -> Refusal {
    let detail = "an older snapshot of another session kept the planner from using it".to_owned();
    Refusal {
        reason: Reason::NotUsableNow,
        detail,
        write_block: Millis::default(),
        built: 1,
    }
}
