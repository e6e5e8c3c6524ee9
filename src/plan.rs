//! A plan exactly as the server printed it: nodes with all their properties, immutable. Derived
//! numbers are kept separately ([`metrics`]) and never replace the server's.
//!
//! Nodes are in one vector in the order EXPLAIN prints them (a parent before its children), so a
//! plan of any depth is read without recursion, and a node is identified by its position.

pub mod alignment;
mod foreign;
pub mod metrics;
mod node;
mod node_type;
mod properties;
pub mod read;
mod title;
mod walk;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Cost, Millis, QualifiedName};

pub(crate) use node::Relationship;
pub use node::{Node, NodeId};
pub use node_type::NodeType;
pub(crate) use properties::PropertyNames;
pub use properties::{Properties, Property};

/// One plan of one statement. Serializes as EXPLAIN's own JSON object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Plan {
    nodes: Vec<Node>,
    /// The members beside `"Plan"` in EXPLAIN's output: `"Planning Time"`, `"Settings"`,
    /// `"Triggers"`, …
    pub summary: Map<String, Value>,
}

/// Why a JSON value is not a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The object has no `"Plan"`.
    #[error("no \"Plan\" object: this is not the output of EXPLAIN (FORMAT JSON)")]
    NoPlan,
    /// A node is malformed; the text says which and how.
    #[error("{0}")]
    BadNode(String),
    /// Nested deeper than any real plan.
    #[error("the plan is more than {0} nodes deep")]
    TooDeep(usize),
}

/// Deeper plans are refused, because each level takes stack when the plan is written.
pub const MAX_PLAN_DEPTH: usize = 2_000;

impl Plan {
    /// Reads EXPLAIN's JSON object (`{"Plan": {…}, …}`).
    ///
    /// # Errors
    /// When it is not a plan, or is nested deeper than [`MAX_PLAN_DEPTH`].
    pub fn from_json(value: Value) -> Result<Plan, PlanError> {
        let Value::Object(mut summary) = value else {
            return Err(PlanError::NoPlan);
        };
        let Some(root @ Value::Object(_)) = summary.remove("Plan") else {
            return Err(PlanError::NoPlan);
        };
        let (mut nodes, mut names): (Vec<Node>, PropertyNames) = Default::default();
        let mut waiting = vec![(None, 0, root)];
        while let Some((parent, depth, value)) = waiting.pop() {
            if depth > MAX_PLAN_DEPTH {
                return Err(PlanError::TooDeep(MAX_PLAN_DEPTH));
            }
            let id = NodeId(nodes.len());
            let (properties, children) = split_node(value, id)?;
            if let Some(NodeId(parent)) = parent {
                nodes[parent].children.push(id);
            }
            nodes.push(Node {
                id,
                parent,
                depth,
                children: Vec::new(),
                properties: names.properties(properties),
            });
            waiting.extend(
                children
                    .into_iter()
                    .rev()
                    .map(|child| (Some(id), depth + 1, child)),
            );
        }
        Ok(Plan { nodes, summary })
    }

    /// A plan that a reader put together: at least one node, parents before children, each with its
    /// own position.
    pub(crate) fn from_parts(nodes: Vec<Node>, summary: Map<String, Value>) -> Plan {
        Plan { nodes, summary }
    }

    /// All nodes, a parent before its children.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at that position, which must be from this plan.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The top node.
    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    /// The whole plan's cost.
    pub fn total_cost(&self) -> Cost {
        self.root().total_cost()
    }

    /// `Execution Time`, when it was executed.
    pub fn execution_time(&self) -> Option<Millis> {
        Some(Millis(self.summary.get("Execution Time")?.as_f64()?))
    }

    /// Blocks of tables and indexes that it read from shared buffers or disk; none without BUFFERS.
    pub fn shared_blocks(&self) -> Option<f64> {
        let root = self.root();
        let hit = root.number("Shared Hit Blocks")?;
        Some(hit + root.number("Shared Read Blocks").unwrap_or(0.0))
    }

    /// Does it only read? (No ModifyTable, and no row locks.)
    pub fn only_reads(&self) -> bool {
        self.nodes
            .iter()
            .all(|node| !matches!(node.node_type(), NodeType::ModifyTable | NodeType::LockRows))
    }

    /// The plan with its statement's text as `Query Text`, as auto_explain prints it.
    pub fn with_query(mut self, sql: &str) -> Plan {
        self.summary
            .insert("Query Text".to_owned(), Value::String(sql.to_owned()));
        self
    }

    /// The tables it reads or writes.
    pub fn tables(&self) -> BTreeSet<QualifiedName> {
        let pushed_down = self.nodes.iter().flat_map(Node::pushed_down_tables);
        let own = self.nodes.iter().filter_map(Node::table);
        own.chain(pushed_down).collect()
    }

    /// The indexes it reads.
    pub fn index_names(&self) -> BTreeSet<&str> {
        self.nodes.iter().filter_map(Node::index_name).collect()
    }
}

fn split_node(value: Value, id: NodeId) -> Result<(Map<String, Value>, Vec<Value>), PlanError> {
    let Value::Object(mut properties) = value else {
        return Err(PlanError::BadNode(format!(
            "node {} is not an object",
            id.0
        )));
    };
    let children = match properties.remove("Plans") {
        None => Vec::new(),
        Some(Value::Array(children)) => children,
        Some(_) => {
            return Err(PlanError::BadNode(format!(
                "\"Plans\" of node {} is not a list",
                id.0
            )));
        }
    };
    if !properties.get("Node Type").is_some_and(Value::is_string) {
        return Err(PlanError::BadNode(format!(
            "node {} has no \"Node Type\"",
            id.0
        )));
    }
    Ok((properties, children))
}

impl From<Plan> for Value {
    /// EXPLAIN's JSON object, with the children after the other properties of a node.
    fn from(plan: Plan) -> Value {
        // In reverse order all children come before their parent.
        let mut children: Vec<Vec<Value>> = vec![Vec::new(); plan.nodes.len()];
        let mut object = Map::new();
        for node in plan.nodes.into_iter().rev() {
            let mut properties = Map::from(node.properties);
            let mut below = std::mem::take(&mut children[node.id.0]);
            if !below.is_empty() {
                below.reverse();
                properties.insert("Plans".to_owned(), Value::Array(below));
            }
            match node.parent {
                Some(NodeId(parent)) => children[parent].push(Value::Object(properties)),
                None => drop(object.insert("Plan".to_owned(), Value::Object(properties))),
            }
        }
        object.extend(plan.summary);
        Value::Object(object)
    }
}

impl TryFrom<Value> for Plan {
    type Error = PlanError;

    fn try_from(value: Value) -> Result<Plan, PlanError> {
        Plan::from_json(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested() -> Value {
        json!({"Plan": {"Node Type": "Nested Loop", "Total Cost": 30.5, "Plans": [
                  {"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "a", "Alias": "x", "Total Cost": 10},
                  {"Node Type": "Limit", "Total Cost": 20, "Plans": [
                      {"Node Type": "Index Scan", "Index Name": "b_idx", "Schema": "s", "Relation Name": "b", "Alias": "b"}]}]},
               "Planning Time": 0.1})
    }

    #[test]
    fn nodes_lie_in_the_order_explain_prints_them() {
        let plan = Plan::from_json(nested()).unwrap();
        let types: Vec<_> = plan
            .nodes()
            .iter()
            .map(|node| (node.node_type().name(), node.depth))
            .collect();
        assert_eq!(
            types,
            [
                ("Nested Loop", 0),
                ("Seq Scan", 1),
                ("Limit", 1),
                ("Index Scan", 2)
            ]
        );
        assert_eq!(plan.root().children, [NodeId(1), NodeId(2)]);
        assert_eq!(plan.total_cost(), Cost(30.5));
        assert_eq!(plan.tables().len(), 2);
        assert_eq!(plan.node(NodeId(1)).alias(), Some("x"));
    }

    #[test]
    fn a_plan_is_written_as_the_server_printed_it() {
        let plan = Plan::from_json(nested()).unwrap();
        assert_eq!(Value::from(plan), nested());
    }

    #[test]
    fn what_is_no_plan_is_refused_with_a_reason() {
        assert_eq!(Plan::from_json(json!([])), Err(PlanError::NoPlan));
        assert_eq!(Plan::from_json(json!({"Plan": 1})), Err(PlanError::NoPlan));
        assert!(matches!(
            Plan::from_json(json!({"Plan": {}})),
            Err(PlanError::BadNode(_))
        ));
        assert!(matches!(
            Plan::from_json(json!({"Plan": {"Node Type": "x", "Plans": 3}})),
            Err(PlanError::BadNode(_))
        ));
    }
}
