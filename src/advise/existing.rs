//! What is wrong with indexes that exist: what the catalog says alone (invalid leftovers, duplicates, prefixes of others), what a
//! recommended index makes redundant, what was never used (`src/advise/existing/unused.rs`), what is mostly empty
//! (`src/advise/existing/bloated.rs`). Indexes that enforce something are never proposed for dropping.

pub(super) mod bloated;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use super::advice::Recommendation;
use super::context::Context;
use super::drops::{DropEffects, HypotheticalDrop};
use super::run::Run;
use crate::catalog::{Catalog, ExistingIndex, Table, TableKind};
use crate::model::{Bytes, Millis, QualifiedName};
use crate::planner::{Answer, Hypothesis, NamedIndex, PlannerError, Question, Target};

/// Something about an index that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingFinding {
    /// The index.
    pub index: QualifiedName,
    /// What it is.
    pub kind: ExistingKind,
    /// What is proposed.
    pub fix: Fix,
    /// Its size.
    pub size: Bytes,
    /// What it would be if it were built anew, estimated; only of a bloated one.
    pub expected_size: Option<Bytes>,
    /// `idx_scan`: scans since the statistics were reset.
    pub scans: u64,
    /// Since when nothing scanned it, in UTC; only of an unused one.
    pub unused_since: Option<String>,
    /// The recommendation that does its work.
    pub recommendation: Option<String>,
    /// In a sentence or two.
    pub detail: String,
}

/// What can be wrong with an existing index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingKind {
    /// Another index is the same.
    Duplicate,
    /// Another index, existing or recommended, does its work too.
    Redundant,
    /// Left behind by a failed build.
    Invalid,
    /// Nothing has scanned it for long, and no plan of the workload uses it.
    Unused,
    /// It is much larger than it would be if it were built anew.
    Bloated,
}

/// What can be done about it, without blocking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// DROP INDEX CONCURRENTLY.
    Drop,
    /// REINDEX INDEX CONCURRENTLY.
    Reindex,
}

impl ExistingKind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            ExistingKind::Duplicate => "duplicate",
            ExistingKind::Redundant => "redundant",
            ExistingKind::Invalid => "invalid",
            ExistingKind::Unused => "unused",
            ExistingKind::Bloated => "bloated",
        }
    }
}

impl ExistingFinding {
    /// The statement that puts an end to it without blocking writers; runs as it is.
    pub fn statement(&self) -> String {
        match self.fix {
            Fix::Drop => format!("DROP INDEX CONCURRENTLY {};", self.index),
            Fix::Reindex => format!("REINDEX INDEX CONCURRENTLY {};", self.index),
        }
    }

    /// What that gives back.
    pub fn freed(&self) -> Bytes {
        match (self.fix, self.expected_size) {
            (Fix::Drop, _) => self.size,
            (Fix::Reindex, Some(expected)) => Bytes(self.size.0.saturating_sub(expected.0)),
            (Fix::Reindex, None) => Bytes(0),
        }
    }

    fn of(index: &ExistingIndex, kind: ExistingKind, detail: String) -> ExistingFinding {
        ExistingFinding {
            index: index.name.clone(),
            kind,
            fix: Fix::Drop,
            size: index.size,
            expected_size: None,
            scans: index.scans,
            unused_since: None,
            recommendation: None,
            detail,
        }
    }
}

/// Existing indexes with their size if they were rebuilt.
pub(super) type FreshSizes = BTreeMap<QualifiedName, Bytes>;

/// What the findings rest on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<'a> {
    pub(super) catalog: &'a Catalog,
    /// What is recommended.
    pub(super) recommendations: &'a [Recommendation],
    /// What came of thinking indexes away.
    pub(super) drop_effects: &'a DropEffects,
    /// Names of indexes that some plan of the workload uses, as things are or with what is recommended.
    pub(super) used: &'a BTreeSet<String>,
    /// Sizes of fresh builds.
    pub(super) fresh_sizes: &'a FreshSizes,
    /// So long an index has to go without a scan to be called unused.
    pub(super) unused_after: Millis,
}

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

/// The findings on all tables of the workload, in their order; at most one on each index.
pub(super) fn findings(observed: Observed<'_>) -> Vec<ExistingFinding> {
    let tables = observed
        .catalog
        .tables
        .iter()
        .filter(|table| table.kind != TableKind::Unsupported);
    tables.flat_map(|table| of_table(table, observed)).collect()
}

fn of_table(table: &Table, observed: Observed<'_>) -> Vec<ExistingFinding> {
    // What makes another index redundant has to stay.
    let needed: BTreeSet<&QualifiedName> = table
        .indexes
        .iter()
        .filter_map(|index| Some(&does_its_work(index, table)?.0.name))
        .collect();
    let finding = |index: &ExistingIndex| {
        let structural = structural(index, table)
            .map(|finding| with_what_the_twin_says(finding, observed.drop_effects));
        let found = structural.or_else(|| by_a_recommended_one(index, observed));
        let found = found
            .or_else(|| {
                unused::finding(index, table, observed).filter(|_| !needed.contains(&index.name))
            })
            .or_else(|| bloated::finding(index, observed.fresh_sizes))?;
        Some(mentioning_cluster(found, index))
    };
    table.indexes.iter().filter_map(finding).collect()
}

/// What the catalog alone says.
pub(super) fn structural(index: &ExistingIndex, table: &Table) -> Option<ExistingFinding> {
    if !index.valid {
        return invalid(index, table);
    }
    let (other, kind) = does_its_work(index, table)?;
    let detail = match kind {
        ExistingKind::Duplicate => format!("the same as {}", other.name),
        _ => format!("its columns are the first of {}", other.name),
    };
    Some(ExistingFinding::of(index, kind, detail))
}

/// Another valid index that does all that this one, which may be dropped, does.
fn does_its_work<'t>(
    index: &ExistingIndex,
    table: &'t Table,
) -> Option<(&'t ExistingIndex, ExistingKind)> {
    let known = index
        .index
        .as_ref()
        .filter(|_| index.valid && index.may_be_dropped())?;
    let others = table
        .indexes
        .iter()
        .filter(|other| other.valid && other.name != index.name);
    let (twins, longer): (Vec<_>, Vec<_>) = others
        .filter(|other| {
            other
                .index
                .as_ref()
                .is_some_and(|other| other.subsumes(known))
        })
        .partition(|other| other.index.as_ref() == Some(known));
    // Of two equal ones, the one that enforces something or comes first by name stays.
    let twin = twins
        .into_iter()
        .find(|twin| !twin.may_be_dropped() || twin.name < index.name);
    let twin = twin.map(|twin| (twin, ExistingKind::Duplicate));
    twin.or_else(|| Some((longer.into_iter().next()?, ExistingKind::Redundant)))
}

/// A failed CREATE INDEX CONCURRENTLY leaves an index that is kept up to date and never used; so does a failed REINDEX, beside the good
/// one. A unique one goes on refusing duplicates all the same: it is completed, unless a valid one does the same
/// (<https://www.postgresql.org/docs/current/sql-createindex.html>, "Building Indexes Concurrently").
fn invalid(index: &ExistingIndex, table: &Table) -> Option<ExistingFinding> {
    let bound =
        index.being_built || index.partitioned || index.part_of.is_some() || index.constraint;
    if bound || index.replica_identity {
        return None;
    }
    let detail = "left behind by a CREATE INDEX CONCURRENTLY that failed: it is kept up to date and never used";
    let is_enforced = table.indexes.iter().any(|other| {
        other.valid
            && other.unique
            && other.name != index.name
            && other.index.is_some()
            && other.index == index.index
    });
    let finding = ExistingFinding::of(index, ExistingKind::Invalid, detail.to_owned());
    if index.unique && !is_enforced {
        let detail = format!(
            "{detail}; it is unique, so it is completed rather than dropped (remove duplicate rows first)"
        );
        return Some(ExistingFinding {
            fix: Fix::Reindex,
            detail,
            ..finding
        });
    }
    Some(finding)
}

/// A longer index is also a larger one: where the twin would plan a statement worse, that has to be known.
fn with_what_the_twin_says(
    mut finding: ExistingFinding,
    drop_effects: &DropEffects,
) -> ExistingFinding {
    let worse = drop_effects
        .drops
        .iter()
        .find(|drop| drop.index == finding.index)
        .map(HypotheticalDrop::worst);
    if let Some(worst) = worse
        .flatten()
        .filter(|_| finding.kind == ExistingKind::Redundant)
    {
        finding.detail += &format!(
            "; without it {} costs {} instead of {}",
            worst.statement, worst.without, worst.with
        );
    }
    finding
}

/// A recommended index does its work, and the twin has planned no statement worse without it.
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
    let detail = format!(
        "{} ({}) does its work: as the planner twin has it, no statement gets worse without it once that is there",
        by.id, by.index.name
    );
    let recommendation = Some(by.id.clone());
    Some(ExistingFinding {
        recommendation,
        ..ExistingFinding::of(index, ExistingKind::Redundant, detail)
    })
}

fn mentioning_cluster(mut finding: ExistingFinding, index: &ExistingIndex) -> ExistingFinding {
    if index.clustered && finding.fix == Fix::Drop {
        finding.detail += "; CLUSTER goes by it, and needs another one to be named then";
    }
    finding
}

#[cfg(test)]
mod tests;
