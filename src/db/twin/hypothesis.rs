//! What the twin can suppose besides indexes: settings, a vacuumed table, a materialized view of an estimated size.

use super::Twin;
use crate::db::DbError;
use crate::db::explain::Preamble;
use crate::db::transaction::hypothesis::{built, check_view};
use crate::model::{Millis, QualifiedName, quote_identifier, quote_literal};
use crate::rehearsal::hypothesis::View;
use crate::rehearsal::{Answer, Hypothesis, NamedIndex, Refusal};
use crate::twin::page::BLOCK_BYTES;
use crate::verdict::Reason;
use crate::workload::Statement;

impl Twin {
    /// The plans if this were so; refused where it takes rows.
    pub(super) fn answer_supposing(
        &mut self,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, DbError> {
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
            Hypothesis::View(view) => return self.with_view(view, indexes, statements),
            Hypothesis::Rewritten => Preamble::default(),
            Hypothesis::Analyzed(_) => return Ok(Answer::Refused(hypothesis.refused(indexes))),
        };
        self.with(indexes, &[], besides, statements)
    }

    /// The view exists without rows, and has a file of the size that it is estimated to have.
    fn with_view(
        &mut self,
        view: &View,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, DbError> {
        let pages = view.size.0.div_ceil(BLOCK_BYTES as u64);
        let file = self.directory.create(&[], pages)?;
        let measures = format!(
            "UPDATE pg_catalog.pg_class SET relfilenode = {file}, relpages = {}, reltuples = '{}'::float4 \
             WHERE oid = pg_catalog.to_regclass({})",
            i32::try_from(pages).unwrap_or(i32::MAX),
            view.rows as f32,
            quote_literal(&view.name.to_string())
        );
        let statements_before = vec![view.create_empty(), check_view(&view.name), measures];
        let opening = Preamble {
            statements: statements_before,
            ..Preamble::default()
        };
        match self.with(indexes, &[], opening, statements) {
            Ok(Answer::Planned(mut planned)) => {
                planned
                    .builds
                    .push(built(view, view.size, Millis::default()));
                Ok(Answer::Planned(planned))
            }
            Err(refused) if refused.is_refusal() => {
                self.session.rollback();
                let detail = refused.to_string();
                Ok(Answer::Refused(Refusal {
                    reason: Reason::BuildFailed,
                    detail,
                    write_block: Millis::default(),
                    built: 0,
                }))
            }
            other => other,
        }
    }
}

/// As after a VACUUM that found nothing in its way; of a partitioned table, all its partitions.
fn all_visible(table: &QualifiedName) -> String {
    let name = quote_literal(&table.to_string());
    format!(
        "; UPDATE pg_catalog.pg_class SET relallvisible = \
         (pg_catalog.pg_relation_size(oid) / pg_catalog.current_setting('block_size')::bigint)::int WHERE oid IN \
         (SELECT pg_catalog.to_regclass({name})::oid UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass({name})))"
    )
}
