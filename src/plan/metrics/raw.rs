//! The numbers that metrics are computed from, read from each node's properties in one pass.
//!
//! Looking up forty names one by one costs more than all the arithmetic: the properties of a large
//! plan do not fit into the processor's caches, so each look-up reads main memory again.

use crate::plan::{Node, NodeType, Plan, Property, Relationship};

/// How many kinds of blocks and times are counted, in the order of the fields of
/// [`super::Buffers`].
pub(super) const COUNTERS: usize = 11;

/// The numbers of one node as the server printed them.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawNumbers<'p> {
    pub(crate) node_type: Option<&'p NodeType>,
    pub(crate) relationship: Relationship,
    pub(crate) loops: Option<f64>,
    pub(crate) total_time: Option<f64>,
    pub(crate) rows: Option<f64>,
    pub(crate) plan_rows: Option<f64>,
    pub(crate) startup_cost: Option<f64>,
    pub(crate) total_cost: f64,
    pub(crate) removed_by_filter: f64,
    pub(crate) removed_by_join_filter: f64,
    pub(crate) removed_by_recheck: f64,
    /// As [`COUNTERS`] lists them; none without BUFFERS.
    pub(crate) counters: Option<[f64; COUNTERS]>,
}

/// Of every node, in the plan's order.
pub(crate) fn raw_numbers(plan: &Plan) -> Vec<RawNumbers<'_>> {
    plan.nodes().iter().map(of_node).collect()
}

fn of_node(node: &Node) -> RawNumbers<'_> {
    let mut raw = RawNumbers::default();
    for (property, value) in node.properties.iter() {
        match value {
            Property::Number(number) => {
                if let Some(number) = number.as_f64() {
                    take_number(&mut raw, property, number);
                }
            }
            Property::NodeType(node_type) => raw.node_type = Some(node_type),
            Property::Text(text) if property == "Parent Relationship" => {
                raw.relationship = Relationship::parse(text);
            }
            _ => {}
        }
    }
    raw
}

fn take_number(raw: &mut RawNumbers<'_>, property: &str, number: f64) {
    match property.as_bytes().first() {
        Some(b'A') => match property {
            "Actual Loops" => raw.loops = Some(number),
            "Actual Total Time" => raw.total_time = Some(number),
            "Actual Rows" => raw.rows = Some(number),
            _ => {}
        },
        Some(b'P') if property == "Plan Rows" => raw.plan_rows = Some(number),
        Some(b'R') => match property {
            "Rows Removed by Filter" => raw.removed_by_filter = number,
            "Rows Removed by Join Filter" => raw.removed_by_join_filter = number,
            "Rows Removed by Index Recheck" => raw.removed_by_recheck = number,
            _ => {}
        },
        Some(b'S') if property == "Startup Cost" => raw.startup_cost = Some(number),
        Some(b'T') if property == "Total Cost" => raw.total_cost = number,
        Some(b'S' | b'L' | b'T' | b'I') => take_counter(raw, property, number),
        _ => {}
    }
}

fn take_counter(raw: &mut RawNumbers<'_>, property: &str, number: f64) {
    let column = match property {
        "Shared Hit Blocks" => 0,
        "Shared Read Blocks" => 1,
        "Shared Dirtied Blocks" => 2,
        "Shared Written Blocks" => 3,
        "Local Hit Blocks" => 4,
        "Local Read Blocks" => 5,
        "Local Dirtied Blocks" => 6,
        "Local Written Blocks" => 7,
        "Temp Read Blocks" => 8,
        "Temp Written Blocks" => 9,
        // Until 16 `I/O Read Time` covers shared and local blocks; since 17 each kind has its own.
        "I/O Read Time" | "Shared I/O Read Time" | "Local I/O Read Time" => 10,
        _ => return,
    };
    raw.counters.get_or_insert_default()[column] += number;
}
