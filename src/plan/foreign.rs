//! What of a plan another server does: its Foreign Scans.

use std::sync::LazyLock;

use regex::Regex;

use super::node::{Node, Relationship};
use super::node_type::NodeType;
use super::{NodeId, Plan};
use crate::model::QualifiedName;

/// A part of a plan that is done by another server.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignScan<'p> {
    /// The node.
    pub node: NodeId,
    /// The foreign tables that it reads or writes; several where a join was pushed down.
    pub tables: Vec<QualifiedName>,
    /// `Remote SQL`: what is sent there.
    pub remote_sql: &'p str,
    /// `Filter`: what was not pushed down, and is checked here on each row that is fetched.
    pub filter: Option<&'p str>,
    /// How often the planner expects it to be executed for one execution of the statement.
    pub executions: f64,
}

/// `(app1.users u)` and the like within `Relations`
/// (`postgresExplainForeignScan`, contrib/postgres_fdw/postgres_fdw.c).
static RELATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\((?:"((?:[^"]|"")+)"|([^\s().",]+))\.(?:"((?:[^"]|"")+)"|([^\s().",]+))"#).ok()
});

impl Node {
    /// The foreign tables of a join or an aggregate that another server computes; needs VERBOSE.
    pub fn pushed_down_tables(&self) -> Vec<QualifiedName> {
        let Some((text, pattern)) = self.text("Relations").zip(RELATION.as_ref()) else {
            return Vec::new();
        };
        let name = |found: regex::Captures<'_>| {
            let part = |quoted: usize| {
                let unquoted = found
                    .get(quoted)
                    .map(|name| name.as_str().replace("\"\"", "\""));
                unquoted.or_else(|| Some(found.get(quoted + 1)?.as_str().to_owned()))
            };
            Some(QualifiedName::new(part(1)?, part(3)?))
        };
        pattern.captures_iter(text).filter_map(name).collect()
    }
}

impl Plan {
    /// The parts that other servers do, where EXPLAIN says what is sent there (VERBOSE).
    pub fn foreign_scans(&self) -> Vec<ForeignScan<'_>> {
        let nodes = self.nodes.iter();
        let foreign = nodes.filter(|node| *node.node_type() == NodeType::ForeignScan);
        let scans = foreign.filter_map(|node| {
            let own = node.table().map(|table| vec![table]);
            Some(ForeignScan {
                node: node.id,
                tables: own.unwrap_or_else(|| node.pushed_down_tables()),
                remote_sql: node.text("Remote SQL")?,
                filter: node.filter(),
                executions: self.expected_executions(node.id),
            })
        });
        scans.filter(|scan| !scan.tables.is_empty()).collect()
    }

    /// How often a node is executed: once for each row of the other side of the nested loops that it
    /// is on the inner side of, unless its rows are kept (Materialize) or hashed.
    fn expected_executions(&self, id: NodeId) -> f64 {
        let mut executions = 1.0;
        let mut below = self.node(id);
        while let Some(above) = self.parent(below.id) {
            let kept = matches!(
                below.node_type(),
                NodeType::Materialize | NodeType::Hash | NodeType::Memoize
            );
            if kept {
                // Where this is executed again, its rows are still there.
                return executions;
            }
            let inner = below.relationship() == Relationship::Inner;
            if *above.node_type() == NodeType::NestedLoop && inner {
                let outer = self.inputs(above.id).next().and_then(Node::plan_rows);
                executions *= outer.unwrap_or(1.0).max(1.0);
            }
            below = above;
        }
        executions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(tables: &[QualifiedName]) -> Vec<String> {
        tables.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tables_of_a_join_that_was_pushed_down_are_found() {
        let plan = Plan::from_json(json!({"Plan": {"Node Type": "Foreign Scan", "Operation": "Select",
            "Relations": "((app1.users u) INNER JOIN (app1.\"Pay (ments)\" p)) LEFT JOIN (\"We.ird\".notes)",
            "Remote SQL": "SELECT 1"}}))
        .unwrap();
        let scans = plan.foreign_scans();
        assert_eq!(
            names(&scans[0].tables),
            ["app1.users", "app1.\"Pay (ments)\"", "\"We.ird\".notes"]
        );
        assert_eq!(plan.tables().len(), 3);
    }

    #[test]
    fn an_aggregate_that_was_pushed_down_names_its_table() {
        let plan = Plan::from_json(json!({"Plan": {"Node Type": "Foreign Scan",
            "Relations": "Aggregate on (app1.payments)", "Remote SQL": "SELECT count(*) FROM public.payments"}}))
        .unwrap();
        assert_eq!(names(&plan.foreign_scans()[0].tables), ["app1.payments"]);
    }

    #[test]
    fn the_inner_side_of_a_nested_loop_runs_for_each_outer_row_unless_it_is_kept() {
        let scan = |relationship: &str| {
            json!({"Node Type": "Foreign Scan", "Parent Relationship": relationship, "Schema": "a", "Relation Name": "t",
                   "Alias": "t", "Remote SQL": "SELECT 1", "Plan Rows": 5})
        };
        let outer =
            json!({"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Plan Rows": 40});
        let looped = |inner| {
            let plan =
                json!({"Plan": {"Node Type": "Nested Loop", "Plans": [outer.clone(), inner]}});
            Plan::from_json(plan).unwrap().foreign_scans()[0].executions
        };
        assert!((looped(scan("Inner")) - 40.0).abs() < 1e-9);
        let kept = json!({"Node Type": "Materialize", "Parent Relationship": "Inner", "Plans": [scan("Outer")]});
        assert!((looped(kept) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_scan_that_does_not_say_what_is_sent_is_left_out() {
        let plan = json!({"Plan": {"Node Type": "Foreign Scan", "Schema": "a", "Relation Name": "f", "Foreign File": "/x"}});
        assert!(Plan::from_json(plan).unwrap().foreign_scans().is_empty());
    }
}
