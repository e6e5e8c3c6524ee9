//! Which indexes are built in one transaction.

use std::collections::BTreeSet;

use super::baseline::index_tables;
use super::context::Context;
use crate::model::{Millis, QualifiedName};
use crate::planner::PlanOutcome;
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
    groups
        .into_iter()
        .flat_map(|(_, members)| fitting_parts(members, trials, context))
        .collect()
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
        let trial = &trials[*id];
        let expected = || {
            let table = context.catalog.table(trial.table());
            let rows = table.and_then(|table| table.rows).unwrap_or(0.0);
            expected_build(rows)
        };
        trial.tested().map_or(Millis(f64::INFINITY), |index| {
            index.build_time.unwrap_or_else(expected)
        })
    };
    context.limits.have_room_for(members.iter().map(build_time))
}
