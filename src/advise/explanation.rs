//! A recommendation explains itself in two sentences: what the planner does now and will do for whom, and what it costs.

use super::advice::Benefit;
use super::proof::Proved;
use crate::model::{Millis, QualifiedName, factor_text};
use crate::plan::{Node, Plan};
use crate::rehearsal::{Evidence, NamedIndex, uses};
use crate::workload::StatementId;

/// The two sentences. `plans` gives a statement's plans without and with the recommended set, `times` how long it took if it was
/// executed.
pub(super) fn of<'p>(
    index: &NamedIndex,
    proved: &Proved,
    benefits: &[Benefit],
    all: &[Proved],
    plans: impl Fn(&StatementId) -> (Option<&'p Plan>, Option<&'p Plan>),
    times: impl Fn(&StatementId) -> Option<(Millis, Millis)>,
) -> String {
    let most_gained = |a: &&Benefit, b: &&Benefit| a.before.factor_to(a.after).total_cmp(&b.before.factor_to(b.after));
    let Some(best) = benefits.iter().max_by(most_gained) else { return String::new() };
    let (before, after) = plans(&best.statement);
    let now = before.map_or_else(String::new, |plan| access_paths(plan, &index.index.table));
    let then = after.map_or_else(String::new, |plan| path_of_index(plan, proved));
    let together = after.map_or_else(String::new, |plan| used_beside(plan, proved, all));
    let others = match benefits.len() - 1 {
        0 => String::new(),
        1 => " and one more statement".to_owned(),
        more => format!(" and {more} more statements"),
    };
    let factor = factor_text(best.before.factor_to(best.after));
    let executed = times(&best.statement).map(|(before, after)| format!("; executed, {before} → {after}"));
    let gain = format!(
        "For {}{others} the planner replaces {now} by {then} of this index{together}: cost {} → {}, {factor} lower{}.",
        best.statement,
        best.before,
        best.after,
        executed.unwrap_or_default()
    );
    let size = match (proved.evidence, &proved.not_built) {
        (Evidence::RolledBackTransaction, _) => {
            format!("It takes {} and was built in {}", proved.build.size, proved.build.build_time)
        }
        (Evidence::PlannerTwin, Some(refusal)) => {
            format!("It will take about {}; only the planner twin has seen it ({})", proved.build.size, refusal.detail)
        }
        (Evidence::PlannerTwin, None) => {
            format!("It will take about {}; only the planner twin has seen it", proved.build.size)
        }
    };
    let rows = if index.index.predicate.is_some() { " of a row that satisfies its predicate" } else { "" };
    format!("{gain} {size}; every write to {}{rows} has to keep it up to date.", index.index.table)
}

/// How a plan reads a table, in the words of EXPLAIN: `Sort over Seq Scan`.
fn access_paths(plan: &Plan, table: &QualifiedName) -> String {
    let reads = |node: &&Node| {
        node.text("Relation Name").is_some()
            && node.text("Schema") == Some(&table.schema)
            && node.text("Relation Name") == Some(&table.name)
    };
    let Some(node) = plan.nodes().iter().find(reads) else { return "its present access path".to_owned() };
    let sorted = ancestors(plan, node).find(|node| matches!(node.node_type(), "Sort" | "Incremental Sort"));
    let with_index = match node.index_name() {
        Some(index) => format!("{} using {index}", node.operation()),
        None => node.operation(),
    };
    match sorted {
        Some(sort) => format!("{} over {with_index}", sort.operation()),
        None => with_index,
    }
}

/// A gain that several new indexes made together is not one's own.
fn used_beside(plan: &Plan, proved: &Proved, all: &[Proved]) -> String {
    let others: Vec<&str> = all
        .iter()
        .filter(|other| other.trial != proved.trial && uses(plan, &other.build))
        .filter_map(|other| other.build.names.first().map(String::as_str))
        .collect();
    if others.is_empty() { String::new() } else { format!(", together with {}", others.join(" and ")) }
}

fn path_of_index(plan: &Plan, proved: &Proved) -> String {
    let reads = |node: &&Node| node.index_name().is_some_and(|name| proved.build.names.contains(name));
    plan.nodes().iter().find(reads).map_or_else(|| "a scan".to_owned(), Node::operation)
}

fn ancestors<'p>(plan: &'p Plan, node: &'p Node) -> impl Iterator<Item = &'p Node> {
    std::iter::successors(node.parent.map(|id| plan.node(id)), |node| node.parent.map(|id| plan.node(id)))
}
