//! A node's headline and its details as EXPLAIN's TEXT format prints them
//! (src/backend/commands/explain.c, `ExplainNode`).

use super::node::Node;
use super::node_type::NodeType;
use super::properties::Property;
use crate::model::quote_identifier;

impl Node {
    /// `Parallel Index Only Scan Backward using jobs_pkey on jobs j`, `Hash Left Join`,
    /// `HashAggregate`, …
    pub fn title(&self) -> String {
        let parallel = if self.is_parallel_aware() {
            "Parallel "
        } else {
            ""
        };
        format!(
            "{parallel}{}{}{}",
            self.operation(),
            self.index_clause(),
            self.target_clause()
        )
    }

    /// The operation with its variant: the access path or join method by its full name.
    pub fn operation(&self) -> String {
        let node_type = self.node_type();
        match node_type {
            NodeType::Aggregate => self.aggregate_operation(),
            join if join.is_join() => self.join_operation(),
            NodeType::ModifyTable => self.modification().unwrap_or(node_type.name()).to_owned(),
            NodeType::SetOp => format!(
                "{}SetOp {}",
                if self.strategy() == Some("Hashed") {
                    "Hash"
                } else {
                    ""
                },
                self.text("Command").unwrap_or("")
            ),
            NodeType::CustomScan => match self.text("Custom Plan Provider") {
                Some(provider) => format!("{node_type} ({provider})"),
                None => node_type.name().to_owned(),
            },
            _ if self.is_backward() => format!("{node_type} Backward"),
            _ => node_type.name().to_owned(),
        }
    }

    fn aggregate_operation(&self) -> String {
        let strategy = match self.strategy() {
            Some("Sorted") => "GroupAggregate",
            Some("Hashed") => "HashAggregate",
            Some("Mixed") => "MixedAggregate",
            _ => "Aggregate",
        };
        match self.text("Partial Mode") {
            Some(mode @ ("Partial" | "Finalize")) => format!("{mode} {strategy}"),
            _ => strategy.to_owned(),
        }
    }

    fn join_operation(&self) -> String {
        let name = self.node_type().name();
        match self.text("Join Type") {
            None | Some("Inner") => name.to_owned(),
            Some(join_type) => {
                let method = name.trim_end_matches(" Join");
                format!("{method} {join_type} Join")
            }
        }
    }

    fn index_clause(&self) -> String {
        match (self.index_name(), self.node_type()) {
            (Some(index), NodeType::BitmapIndexScan) => format!(" on {}", quote_identifier(index)),
            (Some(index), _) => format!(" using {}", quote_identifier(index)),
            _ => String::new(),
        }
    }

    fn target_clause(&self) -> String {
        let Some(name) = self.source_name() else {
            return match (self.node_type(), self.text("Alias")) {
                (NodeType::SubqueryScan | NodeType::ValuesScan, Some(alias)) => {
                    format!(" on {}", quote_identifier(alias))
                }
                _ => String::new(),
            };
        };
        match self.text("Alias").filter(|alias| *alias != name) {
            Some(alias) => format!(" on {} {}", quote_identifier(name), quote_identifier(alias)),
            None => format!(" on {}", quote_identifier(name)),
        }
    }

    /// The properties that say what a node filters, joins, sorts and groups by, as EXPLAIN prints
    /// them: `("Filter", "(a = 1)")`.
    pub fn details(&self) -> Vec<(&str, String)> {
        const DETAILS: &[&str] = &[
            "Subplan Name",
            "Sort Key",
            "Presorted Key",
            "Group Key",
            "Index Cond",
            "Recheck Cond",
            "TID Cond",
            "Hash Cond",
            "Merge Cond",
            "Join Filter",
            "One-Time Filter",
            "Filter",
            // Of compressed chunks (Timescale).
            "Vectorized Filter",
            "Order By",
            "Cache Key",
        ];
        let value = |property: &&'static str| match self.properties.get(property)? {
            Property::Text(text) => Some((*property, text.to_string())),
            Property::NodeType(node_type) => Some((*property, node_type.to_string())),
            list @ (Property::Texts(_) | Property::Nested(_)) => {
                Some((*property, list.texts().collect::<Vec<_>>().join(", ")))
            }
            Property::Null | Property::Flag(_) | Property::Number(_) => None,
        };
        DETAILS.iter().filter_map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::Plan;

    #[test]
    fn titles_read_as_explain_writes_them() {
        for (node, title) in [
            (
                json!({"Node Type": "Seq Scan", "Relation Name": "jobs", "Alias": "jobs"}),
                "Seq Scan on jobs",
            ),
            (
                json!({"Node Type": "Seq Scan", "Relation Name": "jobs", "Alias": "j", "Parallel Aware": true}),
                "Parallel Seq Scan on jobs j",
            ),
            (
                json!({"Node Type": "Index Only Scan", "Scan Direction": "Backward", "Index Name": "i", "Relation Name": "t", "Alias": "t"}),
                "Index Only Scan Backward using i on t",
            ),
            (
                json!({"Node Type": "Bitmap Index Scan", "Index Name": "i"}),
                "Bitmap Index Scan on i",
            ),
            (
                json!({"Node Type": "Hash Join", "Join Type": "Right Anti"}),
                "Hash Right Anti Join",
            ),
            (
                json!({"Node Type": "Nested Loop", "Join Type": "Left"}),
                "Nested Loop Left Join",
            ),
            (
                json!({"Node Type": "Nested Loop", "Join Type": "Inner"}),
                "Nested Loop",
            ),
            (
                json!({"Node Type": "Aggregate", "Strategy": "Hashed", "Partial Mode": "Partial"}),
                "Partial HashAggregate",
            ),
            (
                json!({"Node Type": "ModifyTable", "Operation": "Update", "Relation Name": "t", "Alias": "t"}),
                "Update on t",
            ),
            (
                json!({"Node Type": "Subquery Scan", "Alias": "Odd"}),
                "Subquery Scan on \"Odd\"",
            ),
            (
                json!({"Node Type": "CTE Scan", "CTE Name": "recent", "Alias": "r"}),
                "CTE Scan on recent r",
            ),
        ] {
            assert_eq!(
                Plan::from_json(json!({ "Plan": node }))
                    .unwrap()
                    .root()
                    .title(),
                title
            );
        }
    }
}
