//! The candidates that are not recommended, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::Rejected;
use super::benefit::Benefit;
use super::parts::Parts;
use super::recommendation::Recommendation;
use super::rejection::{OtherIndex, Rejection};
use super::verification::Failure;
use crate::catalog::ExistingIndex;
use crate::catalog::create_index::creation_of_candidate;
use crate::index::naming;
use crate::model::Cost;
use crate::planner::{NamedIndex, TestedIndex};
use crate::remedy::Kind;
use crate::search::{TrialCost, TrialId, TrialOutcome};
use crate::verdict::Reason;
use crate::workload::StatementId;

impl Parts<'_> {
    /// Every candidate that is not recommended: those that were tested, then those that need not
    /// be.
    pub(super) fn rejected(&self, recommendations: &[Recommendation]) -> Vec<Rejected> {
        let verified = &self.chosen.verification.verified;
        let is_verified = |id: &TrialId| verified.iter().any(|verified| verified.trial == *id);
        let tested = self
            .trials
            .ids()
            .filter(|id| !is_verified(id))
            .map(|id| self.rejected_trial(id, recommendations));
        tested.chain(self.covered()).collect()
    }

    fn covered(&self) -> Vec<Rejected> {
        let covered = &self.candidates.covered;
        let definitions = covered.iter().map(|found| &found.index);
        let names = naming::names(definitions, &self.context.catalog.taken_names);
        let rejected = |(found, name): (&crate::candidate::CoveredByExisting, String)| {
            let index = NamedIndex {
                name,
                definition: found.index.clone(),
            };
            Rejected {
                ddl: creation_of_candidate(&index, self.context.catalog),
                index,
                rejection: covered_by(&found.existing),
                evidence: None,
                size: None,
                build_time: None,
                write_cost: None,
                benefits: Vec::new(),
            }
        };
        covered.iter().zip(names).map(rejected).collect()
    }

    fn rejected_trial(&self, id: TrialId, recommendations: &[Recommendation]) -> Rejected {
        let trial = &self.trials[id];
        let tested = trial.tested();
        Rejected {
            index: trial.index.clone(),
            ddl: creation_of_candidate(&trial.index, self.context.catalog),
            rejection: self.rejection(id, recommendations),
            evidence: tested.map(TestedIndex::evidence),
            size: trial.size(),
            build_time: tested.and_then(|index| index.build_time),
            write_cost: tested.map(|_| Cost(self.write_costs.of(&[id]))),
            benefits: trial
                .costs()
                .map(|costs| self.used_by(costs))
                .unwrap_or_default(),
        }
    }

    /// The statements whose plan used the index when it was alone.
    fn used_by(&self, costs: &BTreeMap<StatementId, TrialCost>) -> Vec<Benefit> {
        let benefit = |(id, trial): (&StatementId, &TrialCost)| {
            let before = self.context.trial_plan(id)?.total_cost();
            Some(Benefit {
                statement: id.clone(),
                before,
                after: trial.cost,
            })
        };
        let used = costs.iter().filter(|(_, trial)| trial.used);
        used.filter_map(benefit).collect()
    }

    pub(super) fn rejection(&self, id: TrialId, recommendations: &[Recommendation]) -> Rejection {
        let (index, costs) = match &self.trials[id].outcome {
            TrialOutcome::Refused(refusal) => return Rejection::Refused(refusal.cause.clone()),
            TrialOutcome::Tested { index, costs } => (index, costs),
        };
        if let Some(failure) = self.chosen.verification.failed.get(&id) {
            return failed(failure).unwrap_or_else(|of| self.only_as_written(of, costs));
        }
        let used = self.used_by(costs);
        let saved = |benefit: &Benefit| benefit.before.saved_share(benefit.after);
        let best = used.iter().max_by(|a, b| saved(a).total_cmp(&saved(b)));
        let Some(best) = best.cloned() else {
            return if index.usable {
                Rejection::NotUsed
            } else {
                Rejection::NotUsableNow
            };
        };
        let min_improvement = self.context.limits.min_improvement;
        if !min_improvement.reached(best.before, best.after) {
            return Rejection::GainTooSmall {
                best,
                min_improvement,
            };
        }
        match self.chosen.selection.kept_out.get(&id) {
            Some(Reason::UpkeepTooHigh) => self.write_cost_too_high(id, best, &used),
            Some(reason) => Rejection::OverLimit {
                reason: *reason,
                best,
            },
            None => self
                .too_much_for_the_rest(id, &used, recommendations)
                .unwrap_or_else(|| redundant(&used, best, recommendations)),
        }
    }

    fn only_as_written(
        &self,
        statements: &BTreeSet<StatementId>,
        costs: &BTreeMap<StatementId, TrialCost>,
    ) -> Rejection {
        let is_of_them = |id: &StatementId| statements.contains(id);
        let mut benefits = self.used_by(costs);
        benefits.retain(|benefit| is_of_them(&benefit.statement));
        let rewrites = self.remedies.iter().filter(|remedy| {
            remedy.kind == Kind::Rewrite
                && remedy
                    .benefits
                    .iter()
                    .any(|effect| is_of_them(&effect.statement))
        });
        Rejection::OnlyAsWritten {
            statements: statements.iter().cloned().collect(),
            benefits,
            remedies: rewrites.map(|remedy| remedy.id.clone()).collect(),
        }
    }

    /// It would help a statement that nothing recommended helps, but what is left for it to gain is
    /// less than what writes would pay for it.
    fn too_much_for_the_rest(
        &self,
        id: TrialId,
        used: &[Benefit],
        recommendations: &[Recommendation],
    ) -> Option<Rejection> {
        let min_improvement = self.context.limits.min_improvement;
        let mut gained = 0.0;
        let mut best: Option<&Benefit> = None;
        for benefit in used {
            let now = match other_index(&benefit.statement, recommendations) {
                Some(other) => other.after,
                None => {
                    let saved = |one: &Benefit| one.before.saved_share(one.after);
                    if min_improvement.reached(benefit.before, benefit.after)
                        && best.is_none_or(|best| saved(best) < saved(benefit))
                    {
                        best = Some(benefit);
                    }
                    benefit.before
                }
            };
            gained += self.calls(&benefit.statement) * (now.0 - benefit.after.0).max(0.0);
        }
        let verified = &self.chosen.verification.verified;
        let chosen: Vec<TrialId> = verified.iter().map(|verified| verified.trial).collect();
        let with = [chosen.as_slice(), &[id]].concat();
        let more = |of: &dyn Fn(&[TrialId]) -> f64| Cost((of(&with) - of(&chosen)).max(0.0));
        let write_cost = more(&|set| self.write_costs.of(set));
        (write_cost.0 > gained).then_some(Rejection::WriteCostTooHigh {
            best: best?.clone(),
            gained: Cost(gained),
            write_cost,
            lost_hot_cost: more(&|set| self.write_costs.lost_hot_cost(set)),
        })
    }

    fn write_cost_too_high(&self, id: TrialId, best: Benefit, used: &[Benefit]) -> Rejection {
        let gained = |benefit: &Benefit| {
            self.calls(&benefit.statement) * (benefit.before.0 - benefit.after.0)
        };
        Rejection::WriteCostTooHigh {
            best,
            gained: Cost(used.iter().map(gained).sum::<f64>().max(0.0)),
            write_cost: Cost(self.write_costs.of(&[id])),
            lost_hot_cost: Cost(self.write_costs.lost_hot_cost(&[id])),
        }
    }
}

fn covered_by(existing: &ExistingIndex) -> Rejection {
    let name = existing.name.clone();
    match existing {
        existing if existing.valid => Rejection::CoveredByExisting(name),
        existing if existing.being_built => Rejection::BeingBuilt(name),
        _ => Rejection::Incomplete(name),
    }
}

/// The statements that are better written another way, where that is why it failed.
fn failed(failure: &Failure) -> Result<Rejection, &BTreeSet<StatementId>> {
    Ok(match failure {
        Failure::OnlyAsWritten(statements) => return Err(statements),
        Failure::Refused(refusal) => Rejection::Refused(refusal.cause.clone()),
        Failure::NotUsableNow => Rejection::NotUsableNow,
        Failure::NotUsed => Rejection::NotUsedBesideOthers,
        Failure::GainTooSmall => Rejection::GainTooSmallBesideOthers,
        Failure::Slower(statement, before, after) => Rejection::Slower {
            statement: statement.clone(),
            before: *before,
            after: *after,
        },
        Failure::Faster(slower_than) => Rejection::SlowerThan(slower_than.clone()),
    })
}

/// Says it of the statement for which the candidate differs most from what is recommended; the best
/// one is named where nothing recommended helps any.
fn redundant(used: &[Benefit], best: Benefit, recommendations: &[Recommendation]) -> Rejection {
    let compared = used.iter().filter_map(|benefit| {
        let other = other_index(&benefit.statement, recommendations)?;
        Some((
            other.after.0 / benefit.after.0.max(f64::MIN_POSITIVE),
            benefit,
            other,
        ))
    });
    let differs_most = compared.max_by(|(a, ..), (b, ..)| a.total_cmp(b));
    match differs_most {
        Some((_, benefit, other)) => Rejection::Redundant {
            best: benefit.clone(),
            other: Some(other),
        },
        None => Rejection::Redundant { best, other: None },
    }
}

/// The recommended index that helps this statement.
fn other_index(statement: &StatementId, recommendations: &[Recommendation]) -> Option<OtherIndex> {
    recommendations.iter().find_map(|recommendation| {
        let mut benefits = recommendation.benefits.iter();
        let benefit = benefits.find(|benefit| benefit.statement == *statement)?;
        Some(OtherIndex {
            id: recommendation.id.clone(),
            size: recommendation.size,
            after: benefit.after,
        })
    })
}
