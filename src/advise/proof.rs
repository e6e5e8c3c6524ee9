//! The proof of the chosen set: built together, planned together, rolled back; and the plans as things are taken again right
//! after, because CREATE INDEX leaves more accurate row counts behind and before and after have to be under the same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::{Captured, Run, index_tables};
use crate::catalog::Catalog;
use crate::model::{Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::rehearsal::{
    Answer, Build, Event, NamedIndex, PlanOutcome, Planned, PlannerError, Refusal, Trial, TrialOutcome, uses,
};
use crate::workload::{Statement, StatementId};

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
}

/// One index that was borne out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proved {
    /// Its position in the list of trials.
    pub(super) trial: usize,
    /// As it was built in the proof.
    pub(super) build: Build,
    /// Writers' wait in the transaction that built it.
    pub(super) write_block: Millis,
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
}

/// Builds the chosen set and drops what is not borne out until what remains is.
pub(super) fn prove(
    run: &mut Run<'_>,
    chosen: &[usize],
    trials: &[Trial],
    captured: &Captured,
    catalog: &Catalog,
) -> Result<Proof, PlannerError> {
    let mut proof = Proof::default();
    let mut left: Vec<usize> = chosen.to_vec();
    (run.observer)(Event::Begin { what: "proving the set", steps: left.len() });
    while !left.is_empty() {
        let mut attempt = Proof { disproved: std::mem::take(&mut proof.disproved), ..Proof::default() };
        for group in groups(&left, trials, run, captured, catalog) {
            prove_group(run, &group, trials, captured, catalog, &mut attempt)?;
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
fn groups(left: &[usize], trials: &[Trial], run: &Run<'_>, captured: &Captured, catalog: &Catalog) -> Vec<Vec<usize>> {
    let table_of = |position: usize| &trials[position].index.index.table;
    let mut groups: Vec<(BTreeSet<QualifiedName>, Vec<usize>)> = Vec::new();
    for position in left {
        match groups.iter_mut().find(|(tables, _)| tables.contains(table_of(*position))) {
            Some((_, members)) => members.push(*position),
            None => groups.push((BTreeSet::from([table_of(*position).clone()]), vec![*position])),
        }
    }
    for plan in captured.values().filter_map(PlanOutcome::plan) {
        let read_together = index_tables(plan, catalog);
        let (mut joined, others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(tables, _)| !tables.is_disjoint(&read_together));
        groups = others;
        let members: Vec<usize> = joined.iter().flat_map(|(_, members)| members.iter().copied()).collect();
        if joined.len() > 1 && fits_write_block(&members, trials, run) {
            groups.push((joined.iter().flat_map(|(tables, _)| tables.iter().cloned()).collect(), members));
        } else {
            groups.append(&mut joined);
        }
    }
    groups.sort_by_key(|(_, members)| members.first().copied());
    groups.into_iter().flat_map(|(_, members)| fitting_parts(members, trials, run)).collect()
}

/// A table's indexes in as few transactions as `--max-write-block` allows.
fn fitting_parts(members: Vec<usize>, trials: &[Trial], run: &Run<'_>) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for member in members {
        match parts.last_mut() {
            Some(part) if fits_write_block(&[part.as_slice(), &[member]].concat(), trials, run) => part.push(member),
            _ => parts.push(vec![member]),
        }
    }
    parts
}

fn fits_write_block(members: &[usize], trials: &[Trial], run: &Run<'_>) -> bool {
    let build_time = |position: &usize| match &trials[*position].outcome {
        TrialOutcome::Built { build, .. } => build.build_time,
        TrialOutcome::Refused(_) => Millis(f64::INFINITY),
    };
    run.limits.have_room_for(members.iter().map(build_time))
}

fn prove_group(
    run: &mut Run<'_>,
    group: &[usize],
    trials: &[Trial],
    captured: &Captured,
    catalog: &Catalog,
    proof: &mut Proof,
) -> Result<(), PlannerError> {
    let indexes: Vec<NamedIndex> = group.iter().map(|position| trials[*position].index.clone()).collect();
    let tables = indexes.iter().map(|index| index.index.table.clone()).collect();
    let statements: Vec<Statement> = super::touching(run.workload, captured, catalog, &tables);
    for index in &indexes {
        (run.observer)(Event::Step(&index.name));
    }
    match run.ask(&indexes, &statements)? {
        Answer::Planned(Planned { plans, builds, write_block }) => {
            let proved = group.iter().zip(builds).map(|(trial, build)| Proved { trial: *trial, build, write_block });
            proof.proved.extend(proved);
            let before = run.as_things_are(&statements)?;
            proof.merge(before, plans);
        }
        Answer::Refused(refusal) => {
            proof.disproved.extend(group.iter().map(|position| (*position, Disproof::Refused(refusal.clone()))));
        }
    }
    Ok(())
}

impl Proof {
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
