//! What if the data grows, or a setting changes? Two advices on one workload, compared.

use std::collections::BTreeMap;

use super::recommendation::Recommendation;
use crate::model::Cost;
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

/// The workload under other conditions, as the planner twin plans it.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// What was changed.
    pub conditions: Conditions,
    /// The statements, in the workload's order.
    pub statements: Vec<StatementComparison>,
    /// Indexes that pay only then.
    pub started: Vec<Recommendation>,
    /// Recommended now, and not any more then: their ids.
    pub stopped: Vec<String>,
}

/// One statement, now and then.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementComparison {
    /// The statement.
    pub statement: StatementId,
    /// Its cost without any new index, now and then.
    pub cost_before: (Cost, Cost),
    /// Its cost with the indexes that are recommended now, now and then.
    pub cost_after: (Cost, Cost),
    /// Its cost then with what would be recommended then.
    pub cost_rechosen: Cost,
    /// Where its plan without any new index becomes another one: the first step that differs, now
    /// and then.
    pub flip: Option<(String, String)>,
}
