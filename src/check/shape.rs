//! The shape of a plan: what it reads by which index, and in which order it joins. Costs, numbers of
//! rows and constants are no part of it, so it stays the same while data grow.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::model::Cost;
use crate::plan::{Node, NodeId, NodeType, Plan, PlanError};

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
        let _ = writeln!(
            text,
            "{}{}",
            "  ".repeat(depth),
            line(plan.node(id), renamed)
        );
        let children: Vec<NodeId> = plan.children(id).map(|child| child.id).collect();
        waiting.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
    }
    text
}

/// What one node does.
fn line(node: &Node, renamed: &Renamed) -> String {
    let old = |name: &str| {
        renamed
            .get(name)
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    };
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

/// The shape as if one process did everything, in which each node stands by itself: whether workers are
/// worth it follows from the size alone.
pub fn serial_shape(plan: &Plan) -> Vec<String> {
    let text = shape(plan);
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| !line.starts_with("Gather") && !line.contains("(Partial)"))
        .map(|line| line.replace(" (Finalize)", ""))
        .collect()
}

/// A plan of this shape, without anything else; its cost is that of the whole plan.
///
/// # Errors
/// When it is nested deeper than plans may be.
pub fn plan_of_shape(shape: &str, cost: Cost) -> Result<Plan, PlanError> {
    let mut open: Vec<(usize, Map<String, Value>)> = Vec::new();
    let mut root = Map::new();
    let lines = shape.lines().map(|line| {
        let text = line.trim_start_matches(' ');
        ((line.len() - text.len()) / 2, text)
    });
    for (depth, text) in lines.chain([(0, "")]) {
        while open.last().is_some_and(|(above, _)| *above >= depth) {
            let Some((_, node)) = open.pop() else { break };
            match open.last_mut() {
                None => root = node,
                Some((_, parent)) => {
                    let plans = parent
                        .entry("Plans")
                        .or_insert_with(|| Value::Array(Vec::new()));
                    if let Some(plans) = plans.as_array_mut() {
                        plans.push(Value::Object(node));
                    }
                }
            }
        }
        if !text.is_empty() {
            open.push((depth, properties(text)));
        }
    }
    root.insert("Total Cost".to_owned(), cost.0.into());
    Plan::from_json(json!({"Plan": root}))
}

/// What a line says; the reverse of [`line()`].
fn properties(text: &str) -> Map<String, Value> {
    let mut node = Map::new();
    let mut rest = text;
    if let Some((before, name)) = rest
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once(" ["))
    {
        node.insert("Subplan Name".to_owned(), name.into());
        rest = before;
    }
    let relation = rest.split_once(" on ").map(|(before, relation)| {
        rest = before;
        relation
    });
    if let Some((before, index)) = rest.split_once(" using ") {
        node.insert("Index Name".to_owned(), index.into());
        rest = before;
    }
    if let Some(before) = rest.strip_suffix(" backward") {
        node.insert("Scan Direction".to_owned(), "Backward".into());
        rest = before;
    }
    let (node_type, words) = rest.split_once(" (").unwrap_or((rest, ""));
    for word in words
        .trim_end_matches(')')
        .split(") (")
        .filter(|word| !word.is_empty())
    {
        let name = match (node_type, word) {
            ("Aggregate", "Sorted" | "Hashed" | "Mixed") => "Strategy",
            ("Aggregate", _) => "Partial Mode",
            _ => "Join Type",
        };
        node.insert(name.to_owned(), word.into());
    }
    if let Some(relation) = relation {
        let (name, alias) = relation.split_once(' ').unwrap_or((relation, relation));
        let what = if node_type == "CTE Scan" {
            "CTE Name"
        } else {
            "Relation Name"
        };
        node.insert(what.to_owned(), name.into());
        node.insert("Alias".to_owned(), alias.into());
    }
    node.insert("Node Type".to_owned(), node_type.into());
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(cost: f64, index: &str) -> Plan {
        Plan::from_json(json!({"Plan": {
            "Node Type": "Nested Loop", "Join Type": "Left", "Total Cost": cost, "Plan Rows": cost,
            "Plans": [
                {"Node Type": "Index Scan", "Index Name": index, "Relation Name": "t", "Alias": "a", "Total Cost": 1.0},
                {"Node Type": "Seq Scan", "Relation Name": "u", "Alias": "u", "Filter": "(x = 7)", "Total Cost": 1.0},
            ],
        }}))
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

    #[test]
    fn workers_are_no_part_of_a_serial_shape() {
        let one = plan_of_shape("Aggregate\n  Seq Scan on t\n", Cost(1.0)).unwrap();
        let several =
            "Aggregate (Finalize)\n  Gather\n    Aggregate (Partial)\n      Seq Scan on t\n";
        let several = plan_of_shape(several, Cost(1.0)).unwrap();
        assert_eq!(serial_shape(&one), serial_shape(&several));
        assert_eq!(serial_shape(&one), ["Aggregate", "Seq Scan on t"]);
    }

    #[test]
    fn a_plan_is_made_again_from_its_shape() {
        for text in [
            "Limit\n  Index Scan backward using i on t\n",
            "Hash Join (Left)\n  Seq Scan on t a\n  Hash\n    CTE Scan on c\n",
            "Aggregate (Sorted) (Partial)\n  Index Only Scan using i on t\n    Result [SubPlan 1]\n",
            "Nested Loop\n  Bitmap Heap Scan on my table\n    Bitmap Index Scan using i\n  Seq Scan on u\n",
        ] {
            let plan = plan_of_shape(text, Cost(5.0)).unwrap();
            assert_eq!(shape(&plan), text);
            assert_eq!(plan.total_cost(), Cost(5.0));
        }
    }
}
