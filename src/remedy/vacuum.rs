//! VACUUM: an index-only scan has to look into the table for each page that is not marked as
//! all-visible, and only VACUUM marks them
//! (<https://www.postgresql.org/docs/current/indexes-index-only-scans.html>).

use std::collections::BTreeSet;

use super::RemedyInput;
use crate::catalog::Table;
use crate::model::QualifiedName;
use crate::plan::{Node, NodeType};

/// A table of which less than this share is marked is worth trying …
const MOSTLY: f64 = 0.9;
/// … if it has at least this many pages.
const MIN_PAGES: u64 = 16;

/// The tables of the workload whose pages are mostly not marked as all-visible.
pub fn tables_to_vacuum(input: RemedyInput<'_>) -> Vec<&Table> {
    let read: BTreeSet<QualifiedName> = input
        .plans
        .iter()
        .flat_map(|(_, plan)| plan.tables())
        .collect();
    let is_worth_a_vacuum = |table: &&Table| {
        read.contains(&table.name) && table.pages >= MIN_PAGES && table.all_visible_share() < MOSTLY
    };
    input
        .catalog
        .tables
        .iter()
        .filter(is_worth_a_vacuum)
        .collect()
}

/// Does a plan read such a table through an index today?
pub fn is_read_by_index(input: RemedyInput<'_>) -> bool {
    let to_vacuum: BTreeSet<&QualifiedName> = tables_to_vacuum(input)
        .into_iter()
        .map(|table| &table.name)
        .collect();
    let by_index = |node: &Node| {
        let indexed = matches!(
            node.node_type(),
            NodeType::IndexOnlyScan | NodeType::IndexScan | NodeType::BitmapHeapScan
        );
        indexed && node.table().is_some_and(|table| to_vacuum.contains(&table))
    };
    input
        .plans
        .iter()
        .any(|(_, plan)| plan.nodes().iter().any(by_index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;
    use crate::planner::test_planner::{TestTable, index, seq_scan, table};
    use crate::remedy::testing::Asked;

    /// Of a hundred pages so many are all-visible.
    fn orders(all_visible_pages: u64) -> TestTable {
        let orders = table("orders", &["id bigint", "a bigint"]);
        orders.existing("old", "(a)", Bytes(8192)).with(|table| {
            table.pages = 100;
            table.all_visible_pages = all_visible_pages;
        })
    }

    fn names(asked: &Asked) -> Vec<String> {
        asked.ask(|input| {
            let tables = tables_to_vacuum(input).into_iter();
            tables.map(|table| table.name.name.clone()).collect()
        })
    }

    fn read(orders: TestTable) -> Asked {
        Asked::of([orders]).statement("SELECT 1", &seq_scan("orders", 100.0))
    }

    #[test]
    fn a_table_that_is_read_and_mostly_unmarked_is_worth_a_vacuum() {
        assert_eq!(names(&read(orders(89))), ["orders"]);
        assert_eq!(names(&read(orders(90))), Vec::<String>::new());
        let small = orders(0).with(|table| table.pages = 15);
        assert_eq!(names(&read(small)), Vec::<String>::new());
        assert_eq!(names(&Asked::of([orders(0)])), Vec::<String>::new());
    }

    #[test]
    fn the_twin_is_wanted_only_where_an_index_is_read() {
        let by_index = seq_scan("orders", 100.0).by_indexes(&[(&index("orders (a)"), "old")], 9.0);
        let wanted = |asked: &Asked| asked.ask(is_read_by_index);
        assert!(!wanted(&read(orders(0))));
        let with_index = |marked| Asked::of([orders(marked)]).statement("SELECT 2", &by_index);
        assert!(wanted(&with_index(0)));
        assert!(!wanted(&with_index(100)));
    }
}
