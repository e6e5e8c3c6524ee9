//! What the reader of a report has to know to trust its numbers, or to undo a side effect.

use super::notice::Notice;
use super::parts::Parts;
use super::verification::Failure;
use crate::catalog::{Table, TableKind};
use crate::model::GapCause;
use crate::plan::Plan;
use crate::planner::{TwinOnlyReason, TwinState, uses};
use crate::remedy::Remedy;
use crate::search::{Trial, TrialId, TrialOutcome};
use crate::verdict::{Change, Reason};
use crate::workload::{Frequency, Statement, StatementId};

impl Parts<'_> {
    /// All notices, in a fixed order.
    pub(super) fn notices(&self) -> Vec<Notice> {
        let tables = self.context.catalog.tables.iter();
        let never_analyzed = tables
            .filter(|table| table.rows.is_none() && table.kind != TableKind::Unsupported)
            .map(|table| Notice::NeverAnalyzed(table.name.clone()));
        let statements = self.context.workload.statements().iter();
        let worse = statements.filter_map(|statement| self.worse(statement));
        let not_indexable = self.candidates.notes.iter().cloned();
        let silent = self.summary.server_silent.map(Notice::ServerSilent);
        let mut notices: Vec<Notice> = silent.into_iter().collect();
        let left_out = self.context.workload.left_out().iter().cloned();
        notices.extend(left_out.map(Notice::LeftOut));
        notices.extend(
            never_analyzed
                .chain(self.policies_for_others())
                .chain(worse),
        );
        notices.extend(self.planned_otherwise());
        notices.extend(not_indexable.map(Notice::NotIndexable));
        notices.extend(self.interrupted());
        notices.extend(self.out_of_time());
        notices.extend(self.about_the_twin());
        notices.extend(self.unwatched.clone().map(Notice::Unwatched));
        notices.extend(self.untested());
        notices.extend(self.reset_counters());
        notices
    }

    /// Where policies apply to this role, the twin has a gap instead.
    fn policies_for_others(&self) -> impl Iterator<Item = Notice> {
        let apply = |table: &Table| {
            let mut gaps = self.context.twin.gaps.iter();
            gaps.any(|gap| {
                matches!(gap.cause, GapCause::RowSecurity) && gap.tables.contains(&table.name)
            })
        };
        let tables = self.context.catalog.tables.iter();
        let secured = tables.filter(move |table| table.row_security && !apply(table));
        secured.map(|table| self.policies_for_others_on(table))
    }

    fn policies_for_others_on(&self, table: &Table) -> Notice {
        let policies = table.policies_of_others.clone().unwrap_or_default();
        let reads = |id: &StatementId| {
            let tables = self.context.plan(id).map(Plan::tables).unwrap_or_default();
            let mut owners = tables
                .iter()
                .filter_map(|name| self.context.catalog.index_owner(name));
            owners.any(|owner| owner.name == table.name)
        };
        let statements = self.context.workload.statements().iter();
        let under: Vec<&Statement> = statements
            .filter(|statement| {
                let class = statement.value_class.as_ref();
                class.is_some_and(|class| class.frequency == Frequency::UnderPolicies)
                    && reads(&statement.id)
            })
            .collect();
        let settings = under.iter().filter_map(|under| under.settings_of_others());
        let is_read = |name: &String| {
            let mut settings = policies.settings.iter();
            settings.any(|setting| setting.setting == *name)
        };
        let mut settings: Vec<(String, String)> = settings
            .flatten()
            .filter(|(name, _)| is_read(name))
            .cloned()
            .collect();
        settings.sort();
        settings.dedup();
        Notice::PoliciesForOthers {
            table: table.name.clone(),
            role: policies.role,
            statements: under
                .iter()
                .map(|statement| self.of_workload(&statement.id))
                .collect(),
            settings,
        }
    }

    fn worse(&self, statement: &Statement) -> Option<Notice> {
        let before = self.plan_before(&statement.id)?.total_cost();
        let after = self.chosen.verification.after.get(&statement.id)?;
        let after = after.total_cost();
        let change = Change::between(before, after, self.context.limits.min_improvement);
        (change == Change::Worse).then(|| Notice::Worse {
            statement: statement.id.clone(),
            before,
            after,
        })
    }

    fn planned_otherwise(&self) -> Vec<Notice> {
        let verification = &self.chosen.verification;
        let has_index = |statement: &StatementId| {
            verification.after.get(statement).is_some_and(|plan| {
                let mut verified = verification.verified.iter();
                verified.any(|verified| uses(plan, &verified.index))
            })
        };
        let of_remedy = |remedy: &Remedy| -> Vec<Notice> {
            let changed = remedy.benefits.iter().filter(|effect| effect.plan_changed);
            let changed = changed.filter(|effect| has_index(&effect.statement));
            changed
                .map(|effect| Notice::PlannedOtherwise {
                    remedy: remedy.id.clone(),
                    statement: effect.statement.clone(),
                })
                .collect()
        };
        let remedies = self.remedies.iter();
        let about_statistics = remedies.filter(|remedy| remedy.kind.is_about_statistics());
        about_statistics.flat_map(of_remedy).collect()
    }

    /// Where there is no twin, or it does not plan a statement as the server does.
    fn about_the_twin(&self) -> Vec<Notice> {
        let twin = self.context.twin;
        let mut notices = Vec::new();
        if let TwinState::Unavailable(reason) = &twin.state
            && !self.trials.is_empty()
        {
            notices.push(Notice::NoTwin(reason.clone()));
        }
        notices.extend(self.planned_in_twin_only());
        let differs = |statement: &Statement| {
            // What differs differs with every value.
            if statement.value_class.is_some() {
                return None;
            }
            let agreement = *twin.agreements.get(&statement.id)?;
            let statement = statement.id.clone();
            let message = twin.failure(&statement).map(str::to_owned);
            (!agreement.is_close()).then_some(match message {
                Some(message) => Notice::TwinCannotPlan { statement, message },
                None => Notice::TwinDiffers {
                    statement,
                    agreement,
                },
            })
        };
        let statements = self.context.workload.statements().iter();
        notices.extend(statements.filter_map(differs));
        notices.extend(twin.gaps.iter().cloned().map(Notice::TwinGap));
        notices
    }

    /// Without a plan, the reason is that of the statement.
    fn planned_in_twin_only(&self) -> impl Iterator<Item = Notice> + '_ {
        let alone = self.context.twin.alone.iter();
        alone
            .filter(|(id, _)| self.context.plan(id).is_some())
            // The notice about the table says it.
            .filter(|(_, reason)| reason.reason != TwinOnlyReason::PoliciesOfOthers)
            .map(|(id, reason)| Notice::TwinOnly {
                statement: id.clone(),
                reason: reason.clone(),
            })
    }

    fn out_of_time(&self) -> Option<Notice> {
        self.summary.out_of_time.then_some(Notice::OutOfTime {
            tested: self.tested(),
            candidates: self.trials.len(),
        })
    }

    fn interrupted(&self) -> Option<Notice> {
        self.summary.interrupted.then_some(Notice::Interrupted {
            tested: self.tested(),
            candidates: self.trials.len(),
        })
    }

    /// How many candidates were tested before the search ended.
    fn tested(&self) -> usize {
        let was_tested = |trial: &Trial| !matches!(&trial.outcome, TrialOutcome::Refused(refusal) if refusal.cause.ends_the_search());
        let trials = self.trials.iter();
        trials.filter(|(_, trial)| was_tested(trial)).count()
    }

    /// Candidates that could not be tested: that they are not recommended says nothing about them.
    fn untested(&self) -> Option<Notice> {
        let is_told = |reason: Reason| matches!(reason, Reason::ServerSilent | Reason::Interrupted);
        let is_busy = |reason: Reason| reason.is_passing() && !is_told(reason);
        let is_untested = |trial: &Trial| match &trial.outcome {
            TrialOutcome::Refused(refusal) => is_busy(refusal.reason()),
            TrialOutcome::Tested { index, costs } => {
                !index.usable && !costs.values().any(|cost| cost.used)
            }
        };
        let is_unverified = |failure: &&Failure| match failure {
            Failure::Refused(refusal) => is_busy(refusal.reason()),
            Failure::NotUsableNow => true,
            Failure::NotUsed
            | Failure::GainTooSmall
            | Failure::Slower(..)
            | Failure::Faster(_)
            | Failure::OnlyAsWritten(_) => false,
        };
        let untested = self.trials.iter().filter(|(_, trial)| is_untested(trial));
        let failures = self.chosen.verification.failed.values();
        let number = untested.count() + failures.filter(is_unverified).count();
        (number > 0).then_some(Notice::Untested(number))
    }

    fn reset_counters(&self) -> Vec<Notice> {
        let verified = &self.chosen.verification.verified;
        let was_built = |id: TrialId| {
            let mut built = verified
                .iter()
                .filter(|verified| verified.index.build_time.is_some());
            self.trials[id].was_built() || built.any(|verified| verified.trial == id)
        };
        let was_analyzed = |table: &&Table| {
            self.trials.iter().any(|(id, trial)| {
                *trial.table() == table.name
                    && trial.index.definition.has_expression()
                    && was_built(id)
            })
        };
        let has_changed =
            |table: &&Table| table.modified_rows as f64 > 0.01 * table.rows.unwrap_or(0.0).max(1.0);
        let tables = self.context.catalog.tables.iter();
        tables
            .filter(has_changed)
            .filter(was_analyzed)
            .map(|table| Notice::AutovacuumCounterReset {
                table: table.name.clone(),
                rows: table.modified_rows,
            })
            .collect()
    }
}
