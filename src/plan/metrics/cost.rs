//! The cost of each node by itself, computed from the planner's numbers so that all add up to the
//! plan's total.
//!
//! A node's `Total Cost` is for one complete execution. Its share of the plan's cost may be
//! 1. **Less**, where the node above stops early (LIMIT, a merge join, a semi-join): inputs are
//!    scaled down together, so that they do not exceed the cost of the node above.
//! 2. **More**, on the inner side of a nested loop (once for each row of the outer side) and for
//!    SubPlans (once for each row, twice the rows that pass when it is in the filter: the planner
//!    expects half to pass). Rescans may be cheaper than the first scan, so repeated inputs never
//!    get more than what is left of the node above.
//! 3. The input of a Materialize is executed once, however often it is read again.
//! 4. InitPlans and CTEs are in the cost of the node above them
//!    (src/backend/optimizer/plan/subselect.c, `SS_attach_initplans`).
//! 5. Before PostgreSQL 18 a disabled node carries a penalty of 10 000 000 000
//!    (src/backend/optimizer/path/costsize.c, `disable_cost`), which hides all other costs. It is
//!    subtracted here; the plan keeps the server's number.

use super::raw::RawNumbers;
use crate::model::Cost;
use crate::plan::{Node, NodeId, NodeType, Plan, Property, Relationship};

/// Penalty of one disabled node before PostgreSQL 18.
pub const DISABLE_COST: f64 = 1.0e10;

/// The cost of one node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeCost {
    /// Its share of the plan's cost with everything below it, all executions.
    pub inclusive: Cost,
    /// By itself.
    pub own: Cost,
}

/// The cost of every node.
pub(super) fn costs(plan: &Plan, raw: &[RawNumbers<'_>]) -> Vec<NodeCost> {
    let totals = totals_without_penalty(plan, raw);
    let mut inclusive = vec![0.0; totals.len()];
    let mut own = vec![0.0; totals.len()];
    // How much of one complete execution is in the plan, and how much of its input when that runs
    // only once.
    let mut scale = vec![1.0; totals.len()];
    let mut once = vec![1.0; totals.len()];
    inclusive[0] = totals[0];
    for node in plan.nodes() {
        let position = node.id.0;
        let factor = if raw[position].node_type == Some(&NodeType::Materialize) {
            once[position]
        } else {
            scale[position]
        };
        let mut left = inclusive[position];
        for (NodeId(child), claim) in claims(plan, node, raw, &totals) {
            inclusive[child] = (claim * factor).min(left.max(0.0));
            left -= inclusive[child];
            scale[child] = if totals[child] > 0.0 {
                inclusive[child] / totals[child]
            } else {
                factor
            };
            once[child] = scale[child].min(factor);
        }
        own[position] = left.max(0.0);
    }
    inclusive
        .into_iter()
        .zip(own)
        .map(|(all, own)| NodeCost {
            inclusive: Cost(all),
            own: Cost(own),
        })
        .collect()
}

/// What each input takes of one execution of the node.
fn claims(plan: &Plan, node: &Node, raw: &[RawNumbers<'_>], totals: &[f64]) -> Vec<(NodeId, f64)> {
    let total = totals[node.id.0];
    let claims = node
        .children
        .iter()
        .map(|child| (*child, totals[child.0], repeats(plan, node, *child, raw)));
    let claims: Vec<(NodeId, f64, f64)> = claims.collect();
    let single: f64 = claims
        .iter()
        .filter(|(_, _, repeats)| *repeats <= 1.0)
        .map(|(_, cost, _)| cost)
        .sum();
    let repeated: f64 = claims
        .iter()
        .filter(|(_, _, repeats)| *repeats > 1.0)
        .map(|(_, cost, n)| cost * n)
        .sum();
    let single_scale = if single > total { total / single } else { 1.0 };
    let left = (total - single * single_scale).max(0.0);
    let repeated_scale = if repeated > left {
        left / repeated
    } else {
        1.0
    };
    let share = |(child, cost, repeats): (NodeId, f64, f64)| {
        (
            child,
            if repeats > 1.0 {
                cost * repeats * repeated_scale
            } else {
                cost * single_scale
            },
        )
    };
    claims.into_iter().map(share).collect()
}

/// How often the planner expects an input to run for one execution of the node.
fn repeats(plan: &Plan, node: &Node, child: NodeId, raw: &[RawNumbers<'_>]) -> f64 {
    match (raw[child.0].relationship, raw[node.id.0].node_type) {
        (Relationship::Inner, Some(NodeType::NestedLoop)) => {
            // InitPlans are printed before the inputs.
            let outer = node
                .children
                .iter()
                .find(|child| raw[child.0].relationship == Relationship::Input);
            outer
                .and_then(|outer| raw[outer.0].plan_rows)
                .unwrap_or(1.0)
        }
        (Relationship::SubPlan, _) => subplan_calls(node, plan.node(child)),
        _ => 1.0,
    }
}

/// A hashed SubPlan runs once; any other for each row.
fn subplan_calls(node: &Node, child: &Node) -> f64 {
    let name = child.subplan_name().unwrap_or("SubPlan");
    let filter = node.filter().unwrap_or_default();
    if is_hashed_subplan(node, child) {
        return 1.0;
    }
    let rows = node.plan_rows().unwrap_or(1.0);
    if filter.contains(name) {
        2.0 * rows
    } else {
        rows
    }
}

/// Does the node keep the SubPlan's rows in a hash table (`hashed SubPlan 1` in one of its
/// expressions)?
pub fn is_hashed_subplan(node: &Node, child: &Node) -> bool {
    let Some(name) = child.subplan_name() else {
        return false;
    };
    let hashed = format!("hashed {name}");
    let names_it = |text: &str| {
        text.match_indices(&hashed)
            .any(|(at, _)| !text[at + hashed.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    node.properties
        .values()
        .flat_map(Property::texts)
        .any(names_it)
}

/// Total costs, without the penalties of disabled nodes.
fn totals_without_penalty(plan: &Plan, raw: &[RawNumbers<'_>]) -> Vec<f64> {
    let totals = raw.iter().map(|node| node.total_cost);
    let mut suspects = raw
        .iter()
        .zip(plan.nodes())
        .filter(|(raw, _)| raw.startup_cost >= Some(DISABLE_COST));
    if suspects.any(|(_, node)| is_penalised(plan, node)) {
        totals.map(without_penalty).collect()
    } else {
        totals.collect()
    }
}

/// Is this node itself disabled, on a server before 18? Then its startup cost is above the penalty,
/// and no input's cost is.
pub fn is_penalised(plan: &Plan, node: &Node) -> bool {
    node.startup_cost().is_some_and(|cost| cost >= DISABLE_COST)
        && plan
            .children(node.id)
            .all(|child| child.total_cost().0 < DISABLE_COST)
}

/// The cost without its penalties, of which a cost may hold several.
pub fn without_penalty(cost: f64) -> f64 {
    if cost >= DISABLE_COST {
        cost % DISABLE_COST
    } else {
        cost
    }
}
