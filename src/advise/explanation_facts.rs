//! The facts from which the explanation of a recommended index is written.

use std::collections::BTreeSet;

use super::benefit::Benefit;
use super::explanation::{AccessPath, Explanation, Gain};
use super::verification::VerifiedIndex;
use crate::catalog::ExistingIndex;
use crate::model::{Millis, QualifiedName};
use crate::plan::{Node, NodeType, Plan};
use crate::planner::{NamedIndex, uses};
use crate::sql::parse_expression;
use crate::workload::StatementId;

/// The plans of a statement without and with the recommended set.
pub(super) type PlansOf<'p> = dyn Fn(&StatementId) -> (Option<&'p Plan>, Option<&'p Plan>) + 'p;

/// What an explanation is made of.
pub(super) struct Facts<'f> {
    pub(super) index: &'f NamedIndex,
    /// Its table, and the partitions of it, which plans read instead.
    pub(super) tables: &'f BTreeSet<QualifiedName>,
    pub(super) verified: &'f VerifiedIndex,
    pub(super) benefits: &'f [Benefit],
    /// All verified indexes.
    pub(super) all: &'f [VerifiedIndex],
    pub(super) plans: &'f PlansOf<'f>,
    /// The statement of the workload that a statement is, with other values.
    pub(super) of_workload: &'f dyn Fn(&StatementId) -> StatementId,
    /// How long a statement took without and with the recommended set, if it was executed.
    pub(super) times: &'f dyn Fn(&StatementId) -> Option<(Millis, Millis)>,
    /// Existing indexes that can be dropped then.
    pub(super) supersedes: &'f [&'f ExistingIndex],
}

pub(super) fn of(facts: &Facts<'_>) -> Explanation {
    let definition = &facts.index.definition;
    let superseded = facts.supersedes.iter();
    Explanation {
        gain: gain(facts),
        size: facts.verified.index.size,
        build_time: facts.verified.index.build_time,
        not_built: facts
            .verified
            .not_built
            .as_ref()
            .map(|refusal| refusal.cause.clone()),
        table: definition.table.clone(),
        is_partial: definition.predicate.is_some(),
        supersedes: superseded
            .map(|index| (index.name.clone(), index.size))
            .collect(),
    }
}

fn gain(facts: &Facts<'_>) -> Option<Gain> {
    let factor = |benefit: &Benefit| benefit.before.factor_to(benefit.after);
    let of_workload = |benefit: &Benefit| (facts.of_workload)(&benefit.statement);
    let is_as_written = |benefit: &Benefit| of_workload(benefit) == benefit.statement;
    let benefits = facts.benefits.iter();
    let best = benefits.max_by(|a, b| {
        let by_factor = || factor(a).total_cmp(&factor(b));
        is_as_written(a).cmp(&is_as_written(b)).then_with(by_factor)
    })?;
    let helped: BTreeSet<StatementId> = facts.benefits.iter().map(of_workload).collect();
    let (before, after) = (facts.plans)(&best.statement);
    let served = after.map(|after| {
        let indexed = (facts.index, facts.tables);
        part_served(indexed, facts.verified, before, after)
    });
    let served = served.unwrap_or_default();
    Some(Gain {
        others: helped.len() - 1,
        today: before.and_then(|plan| access_path(plan, facts.tables)),
        then: after.and_then(|plan| {
            let node = reading(plan, facts.verified)?;
            let sort = plan
                .ancestors(node.id)
                .find(|node| node.node_type().is_sort());
            Some(AccessPath {
                sort: sort.map(Node::operation),
                scan: node.operation(),
                index: None,
            })
        }),
        columns: served.columns,
        in_order: served.in_order,
        predicate: served.predicate,
        beside: after
            .map(|plan| used_beside(plan, facts.verified, facts.all))
            .unwrap_or_default(),
        times: (facts.times)(&best.statement),
        benefit: best.clone(),
    })
}

/// The node that reads this index.
fn reading<'p>(plan: &'p Plan, verified: &VerifiedIndex) -> Option<&'p Node> {
    let reads = |node: &&Node| {
        let name = node.index_name();
        name.is_some_and(|name| verified.index.names.contains(name))
    };
    plan.nodes().iter().find(reads)
}

/// How a plan reads a table: `Sort` over `Seq Scan`.
fn access_path(plan: &Plan, tables: &BTreeSet<QualifiedName>) -> Option<AccessPath> {
    let node = read_of(plan, tables)?;
    let sort = plan
        .ancestors(node.id)
        .find(|node| node.node_type().is_sort());
    Some(AccessPath {
        sort: sort.map(Node::operation),
        scan: node.operation(),
        // Each partition has an index of its own.
        index: node
            .index_name()
            .filter(|_| tables.len() == 1)
            .map(str::to_owned),
    })
}

/// The part of a statement that an index answers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Served {
    columns: Vec<String>,
    in_order: bool,
    predicate: Option<String>,
}

fn part_served(
    (index, tables): (&NamedIndex, &BTreeSet<QualifiedName>),
    verified: &VerifiedIndex,
    before: Option<&Plan>,
    after: &Plan,
) -> Served {
    let Some(node) = reading(after, verified) else {
        return Served::default();
    };
    let condition = node
        .index_cond()
        .and_then(|text| parse_expression(text).ok());
    let columns = condition.map(|condition| condition.columns);
    let keys = index.definition.keys.iter();
    let of_index: BTreeSet<String> = keys.filter_map(|key| key.key.columns()).flatten().collect();
    let sorts = |plan: &Plan, node: &Node| {
        plan.ancestors(node.id)
            .any(|node| node.node_type().is_sort())
    };
    let was_sorted =
        before.is_some_and(|plan| read_of(plan, tables).is_some_and(|node| sorts(plan, node)));
    let predicate = index.definition.predicate.as_ref();
    Served {
        columns: columns
            .into_iter()
            .flatten()
            .filter(|name| of_index.contains(name))
            .collect(),
        in_order: was_sorted
            && !sorts(after, node)
            && *node.node_type() != NodeType::BitmapIndexScan,
        predicate: predicate.map(|predicate| predicate.text_without_parentheses().to_owned()),
    }
}

/// The first node that reads one of these tables.
fn read_of<'p>(plan: &'p Plan, tables: &BTreeSet<QualifiedName>) -> Option<&'p Node> {
    plan.nodes().iter().find(|node| {
        *node.node_type() != NodeType::ModifyTable
            && tables.iter().any(|table| {
                node.text("Schema") == Some(&table.schema)
                    && node.relation_name() == Some(&table.name)
            })
    })
}

/// A gain that several new indexes made together belongs to all of them.
fn used_beside(plan: &Plan, verified: &VerifiedIndex, all: &[VerifiedIndex]) -> Vec<String> {
    all.iter()
        .filter(|other| other.trial != verified.trial && uses(plan, &other.index))
        .filter_map(|other| other.index.names.first().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::parse_index;
    use crate::model::Bytes;
    use crate::planner::{Evidence, TestedIndex};
    use crate::search::TrialId;
    use serde_json::{Value, json};

    fn plan(root: &Value) -> Plan {
        Plan::from_json(json!({ "Plan": root })).unwrap()
    }

    fn served(definition: &str, after: &Value) -> Served {
        let index = NamedIndex {
            name: "i".to_owned(),
            definition: parse_index(definition).unwrap(),
        };
        let verified = VerifiedIndex {
            trial: TrialId(0),
            index: TestedIndex {
                names: ["i".to_owned()].into(),
                body: String::new(),
                size: Bytes(1),
                build_time: None,
                usable: true,
            },
            write_block: None,
            built_with: Vec::new(),
            evidence: Evidence::PlannerTwin,
            not_built: None,
            predicted: None,
        };
        let scan = json!({"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "jobs", "Total Cost": 9.0});
        let before = plan(&json!({"Node Type": "Sort", "Total Cost": 10.0, "Plans": [scan]}));
        let tables = BTreeSet::from([index.definition.table.clone()]);
        part_served((&index, &tables), &verified, Some(&before), &plan(after))
    }

    #[test]
    fn a_partition_is_a_part_of_its_table() {
        let name = |name| QualifiedName::new("public", name);
        let scan = |table: &str| json!({"Node Type": "Index Scan", "Index Name": "x", "Schema": "public", "Relation Name": table, "Total Cost": 9.0});
        let append = plan(
            &json!({"Node Type": "Append", "Total Cost": 10.0, "Plans": [scan("jobs_1"), scan("jobs_2")]}),
        );
        let tables = BTreeSet::from([name("jobs"), name("jobs_2")]);
        let expected = AccessPath {
            sort: None,
            scan: "Index Scan".to_owned(),
            index: None,
        };
        assert_eq!(access_path(&append, &tables), Some(expected));
        assert_eq!(access_path(&append, &[name("jobs")].into()), None);
    }

    #[test]
    fn the_part_of_the_statement_that_the_index_answers_is_named() {
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
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let in_order = Served {
            columns: columns(&["at", "state"]),
            in_order: true,
            predicate: None,
        };
        assert_eq!(served(definition, &scan(Some(conditions))), in_order);
        let still_sorted = Served {
            columns: columns(&["at"]),
            ..Served::default()
        };
        let condition = scan(Some("(jobs.at = 5)"));
        assert_eq!(served(definition, &sorted(condition)), still_sorted);
        let partial =
            "CREATE INDEX i ON public.jobs (at) WHERE ((state = 'NEW'::text) AND (NOT deleted))";
        let predicate = "(state = 'NEW'::text) AND (NOT deleted)".to_owned();
        let of_some_rows = Served {
            columns: vec![],
            in_order: true,
            predicate: Some(predicate),
        };
        assert_eq!(served(partial, &scan(None)), of_some_rows);
    }
}
