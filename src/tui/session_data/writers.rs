//! Which statements of the workload write to a table and so maintain its indexes.

use super::{SessionData, StatementView, Writers};
use crate::model::QualifiedName;
use crate::plan::{Node, NodeType, Plan};

impl SessionData {
    /// The statements of the workload that write to this table, or to a partition of it.
    pub(super) fn writers(&self, table: &QualifiedName) -> Writers {
        let writing = self.statements.iter().filter(|statement| {
            statement
                .before
                .as_ref()
                .is_ok_and(|plan| self.writes(plan, table))
        });
        let add = |writers: Writers, statement: &StatementView| Writers {
            statements: writers.statements + 1,
            calls: writers.calls + statement.source.calls,
        };
        writing.fold(Writers::default(), add)
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
