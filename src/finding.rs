//! Findings about a plan, each from one rule, ranked by the time or cost they account for.
//!
//! Each rule is a file with its metadata; `fixtures/findings/RULE` has plans with and without its
//! finding. Rules read the plan, its [`metrics`] and, when there is one, the catalog; they change
//! nothing and query no server. Findings below the thresholds of `src/finding/threshold.rs` are not
//! reported.

mod advice;
mod ancestry;
mod distance;
mod fixed_expression;
mod index_proposal;
mod internal;
mod misestimate;
mod partitions;
mod rule;
mod subject;
mod threshold;
mod waste;

mod blocks_per_row;
mod correlated_columns;
mod correlated_subquery;
mod disabled_node;
mod foreign_filter;
mod function_per_row;
mod hash_aggregate_spilled;
mod hash_batches;
mod heap_fetches;
mod index_filter;
mod jit_dominates;
mod join_reads_all;
mod large_offset;
mod leading_wildcard;
mod limit_over_sort;
mod lock_wait;
mod lossy_bitmap;
mod many_index_searches;
mod materialize_rescans;
mod memoize_misses;
mod nearest_without_index;
mod not_in_subquery;
mod or_over_join;
mod or_prevents_index;
mod planning_dominates;
mod recheck_removes_rows;
mod repeated_cte_scan;
mod repeated_scan;
mod row_misestimate;
mod selective_seq_scan;
mod serialization_dominates;
mod sort_by_index;
mod sort_spilled;
mod stale_statistics;
mod time_outside_nodes;
mod trigger_dominates;
mod unpruned_partitions;
mod unserved_filter;
mod waits_for_reads;
mod worker_skew;
mod workers_not_launched;
mod wrapped_column;
mod wrong_order_index;

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::model::{Cost, Millis};
use crate::plan::metrics::{Basis, Metrics, metrics};
use crate::plan::{Node, NodeId, NodeType, Plan};

use rule::{Check, Draft, NodeCheck};
use subject::Subject;
use threshold::is_reportable;

pub use index_proposal::proposed_index;
pub use rule::{Rule, Severity};
pub use threshold::{CRITICAL_SHARE, WARNING_SHARE};

/// The most that could be saved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Impact {
    /// Measured.
    Time(Millis),
    /// Estimated by the planner.
    Cost(Cost),
}

impl std::fmt::Display for Impact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Impact::Time(time) => write!(formatter, "{time}"),
            Impact::Cost(cost) => write!(formatter, "cost {cost}"),
        }
    }
}

/// The result of one rule about one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// Its severity in this plan.
    pub severity: Severity,
    /// The node it is about.
    pub node: NodeId,
    /// The problem and its effect, with the numbers. Names in it come from the plan, so a caller
    /// that prints it must escape control characters.
    pub message: String,
    /// What to do: SQL to run, where there is one.
    pub action: Option<String>,
    /// The time or cost it is about.
    pub impact: Impact,
    /// `impact` as a share of the plan, 0 to 1.
    pub share: f64,
}

/// All rules, in the order of their names.
pub const RULES: &[Rule] = &[
    blocks_per_row::RULE,
    correlated_columns::RULE,
    correlated_subquery::RULE,
    disabled_node::RULE,
    foreign_filter::RULE,
    function_per_row::RULE,
    hash_aggregate_spilled::RULE,
    hash_batches::RULE,
    heap_fetches::RULE,
    index_filter::RULE,
    jit_dominates::RULE,
    join_reads_all::RULE,
    large_offset::RULE,
    leading_wildcard::RULE,
    limit_over_sort::RULE,
    lock_wait::RULE,
    lossy_bitmap::RULE,
    many_index_searches::RULE,
    materialize_rescans::RULE,
    memoize_misses::RULE,
    nearest_without_index::RULE,
    not_in_subquery::RULE,
    or_over_join::RULE,
    or_prevents_index::RULE,
    planning_dominates::RULE,
    recheck_removes_rows::RULE,
    repeated_cte_scan::RULE,
    repeated_scan::RULE,
    row_misestimate::RULE,
    selective_seq_scan::RULE,
    serialization_dominates::RULE,
    sort_by_index::RULE,
    sort_spilled::RULE,
    stale_statistics::RULE,
    time_outside_nodes::RULE,
    trigger_dominates::RULE,
    unpruned_partitions::RULE,
    unserved_filter::RULE,
    waits_for_reads::RULE,
    worker_skew::RULE,
    workers_not_launched::RULE,
    wrapped_column::RULE,
    wrong_order_index::RULE,
];

/// All findings about a plan, highest impact first.
pub fn findings(plan: &Plan, catalog: Option<&Catalog>) -> Vec<Finding> {
    findings_with(plan, &metrics(plan), catalog)
}

/// As [`findings`], for callers that have the metrics already.
pub fn findings_with(plan: &Plan, metrics: &Metrics, catalog: Option<&Catalog>) -> Vec<Finding> {
    let subject = Subject::new(plan, metrics, catalog);
    let finding_of = |(rule, draft): (&Rule, Draft)| {
        finding_of(rule, with_partition_count(&subject, draft), metrics.basis)
    };
    let mut findings: Vec<Finding> = drafts(&subject)
        .into_iter()
        .filter_map(finding_of)
        .collect();
    let saved = shares_without_compilation(&findings);
    findings.sort_by(|a, b| {
        saved(b)
            .total_cmp(&saved(a))
            .then(b.share.total_cmp(&a.share))
            .then(b.severity.cmp(&a.severity))
            .then(a.node.cmp(&b.node))
            .then(a.rule.cmp(b.rule))
    });
    findings
}

/// What each finding could save at most while the plan is still compiled: the times of nodes contain
/// JIT compilation, which only its own finding takes away.
fn shares_without_compilation(findings: &[Finding]) -> impl Fn(&Finding) -> f64 + use<> {
    let jit = jit_dominates::RULE.name;
    let compilation = findings.iter().find(|finding| finding.rule == jit);
    let left = 1.0 - compilation.map_or(0.0, |finding| finding.share);
    move |finding| {
        if finding.rule == disabled_node::RULE.name {
            // There was no other way: switching it on changes nothing.
            0.0
        } else if finding.rule == jit {
            finding.share
        } else {
            finding.share.min(left)
        }
    }
}

/// What the rules find, unsorted.
fn drafts(subject: &Subject<'_>) -> Vec<(&'static Rule, Draft)> {
    let mut drafts: Vec<(&'static Rule, Draft)> = Vec::new();
    let rules = NodeRules::new();
    let is_costly_enough =
        |node: &&Node| subject.is_reportable(subject.inclusive(node.id).max(subject.own(node.id)));
    for node in subject.plan.nodes().iter().filter(is_costly_enough) {
        for (rule, check) in rules.of(node) {
            drafts.extend(check(subject, node).map(|draft| (rule, draft)));
        }
    }
    drafts.extend(unexplained(subject, &drafts));
    for rule in RULES {
        if let Check::Plan(check) = rule.check {
            drafts.extend(check(subject).into_iter().map(|draft| (rule, draft)));
        }
    }
    let about = |draft: &Draft| internal::of_extension(subject, draft.clone());
    drafts
        .into_iter()
        .filter_map(|(rule, draft)| Some((rule, about(&draft)?)))
        .collect()
}

/// What the rules for the rest find: about nodes whose waste no other rule explains.
fn unexplained(
    subject: &Subject<'_>,
    found: &[(&'static Rule, Draft)],
) -> Vec<(&'static Rule, Draft)> {
    let explained: Vec<NodeId> = found
        .iter()
        .filter(|(rule, _)| unserved_filter::EXPLAINING.contains(&rule.name))
        .map(|(_, draft)| draft.node)
        .collect();
    let mut drafts = Vec::new();
    for rule in RULES {
        let Check::Rest(types, check) = rule.check else {
            continue;
        };
        let nodes = subject.plan.nodes().iter().filter(|node| {
            types.contains(node.node_type())
                && !explained.contains(&node.id)
                && subject.is_reportable(subject.own(node.id))
        });
        let of_rule = nodes.filter_map(|node| Some((rule, check(subject, node)?)));
        // What another node's finding asks for already (the scan of a correlated subquery).
        let is_asked_for = |draft: &Draft| {
            let same = |(_, other): &(&Rule, Draft)| other.action == draft.action;
            draft.action.is_some() && found.iter().any(same)
        };
        drafts.extend(of_rule.filter(|(_, draft)| !is_asked_for(draft)));
    }
    drafts
}

/// Adds the number of similar partitions to the message of a finding about a partition.
fn with_partition_count(subject: &Subject<'_>, draft: Draft) -> Draft {
    match subject.other_partitions(draft.node) {
        Some(others) => {
            let message = format!(
                "{} The same goes for {others} more partitions.",
                draft.message
            );
            let action = draft
                .action
                .and_then(|action| subject.for_all_partitions(draft.node, action));
            Draft {
                message,
                action,
                ..draft
            }
        }
        None => draft,
    }
}

/// The rules that check single nodes, by the type of node they check.
struct NodeRules {
    by_type: HashMap<&'static NodeType, Vec<(&'static Rule, NodeCheck)>>,
    of_any_type: Vec<(&'static Rule, NodeCheck)>,
}

impl NodeRules {
    fn new() -> NodeRules {
        let mut rules = NodeRules {
            by_type: HashMap::new(),
            of_any_type: Vec::new(),
        };
        for rule in RULES {
            let Check::Node(types, check) = rule.check else {
                continue;
            };
            for node_type in types {
                let of_type = rules.by_type.entry(node_type).or_default();
                of_type.push((rule, check));
            }
            if types.is_empty() {
                rules.of_any_type.push((rule, check));
            }
        }
        rules
    }

    fn of(&self, node: &Node) -> impl Iterator<Item = (&'static Rule, NodeCheck)> {
        let of_type = self.by_type.get(node.node_type()).into_iter().flatten();
        of_type.chain(&self.of_any_type).copied()
    }
}

fn finding_of(rule: &Rule, draft: Draft, basis: Basis) -> Option<Finding> {
    if !is_reportable(draft.impact, basis) {
        return None;
    }
    let share = (draft.impact / basis.whole()).clamp(0.0, 1.0);
    let severity = match share {
        share if share >= CRITICAL_SHARE => Severity::Critical,
        share if share >= WARNING_SHARE => Severity::Warning,
        _ => Severity::Info,
    };
    let impact = match basis {
        Basis::Time(_) => Impact::Time(Millis(draft.impact)),
        Basis::Cost(_) => Impact::Cost(Cost(draft.impact)),
    };
    let Draft {
        node,
        message,
        action,
        ..
    } = draft;
    Some(Finding {
        rule: rule.name,
        severity: severity.min(rule.max_severity),
        node,
        message,
        action,
        impact,
        share,
    })
}

#[cfg(test)]
mod tests;
