//! Two advices on one workload, compared.

use std::collections::BTreeMap;

use super::advice::{Advice, StatementAdvice};
use super::recommendation::Recommendation;
use super::what_if::{Conditions, StatementComparison, WhatIf};
use crate::plan::{Node, Plan};
use crate::planner::PlanOutcome;
use crate::workload::StatementId;

impl WhatIf {
    /// Compares advice under today's conditions with advice under others; `same_set` are the plans
    /// then with what is recommended now.
    pub fn compare(
        now: &Advice,
        then: &Advice,
        same_set: &BTreeMap<StatementId, PlanOutcome>,
        conditions: Conditions,
    ) -> WhatIf {
        let pairs = now.statements.iter().zip(&then.statements);
        let statements = pairs.filter_map(|(now, then)| {
            shifted(
                now,
                then,
                same_set.get(&now.statement.id).and_then(PlanOutcome::plan),
            )
        });
        let has = |advice: &Advice, recommendation: &Recommendation| {
            advice
                .recommendations
                .iter()
                .any(|other| other.index.definition == recommendation.index.definition)
        };
        let started = then
            .recommendations
            .iter()
            .filter(|recommendation| !has(now, recommendation));
        let stopped = now
            .recommendations
            .iter()
            .filter(|recommendation| !has(then, recommendation));
        WhatIf {
            statements: statements.collect(),
            started: started.cloned().collect(),
            stopped: stopped
                .map(|recommendation| recommendation.id.clone())
                .collect(),
            conditions,
        }
    }
}

fn shifted(
    now: &StatementAdvice,
    then: &StatementAdvice,
    same_set: Option<&Plan>,
) -> Option<StatementComparison> {
    Some(StatementComparison {
        statement: now.statement.id.clone(),
        cost_before: (now.cost_before()?, then.cost_before()?),
        cost_after: (
            now.cost_after()?,
            same_set.map(Plan::total_cost).or(then.cost_before())?,
        ),
        cost_rechosen: then.cost_after()?,
        flip: flip(now.before.as_ref()?, then.before.as_ref()?),
    })
}

/// The first step that differs, in EXPLAIN's order: `Seq Scan on jobs` → `Gather`.
fn flip(now: &Plan, then: &Plan) -> Option<(String, String)> {
    let step = |node: &Node| match (node.index_name(), node.relation_name()) {
        (Some(index), _) => format!("{} using {index}", node.operation()),
        (None, Some(table)) => format!("{} on {table}", node.operation()),
        (None, None) => node.operation(),
    };
    let pairs = now
        .nodes()
        .iter()
        .zip(then.nodes())
        .map(|(now, then)| (step(now), step(then)));
    let mut differing = pairs.filter(|(now, then)| now != then);
    differing.next().or_else(|| {
        let longer = now.nodes().len() != then.nodes().len();
        longer.then(|| {
            (
                format!("{} steps", now.nodes().len()),
                format!("{} steps", then.nodes().len()),
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::advise;
    use crate::model::Bytes;
    use crate::model::Cost;
    use crate::planner::test_planner::{TestPlan, TestPlanner, id, index, seq_scan, short, table};
    use crate::verdict::Limits;

    /// Advice on one statement that costs this much, and so much by an index on the column.
    fn advice(cost: f64, indexed: &[(&str, f64)]) -> Advice {
        let plan = seq_scan("orders", cost).filter("((orders.a = 5) AND (orders.b = 6))");
        let orders = table("orders", &["a bigint", "b bigint"]);
        let sql = "SELECT * FROM orders WHERE a = 5 AND b = 6";
        let mut planner = TestPlanner::new([orders]).statement("s", sql, plan);
        for (text, cost) in indexed {
            planner = planner.index(text, Bytes(8192), &[("s", *cost)]);
        }
        let workload = planner.workload().clone();
        advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
    }

    fn compare(now: &Advice, then: &Advice, same_set: &[f64]) -> WhatIf {
        let plan = |cost: &f64| PlanOutcome::Plan(seq_scan("orders", *cost).plan());
        let plans = same_set.iter().map(|cost| (id("s"), plan(cost)));
        WhatIf::compare(now, then, &plans.collect(), Conditions::default())
    }

    fn definitions(found: &[Recommendation]) -> Vec<String> {
        let definitions = found
            .iter()
            .map(|found| found.index.definition.definition());
        definitions.map(|definition| short(&definition)).collect()
    }

    #[test]
    fn indexes_start_and_stop_to_pay() {
        let now = advice(1_000.0, &[("orders (a)", 10.0)]);
        let then = advice(9_000.0, &[("orders (b)", 20.0)]);
        let changed = compare(&now, &then, &[500.0]);
        assert_eq!(definitions(&changed.started), ["orders (b)"]);
        assert_eq!(changed.stopped, ["r1"]);
        let statement = &changed.statements[0];
        assert_eq!(statement.cost_before, (Cost(1_000.0), Cost(9_000.0)));
        assert_eq!(statement.cost_after, (Cost(10.0), Cost(500.0)));
        assert_eq!(statement.cost_rechosen, Cost(20.0));
        assert_eq!(statement.flip, None, "the same Seq Scan");
    }

    #[test]
    fn without_indexes_nothing_is_gained_then() {
        let (now, then) = (advice(1_000.0, &[]), advice(9_000.0, &[]));
        let changed = compare(&now, &then, &[]);
        assert_eq!(definitions(&changed.started), Vec::<String>::new());
        assert_eq!(changed.stopped, Vec::<String>::new());
        let statement = &changed.statements[0];
        assert_eq!(statement.cost_after, (Cost(1_000.0), Cost(9_000.0)));
    }

    #[test]
    fn the_first_step_that_differs_is_named() {
        let scan = || seq_scan("orders", 10.0);
        let by_index = scan().by_indexes(&[(&index("orders (a)"), "i")], 5.0);
        let step = |now: &TestPlan, then: &TestPlan| flip(&now.plan(), &then.plan());
        let named = |now: &str, then: &str| Some((now.to_owned(), then.to_owned()));
        assert_eq!(
            step(&scan(), &by_index),
            named("Seq Scan on orders", "Index Scan using i")
        );
        assert_eq!(step(&scan(), &scan()), None);
        let limited = scan().limited(1.0);
        assert_eq!(
            step(&limited, &scan()),
            named("Limit", "Seq Scan on orders")
        );
        assert_eq!(
            step(&limited.clone().limited(1.0), &limited),
            named("Limit", "Seq Scan on orders")
        );
    }
}
