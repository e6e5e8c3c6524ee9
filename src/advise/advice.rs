//! What a run comes to: every statement, every candidate, each with its verdict.

use std::collections::BTreeMap;

use super::drops::{DropEffects, HypotheticalDrop};
use super::existing::{ExistingFinding, Seen};
use super::measure::Measured;
use super::no_index_reason::LowerPageCost;
use super::verification::{Failure, Verification, VerifiedIndex, was_really_built};
use super::what_if::WhatIf;
use super::{Baseline, TwinView, existing, explanation};
use crate::candidate::Candidates;
use crate::catalog::create_index::{Creation, creation_of_candidate, creations};
use crate::catalog::{Catalog, ExistingIndex};
use crate::index::naming;
use crate::model::{Bytes, Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::rehearsal::counting::Explained;
use crate::rehearsal::search::Selection;
use crate::rehearsal::upkeep::Upkeep;
use crate::rehearsal::{
    Build, Evidence, FreshSize, NamedIndex, PlanOutcome, Refusal, Target, Trial, TrialCost,
    TrialOutcome, uses,
};
use crate::remedy::Remedy;
use crate::twin::agreement::Agreement;
use crate::verdict::{Change, Limits, NoIndexHelps, Reason};
use crate::workload::{Statement, StatementId, Workload};

/// The result of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What the server knew.
    pub catalog: Catalog,
    /// Every statement of the workload, in its order.
    pub statements: Vec<StatementAdvice>,
    /// The indexes that were seen to pay, those that save most first.
    pub recommendations: Vec<Recommendation>,
    /// What helps and is no index.
    pub remedies: Vec<Remedy>,
    /// Every other candidate, with the reason.
    pub rejected: Vec<Rejected>,
    /// What is wrong with indexes that exist.
    pub existing: Vec<ExistingFinding>,
    /// What would become of the workload without an index that exists.
    pub drops: Vec<HypotheticalDrop>,
    /// The same under other conditions, if that was asked for.
    pub what_if: Option<WhatIf>,
    /// What it took.
    pub rehearsal: RehearsalSummary,
    /// What the reader has to know to trust the numbers.
    pub notices: Vec<String>,
}

/// One statement, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementAdvice {
    /// The statement.
    pub statement: Statement,
    /// Was it planned?
    pub status: StatementStatus,
    /// The server's message when it was not.
    pub error: Option<String>,
    /// The plan as things are.
    pub before: Option<Plan>,
    /// The plan with all recommended indexes; none when none of them is on its tables.
    pub after: Option<Plan>,
    /// How it fares.
    pub change: Option<Change>,
    /// The recommendations its plan uses, by id.
    pub recommendations: Vec<String>,
    /// Why no index helps it, if none does.
    pub no_index: Option<NoIndexHelps>,
    /// How far the planner twin plans it as the server does, if there was one.
    pub agreement: Option<Agreement>,
    /// The plans without and with the recommended indexes as they were executed, with times and buffers (`--analyze`).
    pub executed: Option<(Plan, Plan)>,
    /// The costs before and after that the twin foresaw, where the server was then asked.
    pub predicted: Option<(Cost, Cost)>,
}

/// Was a statement planned?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementStatus {
    /// Yes.
    Planned,
    /// The server refused it.
    Failed,
    /// There was nothing to plan.
    Skipped,
}

impl StatementAdvice {
    /// The plan's cost as things are.
    pub fn cost_before(&self) -> Option<Cost> {
        self.before.as_ref().map(Plan::total_cost)
    }

    /// The plan's cost with the recommended indexes.
    pub fn cost_after(&self) -> Option<Cost> {
        self.after
            .as_ref()
            .or(self.before.as_ref())
            .map(Plan::total_cost)
    }
}

/// An index that the planner was seen to choose, with what it gained.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// `r1`, `r2`, …
    pub id: String,
    /// The index under its name.
    pub index: NamedIndex,
    /// The statements that create it for keeps.
    pub creation: Creation,
    /// Where the planner was seen to choose it.
    pub evidence: Evidence,
    /// Why it was not built on the server, when only the planner twin was asked.
    pub not_built: Option<Refusal>,
    /// Its size when it was really built, or as it is estimated.
    pub size: Bytes,
    /// The estimate, when it was built, too.
    pub predicted_size: Option<Bytes>,
    /// How long building it took.
    pub build_time: Millis,
    /// How long the transaction that proved it kept writers waiting.
    pub write_block: Millis,
    /// The statements it helps.
    pub benefits: Vec<Benefit>,
    /// What the workload's writes pay for it, beside nothing but what exists: Σ calls × rows × cost, in planner units.
    pub upkeep: Cost,
    /// Existing indexes it makes redundant.
    pub replaces: Vec<QualifiedName>,
    /// Two sentences for a colleague.
    pub explanation: String,
}

/// What an index gains one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Benefit {
    /// The statement.
    pub statement: StatementId,
    /// Its cost as things are.
    pub before: Cost,
    /// Its cost with the index.
    pub after: Cost,
}

/// A candidate that is not recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// The index under its name.
    pub index: NamedIndex,
    /// What would create it.
    pub ddl: String,
    /// Why.
    pub reason: Reason,
    /// In a sentence.
    pub detail: String,
    /// Where it was tried, if it was.
    pub evidence: Option<Evidence>,
    /// Its size, if it was built, or as the planner twin had it.
    pub size: Option<Bytes>,
    /// How long building it took.
    pub build_time: Option<Millis>,
    /// What the workload's writes would pay for it: Σ calls × rows × cost, in planner units; none where its size is not known.
    pub upkeep: Option<Cost>,
    /// The statements whose plan used it when it was rehearsed alone.
    pub benefits: Vec<Benefit>,
}

/// What the rehearsal took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RehearsalSummary {
    /// Transactions that were opened and rolled back.
    pub transactions: usize,
    /// Indexes built in them.
    pub indexes_built: usize,
    /// How often the planner twin was asked about a set of indexes.
    pub twin_questions: usize,
    /// Plans that were asked for, of the server and of its twin.
    pub explained: Explained,
    /// `--search-time` ran out: the set is the best that was found until then.
    pub out_of_time: bool,
    /// The longest that writers to a table had to wait.
    pub longest_write_block: Millis,
    /// All the time that writers to some table had to wait.
    pub total_write_block: Millis,
}

/// Everything the pipeline found, before it is put together.
pub(super) struct Parts<'a> {
    pub(super) workload: &'a Workload,
    pub(super) limits: &'a Limits,
    pub(super) catalog: Catalog,
    pub(super) baseline: Baseline,
    pub(super) candidates: Candidates,
    pub(super) twin: TwinView,
    pub(super) trials: Vec<Trial>,
    pub(super) selection: Selection,
    pub(super) verification: Verification,
    pub(super) measured: Measured,
    pub(super) drop_effects: DropEffects,
    pub(super) fresh_sizes: Vec<FreshSize>,
    pub(super) lower_page_cost: BTreeMap<StatementId, LowerPageCost>,
    pub(super) remedies: Vec<Remedy>,
    pub(super) upkeep: Upkeep,
    pub(super) summary: RehearsalSummary,
}

impl Parts<'_> {
    pub(super) fn into_advice(self) -> Advice {
        let recommendations = self.recommendations();
        let rejected = self.rejected(&recommendations);
        Advice {
            statements: self
                .workload
                .statements()
                .iter()
                .map(|statement| self.statement(statement, &recommendations))
                .collect(),
            existing: self.existing(&recommendations),
            notices: self.notices(),
            recommendations,
            rejected,
            remedies: self.remedies,
            drops: self.drop_effects.drops,
            what_if: None,
            rehearsal: self.summary,
            catalog: self.catalog,
        }
    }

    fn existing(&self, recommendations: &[Recommendation]) -> Vec<ExistingFinding> {
        let plans = [&self.baseline, self.twin.basis(&self.baseline)]
            .into_iter()
            .flat_map(BTreeMap::values);
        let plans = plans
            .filter_map(PlanOutcome::plan)
            .chain(self.verification.after.values());
        let mut used = self.drop_effects.used.clone();
        used.extend(plans.flat_map(Plan::index_names).map(str::to_owned));
        existing::findings(Seen {
            catalog: &self.catalog,
            recommendations,
            drop_effects: &self.drop_effects,
            used: &used,
            fresh_sizes: &self.fresh_sizes,
            unused_after: self.limits.unused_after,
        })
    }

    /// The plan as things are, taken under the same row counts as the plan after where there is one.
    pub(super) fn plan_before(&self, id: &StatementId) -> Option<&Plan> {
        let verified = self
            .verification
            .before
            .get(id)
            .filter(|_| self.verification.after.contains_key(id))
            .and_then(PlanOutcome::plan);
        verified.or_else(|| self.baseline.get(id)?.plan())
    }

    fn statement(
        &self,
        statement: &Statement,
        recommendations: &[Recommendation],
    ) -> StatementAdvice {
        let (status, error) = match self.baseline.get(&statement.id) {
            Some(PlanOutcome::Plan(_)) => (StatementStatus::Planned, None),
            Some(PlanOutcome::Failed(message)) => (StatementStatus::Failed, Some(message.clone())),
            Some(PlanOutcome::Empty) | None => (
                StatementStatus::Skipped,
                Some("the statement is empty".to_owned()),
            ),
        };
        let before = self.plan_before(&statement.id).cloned();
        let after = self.verification.after.get(&statement.id).cloned();
        let change = before.as_ref().map(|before| {
            let cost = before.total_cost();
            Change::between(
                cost,
                after.as_ref().map_or(cost, Plan::total_cost),
                self.limits.min_improvement,
            )
        });
        let helps = |recommendation: &&Recommendation| {
            recommendation
                .benefits
                .iter()
                .any(|benefit| benefit.statement == statement.id)
        };
        let no_index = self.no_index(statement, recommendations);
        let recommendations = recommendations
            .iter()
            .filter(helps)
            .map(|recommendation| recommendation.id.clone())
            .collect();
        let agreement = self.twin.agreements.get(&statement.id).copied();
        let predicted = self.verification.predicted.get(&statement.id).copied();
        let executed = self
            .measured
            .before
            .get(&statement.id)
            .zip(self.measured.after.get(&statement.id));
        let executed = executed.map(|(before, after)| (before.clone(), after.clone()));
        let statement = statement.clone();
        StatementAdvice {
            statement,
            status,
            error,
            before,
            after,
            change,
            recommendations,
            no_index,
            agreement,
            executed,
            predicted,
        }
    }

    fn recommendations(&self) -> Vec<Recommendation> {
        let mut found: Vec<(f64, Recommendation)> = self
            .verification
            .verified
            .iter()
            .map(|verified| self.recommendation(verified))
            .collect();
        found.sort_by(|(a_saved, a), (b_saved, b)| {
            b_saved
                .total_cmp(a_saved)
                .then(a.index.name.cmp(&b.index.name))
        });
        let mut recommendations: Vec<Recommendation> = found
            .into_iter()
            .map(|(_, recommendation)| recommendation)
            .collect();
        let bodies: Vec<(&NamedIndex, &str)> = recommendations
            .iter()
            .map(|found| (&found.index, self.body(&found.index)))
            .collect();
        let creations = creations(&bodies, &self.catalog);
        for (number, (recommendation, creation)) in
            recommendations.iter_mut().zip(creations).enumerate()
        {
            recommendation.id = format!("r{}", number + 1);
            recommendation.creation = creation;
        }
        recommendations
    }

    /// The server's own words for an index that was proved.
    fn body(&self, index: &NamedIndex) -> &str {
        let verified = self
            .verification
            .verified
            .iter()
            .find(|verified| self.trials[verified.trial].index == *index);
        verified.map_or("", |verified| verified.build.body.as_str())
    }

    /// A proved index with Σ calls × cost that it saves.
    fn recommendation(&self, verified: &VerifiedIndex) -> (f64, Recommendation) {
        let index = self.trials[verified.trial].index.clone();
        let benefits = self.benefits(&verified.build);
        let saved = benefits
            .iter()
            .map(|benefit| self.calls(&benefit.statement) * (benefit.before.0 - benefit.after.0))
            .sum();
        let plans = |id: &StatementId| (self.plan_before(id), self.verification.after.get(id));
        let times = |id: &StatementId| self.measured.times(id);
        let mut explanation = explanation::of(
            &index,
            verified,
            &benefits,
            &self.verification.verified,
            plans,
            times,
        );
        explanation += &explanation::replaced(&self.replaced_for_good(&index));
        let recommendation = Recommendation {
            id: String::new(),
            creation: Creation::default(),
            evidence: verified.evidence,
            not_built: verified.not_built.clone(),
            size: verified.build.size,
            predicted_size: verified.predicted.as_ref().map(|build| build.size),
            build_time: verified.build.build_time,
            write_block: verified.write_block,
            upkeep: Cost(self.upkeep.of(&[verified.trial])),
            replaces: self.replaced(&index),
            benefits,
            explanation,
            index,
        };
        (saved, recommendation)
    }

    fn benefits(&self, build: &Build) -> Vec<Benefit> {
        let benefit = |statement: &Statement| {
            let after = self
                .verification
                .after
                .get(&statement.id)
                .filter(|plan| uses(plan, build))?
                .total_cost();
            let before = self.plan_before(&statement.id)?.total_cost();
            let gained = self.limits.min_improvement.reached(before, after);
            gained.then(|| Benefit {
                statement: statement.id.clone(),
                before,
                after,
            })
        };
        self.workload
            .statements()
            .iter()
            .filter_map(benefit)
            .collect()
    }

    fn calls(&self, id: &StatementId) -> f64 {
        self.workload
            .statement(id)
            .map_or(1.0, |statement| statement.calls)
    }

    fn replaced(&self, index: &NamedIndex) -> Vec<QualifiedName> {
        let Some(table) = self.catalog.table(&index.definition.table) else {
            return Vec::new();
        };
        let replaceable = table
            .indexes
            .iter()
            .filter(|existing| existing.valid && existing.may_be_dropped());
        let subsumed = replaceable.filter(|existing| {
            existing
                .index
                .as_ref()
                .is_some_and(|known| index.definition.subsumes(known))
        });
        subsumed.map(|existing| existing.name.clone()).collect()
    }

    /// Of those, what the twin has planned no statement worse without.
    fn replaced_for_good(&self, index: &NamedIndex) -> Vec<&ExistingIndex> {
        let table = self.catalog.table(&index.definition.table);
        let of_table = table.into_iter().flat_map(|table| &table.indexes);
        let by_this = |existing: &&ExistingIndex| {
            self.drop_effects
                .replaced
                .iter()
                .any(|replaced| replaced.index == existing.name && replaced.by == *index)
        };
        of_table.filter(by_this).collect()
    }

    fn rejected(&self, recommendations: &[Recommendation]) -> Vec<Rejected> {
        let verified = |position: &usize| {
            self.verification
                .verified
                .iter()
                .any(|verified| verified.trial == *position)
        };
        let tried = (0..self.trials.len())
            .filter(|position| !verified(position))
            .map(|position| self.rejected_trial(position, recommendations));
        let names = naming::names(
            self.candidates.covered.iter().map(|found| &found.index),
            &self.catalog.taken_names,
        );
        let there = self
            .candidates
            .covered
            .iter()
            .zip(names)
            .map(|(found, name)| Rejected {
                ddl: creation_of_candidate(
                    &NamedIndex {
                        name: name.clone(),
                        definition: found.index.clone(),
                    },
                    &self.catalog,
                ),
                index: NamedIndex {
                    name,
                    definition: found.index.clone(),
                },
                reason: Reason::Redundant,
                detail: format!("{} exists and does the same", found.existing.name),
                evidence: None,
                size: None,
                build_time: None,
                upkeep: None,
                benefits: Vec::new(),
            });
        tried.chain(there).collect()
    }

    pub(super) fn rejected_trial(
        &self,
        position: usize,
        recommendations: &[Recommendation],
    ) -> Rejected {
        let trial = &self.trials[position];
        let target = if was_really_built(trial) {
            Target::Server
        } else {
            self.twin.target()
        };
        let rejected = |reason, detail, build: Option<&Build>, benefits| Rejected {
            index: trial.index.clone(),
            ddl: creation_of_candidate(&trial.index, &self.catalog),
            reason,
            detail,
            evidence: build.map(|_| target.into()),
            size: build.map(|build| build.size),
            build_time: build
                .map(|build| build.build_time)
                .filter(|_| target == Target::Server),
            upkeep: build.map(|_| Cost(self.upkeep.of(&[position]))),
            benefits,
        };
        match &trial.outcome {
            TrialOutcome::Refused(refusal) => {
                rejected(refusal.reason, refusal.detail.clone(), None, Vec::new())
            }
            TrialOutcome::Built { build, costs } => {
                let used = self.used_by(costs);
                let (reason, detail) = self.verdict(position, build, &used, recommendations);
                rejected(reason, detail, Some(build), used)
            }
        }
    }

    /// The statements whose plan used the index when it was alone.
    fn used_by(&self, costs: &BTreeMap<StatementId, TrialCost>) -> Vec<Benefit> {
        let benefit = |(id, trial): (&StatementId, &TrialCost)| {
            let before = self
                .twin
                .basis(&self.baseline)
                .get(id)?
                .plan()?
                .total_cost();
            Some(Benefit {
                statement: id.clone(),
                before,
                after: trial.cost,
            })
        };
        costs
            .iter()
            .filter(|(_, trial)| trial.used)
            .filter_map(benefit)
            .collect()
    }

    fn verdict(
        &self,
        position: usize,
        build: &Build,
        used: &[Benefit],
        recommendations: &[Recommendation],
    ) -> (Reason, String) {
        match self.verification.failed.get(&position) {
            Some(Failure::Refused(refusal)) => return (refusal.reason, refusal.detail.clone()),
            Some(Failure::NotUsableNow) => return self.not_used(false),
            Some(Failure::NotUsed) => {
                return (
                    Reason::Redundant,
                    "beside the other recommended indexes no plan used it".to_owned(),
                );
            }
            Some(Failure::Slower(id, before, after)) => {
                return (
                    Reason::Slower,
                    format!("{id}, executed, took {before} without it and {after} with it"),
                );
            }
            Some(Failure::Faster(slower_than)) => return (Reason::Slower, slower_than.to_string()),
            Some(Failure::GainTooSmall) => {
                return (
                    Reason::GainTooSmall,
                    "beside the other recommended indexes it gains too little".to_owned(),
                );
            }
            None => {}
        }
        let Some(best) = used.iter().max_by(|a, b| {
            a.before
                .saved_share(a.after)
                .total_cmp(&b.before.saved_share(b.after))
        }) else {
            return self.not_used(build.usable);
        };
        let gain = format!("{}: {} → {}", best.statement, best.before, best.after);
        if !self.limits.min_improvement.reached(best.before, best.after) {
            let least = self.limits.min_improvement.0 * 100.0;
            let saved = best.before.saved_share(best.after) * 100.0;
            return (
                Reason::GainTooSmall,
                format!("{gain}, {saved:.1} % lower; a gain is {least:.0} % or more"),
            );
        }
        match self.selection.kept_out.get(&position) {
            Some(Reason::UpkeepTooHigh) => (
                Reason::UpkeepTooHigh,
                format!("{gain}; {}", self.upkeep_sentence(position, used)),
            ),
            Some(reason) => (*reason, gain),
            None => (
                Reason::Redundant,
                format!("{gain}{}", better_one(best, recommendations)),
            ),
        }
    }

    /// What readers gain and writers pay, as often as all of them run.
    fn upkeep_sentence(&self, position: usize, used: &[Benefit]) -> String {
        let gained = |benefit: &Benefit| {
            self.calls(&benefit.statement) * (benefit.before.0 - benefit.after.0)
        };
        let gained = Cost(used.iter().map(gained).sum::<f64>().max(0.0));
        let (paid, for_hot) = (
            self.upkeep.of(&[position]),
            self.upkeep.of_lost_hot(&[position]),
        );
        let hot = if for_hot > 0.0 {
            format!(
                ", {} of it because updates that are HOT now would make entries in all indexes",
                Cost(for_hot)
            )
        } else {
            String::new()
        };
        format!(
            "all calls together gain {gained}, and writes would pay {} to keep it up to date{hot}",
            Cost(paid)
        )
    }

    fn not_used(&self, usable: bool) -> (Reason, String) {
        if usable {
            (Reason::NotChosen, "no plan used it".to_owned())
        } else {
            let detail = "rows were updated in place while another session holds an older snapshot, so the planner may not use a new index yet";
            (Reason::NotUsableNow, detail.to_owned())
        }
    }
}

/// What the recommended index does for the same statement.
fn better_one(rejected: &Benefit, recommendations: &[Recommendation]) -> String {
    let benefits = recommendations.iter().flat_map(|recommendation| {
        recommendation
            .benefits
            .iter()
            .map(move |benefit| (recommendation, benefit))
    });
    let Some((recommendation, benefit)) = benefits
        .into_iter()
        .find(|(_, benefit)| benefit.statement == rejected.statement)
    else {
        return String::new();
    };
    let Recommendation { id, size, .. } = recommendation;
    let much_better = rejected.after.factor_to(benefit.after) >= 1.05;
    if much_better {
        format!("; {id} → {}", benefit.after)
    } else {
        format!("; {id} does the same with {size} ({})", benefit.after)
    }
}
