//! A plan as a tree of lines: a headline and details for each node, with the branches that lead to
//! it.

use crate::model::{group_thousands, printable};
use crate::plan::{Node, Plan};

/// The lines of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeLines {
    /// `└─ Seq Scan on jobs`.
    pub headline: String,
    /// The branches that continue below the node, for its further lines.
    pub below: String,
    /// `Filter: …`, each behind these branches.
    pub details: Vec<String>,
    /// What the node is, without place and cost: two nodes with the same identity do the same.
    pub identity: String,
    /// `10,673`.
    pub cost: String,
    /// Rows expected.
    pub rows: String,
}

/// The lines of every node, in the plan's order. All text from the plan is escaped.
pub fn lines(plan: &Plan) -> Vec<NodeLines> {
    plan.nodes()
        .iter()
        .map(|node| node_lines(plan, node))
        .collect()
}

fn node_lines(plan: &Plan, node: &Node) -> NodeLines {
    let (branch, below) = branches(plan, node);
    let title = printable(&node.title()).into_owned();
    let conditions = node
        .details()
        .into_iter()
        .map(|(label, value)| format!("{label}: {}", printable(&value)));
    let details = conditions
        .map(|detail| format!("{below}  {detail}"))
        .collect();
    NodeLines {
        headline: format!("{branch}{title}"),
        below,
        details,
        identity: title,
        cost: if node.properties.contains("Total Cost") {
            node.total_cost().to_string()
        } else {
            String::new()
        },
        rows: node
            .plan_rows()
            .map_or_else(String::new, |rows| group_thousands(rows, 0)),
    }
}

/// The branches before a node's headline, and those before the lines below it.
fn branches(plan: &Plan, node: &Node) -> (String, String) {
    const MAX_DRAWN_DEPTH: usize = 60;
    let path: Vec<&Node> = std::iter::once(node)
        .chain(plan.ancestors(node.id))
        .collect();
    let mut branch = String::new();
    // From the root down; very deep plans keep only the branches nearest to the node.
    for ancestor in path
        .iter()
        .rev()
        .skip(1)
        .skip(path.len().saturating_sub(MAX_DRAWN_DEPTH))
    {
        let is_node = ancestor.id == node.id;
        let last = is_last_child(plan, ancestor);
        branch.push_str(match (is_node, last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
    }
    let own = branch.trim_end_matches(['├', '└', '─', ' ']).len();
    let above: String = branch
        .chars()
        .take(branch.chars().count().saturating_sub(3))
        .collect();
    let continues = !is_last_child(plan, node) && own < branch.len();
    let below = if branch.is_empty() {
        String::new()
    } else {
        format!("{above}{}", if continues { "│  " } else { "   " })
    };
    let children = if node.children.is_empty() {
        "  "
    } else {
        "│ "
    };
    (branch, format!("{below}{children}"))
}

fn is_last_child(plan: &Plan, node: &Node) -> bool {
    plan.parent(node.id)
        .is_none_or(|parent| parent.children.last() == Some(&node.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn branches_lead_to_every_node() {
        let plan = Plan::from_json(
            json!({"Plan": {"Node Type": "Hash Join", "Hash Cond": "(a.x = b.x)", "Total Cost": 12.5, "Plans": [
            {"Node Type": "Append", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "a", "Filter": "(a.y > 0)"}]},
            {"Node Type": "Seq Scan", "Relation Name": "b\u{1b}[2J"}]}}),
        )
        .unwrap();
        let mut text = String::new();
        for node in lines(&plan) {
            text += &format!("{}\n", node.headline);
            for detail in node.details {
                text += &format!("{detail}\n");
            }
        }
        let expected = "Hash Join\n│   Hash Cond: (a.x = b.x)\n├─ Append\n│  └─ Seq Scan on a\n│         Filter: (a.y > 0)\n\
                        └─ Seq Scan on \"b\\u{1b}[2J\"\n";
        assert_eq!(text, expected);
    }
}
