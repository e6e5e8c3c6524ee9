//! What the reader of a report has to know to trust its numbers, or to undo a side effect.

use super::advice::Parts;
use super::verification::Failure;
use crate::catalog::{Table, TableKind};
use crate::model::Gap;
use crate::model::group_thousands;
use crate::rehearsal::{Trial, TrialOutcome, TwinState, uses};
use crate::remedy::Remedy;
use crate::twin::agreement::Agreement;
use crate::verdict::{Change, Reason};
use crate::workload::StatementId;

/// So many tables are named in a notice.
const TABLES_NAMED: usize = 5;

impl Parts<'_> {
    /// All of them, in a fixed order.
    pub(super) fn notices(&self) -> Vec<String> {
        let never_analyzed = self
            .catalog
            .tables
            .iter()
            .filter(|table| table.rows.is_none() && table.kind != TableKind::Unsupported);
        let mut notices: Vec<String> = never_analyzed
            .map(|table| {
                format!(
                    "{} was never analyzed: its plans rest on guesses. Run: ANALYZE {};",
                    table.name, table.name
                )
            })
            .collect();
        let worse = self.workload.statements().iter().filter_map(|statement| {
            let (before, after) = (
                self.plan_before(&statement.id)?.total_cost(),
                self.verification.after.get(&statement.id)?.total_cost(),
            );
            let change = Change::between(before, after, self.limits.min_improvement);
            (change == Change::Worse).then(|| {
                format!(
                    "{} gets worse with the recommended indexes: {before} → {after}",
                    statement.id
                )
            })
        });
        notices.extend(worse);
        notices.extend(self.planned_anew());
        let notes = &self.candidates.notes;
        notices.extend(notes.iter().map(|note| {
            format!(
                "{}: {}. Rewrite: {}",
                note.statement, note.reason, note.rewrite
            )
        }));
        notices.extend(self.out_of_time());
        notices.extend(self.about_the_twin());
        notices.extend(self.untested());
        notices.extend(self.forgotten_changes());
        notices
    }

    /// Under better statistics a recommended index may be worth more or less than was seen.
    fn planned_anew(&self) -> Vec<String> {
        let with_index = |statement: &StatementId| {
            self.verification.after.get(statement).is_some_and(|plan| {
                self.verification
                    .verified
                    .iter()
                    .any(|verified| uses(plan, &verified.build))
            })
        };
        let changed = self.remedies.iter().flat_map(|remedy| {
            let changed = remedy
                .benefits
                .iter()
                .filter(|effect| remedy.kind.is_about_statistics() && effect.plan_changed);
            changed.map(move |effect| (remedy, &effect.statement))
        });
        let notice = |(remedy, statement): (&Remedy, &StatementId)| {
            format!(
                "{} plans {statement} another way, and an index is recommended for it: run {} first, and advise again",
                remedy.id, remedy.id
            )
        };
        changed
            .filter(|(_, statement)| with_index(statement))
            .map(notice)
            .collect()
    }

    /// Where there is no twin, or it does not plan a statement as the server does, the reader has to know.
    fn about_the_twin(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if let TwinState::Unavailable(reason) = &self.twin.state
            && !self.trials.is_empty()
        {
            notices.push(format!(
                "there was no planner twin, so each candidate was built by itself in a transaction that was rolled back: {reason}"
            ));
        }
        let differ = self.workload.statements().iter().filter_map(|statement| {
            let agreement = self.twin.agreements.get(&statement.id).filter(|agreement| !agreement.is_close())?;
            let how = match agreement {
                Agreement::SameShape { deviation } => format!("at a cost {:.1} % off", deviation * 100.0),
                _ => "differently".to_owned(),
            };
            if let Some(message) = self.twin.failure(&statement.id) {
                return Some(format!(
                    "the planner twin cannot plan {}, so only what was really built is known to help it: {message}",
                    statement.id
                ));
            }
            Some(format!(
                "the planner twin plans {} {how}: what it says of new indexes is less sure there",
                statement.id
            ))
        });
        notices.extend(differ);
        notices.extend(self.twin.gaps.iter().map(gap_notice));
        notices
    }

    /// A longer search may find more.
    fn out_of_time(&self) -> Option<String> {
        let tried = self.trials.iter().filter(
            |trial| !matches!(&trial.outcome, TrialOutcome::Refused(refusal) if refusal.reason == Reason::OutOfTime),
        );
        self.summary.out_of_time.then(|| {
            format!(
                "--search-time ran out when {} of {} candidates had been tried: the recommended indexes are the best found until then",
                tried.count(),
                self.trials.len()
            )
        })
    }

    /// Candidates of which nothing can be said: the absence of a recommendation means nothing for them.
    fn untested(&self) -> Option<String> {
        let refused = self.trials.iter().filter(|trial| match &trial.outcome {
            TrialOutcome::Refused(refusal) => refusal.reason.is_passing(),
            TrialOutcome::Built { build, costs } => {
                !build.usable && !costs.values().any(|cost| cost.used)
            }
        });
        let failed = self
            .verification
            .failed
            .values()
            .filter(|failure| match failure {
                Failure::Refused(refusal) => refusal.reason.is_passing(),
                Failure::NotUsableNow => true,
                Failure::NotUsed
                | Failure::GainTooSmall
                | Failure::Slower(..)
                | Failure::Faster(_) => false,
            });
        let number = refused.count() + failed.count();
        (number > 0).then(|| {
            format!(
                "{number} candidates could not be tested now because their tables are busy: run again at a quieter time"
            )
        })
    }

    /// ANALYZE in a rehearsal resets the counter that autovacuum goes by, and its statistics are rolled back.
    fn forgotten_changes(&self) -> impl Iterator<Item = String> {
        let analyzed = |table: &&Table| {
            let built = |trial: &&Trial| {
                trial.index.definition.table == table.name
                    && trial.index.definition.has_expression()
            };
            self.trials
                .iter()
                .filter(built)
                .any(|trial| matches!(trial.outcome, TrialOutcome::Built { .. }))
        };
        let changed =
            |table: &&Table| table.modified_rows as f64 > 0.01 * table.rows.unwrap_or(0.0).max(1.0);
        self.catalog.tables.iter().filter(changed).filter(analyzed).map(|table| {
            let (name, rows) = (&table.name, group_thousands(table.modified_rows as f64, 0));
            format!("autovacuum does not know any more that {rows} rows of {name} changed since its last ANALYZE. Run: ANALYZE {name};")
        }).collect::<Vec<_>>().into_iter()
    }
}

/// `shop.a, shop.b and 3 more: what is missing. What helps.`
fn gap_notice(gap: &Gap) -> String {
    let names: Vec<String> = gap
        .tables
        .iter()
        .take(TABLES_NAMED)
        .map(ToString::to_string)
        .collect();
    let more = match gap.tables.len().saturating_sub(TABLES_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more tables"),
    };
    let about = if names.is_empty() {
        String::new()
    } else {
        format!("{}{more}: ", names.join(", "))
    };
    let remedy = gap
        .remedy
        .as_ref()
        .map(|remedy| format!(". What helps: {remedy}"))
        .unwrap_or_default();
    format!("{about}{}{remedy}", gap.what)
}
