//! The proof of the chosen set: built together, planned together, rolled back; and the plans as things are taken again right
//! after, because CREATE INDEX leaves more accurate row counts behind and before and after have to be under the same ones.
//!
//! With a planner twin the set is first put to the twin as a whole; what holds there is built on the server, where that is allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::contest::Defeat;
use super::{Captured, Run, TwinView, index_tables, not_to_be_built};
use crate::catalog::Catalog;
use crate::model::{Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::rehearsal::{
    Answer, Build, Event, Evidence, NamedIndex, PlanOutcome, Planned, PlannerError, Refusal, Trial, TrialOutcome, Whom,
    uses,
};
use crate::verdict::Reason;
use crate::workload::{Statement, StatementId};

/// What a proof goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) captured: &'a Captured,
    pub(super) catalog: &'a Catalog,
    pub(super) twin: &'a TwinView,
}

/// What was seen of the chosen set.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Proof {
    /// The indexes that some statement's plan used and gained enough by, as positions in the trials.
    pub(super) proved: Vec<Proved>,
    /// The plans without and with them, of the statements that touch their tables.
    pub(super) before: Captured,
    /// The plans with the set.
    pub(super) after: BTreeMap<StatementId, Plan>,
    /// Chosen, but not borne out.
    pub(super) disproved: BTreeMap<usize, Disproof>,
    /// What the twin foresaw for each statement, where the server was asked, too: its cost before and after.
    pub(super) predicted: BTreeMap<StatementId, (Cost, Cost)>,
}

/// One index that was borne out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proved {
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
pub(super) enum Disproof {
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
    Outrun(Defeat),
}

impl Disproof {
    /// Did executing statements show it?
    pub(super) fn is_measured(&self) -> bool {
        matches!(self, Disproof::Slower(..) | Disproof::Outrun(_))
    }
}

/// What the server showed of indexes that were built together. A set that is proved again after another choice has most of them in
/// common with the one before: these are not built again.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<Vec<usize>, SeenGroup>);

#[derive(Debug, Clone)]
struct SeenGroup {
    before: Captured,
    with: Planned,
}

/// Puts the chosen set to whoever there is, and drops what is not borne out.
pub(super) fn prove(
    run: &mut Run<'_>,
    chosen: &[usize],
    trials: &[Trial],
    known: Known<'_>,
    already: &mut Seen,
) -> Result<Proof, PlannerError> {
    if known.twin.whom() == Whom::Server {
        return prove_with(run, Whom::Server, chosen, trials, known, already);
    }
    let (built, others): (Vec<usize>, Vec<usize>) =
        chosen.iter().partition(|position| was_really_built(&trials[**position]));
    let foreseen = prove_with(run, Whom::Twin, &others, trials, known, already)?;
    let held: Vec<usize> = foreseen.proved.iter().map(|proved| proved.trial).collect();
    let mut kept_off: BTreeMap<usize, Refusal> = BTreeMap::new();
    for position in &held {
        let table = known.catalog.table(&trials[*position].index.index.table);
        if let Some(refusal) = table.and_then(|table| not_to_be_built(table, known.catalog, run.limits)) {
            kept_off.insert(*position, refusal);
        }
    }
    let mut allowed: Vec<usize> = held.into_iter().filter(|position| !kept_off.contains_key(position)).collect();
    allowed.extend(&built);
    allowed.sort_unstable();
    let mut seen = prove_with(run, Whom::Server, &allowed, trials, known, already)?;
    let never_foreseen = seen.split_off(&built);
    let mut proof = foreseen.confirmed_by(seen, kept_off);
    proof.extend(never_foreseen);
    Ok(proof)
}

/// Not by the twin, whose builds take no time.
pub(super) fn was_really_built(trial: &Trial) -> bool {
    matches!(&trial.outcome, TrialOutcome::Built { build, .. } if build.build_time.0 > 0.0)
}

/// Drops what is not borne out until what remains is.
fn prove_with(
    run: &mut Run<'_>,
    whom: Whom,
    chosen: &[usize],
    trials: &[Trial],
    known: Known<'_>,
    already: &mut Seen,
) -> Result<Proof, PlannerError> {
    let mut proof = Proof::default();
    let mut left: Vec<usize> = chosen.to_vec();
    let what = if whom == Whom::Twin { "checking the set" } else { "proving the set" };
    (run.observer)(Event::Begin { what, steps: left.len() });
    while !left.is_empty() {
        let mut attempt = Proof { disproved: std::mem::take(&mut proof.disproved), ..Proof::default() };
        let groups = match whom {
            Whom::Server => groups(&left, trials, run, known),
            Whom::Twin => vec![left.clone()],
        };
        for group in groups {
            prove_group(run, whom, &group, trials, known, (&mut attempt, already))?;
        }
        let failed = attempt.judge(&left, run);
        proof = attempt;
        if failed.is_empty() {
            break;
        }
        left.retain(|position| !failed.contains(position));
    }
    (run.observer)(Event::End);
    Ok(if left.is_empty() { Proof { disproved: proof.disproved, ..Proof::default() } } else { proof })
}

/// Tables that some statement reads together have to get their indexes in one transaction for that statement's plan to be seen;
/// otherwise a transaction has one table. If the builds together would block writers for too long, each table is proved alone.
pub(super) fn groups(left: &[usize], trials: &[Trial], run: &Run<'_>, known: Known<'_>) -> Vec<Vec<usize>> {
    let table_of = |position: usize| &trials[position].index.index.table;
    let mut groups: Vec<(BTreeSet<QualifiedName>, Vec<usize>)> = Vec::new();
    for position in left {
        match groups.iter_mut().find(|(tables, _)| tables.contains(table_of(*position))) {
            Some((_, members)) => members.push(*position),
            None => groups.push((BTreeSet::from([table_of(*position).clone()]), vec![*position])),
        }
    }
    for plan in known.captured.values().filter_map(PlanOutcome::plan) {
        let read_together = index_tables(plan, known.catalog);
        let (mut joined, others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(tables, _)| !tables.is_disjoint(&read_together));
        groups = others;
        let members: Vec<usize> = joined.iter().flat_map(|(_, members)| members.iter().copied()).collect();
        if joined.len() > 1 && fits_write_block(&members, trials, run, known.catalog) {
            groups.push((joined.iter().flat_map(|(tables, _)| tables.iter().cloned()).collect(), members));
        } else {
            groups.append(&mut joined);
        }
    }
    groups.sort_by_key(|(_, members)| members.first().copied());
    groups.into_iter().flat_map(|(_, members)| fitting_parts(members, trials, run, known.catalog)).collect()
}

/// A table's indexes in as few transactions as `--max-write-block` allows.
fn fitting_parts(members: Vec<usize>, trials: &[Trial], run: &Run<'_>, catalog: &Catalog) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for member in members {
        match parts.last_mut() {
            Some(part) if fits_write_block(&[part.as_slice(), &[member]].concat(), trials, run, catalog) => {
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
                let rows = catalog.table(&trial.index.index.table).and_then(|table| table.rows);
                Millis(rows.unwrap_or(0.0) * BUILD_MS_A_ROW)
            }
            TrialOutcome::Refused(_) => Millis(f64::INFINITY),
        }
    };
    run.limits.have_room_for(members.iter().map(build_time))
}

fn prove_group(
    run: &mut Run<'_>,
    whom: Whom,
    group: &[usize],
    trials: &[Trial],
    known: Known<'_>,
    (proof, already): (&mut Proof, &mut Seen),
) -> Result<(), PlannerError> {
    if let Some(SeenGroup { before, with }) = already.0.get(group).filter(|_| whom == Whom::Server).cloned() {
        proof.take(whom, group, before, with);
        return Ok(());
    }
    let indexes: Vec<NamedIndex> = group.iter().map(|position| trials[*position].index.clone()).collect();
    let tables = indexes.iter().map(|index| index.index.table.clone()).collect();
    let statements: Vec<Statement> = super::touching(run.workload, known.captured, known.catalog, &tables);
    for index in &indexes {
        (run.observer)(Event::Step(&index.name));
    }
    match run.ask(whom, &indexes, &statements)? {
        Answer::Planned(with) => {
            let before = match whom {
                Whom::Server => {
                    let before = run.as_things_are(Whom::Server, &statements)?;
                    already.0.insert(group.to_vec(), SeenGroup { before: before.clone(), with: with.clone() });
                    before
                }
                Whom::Twin => known.twin.basis(known.captured).clone(),
            };
            proof.take(whom, group, before, with);
            Ok(())
        }
        Answer::Refused(refusal) if group.len() > 1 && is_of_one(&refusal) => {
            let (one, other) = group.split_at(group.len() / 2);
            prove_group(run, whom, one, trials, known, (proof, already))?;
            prove_group(run, whom, other, trials, known, (proof, already))
        }
        Answer::Refused(refusal) => {
            proof.disproved.extend(group.iter().map(|position| (*position, Disproof::Refused(refusal.clone()))));
            Ok(())
        }
    }
}

/// Together, but perhaps not one by one: it takes too long, or one of them fails and the others need not.
fn is_of_one(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::WriteBlockTooLong | Reason::StatementTimeout | Reason::BuildFailed)
}

impl Proof {
    /// Adds what was seen of indexes that were there together.
    fn take(&mut self, whom: Whom, group: &[usize], before: Captured, with: Planned) {
        let Planned { plans, builds, write_block } = with;
        let proved = |(trial, build): (&usize, Build)| Proved {
            trial: *trial,
            build,
            write_block,
            evidence: whom.into(),
            not_built: None,
            predicted: None,
        };
        self.proved.extend(group.iter().zip(builds).map(proved));
        self.merge(before, plans);
    }

    /// Takes out the indexes with which everything took longer. The plans with the set stay: another choice follows, or they were seen.
    pub(super) fn disprove_slower(&mut self, measured: &super::measure::Measured) {
        let slower = self.proved.iter().filter_map(|proved| Some((proved.trial, measured.slower(proved)?)));
        let slower: Vec<(usize, (StatementId, Millis, Millis))> = slower.collect();
        for (position, (id, before, after)) in slower {
            self.proved.retain(|proved| proved.trial != position);
            self.disproved.insert(position, Disproof::Slower(id, before, after));
        }
    }

    /// Takes out the indexes that others did better than; as with [`Proof::disprove_slower`].
    pub(super) fn dethrone(&mut self, outrun: BTreeMap<usize, Disproof>) {
        self.proved.retain(|proved| !outrun.contains_key(&proved.trial));
        self.disproved.extend(outrun);
    }

    /// Takes out what was seen of these indexes, and the plans.
    fn split_off(&mut self, positions: &[usize]) -> Proof {
        let (of_these, others): (Vec<Proved>, Vec<Proved>) =
            std::mem::take(&mut self.proved).into_iter().partition(|proved| positions.contains(&proved.trial));
        self.proved = others;
        let disproved = positions.iter().filter_map(|position| Some((*position, self.disproved.remove(position)?)));
        let disproved = disproved.collect();
        Proof {
            proved: of_these,
            disproved,
            before: self.before.clone(),
            after: self.after.clone(),
            predicted: BTreeMap::new(),
        }
    }

    /// Adds what was seen of more indexes; of statements that are there already, nothing new is to be said.
    fn extend(&mut self, more: Proof) {
        self.proved.extend(more.proved);
        self.proved.sort_by_key(|proved| proved.trial);
        self.disproved.extend(more.disproved);
        if self.proved.is_empty() {
            return;
        }
        for (id, plan) in more.after {
            if !self.after.contains_key(&id) {
                self.before.extend(more.before.get(&id).map(|before| (id.clone(), before.clone())));
                self.after.insert(id, plan);
            }
        }
    }

    /// What the twin foresaw, with what the server showed. An index that the server did not build stays on the twin's word; one that
    /// was built and not used is out.
    fn confirmed_by(mut self, seen: Proof, mut kept_off: BTreeMap<usize, Refusal>) -> Proof {
        for (position, disproof) in seen.disproved {
            match disproof {
                // The server would not build it: the twin, which has no rows, could not know.
                Disproof::Refused(refusal) if refusal.reason == Reason::BuildFailed => {
                    self.disproved.insert(position, Disproof::Refused(refusal));
                }
                Disproof::Refused(refusal) => {
                    kept_off.insert(position, refusal);
                }
                Disproof::NotUsableNow => {
                    kept_off.insert(position, not_usable_now());
                }
                Disproof::NotUsed | Disproof::GainTooSmall | Disproof::Slower(..) | Disproof::Outrun(_) => {
                    self.disproved.insert(position, disproof);
                }
            }
        }
        let mut result = Proof { disproved: self.disproved, ..Proof::default() };
        let (held, dropped): (Vec<Proved>, Vec<Proved>) =
            self.proved.into_iter().partition(|proved| !result.disproved.contains_key(&proved.trial));
        for foreseen in held {
            match seen.proved.iter().find(|proved| proved.trial == foreseen.trial) {
                Some(proved) => result.proved.push(Proved { predicted: Some(foreseen.build), ..proved.clone() }),
                None => {
                    let not_built = kept_off.remove(&foreseen.trial);
                    result.proved.push(Proved { not_built, ..foreseen });
                }
            }
        }
        let on_the_twins_word = |plan: &Plan| {
            result.proved.iter().any(|proved| proved.evidence == Evidence::PlannerTwin && uses(plan, &proved.build))
        };
        for (id, foreseen) in self.after {
            let cost_before = self.before.get(&id).and_then(PlanOutcome::plan).map(Plan::total_cost);
            match seen.after.get(&id).filter(|_| !on_the_twins_word(&foreseen)) {
                Some(plan) => {
                    result.predicted.extend(cost_before.map(|before| (id.clone(), (before, foreseen.total_cost()))));
                    result.before.extend(seen.before.get(&id).map(|before| (id.clone(), before.clone())));
                    result.after.insert(id, plan.clone());
                }
                None if dropped.iter().any(|dropped| uses(&foreseen, &dropped.build)) => {}
                None => {
                    result.before.extend(self.before.remove(&id).map(|before| (id.clone(), before)));
                    result.after.insert(id, foreseen);
                }
            }
        }
        result
    }

    /// A statement that touches several groups keeps its best plan: each was really seen.
    fn merge(&mut self, before: Captured, after: Captured) {
        self.before.extend(before);
        for (id, outcome) in after {
            let PlanOutcome::Plan(plan) = outcome else { continue };
            let better = self.after.get(&id).is_none_or(|known| plan.total_cost() < known.total_cost());
            if better {
                self.after.insert(id, plan);
            }
        }
    }

    /// Takes out the indexes that were not borne out; says which of those left to prove are gone.
    fn judge(&mut self, left: &[usize], run: &Run<'_>) -> BTreeSet<usize> {
        let mut failed: BTreeSet<usize> =
            left.iter().filter(|position| self.disproved.contains_key(position)).copied().collect();
        let judged: Vec<(usize, Option<Disproof>)> =
            self.proved.iter().map(|index| (index.trial, self.disproof(&index.build, run))).collect();
        for (trial, disproof) in judged {
            if let Some(disproof) = disproof {
                failed.insert(trial);
                self.disproved.insert(trial, disproof);
            }
        }
        failed
    }

    fn disproof(&self, build: &Build, run: &Run<'_>) -> Option<Disproof> {
        let mut used = false;
        for (id, after) in self.after.iter().filter(|(_, plan)| uses(plan, build)) {
            used = true;
            if self.cost_before(id).is_some_and(|before| run.limits.min_improvement.reached(before, after.total_cost()))
            {
                return None;
            }
        }
        Some(match (used, build.usable) {
            (true, _) => Disproof::GainTooSmall,
            (false, true) => Disproof::NotUsed,
            (false, false) => Disproof::NotUsableNow,
        })
    }

    fn cost_before(&self, id: &StatementId) -> Option<Cost> {
        Some(self.before.get(id)?.plan()?.total_cost())
    }
}

/// In the words of a refusal.
fn not_usable_now() -> Refusal {
    let detail = "an older snapshot of another session kept the planner from using it".to_owned();
    Refusal { reason: Reason::NotUsableNow, detail, write_block: Millis::default(), built: 1 }
}
