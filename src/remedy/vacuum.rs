//! VACUUM: an index-only scan has to look into the table for each page that is not marked as visible to everybody, and only VACUUM
//! marks them (<https://www.postgresql.org/docs/current/indexes-index-only-scans.html>).

use std::collections::BTreeSet;

use super::Ask;
use crate::catalog::Table;
use crate::model::QualifiedName;
use crate::plan::{Node, NodeType};

/// A table of which less than this share is marked is worth trying …
const MOSTLY: f64 = 0.9;
/// … if it has at least so many pages.
const MIN_PAGES: u64 = 16;

/// The tables of the workload whose pages are mostly not marked as visible to everybody.
pub fn unmarked(ask: Ask<'_>) -> Vec<&Table> {
    let read: BTreeSet<QualifiedName> = ask
        .plans
        .iter()
        .flat_map(|(_, plan)| plan.tables())
        .collect();
    let unmarked = |table: &&Table| {
        read.contains(&table.name) && table.pages >= MIN_PAGES && table.all_visible_share() < MOSTLY
    };
    ask.catalog.tables.iter().filter(unmarked).collect()
}

/// Does a plan read such a table through an index today?
pub fn is_read_by_index(ask: Ask<'_>) -> bool {
    let unmarked: BTreeSet<&QualifiedName> =
        unmarked(ask).into_iter().map(|table| &table.name).collect();
    let by_index = |node: &Node| {
        let indexed = matches!(
            node.node_type(),
            NodeType::IndexOnlyScan | NodeType::IndexScan | NodeType::BitmapHeapScan
        );
        indexed && node.table().is_some_and(|table| unmarked.contains(&table))
    };
    ask.plans
        .iter()
        .any(|(_, plan)| plan.nodes().iter().any(by_index))
}
