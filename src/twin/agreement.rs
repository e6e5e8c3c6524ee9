//! Do two planners agree about a statement?

use serde::{Deserialize, Serialize};

use crate::plan::{Node, Plan, Property};

/// How far two plans of one statement agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Every node is the same: what it does, startup and total cost, rows and width.
    Exact,
    /// The same nodes do the same, but numbers differ.
    SameShape {
        /// The difference of the total costs, as a share of the first one.
        deviation: f64,
    },
    /// They are different plans.
    Different,
}

/// Properties that the planner estimated, as opposed to what the plan does.
const NUMBERS: [&str; 4] = ["Startup Cost", "Total Cost", "Plan Rows", "Plan Width"];

impl Agreement {
    /// Compares two plans of one statement.
    pub fn between(one: &Plan, other: &Plan) -> Agreement {
        let pairs = || one.nodes().iter().zip(other.nodes());
        if one.nodes().len() != other.nodes().len()
            || !pairs().all(|(one, other)| same_work(one, other))
        {
            return Agreement::Different;
        }
        if pairs().all(|(one, other)| {
            NUMBERS
                .iter()
                .all(|name| one.number(name) == other.number(name))
        }) {
            return Agreement::Exact;
        }
        let deviation = -one.total_cost().saved_share(other.total_cost());
        Agreement::SameShape {
            deviation: deviation.abs(),
        }
    }

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Agreement::Exact => "exact",
            Agreement::SameShape { .. } => "same_shape",
            Agreement::Different => "different",
        }
    }

    /// By how much the costs of two plans of the same shape differ, as a share of the first one's.
    pub fn deviation(self) -> Option<f64> {
        match self {
            Agreement::SameShape { deviation } => Some(deviation),
            Agreement::Exact | Agreement::Different => None,
        }
    }

    /// Is it close enough for the search? A later time of `now()` alone changes costs by about a
    /// thousandth.
    pub fn is_close(self) -> bool {
        match self {
            Agreement::Exact => true,
            Agreement::SameShape { deviation } => deviation <= 0.001,
            Agreement::Different => false,
        }
    }
}

fn same_work(one: &Node, other: &Node) -> bool {
    one.depth == other.depth && work(one).eq(work(other))
}

fn work(node: &Node) -> impl Iterator<Item = (&str, &Property)> {
    node.properties
        .iter()
        .filter(|(name, _)| !NUMBERS.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(table: &str, cost: f64) -> Plan {
        let scan = json!({"Node Type": "Seq Scan", "Relation Name": table, "Total Cost": cost, "Plan Rows": 1});
        Plan::from_json(
            json!({"Plan": {"Node Type": "Limit", "Total Cost": cost, "Plans": [scan]}}),
        )
        .unwrap()
    }

    #[test]
    fn numbers_and_work_are_compared_apart() {
        assert_eq!(
            Agreement::between(&plan("a", 10.0), &plan("a", 10.0)),
            Agreement::Exact
        );
        assert_eq!(
            Agreement::between(&plan("a", 10.0), &plan("b", 10.0)),
            Agreement::Different
        );
        let Agreement::SameShape { deviation } =
            Agreement::between(&plan("a", 10.0), &plan("a", 11.0))
        else {
            panic!()
        };
        assert!((deviation - 0.1).abs() < 1e-9);
        assert!(!Agreement::SameShape { deviation }.is_close());
    }
}
