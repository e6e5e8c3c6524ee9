//! Which statements of the workload write to a table and so maintain its indexes, and how many an
//! index helps. A statement with other values is the same statement.

use std::collections::BTreeSet;

use super::{IndexView, SessionData, StatementView, Writers};
use crate::model::QualifiedName;
use crate::plan::{Node, NodeType, Plan};

impl SessionData {
    /// The statements of the workload that write to this table, or to a partition of it.
    pub(super) fn writers(&self, table: &QualifiedName) -> Writers {
        let writing: Vec<&StatementView> = self
            .statements
            .iter()
            .filter(|statement| {
                statement
                    .before
                    .as_ref()
                    .is_ok_and(|plan| self.writes(plan, table))
            })
            .collect();
        let written = writing.iter().map(|statement| statement.as_written());
        Writers {
            statements: written.collect::<BTreeSet<_>>().len(),
            calls: writing.iter().map(|statement| statement.source.calls).sum(),
        }
    }

    /// How many statements of the workload an index helps, with whatever values.
    pub fn helped(&self, index: &IndexView) -> usize {
        let helped = index.benefits.iter().map(|benefit| {
            let mut statements = self.statements.iter();
            let found = statements.find(|statement| statement.source.id == benefit.statement);
            found.map_or(&benefit.statement, |found| found.as_written())
        });
        helped.collect::<BTreeSet<_>>().len()
    }

    fn writes(&self, plan: &Plan, table: &QualifiedName) -> bool {
        let adds_rows = |node: &&Node| {
            *node.node_type() == NodeType::ModifyTable
                && matches!(node.modification(), Some("Insert" | "Update" | "Merge"))
        };
        let written = plan
            .nodes()
            .iter()
            .filter(adds_rows)
            .filter_map(Node::table);
        written.into_iter().any(|written| {
            written == *table
                || self
                    .catalog
                    .index_owner(&written)
                    .is_some_and(|owner| owner.name == *table)
        })
    }
}
