//! PartitionGroups of one table are scanned alike: hundreds of scans, each too cheap for a word, that together are the whole plan. The
//! costliest stands for its group, with what all of them take; about the others there is nothing more to say.

use std::collections::HashMap;

use crate::plan::metrics::Metrics;
use crate::plan::{Node, NodeId, NodeType, Plan};

/// Fewer scans under one Append are looked at one by one.
const MIN_GROUP: usize = 3;

/// The groups of partitions of a plan.
pub(super) struct PartitionGroups {
    /// Only for scans that are in a group: what the one that stands for all takes, and nothing for the others.
    own: HashMap<usize, f64>,
    others: HashMap<usize, usize>,
}

impl PartitionGroups {
    pub(super) fn of(plan: &Plan, metrics: &Metrics) -> PartitionGroups {
        let mut partitions = PartitionGroups {
            own: HashMap::new(),
            others: HashMap::new(),
        };
        for append in plan
            .nodes()
            .iter()
            .filter(|node| node.node_type().is_append())
        {
            let mut groups: HashMap<(&NodeType, &str), Vec<NodeId>> = HashMap::new();
            for child in plan.children(append.id) {
                if let Some(table) = table_of_alias(child) {
                    groups
                        .entry((child.node_type(), table))
                        .or_default()
                        .push(child.id);
                }
            }
            groups
                .into_values()
                .filter(|group| group.len() >= MIN_GROUP)
                .for_each(|group| partitions.add(metrics, &group));
        }
        partitions
    }

    fn add(&mut self, metrics: &Metrics, group: &[NodeId]) {
        let own = |id: &NodeId| metrics.own(*id);
        let together: f64 = group.iter().map(own).sum();
        let costliest = group
            .iter()
            .max_by(|a, b| own(a).total_cmp(&own(b)).then(b.cmp(a)));
        for id in group {
            self.own
                .insert(id.0, if Some(id) == costliest { together } else { 0.0 });
        }
        if let Some(costliest) = costliest {
            self.others.insert(costliest.0, group.len() - 1);
        }
    }

    pub(super) fn own(&self, id: NodeId) -> Option<f64> {
        self.own.get(&id.0).copied()
    }

    pub(super) fn others(&self, id: NodeId) -> Option<usize> {
        self.others.get(&id.0).copied()
    }
}

/// `events` of `events_12`, whatever has an alias: the planner numbers the aliases of partitions (before PostgreSQL 12 all have the same).
fn table_of_alias(node: &Node) -> Option<&str> {
    let alias = node.text("Alias")?;
    let numbered = alias
        .rsplit_once('_')
        .filter(|(_, digits)| digits.bytes().all(|byte| byte.is_ascii_digit()));
    Some(numbered.map_or(alias, |(table, _)| table))
}
