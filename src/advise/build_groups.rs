//! Which indexes are built in one transaction.

use std::collections::BTreeSet;

use super::baseline::index_tables;
use super::context::Context;
use super::verification::Verification;
use crate::catalog::Table;
use crate::model::{Bytes, Millis, QualifiedName};
use crate::planner::{NamedIndex, PlanOutcome, uses};
use crate::search::{TrialId, Trials};
use crate::verdict::expected_build;

/// Tables that some statement reads together have to get their indexes in one transaction for that
/// statement's plan to be seen; otherwise a transaction has one table. If the builds together would
/// block writers for too long, each table is verified alone.
pub(super) fn build_groups(
    left: &[TrialId],
    trials: &Trials,
    context: Context<'_>,
) -> Vec<Vec<TrialId>> {
    let mut groups: Vec<(BTreeSet<QualifiedName>, Vec<TrialId>)> = Vec::new();
    for id in left {
        let table = trials[*id].table();
        match groups.iter_mut().find(|(tables, _)| tables.contains(table)) {
            Some((_, members)) => members.push(*id),
            None => groups.push((BTreeSet::from([table.clone()]), vec![*id])),
        }
    }
    for plan in context.baseline.values().filter_map(PlanOutcome::plan) {
        let read_together = index_tables(plan, context.catalog);
        let (mut joined, others): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(tables, _)| !tables.is_disjoint(&read_together));
        groups = others;
        let members: Vec<TrialId> = joined
            .iter()
            .flat_map(|(_, members)| members.iter().copied())
            .collect();
        if joined.len() > 1 && fits_write_block(&members, trials, context) {
            let tables = joined
                .iter()
                .flat_map(|(tables, _)| tables.iter().cloned())
                .collect();
            groups.push((tables, members));
        } else {
            groups.append(&mut joined);
        }
    }
    groups.sort_by_key(|(_, members)| members.first().copied());
    let mut groups: Vec<Vec<TrialId>> = groups
        .into_iter()
        .flat_map(|(_, members)| fitting_parts(members, trials, context))
        .collect();
    quiet_first(&mut groups, trials, context);
    groups
}

/// The same where the planner twin judges the set: an index that no statement uses when it is there
/// alone is built with those that the plans of the set use beside it, however long that takes.
pub(super) fn judged_groups(
    left: &[TrialId],
    trials: &Trials,
    predicted: &Verification,
    context: Context<'_>,
) -> Vec<Vec<TrialId>> {
    let is_used_alone = |id: &TrialId| {
        let costs = trials[*id].costs();
        costs.is_some_and(|costs| costs.values().any(|cost| cost.used))
    };
    let mut groups = build_groups(left, trials, context);
    for plan in predicted.after.values() {
        let used = predicted
            .verified
            .iter()
            .filter(|index| uses(plan, &index.index));
        let used: Vec<TrialId> = used.map(|index| index.trial).collect();
        // What fits together was joined above, as far as that was needed.
        if used.iter().all(is_used_alone) || fits_write_block(&used, trials, context) {
            continue;
        }
        let (joined, others): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|group| group.iter().any(|id| used.contains(id)));
        groups = others;
        groups.push(joined.concat());
    }
    groups.retain(|group| !group.is_empty());
    quiet_first(&mut groups, trials, context);
    groups
}

/// The same where every index was tested on the server by itself: its trial has verified it,
/// unless a statement may use it together with others. Only those are built together.
pub(super) fn groups_after_trials(
    left: &[TrialId],
    trials: &Trials,
    context: Context<'_>,
) -> Vec<Vec<TrialId>> {
    let groups = build_groups(left, trials, context).into_iter();
    let mut groups: Vec<Vec<TrialId>> = groups
        .flat_map(|group| used_together(group, trials, context))
        .collect();
    quiet_first(&mut groups, trials, context);
    groups
}

/// The parts of a group of which no statement may use two. What a statement uses alone, it may use
/// beside others; and what was suggested for it may help it only beside others.
fn used_together(group: Vec<TrialId>, trials: &Trials, context: Context<'_>) -> Vec<Vec<TrialId>> {
    let mut parts: Vec<Vec<TrialId>> = group.into_iter().map(|id| vec![id]).collect();
    for statement in context.workload.statements() {
        let may_use = |id: &TrialId| {
            let trial = &trials[*id];
            let alone = trial.costs().and_then(|costs| costs.get(&statement.id));
            trial.asked_by.contains(&statement.id) || alone.is_some_and(|cost| cost.used)
        };
        let (joined, others): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.iter().any(may_use));
        parts = others;
        let mut members = joined.concat();
        members.sort_unstable();
        parts.push(members);
    }
    parts.retain(|part| !part.is_empty());
    parts.sort();
    parts
}

/// Where little is written, nobody may have to wait: such builds are proved before others use up
/// what may be waited.
fn quiet_first(groups: &mut [Vec<TrialId>], trials: &Trials, context: Context<'_>) {
    groups.sort_by_key(|group| busyness(group.iter().map(|id| trials[*id].table()), context));
}

/// What is built first has least of it: how much is written to the busiest of these tables, then
/// its size; the name decides between equal ones.
pub(super) fn busyness<'t, 'c>(
    tables: impl IntoIterator<Item = &'t QualifiedName>,
    context: Context<'c>,
) -> Option<(u64, Bytes, &'c QualifiedName)> {
    let known = tables
        .into_iter()
        .filter_map(|table| context.catalog.table(table));
    let activity = |table: &'c Table| (table.write_activity(), table.size(), &table.name);
    known.map(activity).max()
}

/// What a step of the progress says of a build: its table, and how long all that is left is
/// expected to take. The name is last: a narrow terminal cuts it off.
pub(super) fn step(index: &NamedIndex, left: Millis) -> String {
    let table = &index.definition.table;
    format!("{table}, about {left} left: {}", index.name)
}

/// How long building an index is expected to take.
pub(super) fn expected_time(id: TrialId, trials: &Trials, context: Context<'_>) -> Millis {
    let table = context.catalog.table(trials[id].table());
    let rows = table.and_then(|table| table.rows).unwrap_or(0.0);
    let tested = trials[id].tested().and_then(|index| index.build_time);
    tested.unwrap_or_else(|| expected_build(rows))
}

/// A table's indexes in as few transactions as the longest write block allows.
fn fitting_parts(
    members: Vec<TrialId>,
    trials: &Trials,
    context: Context<'_>,
) -> Vec<Vec<TrialId>> {
    let mut parts: Vec<Vec<TrialId>> = Vec::new();
    for member in members {
        let fits = |part: &Vec<TrialId>| {
            fits_write_block(&[part.as_slice(), &[member]].concat(), trials, context)
        };
        match parts.last_mut() {
            Some(part) if fits(part) => part.push(member),
            _ => parts.push(vec![member]),
        }
    }
    parts
}

fn fits_write_block(members: &[TrialId], trials: &Trials, context: Context<'_>) -> bool {
    let build_time = |id: &TrialId| {
        let tested = trials[*id].tested();
        tested.map_or(Millis(f64::INFINITY), |_| {
            expected_time(*id, trials, context)
        })
    };
    context.limits.have_room_for(members.iter().map(build_time))
}
