//! The time that each node takes by itself, from averages over loops and processes.
//!
//! `Actual Total Time` is the average of one loop, and below a Gather `Actual Loops` counts the
//! loops of all processes (leader and workers). The rules:
//! 1. Time × loops is what all processes spent in a node together; divided by the number of
//!    processes it is the mean time one of them spent there, which is wall-clock time. Means can be
//!    subtracted: the rest after the inputs is the node's own time.
//! 2. The number of processes is measured, not taken from `Workers Launched`: the loops of Gather's
//!    input per loop of Gather. This covers workers that came late and
//!    `parallel_leader_participation = off`.
//! 3. InitPlans below a Gather run in the leader alone, before the workers start.
//! 4. The bitmap of a *parallel* Bitmap Heap Scan is built by one process while the others wait for
//!    it (src/backend/executor/nodeBitmapHeapscan.c, `BitmapShouldInitializeSharedState`): its time
//!    counts in full.
//! 5. A node that was never executed took no time.
//! 6. Averages are rounded to a microsecond, and thousands of loops multiply the rounding: no input
//!    takes longer than the node that waits for it.
//!
//! Other programs: PEV2 (plan-service.ts at bc665c8) takes the time of a single loop for everything
//! below a Gather, which is wrong on the inner side of a nested loop there (thousands of loops a
//! process); Pg::Explain 0.20 (explain.depesz.com) multiplies by all loops, which makes parallel
//! parts take more time than there was.

use super::attribution::{self, Attributions};
use super::raw::RawNumbers;
use crate::model::Millis;
use crate::plan::{Node, NodeType, Plan, Relationship};

/// The wall-clock time of one node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeTime {
    /// Including everything it waited for.
    pub inclusive: Millis,
    /// By itself.
    pub own: Millis,
}

/// How many processes shared each node's loops.
pub(super) fn processes(plan: &Plan, raw: &[RawNumbers<'_>]) -> Vec<f64> {
    let mut processes: Vec<f64> = Vec::with_capacity(raw.len());
    for node in plan.nodes() {
        let of_node = match node.parent {
            Some(parent) => {
                let sides = (&raw[parent.0], &raw[node.id.0]);
                processes_below(plan.node(parent), sides, processes[parent.0])
            }
            None => 1.0,
        };
        processes.push(of_node);
    }
    processes
}

fn processes_below(
    parent: &Node,
    (above, below): (&RawNumbers<'_>, &RawNumbers<'_>),
    processes: f64,
) -> f64 {
    match above.node_type {
        Some(gather) if gather.is_gather() && below.relationship != Relationship::InitPlan => {
            match (below.loops, above.loops) {
                (Some(loops), Some(runs)) if runs > 0.0 => (loops / runs).max(1.0),
                _ => 1.0,
            }
        }
        Some(NodeType::BitmapHeapScan) if parent.is_parallel_aware() => 1.0,
        _ => processes,
    }
}

/// The time of every node; none where it was not measured.
pub(super) fn times(
    plan: &Plan,
    raw: &[RawNumbers<'_>],
    processes: &[f64],
    attributions: &Attributions,
) -> Vec<Option<NodeTime>> {
    let mut measured: Vec<Option<f64>> = Vec::with_capacity(raw.len());
    for ((node, raw), processes) in plan.nodes().iter().zip(raw).zip(processes) {
        let waits = node
            .parent
            .filter(|_| raw.relationship != Relationship::InitPlan);
        let max = waits
            .and_then(|parent| measured[parent.0])
            .unwrap_or(f64::INFINITY);
        measured.push(inclusive(raw, *processes).map(|time| time.min(max)));
    }
    if measured.iter().all(Option::is_none) {
        return vec![None; measured.len()];
    }
    let all: Vec<[f64; 1]> = measured.iter().map(|time| [time.unwrap_or(0.0)]).collect();
    let own = attribution::own(plan, attributions, &all);
    let times = measured.into_iter().zip(own);
    times
        .map(|(inclusive, [own])| {
            Some(NodeTime {
                inclusive: Millis(inclusive?),
                own: Millis(own),
            })
        })
        .collect()
}

fn inclusive(raw: &RawNumbers<'_>, processes: f64) -> Option<f64> {
    let loops = raw.loops?;
    match raw.total_time {
        Some(once) => Some(once * loops / processes),
        None => (loops == 0.0).then_some(0.0),
    }
}
