//! One node of a plan: what the server printed about it, under the names EXPLAIN prints.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::node_type::NodeType;
use super::properties::{Properties, Property};
use crate::model::{Cost, QualifiedName};

/// A node's position in its plan, in the order EXPLAIN prints them; the root is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub usize);

/// How a node belongs to the node above it (`Parent Relationship`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Relationship {
    /// An input (`Outer`, `Member`, `Subquery`), or the root.
    #[default]
    Input,
    /// The inner side of a join.
    Inner,
    /// Runs once, before or during the node above.
    InitPlan,
    /// Runs for each row of the node above, unless it is hashed.
    SubPlan,
}

impl Relationship {
    /// The relationship of that name.
    pub(crate) fn parse(name: &str) -> Relationship {
        match name {
            "Inner" => Relationship::Inner,
            "InitPlan" => Relationship::InitPlan,
            "SubPlan" => Relationship::SubPlan,
            _ => Relationship::Input,
        }
    }

    /// Is it a subquery, whose rows are no input of the node above?
    pub(crate) fn is_subquery(self) -> bool {
        matches!(self, Relationship::InitPlan | Relationship::SubPlan)
    }
}

/// One node of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its position.
    pub id: NodeId,
    /// The node it feeds; none for the root.
    pub parent: Option<NodeId>,
    /// Nodes above it.
    pub depth: usize,
    /// The nodes that feed it, in the server's order.
    pub children: Vec<NodeId>,
    /// Everything the server printed about it except its children, in the server's order.
    pub properties: Properties,
}

/// Any property by its name.
impl Node {
    /// A property that is a string.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// A property that is a number.
    pub fn number(&self, property: &str) -> Option<f64> {
        self.properties.get(property)?.as_f64()
    }

    /// A property that is true or false.
    pub fn flag(&self, property: &str) -> Option<bool> {
        self.properties.get(property)?.as_bool()
    }

    /// A property that is an object or a list, other than a list of strings.
    pub fn nested(&self, property: &str) -> Option<&Value> {
        self.properties.get(property)?.as_nested()
    }

    /// A property that is a list of strings, such as `Sort Key`.
    pub fn texts(&self, property: &str) -> Vec<&str> {
        let list = self
            .properties
            .get(property)
            .filter(|property| property.as_str().is_none());
        list.into_iter().flat_map(Property::texts).collect()
    }
}

/// The properties that several rooms ask for.
impl Node {
    /// `Node Type`; `Other("?")` when the server did not print it.
    pub fn node_type(&self) -> &NodeType {
        static UNKNOWN: LazyLock<NodeType> = LazyLock::new(|| NodeType::Other("?".into()));
        match self.properties.get("Node Type") {
            Some(Property::NodeType(node_type)) => node_type,
            _ => &UNKNOWN,
        }
    }

    /// `Parent Relationship`.
    pub(crate) fn relationship(&self) -> Relationship {
        self.text("Parent Relationship")
            .map_or(Relationship::Input, Relationship::parse)
    }

    /// Is this the node of an extension that sends tasks to other servers, and plans them with a
    /// fixed number of rows (Citus)?
    pub fn is_distributor(&self) -> bool {
        let provider = self.text("Custom Plan Provider").unwrap_or_default();
        *self.node_type() == NodeType::CustomScan && provider.starts_with("Citus")
    }

    /// `Relation Name`, without the schema.
    pub fn relation_name(&self) -> Option<&str> {
        self.text("Relation Name")
    }

    /// The table it reads or writes; the schema is known only with EXPLAIN's VERBOSE.
    pub fn table(&self) -> Option<QualifiedName> {
        Some(QualifiedName::new(
            self.text("Schema")?,
            self.relation_name()?,
        ))
    }

    /// The name its columns carry in conditions: unique within a plan.
    pub fn alias(&self) -> Option<&str> {
        self.text("Alias").or_else(|| self.relation_name())
    }

    /// `Index Name`: the index it reads, as the server prints it.
    pub fn index_name(&self) -> Option<&str> {
        self.text("Index Name")
    }

    /// `Filter`: the condition that is checked on each row it reads.
    pub fn filter(&self) -> Option<&str> {
        self.text("Filter")
    }

    /// `Index Cond`: the condition that the index is searched for.
    pub fn index_cond(&self) -> Option<&str> {
        self.text("Index Cond")
    }

    /// `Sort Key`; empty when it does not sort.
    pub fn sort_key(&self) -> Vec<&str> {
        self.texts("Sort Key")
    }

    /// `Group Key`; empty when it does not group.
    pub fn group_key(&self) -> Vec<&str> {
        self.texts("Group Key")
    }

    /// `Strategy` of an Aggregate or SetOp: `Plain`, `Sorted`, `Hashed` or `Mixed`.
    pub fn strategy(&self) -> Option<&str> {
        self.text("Strategy")
    }

    /// `Subplan Name`: `CTE x`, `InitPlan 1`, `SubPlan 1`.
    pub fn subplan_name(&self) -> Option<&str> {
        self.text("Subplan Name")
    }

    /// `CTE Name`: the CTE it reads.
    pub fn cte_name(&self) -> Option<&str> {
        self.text("CTE Name")
    }

    /// The relation, CTE, function or tuplestore it reads, by its own name.
    pub(crate) fn source_name(&self) -> Option<&str> {
        [
            "Relation Name",
            "CTE Name",
            "Function Name",
            "Table Function Name",
            "Tuplestore Name",
        ]
        .into_iter()
        .find_map(|property| self.text(property))
    }

    /// `Operation` of a ModifyTable or Foreign Scan: `Insert`, `Update`, `Delete`, `Merge` or
    /// `Select`.
    pub fn modification(&self) -> Option<&str> {
        self.text("Operation")
    }

    /// Does an index scan go backward?
    pub fn is_backward(&self) -> bool {
        self.text("Scan Direction") == Some("Backward")
    }

    /// `Parallel Aware`: do the processes share its work, instead of each doing all of it?
    pub fn is_parallel_aware(&self) -> bool {
        self.flag("Parallel Aware") == Some(true)
    }

    /// `Workers Planned` of a Gather or Gather Merge.
    pub fn workers_planned(&self) -> Option<f64> {
        self.number("Workers Planned")
    }

    /// `Startup Cost`: what is spent before the first row, in planner units.
    pub fn startup_cost(&self) -> Option<f64> {
        self.number("Startup Cost")
    }

    /// `Total Cost`: of this node and all below it, in planner units.
    pub fn total_cost(&self) -> Cost {
        Cost(self.number("Total Cost").unwrap_or(0.0))
    }

    /// `Plan Rows`: the rows the planner expects from one execution.
    pub fn plan_rows(&self) -> Option<f64> {
        self.number("Plan Rows")
    }

    /// `Plan Width`: the bytes the planner expects a row to have.
    pub fn plan_width(&self) -> Option<f64> {
        self.number("Plan Width")
    }

    /// `Actual Rows` of one execution; none without ANALYZE.
    pub fn actual_rows(&self) -> Option<f64> {
        self.number("Actual Rows")
    }
}
