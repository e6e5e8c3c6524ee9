//! Which statements an index could serve: only these are planned with it.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::index_tables;
use super::context::Context;
use crate::index::Index;
use crate::model::QualifiedName;
use crate::predicate::NamedColumns;
use crate::workload::{Statement, StatementId};

/// The statements on each table, and the columns by which they could use an index.
pub(super) struct Serving<'a> {
    by_table: BTreeMap<QualifiedName, Vec<(&'a Statement, usize)>>,
    named: Vec<NamedColumns>,
}

impl<'a> Serving<'a> {
    pub(super) fn of(context: Context<'a>) -> Serving<'a> {
        let mut serving = Serving {
            by_table: BTreeMap::new(),
            named: Vec::new(),
        };
        for statement in context.workload.statements() {
            let Some(plan) = context.plan(&statement.id) else {
                continue;
            };
            let place = serving.named.len();
            for table in index_tables(plan, context.catalog) {
                let on_table = serving.by_table.entry(table).or_default();
                on_table.push((statement, place));
            }
            serving.named.push(NamedColumns::of(plan, context.catalog));
        }
        serving
    }

    /// The statements whose plans could use this index, and those that it was generated for.
    pub(super) fn statements(
        &self,
        index: &Index,
        asked_by: &BTreeSet<StatementId>,
    ) -> Vec<Statement> {
        let on_table = self.by_table.get(&index.table).into_iter().flatten();
        on_table
            .filter(|(statement, place)| {
                asked_by.contains(&statement.id)
                    || self
                        .named
                        .get(*place)
                        .is_none_or(|named| named.may_use(index))
            })
            .map(|(statement, _)| (*statement).clone())
            .collect()
    }
}
