//! Plans of 10 000 nodes, as EXPLAIN (ANALYZE, BUFFERS, VERBOSE, FORMAT JSON) prints them.

use serde_json::{Value, json};

/// Nodes of each plan.
const NODES: usize = 10_000;

/// The shapes a plan can have.
pub const SHAPES: [&str; 2] = ["wide", "deep"];

/// EXPLAIN's object for the plan of that shape.
pub fn shaped(shape: &str) -> Value {
    let tree = if shape == "wide" { wide() } else { deep() };
    json!({"Plan": tree, "Execution Time": 130.0})
}

/// One Append over all partitions.
fn wide() -> Value {
    node(
        "Append",
        0,
        (1..NODES)
            .map(|position| node("Seq Scan", position, Vec::new()))
            .collect(),
    )
}

/// A nested loop over a nested loop over …, each with a scan as its inner side.
fn deep() -> Value {
    let levels = 500;
    let mut tree = node("Seq Scan", 0, Vec::new());
    for level in 1..levels {
        let inner = (0..NODES / levels - 1)
            .map(|position| node("Seq Scan", level * 100 + position, Vec::new()));
        tree = node(
            "Nested Loop",
            level,
            std::iter::once(tree).chain(inner).collect(),
        );
    }
    tree
}

/// A node that adds 0.01 ms and a cost of 100 to what its inputs take.
fn node(node_type: &str, position: usize, plans: Vec<Value>) -> Value {
    let below = |property: &str| {
        plans
            .iter()
            .filter_map(|plan| plan[property].as_f64())
            .sum::<f64>()
    };
    let (time, cost) = (
        below("Actual Total Time") + 0.01,
        below("Total Cost") + 100.0,
    );
    let mut node = json!({
        "Node Type": node_type, "Parent Relationship": "Outer", "Parallel Aware": false, "Async Capable": false,
        "Startup Cost": 0.43, "Total Cost": cost, "Plan Rows": 100, "Plan Width": 48,
        "Actual Startup Time": 0.01, "Actual Total Time": time, "Actual Rows": 90, "Actual Loops": 1,
        "Output": ["t.id", "t.state", "t.payload"],
        "Shared Hit Blocks": below("Shared Hit Blocks") + 120.0, "Shared Read Blocks": below("Shared Read Blocks") + 40.0, "Shared Dirtied Blocks": 0, "Shared Written Blocks": 0,
        "Local Hit Blocks": 0, "Local Read Blocks": 0, "Local Dirtied Blocks": 0, "Local Written Blocks": 0,
        "Temp Read Blocks": 0, "Temp Written Blocks": 0, "I/O Read Time": 0.5, "I/O Write Time": 0.0,
    });
    if let Value::Object(properties) = &mut node {
        if node_type == "Seq Scan" {
            properties.insert("Relation Name".to_owned(), json!(format!("t_{position}")));
            properties.insert("Schema".to_owned(), json!("public"));
            properties.insert("Alias".to_owned(), json!(format!("t_{position}")));
            properties.insert(
                "Filter".to_owned(),
                json!(format!(
                    "((t_{position}.state = 'PENDING'::text) AND (t_{position}.kind <> 3))"
                )),
            );
            properties.insert("Rows Removed by Filter".to_owned(), json!(100_000));
        }
        if !plans.is_empty() {
            properties.insert("Plans".to_owned(), Value::Array(plans));
        }
    }
    node
}
