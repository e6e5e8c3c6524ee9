//! What is wrong with indexes that exist: what the catalog says alone (invalid leftovers,
//! duplicates, prefixes of others), what a recommended index makes redundant, what was never used
//! (`src/advise/existing/unused.rs`), what is mostly empty (`src/advise/existing/bloated.rs`).
//! Indexes that enforce something are never proposed for dropping.

pub(super) mod bloated;
pub mod finding;
pub(super) mod observed;
mod relation;
mod repeated;
pub(super) mod structural;
mod unattached;
mod unused;

use std::collections::BTreeSet;

use super::context::Context;
use super::run::Run;
use crate::catalog::{ExistingIndex, Table, TableKind};
use crate::model::QualifiedName;
use crate::planner::{Answer, Hypothesis, NamedIndex, OtherTables, PlannerError, Question, Target};
use finding::{ExistingCause, ExistingFinding};
use observed::{FreshSizes, Observed};
use structural::{replacement, structural};

/// The sizes of existing btrees if they were rebuilt, as far as the twin can estimate them.
pub(super) fn fresh_sizes(
    run: &mut Run<'_>,
    context: Context<'_>,
) -> Result<FreshSizes, PlannerError> {
    let indexes = bloated::candidates(context.catalog);
    if context.target() == Target::Server || indexes.is_empty() {
        return Ok(FreshSizes::new());
    }
    let hypothesis = Hypothesis::Reindexed(indexes.clone());
    let question = Question::plans(Target::Twin, &[]).under(hypothesis);
    let Answer::Planned(planned) = run.ask(&question)? else {
        return Ok(FreshSizes::new());
    };
    let size = |index: NamedIndex| {
        let mut rebuilt = planned.indexes.iter();
        let rebuilt =
            rebuilt.find(|rebuilt| rebuilt.names.contains(&index.qualified_name().to_string()))?;
        Some((index.qualified_name(), rebuilt.size))
    };
    Ok(indexes.into_iter().filter_map(size).collect())
}

/// The tables of the database besides those of the workload, if they are checked, too.
pub(super) fn other_tables(
    run: &mut Run<'_>,
    context: Context<'_>,
) -> Result<Option<OtherTables>, PlannerError> {
    if !context.limits.all_tables {
        return Ok(None);
    }
    run.begin("checking the indexes of all tables", 1);
    let tables = context.catalog.tables.iter();
    let others = run.other_tables(&tables.map(|table| table.name.clone()).collect())?;
    run.end();
    Ok(Some(others))
}

/// The findings on tables that no statement of the workload reads. What a longer index makes
/// redundant is not among them: which of the two their statements need is not known.
pub(super) fn findings_elsewhere(observed: Observed<'_>) -> Vec<ExistingFinding> {
    let tables = observed.catalog.tables.iter();
    let tables = tables.filter(|table| table.kind != TableKind::Unsupported);
    let to_attach = unattached::to_attach(observed.catalog);
    let findings = tables.flat_map(|table| {
        let mut needed = needed(table);
        needed.extend(&to_attach);
        table.indexes.iter().filter_map(move |index| {
            let structural = structural(index, table)
                .filter(|finding| !matches!(finding.cause, ExistingCause::Prefix { .. }));
            let unattached = || unattached::unattached(index, table, observed.catalog);
            structural.or_else(unattached).or_else(|| {
                unused::finding(index, table, observed).filter(|_| !needed.contains(&index.name))
            })
        })
    });
    findings.collect()
}

/// What makes another index redundant has to stay.
fn needed(table: &Table) -> BTreeSet<&QualifiedName> {
    let indexes = table.indexes.iter();
    indexes
        .filter_map(|index| Some(&replacement(index, table)?.0.name))
        .collect()
}

/// The findings on all tables of the workload, in their order; at most one on each index.
pub(super) fn findings(observed: Observed<'_>) -> Vec<ExistingFinding> {
    let tables = observed
        .catalog
        .tables
        .iter()
        .filter(|table| table.kind != TableKind::Unsupported);
    let to_attach = unattached::to_attach(observed.catalog);
    tables
        .flat_map(|table| of_table(table, observed, &to_attach))
        .collect()
}

fn of_table(
    table: &Table,
    observed: Observed<'_>,
    to_attach: &BTreeSet<&QualifiedName>,
) -> Vec<ExistingFinding> {
    let mut needed = needed(table);
    needed.extend(to_attach);
    let finding = |index: &ExistingIndex| {
        let needed_all_the_same = &observed.drop_effects.needed;
        let structural = structural(index, table)
            .filter(|finding| !needed_all_the_same.contains(&finding.index));
        structural
            .or_else(|| unattached::unattached(index, table, observed.catalog))
            .or_else(|| by_a_recommended_one(index, observed))
            .or_else(|| {
                unused::finding(index, table, observed).filter(|_| !needed.contains(&index.name))
            })
            .or_else(|| bloated::finding(index, observed.fresh_sizes))
    };
    table.indexes.iter().filter_map(finding).collect()
}

/// A recommended index replaces it, and the twin plans no statement worse without it.
fn by_a_recommended_one(index: &ExistingIndex, observed: Observed<'_>) -> Option<ExistingFinding> {
    let replaced = observed
        .drop_effects
        .replaced
        .iter()
        .find(|replaced| replaced.index == index.name)?;
    let by = observed
        .recommendations
        .iter()
        .find(|recommendation| recommendation.index == replaced.by)?;
    let cause = ExistingCause::Replaced {
        by: by.index.name.clone(),
        recommendation: by.id.clone(),
    };
    Some(ExistingFinding::new(index, cause))
}

#[cfg(test)]
mod tests;
