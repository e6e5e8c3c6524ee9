//! Groups the scans of the partitions of one table. Each of hundreds of scans may be too cheap for
//! a finding, while together they are the whole plan. The costliest one represents its group, with
//! the sum of all; the others get no findings.

use std::collections::HashMap;

use crate::plan::metrics::Metrics;
use crate::plan::{Node, NodeId, NodeType, Plan};

/// With fewer scans under one Append, each is checked on its own.
const MIN_GROUP: usize = 3;

/// The groups of a plan's partition scans.
pub(super) struct PartitionGroups {
    /// For scans in a group: the sum of the group for the costliest one, and zero for the others.
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

/// `events` of the alias `events_12`: the planner numbers the aliases of partitions (before
/// PostgreSQL 12 all have the same).
fn table_of_alias(node: &Node) -> Option<&str> {
    let alias = node.text("Alias")?;
    let numbered = alias
        .rsplit_once('_')
        .filter(|(_, digits)| digits.bytes().all(|byte| byte.is_ascii_digit()));
    Some(numbered.map_or(alias, |(table, _)| table))
}
