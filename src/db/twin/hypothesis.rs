//! What the twin can assume besides indexes: settings, a vacuumed table, a materialized view of an
//! estimated size.

use super::Twin;
use crate::db::DbError;
use crate::db::explain::Preamble;
use crate::db::transaction::hypothesis::{check_view, created};
use crate::model::{QualifiedName, quote_identifier, quote_literal};
use crate::planner::hypothesis::{AlteredPolicy, View};
use crate::planner::{Answer, Hypothesis, NamedIndex, Planned, Question, Refusal};
use crate::twin::page::BLOCK_BYTES;
use crate::verdict::Reason;
use crate::workload::Statement;

impl Twin {
    /// The plans under the conditions of the question; refused if the hypothesis needs rows.
    pub(in crate::db) fn answer(&mut self, question: &Question) -> Result<Answer, DbError> {
        let Question {
            indexes,
            hidden,
            statements,
            ..
        } = question;
        let Some(hypothesis) = &question.hypothesis else {
            return self.answer_plainly(question);
        };
        let besides = match hypothesis {
            Hypothesis::Setting { name, value } => Preamble::from(
                format!(
                    "; SET LOCAL {} = {}",
                    quote_identifier(name),
                    quote_literal(value)
                )
                .as_str(),
            ),
            Hypothesis::AllVisible(table) => Preamble::from(all_visible(table).as_str()),
            Hypothesis::AlteredPolicy(altered) => {
                return self.with_policy(altered, indexes, statements);
            }
            Hypothesis::View(view) => return self.with_view(view, indexes, statements),
            Hypothesis::Rewritten => Preamble::default(),
            Hypothesis::Reindexed(indexes) => {
                return Ok(Answer::Planned(Planned {
                    indexes: self.rebuilt(indexes)?,
                    ..Planned::default()
                }));
            }
            Hypothesis::Analyzed(_) | Hypothesis::RemoteEstimates(_) => {
                return Ok(Answer::Refused(hypothesis.refused(indexes)));
            }
        };
        self.with(indexes, hidden, besides, statements)
    }

    fn answer_plainly(&mut self, question: &Question) -> Result<Answer, DbError> {
        if question.is_baseline() {
            return Ok(Answer::Planned(self.plan_baseline(&question.statements)?));
        }
        let besides = Preamble::default();
        self.with(
            &question.indexes,
            &question.hidden,
            besides,
            &question.statements,
        )
    }

    /// As if the policy had another condition.
    fn with_policy(
        &mut self,
        altered: &AlteredPolicy,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, DbError> {
        let opening = Preamble {
            statements: vec![altered.statement()],
            ..Preamble::default()
        };
        match self.with(indexes, &[], opening, statements) {
            Err(refused) if refused.is_refusal() => {
                self.session.rollback();
                let hypothesis = Hypothesis::AlteredPolicy(altered.clone());
                Ok(Answer::Refused(hypothesis.refused(indexes)))
            }
            other => other,
        }
    }

    /// The view has no rows, but a file of its estimated size.
    fn with_view(
        &mut self,
        view: &View,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, DbError> {
        let pages = view.size.0.div_ceil(BLOCK_BYTES as u64);
        let file = self.directory.create(&[], pages)?;
        let measures = format!(
            "SELECT pgrehearse_twin.resize_view({}, '{file}', {}, '{}'::pg_catalog.float4)",
            quote_literal(&view.name.to_string()),
            i32::try_from(pages).unwrap_or(i32::MAX),
            view.rows as f32,
        );
        let statements_before = vec![view.create_empty(), check_view(&view.name), measures];
        let opening = Preamble {
            statements: statements_before,
            ..Preamble::default()
        };
        match self.with(indexes, &[], opening, statements) {
            Ok(Answer::Planned(mut planned)) => {
                planned.indexes.push(created(view, view.size, None));
                Ok(Answer::Planned(planned))
            }
            Err(refused) if refused.is_refusal() => {
                self.session.rollback();
                let message = refused.to_string();
                Ok(Answer::Refused(Refusal::server(
                    Reason::BuildFailed,
                    message,
                )))
            }
            other => other,
        }
    }
}

/// As after a VACUUM that marked every page; for a partitioned table, in all its partitions.
fn all_visible(table: &QualifiedName) -> String {
    format!(
        "; SELECT pgrehearse_twin.mark_all_visible({})",
        quote_literal(&table.to_string())
    )
}
