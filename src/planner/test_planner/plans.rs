//! Plans of a [`super::TestPlanner`], as EXPLAIN (VERBOSE, FORMAT JSON) prints them.

use serde_json::{Value, json};

use crate::index::Index;
use crate::plan::Plan;

/// A plan that is made step by step, from the scan upwards.
#[derive(Debug, Clone)]
pub(crate) struct TestPlan(Value);

/// A table read as a whole, at this cost.
pub(crate) fn seq_scan(table: &str, cost: f64) -> TestPlan {
    TestPlan(json!({
        "Node Type": "Seq Scan", "Schema": "public", "Relation Name": table, "Alias": table,
        "Startup Cost": 0.0, "Total Cost": cost, "Plan Rows": 100.0, "Plan Width": 8.0,
    }))
}

impl TestPlan {
    /// A plan without any table.
    pub(crate) fn result(cost: f64) -> TestPlan {
        TestPlan(json!({"Node Type": "Result", "Total Cost": cost, "Plan Rows": 1.0}))
    }

    /// The topmost node's condition.
    pub(crate) fn filter(self, condition: &str) -> TestPlan {
        self.with("Filter", Value::from(condition))
    }

    /// The topmost node's rows.
    pub(crate) fn rows(self, rows: f64) -> TestPlan {
        self.with("Plan Rows", Value::from(rows))
    }

    /// Another property of the topmost node.
    pub(crate) fn with(mut self, property: &str, value: Value) -> TestPlan {
        self.0[property] = value;
        self
    }

    /// Under a sort.
    pub(crate) fn sorted_by(self, keys: &[&str]) -> TestPlan {
        self.under(json!({"Node Type": "Sort", "Sort Key": keys}))
    }

    /// Under a limit.
    pub(crate) fn limited(self, rows: f64) -> TestPlan {
        self.under(json!({"Node Type": "Limit"})).rows(rows)
    }

    /// Under an aggregate of so many groups.
    pub(crate) fn grouped_by(self, keys: &[&str], groups: f64) -> TestPlan {
        let group = json!({"Node Type": "Aggregate", "Strategy": "Hashed", "Group Key": keys});
        self.under(group).rows(groups)
    }

    /// The rows that it finds are written: `Update`, `Delete`, `Insert`.
    pub(crate) fn modifying(self, operation: &str, table: &str) -> TestPlan {
        self.under(json!({
            "Node Type": "ModifyTable", "Operation": operation,
            "Schema": "public", "Relation Name": table, "Alias": table,
        }))
    }

    /// Joined with another plan.
    pub(crate) fn joined_with(self, other: TestPlan) -> TestPlan {
        let cost = self.cost() + other.cost();
        let mut join = self.under(json!({"Node Type": "Nested Loop"}));
        join.0["Total Cost"] = json!(cost);
        if let Some(children) = join.0["Plans"].as_array_mut() {
            children.push(other.0);
        }
        join
    }

    /// Under this node, which costs and returns the same.
    fn under(self, mut node: Value) -> TestPlan {
        for number in ["Startup Cost", "Total Cost", "Plan Rows", "Plan Width"] {
            node[number] = self.0[number].clone();
        }
        node["Plans"] = json!([self.0]);
        TestPlan(node)
    }

    /// The same rows, found by these indexes.
    pub(crate) fn by_indexes(&self, indexes: &[(&Index, &str)], cost: f64) -> TestPlan {
        let tables: Vec<&Index> = indexes.iter().map(|(index, _)| *index).collect();
        let scans: Vec<Value> = indexes
            .iter()
            .map(|(index, name)| self.index_scan(index, name, cost))
            .collect();
        let is_one_table = tables.windows(2).all(|pair| pair[0].table == pair[1].table);
        match scans.as_slice() {
            [scan] => TestPlan(scan.clone()),
            _ => {
                let node_type = if is_one_table {
                    "BitmapAnd"
                } else {
                    "Nested Loop"
                };
                TestPlan(json!({"Node Type": node_type, "Total Cost": cost, "Plans": scans}))
            }
        }
    }

    fn index_scan(&self, index: &Index, name: &str, cost: f64) -> Value {
        let table = &index.table;
        let mut scan = json!({
            "Node Type": "Index Scan", "Index Name": name,
            "Schema": table.schema, "Relation Name": table.name, "Alias": table.name,
            "Startup Cost": 0.0, "Total Cost": cost, "Plan Rows": self.0["Plan Rows"], "Plan Width": 8.0,
        });
        if let Some(condition) = self.condition() {
            scan["Index Cond"] = condition;
        }
        scan
    }

    /// The condition of its scan.
    fn condition(&self) -> Option<Value> {
        let mut node = &self.0;
        while let Some(child) = node.get("Plans").and_then(|plans| plans.get(0)) {
            node = child;
        }
        node.get("Filter").cloned()
    }

    pub(crate) fn cost(&self) -> f64 {
        self.0["Total Cost"].as_f64().unwrap()
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan::from_json(json!({ "Plan": self.0 })).unwrap()
    }

    /// As it was executed.
    pub(crate) fn executed(&self, time_ms: f64) -> Plan {
        Plan::from_json(json!({ "Plan": self.0, "Execution Time": time_ms })).unwrap()
    }
}
