//! Numbers derived from a plan: what each node takes by itself in time, cost, buffers and memory,
//! and the error of its row estimate.
//!
//! EXPLAIN's numbers include everything below a node, are averages over loops, and in a parallel
//! part also over processes. These files undo this, with the reason for each rule: [`attribution`]
//! (which node a CTE or InitPlan counts to), [`time`] (loops and processes), [`cost`] (repeated and
//! unfinished inputs), [`buffers`] and [`memory`]. All read the node list a few times without
//! recursion.

pub mod attribution;
pub mod buffers;
pub mod cost;
pub mod memory;
pub(crate) mod raw;
pub mod rows;
pub mod summary;
pub mod time;

use super::{NodeId, NodeType, Plan, Relationship};
use crate::model::{Cost, Millis};

pub use buffers::Buffers;
pub use memory::Memory;
pub use rows::{Direction, Estimate, Removed, rows_of_all_processes};
pub use summary::{Jit, Serialization, Summary, Trigger};

/// Everything derived from one plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Of every node, in the plan's order.
    pub nodes: Vec<NodeMetrics>,
    /// Of the plan as a whole.
    pub summary: Summary,
    /// What a share is relative to.
    pub basis: Basis,
}

/// The measure by which nodes are compared: time when it was measured, else cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// Measured; the whole is the execution time.
    Time(Millis),
    /// Only estimated (no ANALYZE, or TIMING OFF); the whole is the plan's total cost without
    /// penalties for disabled nodes.
    Cost(Cost),
}

impl Basis {
    /// The whole as a number, in milliseconds or planner units.
    pub fn whole(self) -> f64 {
        match self {
            Basis::Time(Millis(whole)) | Basis::Cost(Cost(whole)) => whole,
        }
    }
}

/// What one node takes by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeMetrics {
    /// Wall-clock time, with ANALYZE and TIMING.
    pub time: Option<time::NodeTime>,
    /// Planner units.
    pub cost: cost::NodeCost,
    /// Its own time as a share of the whole, else its own cost, 0 to 1.
    pub self_share: f64,
    /// The same for everything below it too, 0 to 1.
    pub share: f64,
    /// How often it was executed, by all processes together; none without ANALYZE.
    pub loops: Option<f64>,
    /// How many processes shared its loops; 1 outside a parallel part.
    pub processes: f64,
    /// Actual rows of one execution, also where none were expected (COSTS OFF).
    pub(crate) rows: Option<f64>,
    /// Rows expected and actual rows of one execution.
    pub estimate: Option<Estimate>,
    /// Rows read and discarded, in all loops.
    pub removed: Removed,
    /// Blocks it touched by itself.
    pub buffers: Option<Buffers>,
    /// Memory and disk it used.
    pub memory: Memory,
    /// Its relationship to the node above.
    pub(crate) relationship: Relationship,
    /// Does it read a CTE?
    pub(crate) is_cte_scan: bool,
}

impl NodeMetrics {
    /// Was it executed? None without ANALYZE.
    pub fn executed(&self) -> Option<bool> {
        Some(self.loops? > 0.0)
    }

    /// Rows it delivered in all loops together.
    pub fn rows_total(&self) -> Option<f64> {
        Some(self.rows? * self.loops?)
    }
}

/// The metrics of a plan.
pub fn metrics(plan: &Plan) -> Metrics {
    let raw = raw::raw_numbers(plan);
    let attributions = attribution::attributions(plan, &raw);
    let processes = time::processes(plan, &raw);
    let times = time::times(plan, &raw, &processes, &attributions);
    let costs = cost::costs(plan, &raw);
    let mut buffers = buffers::own(plan, &raw, &attributions);
    let summary = summary::summary(plan);
    let root_time = times
        .first()
        .copied()
        .flatten()
        .map(|root| root.inclusive.0);
    let basis = match root_time {
        Some(root) => Basis::Time(Millis(
            root.max(summary.execution.map_or(0.0, |time| time.0)),
        )),
        None => Basis::Cost(costs.first().map_or(Cost(0.0), |root| root.inclusive)),
    };
    let nodes = plan
        .nodes()
        .iter()
        .zip(&raw)
        .zip(times)
        .zip(costs)
        .zip(processes)
        .zip(&mut buffers);
    let nodes = nodes.map(|(((((node, raw), time), cost), processes), buffers)| {
        let (own, inclusive) = match (basis, time) {
            (Basis::Time(_), time) => {
                time.map_or((0.0, 0.0), |time| (time.own.0, time.inclusive.0))
            }
            (Basis::Cost(_), _) => (cost.own.0, cost.inclusive.0),
        };
        NodeMetrics {
            time,
            cost,
            self_share: share(own, basis.whole()),
            share: share(inclusive, basis.whole()),
            loops: raw.loops,
            processes,
            rows: raw.rows,
            estimate: rows::estimate(raw).filter(|_| !node.is_distributor()),
            removed: rows::removed(raw),
            buffers: buffers.take(),
            memory: memory::memory(node),
            relationship: raw.relationship,
            is_cte_scan: raw.node_type == Some(&NodeType::CteScan),
        }
    });
    Metrics {
        nodes: nodes.collect(),
        summary,
        basis,
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

impl Metrics {
    /// What the execution took beside its nodes, triggers and serialization; none where the time of
    /// the execution or of the nodes is not known.
    pub fn outside_nodes(&self) -> Option<Millis> {
        let root = self.nodes.first()?.time?.inclusive.0;
        let triggers: f64 = self.summary.triggers.iter().map(|it| it.time.0).sum();
        let serialization = self.summary.serialization.map_or(0.0, |it| it.time.0);
        let rest = self.summary.execution?.0 - root - triggers - serialization;
        Some(Millis(rest.max(0.0)))
    }

    /// The metrics of one node.
    pub fn node(&self, id: NodeId) -> &NodeMetrics {
        &self.nodes[id.0]
    }

    /// What a node takes by itself, in the unit of the [`Basis`].
    pub fn own(&self, id: NodeId) -> f64 {
        let node = self.node(id);
        match self.basis {
            Basis::Time(_) => node.time.map_or(0.0, |time| time.own.0),
            Basis::Cost(_) => node.cost.own.0,
        }
    }

    /// What a node takes with everything below it, in the unit of the [`Basis`].
    pub fn inclusive(&self, id: NodeId) -> f64 {
        let node = self.node(id);
        match self.basis {
            Basis::Time(_) => node.time.map_or(0.0, |time| time.inclusive.0),
            Basis::Cost(_) => node.cost.inclusive.0,
        }
    }

    /// The costliest nodes by what they take themselves: the fewest that make up `share` of the
    /// plan, at most `max`, costliest first.
    pub fn costliest(&self, share: f64, max: usize) -> Vec<NodeId> {
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        let own = |position: usize| self.nodes[position].self_share;
        order.sort_by(|a, b| own(*b).total_cmp(&own(*a)).then(a.cmp(b)));
        let mut reached = 0.0;
        let enough = |position: &usize| {
            let wanted = reached < share && own(*position) > 0.0;
            reached += own(*position);
            wanted
        };
        order
            .into_iter()
            .take(max)
            .take_while(enough)
            .map(NodeId)
            .collect()
    }
}

#[cfg(test)]
mod tests;
