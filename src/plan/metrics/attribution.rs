//! Which node the time and buffers of a node count to: nearly always the node above it. CTEs and
//! InitPlans are printed below one node and executed by another.
//!
//! 1. **A CTE** is printed below the top node of its query level, but it is executed when a CTE
//!    Scan fetches a row (src/backend/executor/nodeCtescan.c, `CteScanNext`), whose time and
//!    buffers include it. So it counts to the scans. Where the startup times do not tell which of
//!    several scans ran it, each gets a part in proportion to its own numbers, and no more than
//!    these.
//! 2. **An InitPlan** is executed when its value is first needed
//!    (src/backend/executor/nodeSubplan.c, `ExecSetParamPlan`). It counts to the node that has `$0`
//!    or `(InitPlan 1).col1` in a condition or in its output; when there is none, to the node above
//!    it.
//! 3. **A SubPlan** counts to the node above it, which executes it.
//!
//! Other programs: PEV2 (plan-service.ts at bc665c8) subtracts InitPlans nowhere, so the node that
//! waits for one shows its time as its own. Pg::Explain 0.20 (explain.depesz.com) subtracts each
//! where it is printed, so the node that waits shows it too, and the node above it becomes negative
//! and is set to zero. In both, the times no longer add up to the total.

use std::collections::{BTreeMap, HashMap};

use super::raw::RawNumbers;
use crate::plan::{Node, NodeId, NodeType, Plan, Relationship};

/// A CTE or InitPlan that counts to other nodes than its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The top of the CTE or InitPlan.
    pub producer: NodeId,
    /// The nodes that ran it.
    pub consumers: Vec<NodeId>,
}

/// The nodes that do not count to their parents, by the position of the producer.
pub type Attributions = BTreeMap<usize, Attribution>;

/// Finds the consumers of all CTEs and InitPlans.
pub(super) fn attributions(plan: &Plan, raw: &[RawNumbers<'_>]) -> Attributions {
    let init_plans = plan
        .nodes()
        .iter()
        .zip(raw)
        .filter(|(_, raw)| raw.relationship == Relationship::InitPlan);
    let producers: Vec<&Node> = init_plans.map(|(node, _)| node).collect();
    if producers.is_empty() {
        return Attributions::new();
    }
    let users = ConsumerIndex::of(plan, &producers);
    let end = subtree_ends(plan);
    let attribution = |producer: &&Node| {
        let consumers = users.of_producer(plan, producer, &end);
        let consumers = only_payer(plan, producer, raw, consumers);
        (!consumers.is_empty()).then_some((
            producer.id.0,
            Attribution {
                producer: producer.id,
                consumers,
            },
        ))
    };
    producers.iter().filter_map(attribution).collect()
}

/// Of several scans of a CTE, the one that ran all of it, when the startup times tell: it waited for
/// the CTE's first row, the others found the rows there.
fn only_payer(
    plan: &Plan,
    producer: &Node,
    raw: &[RawNumbers<'_>],
    consumers: Vec<NodeId>,
) -> Vec<NodeId> {
    let startup = |node: &Node| node.number("Actual Startup Time");
    let all = |id: NodeId| {
        let raw = raw.get(id.0)?;
        Some(raw.total_time? * raw.loops?)
    };
    let (Some(first_row), Some(whole)) = (startup(producer), all(producer.id)) else {
        return consumers;
    };
    let waited = |id: &&NodeId| startup(plan.node(**id)).is_some_and(|time| time >= first_row);
    let mut payers = consumers.iter().filter(waited);
    match (payers.next().copied(), payers.next()) {
        // Stopped before the end, it left the rest of the CTE to the others.
        (Some(payer), None) if first_row > 0.0 && all(payer).is_some_and(|all| all >= whole) => {
            vec![payer]
        }
        _ => consumers,
    }
}

/// For each node, the position after its last descendant: nodes lie in the order they are printed.
pub fn subtree_ends(plan: &Plan) -> Vec<usize> {
    let mut end: Vec<usize> = (1..=plan.nodes().len()).collect();
    for node in plan.nodes().iter().rev() {
        if let Some(NodeId(parent)) = node.parent {
            end[parent] = end[parent].max(end[node.id.0]);
        }
    }
    end
}

/// What each node takes by itself, in `N` measures at once: its inclusive numbers minus those of
/// the nodes that count to it, never below zero.
pub fn own<const N: usize>(
    plan: &Plan,
    attributions: &Attributions,
    inclusive: &[[f64; N]],
) -> Vec<[f64; N]> {
    let mut own = inclusive.to_vec();
    for node in plan.nodes() {
        let (NodeId(position), Some(NodeId(parent))) = (node.id, node.parent) else {
            continue;
        };
        let consumers = attributions
            .get(&position)
            .map_or(&[] as &[NodeId], |attribution| &attribution.consumers);
        for column in 0..N {
            let amount = inclusive[position][column];
            let together: f64 = consumers
                .iter()
                .map(|consumer| inclusive[consumer.0][column])
                .sum();
            if together > 0.0 {
                // A consumer cannot have waited longer than its own inclusive time.
                let rate = (amount / together).min(1.0);
                consumers.iter().for_each(|consumer| {
                    own[consumer.0][column] -= inclusive[consumer.0][column] * rate
                });
            } else {
                own[parent][column] -= amount;
            }
        }
    }
    own.iter_mut().flatten().for_each(|own| *own = own.max(0.0));
    own
}

/// Where CTE names and InitPlan values are used.
struct ConsumerIndex<'p> {
    scans: HashMap<&'p str, Vec<NodeId>>,
    in_conditions: HashMap<String, Vec<NodeId>>,
    in_output: HashMap<String, Vec<NodeId>>,
}

impl<'p> ConsumerIndex<'p> {
    fn of(plan: &'p Plan, producers: &[&Node]) -> Self {
        let mut users = ConsumerIndex {
            scans: HashMap::new(),
            in_conditions: HashMap::new(),
            in_output: HashMap::new(),
        };
        let values = producers.iter().any(|node| !is_cte(node));
        for node in plan.nodes() {
            if let Some(name) = node
                .cte_name()
                .filter(|_| *node.node_type() == NodeType::CteScan)
            {
                users.scans.entry(name).or_default().push(node.id);
            }
            if values {
                users.add_values(node);
            }
        }
        users
    }

    fn add_values(&mut self, node: &Node) {
        for (property, value) in node.properties.iter() {
            let users = match property {
                "Output" => &mut self.in_output,
                "Subplan Name" | "Alias" | "Relation Name" => continue,
                _ => &mut self.in_conditions,
            };
            for token in value.texts().flat_map(value_tokens) {
                let nodes = users.entry(token).or_default();
                if nodes.last() != Some(&node.id) {
                    nodes.push(node.id);
                }
            }
        }
    }

    fn of_producer(&self, plan: &Plan, producer: &Node, end: &[usize]) -> Vec<NodeId> {
        let name = producer.subplan_name().unwrap_or_default();
        if let Some(cte) = name.strip_prefix("CTE ") {
            return self.scans_of(plan, cte, producer, end);
        }
        let own_subtree = producer.id.0..end[producer.id.0];
        let Some(NodeId(home)) = producer.parent else {
            return Vec::new();
        };
        let users = |by_token: &HashMap<String, Vec<NodeId>>| {
            let found = value_tokens(name)
                .into_iter()
                .filter_map(|token| by_token.get(&token))
                .flatten();
            let inside = |user: &NodeId| {
                (home..end[home]).contains(&user.0) && !own_subtree.contains(&user.0)
            };
            let mut users: Vec<NodeId> = found.copied().filter(inside).collect();
            users.sort_unstable();
            users.dedup();
            lowest(&users, end)
        };
        let in_conditions = users(&self.in_conditions);
        if in_conditions.is_empty() {
            users(&self.in_output)
        } else {
            in_conditions
        }
    }

    /// The scans of a CTE: those of its name below its parent that do not belong to a nearer CTE of
    /// the same name.
    fn scans_of(&self, plan: &Plan, cte: &str, producer: &Node, end: &[usize]) -> Vec<NodeId> {
        let Some(NodeId(home)) = producer.parent else {
            return Vec::new();
        };
        let scans = self.scans.get(cte).map_or(&[] as &[NodeId], Vec::as_slice);
        let declared_below = |scan: &NodeId| {
            plan.ancestors(*scan)
                .take_while(|ancestor| ancestor.id.0 > home)
                .any(|ancestor| declares(plan, ancestor.id, cte))
        };
        let inside = |scan: &&NodeId| (home..end[home]).contains(&scan.0);
        scans
            .iter()
            .filter(inside)
            .filter(|scan| scans.len() == 1 || !declared_below(scan))
            .copied()
            .collect()
    }
}

fn declares(plan: &Plan, node: NodeId, cte: &str) -> bool {
    plan.children(node)
        .filter_map(Node::subplan_name)
        .any(|name| name.strip_prefix("CTE ") == Some(cte))
}

fn is_cte(node: &Node) -> bool {
    node.subplan_name()
        .is_some_and(|name| name.starts_with("CTE "))
}

/// Of nodes above each other only the lowest: it needs the value first, and the numbers of those
/// above include it.
fn lowest(sorted: &[NodeId], end: &[usize]) -> Vec<NodeId> {
    let next = sorted.iter().skip(1).map(Some).chain(std::iter::once(None));
    let lowest = sorted
        .iter()
        .zip(next)
        .filter(|(node, next)| next.is_none_or(|next| next.0 >= end[node.0]));
    lowest.map(|(node, _)| *node).collect()
}

/// The InitPlan values a text names: `$0` (before PostgreSQL 17), `InitPlan 1` (since).
fn value_tokens(text: &str) -> Vec<String> {
    const NAME: &str = "InitPlan ";
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let parameters = text
        .match_indices('$')
        .filter_map(|(at, _)| match digits(&text[at + 1..]) {
            0 => None,
            length => Some(text[at..=at + length].to_owned()),
        });
    let names = text.match_indices(NAME).map(|(at, _)| {
        let length = NAME.len() + digits(&text[at + NAME.len()..]);
        text[at..at + length].to_owned()
    });
    parameters.chain(names).collect()
}
