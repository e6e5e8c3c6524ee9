//! The advice for another set of indexes than the recommended one: somebody looked at the result and
//! switched indexes off, or on. What the planner says about that set takes the place of what it said
//! about the recommended one; all else stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::advice::{Advice, StatementAdvice};
use super::benefit::Benefit;
use super::existing::finding::ExistingCause;
use super::explanation_facts::{self, Facts};
use super::notice::Notice;
use super::recommendation::Recommendation;
use super::verification::VerifiedIndex;
use crate::catalog::create_index::Creation;
use crate::model::{Bytes, Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::planner::{Evidence, NamedIndex, RefusalCause, TestedIndex, uses};
use crate::search::TrialId;
use crate::verdict::{Change, MinImprovement};
use crate::workload::StatementId;

/// An index that is switched on.
#[derive(Debug, Clone)]
pub struct SelectedIndex {
    /// The index under its name.
    pub index: NamedIndex,
    /// The statements that create it.
    pub creation: Creation,
    /// As it was built, or as the planner twin has it; none where it was not tested.
    pub tested: Option<TestedIndex>,
    /// Where that is known from.
    pub evidence: Evidence,
    /// Its size, as far as it is known.
    pub size: Option<Bytes>,
    /// How long building it took, where it was built.
    pub build_time: Option<Millis>,
    /// How long writers waited for the transaction.
    pub write_block: Option<Millis>,
}

/// A set of indexes, and the plans with it.
#[derive(Debug, Clone, Default)]
pub struct SelectedSet {
    /// The indexes.
    pub indexes: Vec<SelectedIndex>,
    /// In how many transactions the set was built on the server; zero where it was not.
    pub transactions: usize,
    /// The plans of the statements on their tables without and with the set.
    pub plans: BTreeMap<StatementId, (Arc<Plan>, Arc<Plan>)>,
}

impl SelectedIndex {
    fn is_built(&self) -> bool {
        self.evidence == Evidence::RolledBackTransaction
    }
}

impl Advice {
    /// The same advice, had it recommended this set.
    pub fn with_selected(&self, set: &SelectedSet, min_improvement: MinImprovement) -> Advice {
        let mut advice = self.clone();
        let verified: Vec<VerifiedIndex> = set
            .indexes
            .iter()
            .enumerate()
            .filter_map(|(place, index)| verified(place, index))
            .collect();
        advice.recommendations = self.all_selected(set, &verified, min_improvement);
        let is_on = |index: &NamedIndex| set.indexes.iter().any(|on| on.index == *index);
        advice.rejected.retain(|rejected| !is_on(&rejected.index));
        let off = self.recommendations.iter();
        let off: Vec<String> = off
            .filter(|recommendation| !is_on(&recommendation.index))
            .map(|recommendation| recommendation.index.name.clone())
            .collect();
        if !off.is_empty() {
            advice.notices.insert(0, Notice::SwitchedOff(off));
        }
        let on: BTreeSet<String> = advice
            .recommendations
            .iter()
            .map(|on| on.id.clone())
            .collect();
        advice.existing.retain(|finding| match &finding.cause {
            ExistingCause::Replaced { recommendation, .. } => on.contains(recommendation),
            _ => true,
        });
        let recommendations = std::mem::take(&mut advice.recommendations);
        for statement in &mut advice.statements {
            replan(statement, set, min_improvement);
        }
        advice.name_helping(&recommendations);
        advice.recommendations = recommendations;
        // What the search knows of its own set does not hold for another one.
        if !is_recommended_set(self, set) {
            advice.optimality = None;
            advice.curve = None;
        }
        let tally = &mut advice.rehearsal.tally;
        tally.transactions += set.transactions;
        if set.transactions > 0 {
            tally.indexes_built += set.indexes.len();
        }
        advice
    }

    /// The set as recommendations: under the ids of the run, and others under new ones.
    fn all_selected(
        &self,
        set: &SelectedSet,
        verified: &[VerifiedIndex],
        min_improvement: MinImprovement,
    ) -> Vec<Recommendation> {
        let mut added = 0;
        let mut made = |(place, index): (usize, &SelectedIndex)| {
            let mut others = verified.iter();
            let own = others.find(|other| other.trial == TrialId(place));
            let mut made = self.selected(set, index, (own, verified), min_improvement);
            if let Some(of_run) = self.recommendation_of(&index.index) {
                made.id.clone_from(&of_run.id);
                made.write_cost = of_run.write_cost;
                made.replaces.clone_from(&of_run.replaces);
                made.explanation
                    .supersedes
                    .clone_from(&of_run.explanation.supersedes);
            } else {
                added += 1;
                made.id = format!("new{added}");
                let mut rejected = self.rejected.iter();
                let rejected = rejected.find(|rejected| rejected.index == index.index);
                let cost = rejected.and_then(|rejected| rejected.write_cost);
                made.write_cost = cost.unwrap_or(Cost(0.0));
            }
            made
        };
        set.indexes.iter().enumerate().map(&mut made).collect()
    }

    fn recommendation_of(&self, index: &NamedIndex) -> Option<&Recommendation> {
        let mut recommendations = self.recommendations.iter();
        recommendations.find(|recommendation| recommendation.index == *index)
    }

    fn of_workload(&self, id: &StatementId) -> StatementId {
        let mut statements = self.statements.iter();
        let known = statements.find(|known| known.statement.id == *id);
        let class = known.and_then(|known| known.statement.value_class.as_ref());
        class.map_or_else(|| id.clone(), |class| class.of.clone())
    }

    fn selected(
        &self,
        set: &SelectedSet,
        index: &SelectedIndex,
        (own, all): (Option<&VerifiedIndex>, &[VerifiedIndex]),
        min_improvement: MinImprovement,
    ) -> Recommendation {
        let benefits = own.map_or_else(Vec::new, |own| benefits(set, &own.index, min_improvement));
        let untested = untested(index);
        let verified = own.unwrap_or(&untested);
        let plans = |id: &StatementId| {
            let pair = set.plans.get(id);
            (
                pair.map(|(before, _)| &**before),
                pair.map(|(_, after)| &**after),
            )
        };
        let explanation = explanation_facts::of(&Facts {
            index: &index.index,
            tables: &self.tables_of(&index.index.definition.table),
            verified,
            benefits: &benefits,
            all,
            plans: &plans,
            of_workload: &|id| self.of_workload(id),
            times: &|_| None,
            supersedes: &[],
        });
        let of_run = self.recommendation_of(&index.index);
        let not_built = match index.is_built() {
            false => of_run.map_or(verified.not_built.clone(), |run| run.not_built.clone()),
            true => None,
        };
        let others = set.indexes.iter().map(|other| other.index.name.clone());
        let others = others.filter(|name| *name != index.index.name);
        Recommendation {
            id: String::new(),
            index: index.index.clone(),
            creation: index.creation.clone(),
            evidence: verified.evidence,
            not_built,
            size: index.size.unwrap_or(Bytes(0)),
            predicted_size: None,
            build_time: index.build_time.filter(|_| index.is_built()),
            write_block: index.write_block.filter(|_| index.is_built()),
            built_with: match set.transactions {
                1 => others.collect(),
                _ => Vec::new(),
            },
            benefits,
            write_cost: Cost(0.0),
            replaces: Vec::new(),
            explanation,
        }
    }

    /// The table and its partitions.
    fn tables_of(&self, name: &QualifiedName) -> BTreeSet<QualifiedName> {
        let table = self.catalog.table(name);
        let partitions = table.into_iter().flat_map(|table| &table.partitions);
        let partitions = partitions.map(|partition| partition.name.clone());
        partitions.chain([name.clone()]).collect()
    }

    fn name_helping(&mut self, recommendations: &[Recommendation]) {
        let mut helping: BTreeMap<StatementId, BTreeSet<usize>> = BTreeMap::new();
        for (place, recommendation) in recommendations.iter().enumerate() {
            for benefit in &recommendation.benefits {
                for id in [
                    benefit.statement.clone(),
                    self.of_workload(&benefit.statement),
                ] {
                    helping.entry(id).or_default().insert(place);
                }
            }
        }
        for statement in &mut self.statements {
            let helped = helping.remove(&statement.statement.id).unwrap_or_default();
            let ids = helped
                .into_iter()
                .map(|place| recommendations[place].id.clone());
            statement.recommendations = ids.collect();
        }
    }
}

/// Is it exactly the recommended set?
fn is_recommended_set(advice: &Advice, set: &SelectedSet) -> bool {
    advice.recommendations.len() == set.indexes.len()
        && set
            .indexes
            .iter()
            .all(|index| advice.recommendation_of(&index.index).is_some())
}

fn verified(place: usize, index: &SelectedIndex) -> Option<VerifiedIndex> {
    let tested = index.tested.clone()?;
    let is_built = index.is_built();
    Some(VerifiedIndex {
        trial: TrialId(place),
        index: TestedIndex {
            size: index.size.unwrap_or(tested.size),
            build_time: index.build_time.filter(|_| is_built),
            ..tested
        },
        write_block: index.write_block.filter(|_| is_built),
        built_with: Vec::new(),
        evidence: index.evidence,
        not_built: None,
        predicted: None,
    })
}

/// An index of which only its definition is known.
fn untested(index: &SelectedIndex) -> VerifiedIndex {
    VerifiedIndex {
        trial: TrialId(usize::MAX),
        index: TestedIndex {
            names: BTreeSet::new(),
            body: String::new(),
            size: index.size.unwrap_or(Bytes(0)),
            build_time: None,
            usable: true,
        },
        write_block: None,
        built_with: Vec::new(),
        evidence: Evidence::PlannerTwin,
        not_built: Some(RefusalCause::NoTwin.into()),
        predicted: None,
    }
}

fn benefits(
    set: &SelectedSet,
    index: &TestedIndex,
    min_improvement: MinImprovement,
) -> Vec<Benefit> {
    let benefit = |(id, (before, after)): (&StatementId, &(Arc<Plan>, Arc<Plan>))| {
        let (before, cost) = (before.total_cost(), after.total_cost());
        let gains = uses(after, index) && min_improvement.reached(before, cost);
        gains.then(|| Benefit {
            statement: id.clone(),
            before,
            after: cost,
        })
    };
    set.plans.iter().filter_map(benefit).collect()
}

/// Puts the plans with the set in place of those with the recommended one.
fn replan(statement: &mut StatementAdvice, set: &SelectedSet, min_improvement: MinImprovement) {
    statement.after = None;
    statement.executed = None;
    statement.predicted = None;
    if let Some((before, after)) = set.plans.get(&statement.statement.id) {
        statement.before = Some(Plan::clone(before));
        statement.after = Some(Plan::clone(after));
    }
    let costs = statement.cost_before().zip(statement.cost_after());
    statement.change = costs.map(|(before, after)| Change::between(before, after, min_improvement));
}
