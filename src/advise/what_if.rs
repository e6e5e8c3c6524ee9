//! What if the data grows, or a setting changes? Two advices on one workload, compared.

use std::collections::BTreeMap;

use super::{Advice, Recommendation, StatementAdvice};
use crate::model::Cost;
use crate::plan::{Node, Plan};
use crate::rehearsal::PlanOutcome;
use crate::workload::StatementId;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conditions {
    /// As it was typed: `10`, `orders=10`.
    pub growth: Vec<String>,
    /// Settings, by name.
    pub settings: BTreeMap<String, String>,
}

impl std::fmt::Display for Conditions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let growth = self
            .growth
            .iter()
            .map(|growth| match growth.split_once('=') {
                Some((table, factor)) => format!("{table} at {factor} × its size"),
                None => format!("data at {growth} × its size"),
            });
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| format!("{name} = {value}"));
        formatter.write_str(&growth.chain(settings).collect::<Vec<_>>().join(", "))
    }
}

/// The workload under other conditions, by the planner twin's word.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// What was changed.
    pub conditions: Conditions,
    /// The statements, in the workload's order.
    pub statements: Vec<Shifted>,
    /// Indexes that pay only then.
    pub started: Vec<Recommendation>,
    /// Recommended now, and not any more then: their ids.
    pub stopped: Vec<String>,
}

/// One statement, now and then.
#[derive(Debug, Clone, PartialEq)]
pub struct Shifted {
    /// The statement.
    pub statement: StatementId,
    /// Its cost without any new index, now and then.
    pub cost_before: (Cost, Cost),
    /// Its cost with the indexes that are recommended now, now and then.
    pub cost_after: (Cost, Cost),
    /// Its cost then with what would be recommended then.
    pub cost_rechosen: Cost,
    /// Where its plan without any new index becomes another one: the first step that differs, now and then.
    pub flip: Option<(String, String)>,
}

impl WhatIf {
    /// Compares advice under today's conditions with advice under others; `same_set` are the plans then with what is recommended now.
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
) -> Option<Shifted> {
    Some(Shifted {
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
