//! A recommendation explains itself in two sentences: what the planner does now and will do for whom, and what it costs.

use super::advice::Benefit;
use super::verification::VerifiedIndex;
use crate::catalog::ExistingIndex;
use crate::model::{Millis, QualifiedName, factor_text};
use crate::plan::{Node, NodeType, Plan};
use crate::rehearsal::{Evidence, NamedIndex, uses};
use crate::sql::parse_expression;
use crate::workload::StatementId;

/// The two sentences. `plans` gives a statement's plans without and with the recommended set, `times` how long it took if it was
/// executed.
pub(super) fn of<'p>(
    index: &NamedIndex,
    verified: &VerifiedIndex,
    benefits: &[Benefit],
    all: &[VerifiedIndex],
    plans: impl Fn(&StatementId) -> (Option<&'p Plan>, Option<&'p Plan>),
    times: impl Fn(&StatementId) -> Option<(Millis, Millis)>,
) -> String {
    let most_gained = |a: &&Benefit, b: &&Benefit| {
        a.before
            .factor_to(a.after)
            .total_cmp(&b.before.factor_to(b.after))
    };
    let Some(best) = benefits.iter().max_by(most_gained) else {
        return String::new();
    };
    let (before, after) = plans(&best.statement);
    let now = before.map_or_else(String::new, |plan| {
        access_paths(plan, &index.definition.table)
    });
    let then = after.map_or_else(String::new, |plan| path_of_index(plan, verified));
    let part = after.map_or_else(String::new, |after| {
        part_served(index, verified, before, after)
    });
    let together = after.map_or_else(String::new, |plan| used_beside(plan, verified, all));
    let others = match benefits.len() - 1 {
        0 => String::new(),
        1 => " and one more statement".to_owned(),
        more => format!(" and {more} more statements"),
    };
    let factor = factor_text(best.before.factor_to(best.after));
    let executed =
        times(&best.statement).map(|(before, after)| format!("; executed, {before} → {after}"));
    let gain = format!(
        "For {}{others} the planner replaces {now} by {then} of this index{part}{together}: cost {} → {}, {factor} lower{}.",
        best.statement,
        best.before,
        best.after,
        executed.unwrap_or_default()
    );
    let size = match (verified.evidence, &verified.not_built) {
        (Evidence::RolledBackTransaction, _) => {
            format!(
                "It takes {} and was built in {}",
                verified.build.size, verified.build.build_time
            )
        }
        (Evidence::PlannerTwin, Some(refusal)) => {
            format!(
                "It will take about {}; only the planner twin has seen it ({})",
                verified.build.size, refusal.detail
            )
        }
        (Evidence::PlannerTwin, None) => {
            format!(
                "It will take about {}; only the planner twin has seen it",
                verified.build.size
            )
        }
    };
    let rows = if index.definition.predicate.is_some() {
        " of a row that satisfies its predicate"
    } else {
        ""
    };
    format!(
        "{gain} {size}; every write to {}{rows} has to keep it up to date.",
        index.definition.table
    )
}

/// ` It replaces public.t_a_idx (12 MB), which can then be dropped.`, or nothing.
pub(super) fn replaced(indexes: &[&ExistingIndex]) -> String {
    let named: Vec<String> = indexes
        .iter()
        .map(|index| format!("{} ({})", index.name, index.size))
        .collect();
    match named.as_slice() {
        [] => String::new(),
        [one] => format!(" It replaces {one}, which can then be dropped."),
        several => format!(
            " It replaces {}, which can then be dropped.",
            several.join(" and ")
        ),
    }
}

/// How a plan reads a table, in the words of EXPLAIN: `Sort over Seq Scan`.
fn access_paths(plan: &Plan, table: &QualifiedName) -> String {
    let Some(node) = read_of(plan, table) else {
        return "its present access path".to_owned();
    };
    let sorted = plan
        .ancestors(node.id)
        .find(|node| node.node_type().is_sort());
    let with_index = match node.index_name() {
        Some(index) => format!("{} using {index}", node.operation()),
        None => node.operation(),
    };
    match sorted {
        Some(sort) => format!("{} over {with_index}", sort.operation()),
        None => with_index,
    }
}

/// What of the statement it answers: `, for its conditions on a and b and its order, among the rows where …`.
fn part_served(
    index: &NamedIndex,
    verified: &VerifiedIndex,
    before: Option<&Plan>,
    after: &Plan,
) -> String {
    let reads = |node: &&Node| {
        node.index_name()
            .is_some_and(|name| verified.build.names.contains(name))
    };
    let Some(node) = after.nodes().iter().find(reads) else {
        return String::new();
    };
    let columns = node
        .index_cond()
        .and_then(|text| parse_expression(text).ok())
        .map(|condition| condition.columns);
    let columns: Vec<String> = columns.into_iter().flatten().collect();
    let sorts = |plan: &Plan, node: &Node| {
        plan.ancestors(node.id)
            .any(|node| *node.node_type() == NodeType::Sort)
    };
    let was_sorted = before.is_some_and(|plan| {
        read_of(plan, &index.definition.table).is_some_and(|node| sorts(plan, node))
    });
    let in_order =
        was_sorted && !sorts(after, node) && *node.node_type() != NodeType::BitmapIndexScan;
    let conditions = match columns.as_slice() {
        [] => None,
        [one] => Some(format!("its condition on {one}")),
        [most @ .., last] => Some(format!("its conditions on {} and {last}", most.join(", "))),
    };
    let parts: Vec<String> = conditions
        .into_iter()
        .chain(in_order.then(|| "its order".to_owned()))
        .collect();
    let served = if parts.is_empty() {
        String::new()
    } else {
        format!(", for {}", parts.join(" and "))
    };
    let rows = index.definition.predicate.as_ref().map(|predicate| {
        format!(
            ", among the rows where {}",
            predicate.text_without_parentheses()
        )
    });
    served + &rows.unwrap_or_default()
}

/// The node that reads this table.
fn read_of<'p>(plan: &'p Plan, table: &QualifiedName) -> Option<&'p Node> {
    plan.nodes().iter().find(|node| {
        node.relation_name().is_some()
            && node.text("Schema") == Some(&table.schema)
            && node.relation_name() == Some(&table.name)
    })
}

/// A gain that several new indexes made together is not one's own.
fn used_beside(plan: &Plan, verified: &VerifiedIndex, all: &[VerifiedIndex]) -> String {
    let others: Vec<&str> = all
        .iter()
        .filter(|other| other.trial != verified.trial && uses(plan, &other.build))
        .filter_map(|other| other.build.names.first().map(String::as_str))
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!(", together with {}", others.join(" and "))
    }
}

fn path_of_index(plan: &Plan, verified: &VerifiedIndex) -> String {
    let reads = |node: &&Node| {
        node.index_name()
            .is_some_and(|name| verified.build.names.contains(name))
    };
    plan.nodes()
        .iter()
        .find(reads)
        .map_or_else(|| "a scan".to_owned(), Node::operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::parse_index;
    use crate::model::{Bytes, Millis};
    use crate::rehearsal::Build;
    use serde_json::{Value, json};

    fn plan(root: &Value) -> Plan {
        Plan::from_json(json!({ "Plan": root })).unwrap()
    }

    fn served(definition: &str, after: &Value) -> String {
        let index = NamedIndex {
            name: "i".to_owned(),
            definition: parse_index(definition).unwrap(),
        };
        let build = Build {
            names: ["i".to_owned()].into(),
            body: String::new(),
            size: Bytes(1),
            build_time: Millis(1.0),
            usable: true,
        };
        let verified = VerifiedIndex {
            trial: 0,
            build,
            write_block: Millis(1.0),
            evidence: Evidence::RolledBackTransaction,
            not_built: None,
            predicted: None,
        };
        let scan = json!({"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "jobs", "Total Cost": 9.0});
        let before = plan(&json!({"Node Type": "Sort", "Total Cost": 10.0, "Plans": [scan]}));
        part_served(&index, &verified, Some(&before), &plan(after))
    }

    #[test]
    fn the_part_of_the_statement_is_named() {
        let scan = |condition: Option<&str>| {
            let mut scan = json!({"Node Type": "Index Scan", "Index Name": "i", "Total Cost": 1.0});
            if let Some(condition) = condition {
                scan["Index Cond"] = condition.into();
            }
            scan
        };
        let conditions = "((jobs.state = 'NEW'::text) AND (jobs.at > '2024-01-01'::date))";
        let definition = "CREATE INDEX i ON public.jobs (state, at)";
        let sorted =
            |child: Value| json!({"Node Type": "Sort", "Total Cost": 2.0, "Plans": [child]});
        assert_eq!(
            served(definition, &scan(Some(conditions))),
            ", for its conditions on at and state and its order"
        );
        assert_eq!(
            served(definition, &sorted(scan(Some("(jobs.at = 5)")))),
            ", for its condition on at"
        );
        let partial =
            "CREATE INDEX i ON public.jobs (at) WHERE ((state = 'NEW'::text) AND (NOT deleted))";
        assert_eq!(
            served(partial, &scan(None)),
            ", for its order, among the rows where (state = 'NEW'::text) AND (NOT deleted)"
        );
    }
}
