//! The verified indexes as recommendations.

use std::collections::BTreeSet;

use super::benefit::Benefit;
use super::explanation_facts::{self, Facts};
use super::parts::Parts;
use super::recommendation::Recommendation;
use super::verification::VerifiedIndex;
use crate::catalog::ExistingIndex;
use crate::catalog::create_index::{Creation, creations};
use crate::model::{Cost, QualifiedName};
use crate::planner::{NamedIndex, TestedIndex, uses};
use crate::search::TrialId;
use crate::workload::Statement;

impl Parts<'_> {
    pub(super) fn recommendations(&self) -> Vec<Recommendation> {
        let verified = self.chosen.verification.verified.iter();
        let mut found: Vec<(f64, Recommendation)> = verified
            .clone()
            .map(|verified| self.recommendation(verified))
            .collect();
        found.sort_by(|(a_saved, a), (b_saved, b)| {
            let by_name = || a.index.name.cmp(&b.index.name);
            b_saved.total_cmp(a_saved).then_with(by_name)
        });
        let mut recommendations: Vec<Recommendation> = found
            .into_iter()
            .map(|(_, recommendation)| recommendation)
            .collect();
        // The server's own words for an index that was verified.
        let body = |index: &NamedIndex| {
            let verified = verified
                .clone()
                .find(|verified| self.trials[verified.trial].index == *index);
            verified.map_or("", |verified| verified.index.body.as_str())
        };
        let bodies: Vec<(&NamedIndex, &str)> = recommendations
            .iter()
            .map(|found| (&found.index, body(&found.index)))
            .collect();
        let creations = creations(&bodies, self.context.catalog);
        let numbered = recommendations.iter_mut().zip(creations).enumerate();
        for (number, (recommendation, creation)) in numbered {
            recommendation.id = format!("r{}", number + 1);
            recommendation.creation = creation;
        }
        recommendations
    }

    fn names(&self, ids: &[TrialId]) -> Vec<String> {
        let ids = ids.iter();
        ids.map(|id| self.trials[*id].index.name.clone()).collect()
    }

    /// A verified index with Σ calls × cost that it saves. Its number and the statements that
    /// create it follow from all of them.
    fn recommendation(&self, verified: &VerifiedIndex) -> (f64, Recommendation) {
        let index = self.trials[verified.trial].index.clone();
        let benefits = self.benefits(&verified.index);
        let saved = |benefit: &Benefit| {
            self.calls(&benefit.statement) * (benefit.before.0 - benefit.after.0)
        };
        let saved = benefits.iter().map(saved).sum();
        let explanation = explanation_facts::of(&Facts {
            index: &index,
            tables: &self.tables_of(&index.definition.table),
            verified,
            benefits: &benefits,
            all: &self.chosen.verification.verified,
            plans: &|id| (self.plan_before(id), self.plan_after(id)),
            of_workload: &|id| self.of_workload(id),
            times: &|id| self.chosen.measured.as_ref()?.times(id),
            supersedes: &self.superseded_for_good(&index),
        });
        let recommendation = Recommendation {
            id: String::new(),
            creation: Creation::default(),
            evidence: verified.evidence,
            not_built: verified.not_built.clone(),
            size: verified.index.size,
            predicted_size: verified.predicted.as_ref().map(|index| index.size),
            build_time: verified.index.build_time,
            write_block: verified.write_block,
            built_with: self.names(&verified.built_with),
            write_cost: Cost(self.write_costs.of(&[verified.trial])),
            replaces: self.superseded(&index),
            benefits,
            explanation,
            index,
        };
        (saved, recommendation)
    }

    /// The table and its partitions.
    fn tables_of(&self, name: &QualifiedName) -> BTreeSet<QualifiedName> {
        let table = self.context.catalog.table(name);
        let partitions = table.into_iter().flat_map(|table| &table.partitions);
        let partitions = partitions.map(|partition| partition.name.clone());
        partitions.chain([name.clone()]).collect()
    }

    fn benefits(&self, index: &TestedIndex) -> Vec<Benefit> {
        let benefit = |statement: &Statement| {
            let after = self.plan_after(&statement.id);
            let after = after.filter(|plan| uses(plan, index))?.total_cost();
            let before = self.plan_before(&statement.id)?.total_cost();
            let min_improvement = self.context.limits.min_improvement;
            let is_faster = self.chosen.verification.faster.contains(&statement.id);
            let gains = min_improvement.reached(before, after) || is_faster;
            gains.then(|| Benefit {
                statement: statement.id.clone(),
                before,
                after,
            })
        };
        let statements = self.context.workload.statements().iter();
        statements.filter_map(benefit).collect()
    }

    /// The existing indexes whose work this one does.
    fn superseded(&self, index: &NamedIndex) -> Vec<QualifiedName> {
        let is_subsumed = |existing: &&ExistingIndex| {
            let known = existing.index.as_ref();
            existing.valid
                && existing.may_be_dropped()
                && known.is_some_and(|known| index.definition.subsumes(known))
        };
        let existing = self.indexes_beside(index).filter(is_subsumed);
        existing.map(|existing| existing.name.clone()).collect()
    }

    /// Of those, the ones without which the twin plans no statement worse.
    fn superseded_for_good(&self, index: &NamedIndex) -> Vec<&ExistingIndex> {
        let is_by_this = |existing: &&ExistingIndex| {
            let mut replaced = self.drop_effects.replaced.iter();
            replaced.any(|replaced| replaced.index == existing.name && replaced.by == *index)
        };
        self.indexes_beside(index).filter(is_by_this).collect()
    }

    fn indexes_beside(&self, index: &NamedIndex) -> impl Iterator<Item = &ExistingIndex> {
        let table = self.context.catalog.table(&index.definition.table);
        table.into_iter().flat_map(|table| &table.indexes)
    }
}
