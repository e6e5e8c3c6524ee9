//! A node of a disabled type, which the planner used because there was no alternative.

use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use crate::plan::metrics::cost::is_penalised;
use crate::plan::{Node, NodeType};

pub(super) const RULE: Rule = Rule {
    name: "disabled-node",
    max_severity: Severity::Warning,
    looks_for: "a node of a kind that is switched off (Disabled since PostgreSQL 18, a cost from 10,000,000,000 on before)",
    why: "it was chosen because nothing else was possible; the plan's costs say little",
    source: "https://www.postgresql.org/docs/current/runtime-config-query.html#RUNTIME-CONFIG-QUERY-ENABLE",
    check: Check::Node(&[], check),
};

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let said = node.flag("Disabled") == Some(true);
    // Redshift adds the same number to sorts that it does on the leader.
    let is_of_redshift = node.title().starts_with("XN ");
    if !said && (is_of_redshift || !is_penalised(subject.plan, node)) {
        return None;
    }
    let impact = subject.inclusive(node.id);
    let setting = setting(node);
    let (off, action) = match setting {
        Some(setting) => (
            format!("{setting} is off"),
            Some(format!("RESET {setting};")),
        ),
        None => ("it is switched off".to_owned(), None),
    };
    let message = format!(
        "{} was used although {off}: there was no other way{} ({}).",
        node.title(),
        if said {
            ""
        } else {
            "; its cost holds a penalty of 10,000,000,000, which is left out of the shares here"
        },
        subject.impact_text(impact)
    );
    Some(Draft::new(node, impact, message).action(action))
}

fn setting(node: &Node) -> Option<&'static str> {
    Some(match node.node_type() {
        NodeType::SeqScan => "enable_seqscan",
        NodeType::IndexScan => "enable_indexscan",
        NodeType::IndexOnlyScan => "enable_indexonlyscan",
        NodeType::BitmapHeapScan => "enable_bitmapscan",
        NodeType::TidScan | NodeType::TidRangeScan => "enable_tidscan",
        NodeType::Sort => "enable_sort",
        NodeType::IncrementalSort => "enable_incremental_sort",
        NodeType::NestedLoop => "enable_nestloop",
        NodeType::HashJoin => "enable_hashjoin",
        NodeType::MergeJoin => "enable_mergejoin",
        NodeType::Materialize => "enable_material",
        NodeType::Aggregate if matches!(node.strategy(), Some("Hashed" | "Mixed")) => {
            "enable_hashagg"
        }
        NodeType::GatherMerge => "enable_gathermerge",
        _ => return None,
    })
}
