//! The shape of a plan: what it reads by which index, and in which order it joins. Costs, numbers of
//! rows and constants are no part of it, so it stays the same while data grow.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::{Node, NodeId, NodeType, Plan};

/// Names of relations and indexes after a change, with those that they had before.
pub type Renamed = BTreeMap<String, String>;

/// The shape as text: a line for each node, indented by its depth. Two plans have the same shape if
/// these are equal.
pub fn shape(plan: &Plan) -> String {
    shape_before_renaming(plan, &Renamed::new())
}

/// The shape with the names from before a change.
pub fn shape_before_renaming(plan: &Plan, renamed: &Renamed) -> String {
    let mut text = String::new();
    let mut waiting = vec![(plan.root().id, 0usize)];
    while let Some((id, depth)) = waiting.pop() {
        let _ = writeln!(text, "{}{}", "  ".repeat(depth), line(plan.node(id), renamed));
        let children: Vec<NodeId> = plan.children(id).map(|child| child.id).collect();
        waiting.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
    }
    text
}

/// What one node does.
fn line(node: &Node, renamed: &Renamed) -> String {
    let old = |name: &str| renamed.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let mut line = node.node_type().to_string();
    match (node.node_type(), node.text("Join Type")) {
        (_, Some(join)) if join != "Inner" => {
            let _ = write!(line, " ({join})");
        }
        (NodeType::Aggregate, _) => {
            let strategy = node.strategy().filter(|strategy| *strategy != "Plain");
            let mode = node.text("Partial Mode").filter(|mode| *mode != "Simple");
            for word in [strategy, mode].into_iter().flatten() {
                let _ = write!(line, " ({word})");
            }
        }
        _ => {}
    }
    if node.is_backward() {
        line.push_str(" backward");
    }
    if let Some(index) = node.index_name() {
        let _ = write!(line, " using {}", old(index));
    }
    let relation = node.relation_name().or_else(|| node.cte_name());
    if let Some(relation) = relation {
        let _ = write!(line, " on {}", old(relation));
        if let Some(alias) = node.alias().filter(|alias| *alias != relation) {
            let _ = write!(line, " {alias}");
        }
    }
    if let Some(name) = node.subplan_name() {
        let _ = write!(line, " [{name}]");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(cost: f64, index: &str) -> Plan {
        Plan::from_json(json!([{"Plan": {
            "Node Type": "Nested Loop", "Join Type": "Left", "Total Cost": cost, "Plan Rows": cost,
            "Plans": [
                {"Node Type": "Index Scan", "Index Name": index, "Relation Name": "t", "Alias": "a", "Total Cost": 1.0},
                {"Node Type": "Seq Scan", "Relation Name": "u", "Alias": "u", "Filter": "(x = 7)", "Total Cost": 1.0},
            ],
        }}]))
        .unwrap()
    }

    #[test]
    fn costs_and_constants_are_no_part_of_it() {
        assert_eq!(
            shape(&plan(10.0, "i")),
            "Nested Loop (Left)\n  Index Scan using i on t a\n  Seq Scan on u\n"
        );
        assert_eq!(shape(&plan(10.0, "i")), shape(&plan(99.0, "i")));
        assert_ne!(shape(&plan(10.0, "i")), shape(&plan(10.0, "j")));
        let renamed = Renamed::from([("j".to_owned(), "i".to_owned())]);
        assert_eq!(
            shape(&plan(10.0, "i")),
            shape_before_renaming(&plan(10.0, "j"), &renamed)
        );
    }
}
