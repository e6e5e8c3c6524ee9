//! Statements as others execute them: where row-level security policies do not apply to the role that
//! asks, a statement is also planned with those of others, in the planner twin.
//!
//! On the server that would need a role to which they apply, and would execute what the policies
//! call in a session that has more rights than their authors.

use std::collections::BTreeSet;

use super::baseline::Baseline;
use super::value_classes::absent_value;
use crate::catalog::{Catalog, Column, PolicySetting, Table};
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::sql::relation_names;
use crate::workload::{Frequency, Statement, StatementId, ValueClass, Workload};

/// The share of a statement's calls that others execute: applications do, to which policies apply.
const SHARE: f64 = 0.75;

/// A policy that changes the cost by less than this share changes nothing about indexes.
const MIN_CHANGE: f64 = 0.005;

/// The statements to plan besides those of the workload; `classes` are those with other values.
pub(super) fn of(
    workload: &Workload,
    classes: &[Statement],
    baseline: &Baseline,
    catalog: &Catalog,
) -> Vec<Statement> {
    let under_policies = |statement: &Statement| {
        let plan = baseline.get(&statement.id)?.plan()?;
        let mut tables = secured(plan, catalog);
        // To what a view reads the policies of its owner apply.
        let named = relation_names(&statement.sql);
        tables.retain(|table| named.iter().any(|name| name.name == table.name.name));
        let of_values = classes
            .iter()
            .filter_map(|class| class.value_class.as_ref());
        let of_values = of_values.filter(|class| class.of == statement.id);
        let left = 1.0 - of_values.map(|class| class.share).sum::<f64>();
        (!tables.is_empty()).then(|| under(statement, &tables, SHARE * left.max(0.0)))
    };
    let statements = workload.statements().iter();
    statements.filter_map(under_policies).flatten().collect()
}

/// Without those whose policies change nothing.
pub(super) fn changed(classes: Vec<Statement>, baseline: &Baseline) -> Vec<Statement> {
    let cost = |id: &StatementId| Some(baseline.get(id)?.plan()?.total_cost().0);
    let is_changed = |statement: &Statement| {
        let Some(class) = statement.value_class.as_ref() else {
            return true;
        };
        if !class.frequency.is_under_policies() {
            return true;
        }
        let plan = baseline
            .get(&statement.id)
            .and_then(|outcome| outcome.plan());
        let reads = plan.is_some_and(|plan| !plan.tables().is_empty());
        let as_written = cost(&class.of).unwrap_or_default();
        let others = cost(&statement.id).unwrap_or_default();
        reads && (others - as_written).abs() > MIN_CHANGE * as_written
    };
    classes.into_iter().filter(is_changed).collect()
}

/// The tables of a plan whose policies are for others.
fn secured<'c>(plan: &Plan, catalog: &'c Catalog) -> Vec<&'c Table> {
    let tables = plan.tables();
    let owners = tables.iter().filter_map(|table| catalog.index_owner(table));
    let names: BTreeSet<&QualifiedName> = owners.map(|table| &table.name).collect();
    let tables = catalog.tables.iter();
    tables
        .filter(|table| names.contains(&table.name) && table.policies_of_others.is_some())
        .collect()
}

/// With values that many rows have, and with rare ones, if there are such.
fn under(statement: &Statement, tables: &[&Table], share: f64) -> Vec<Statement> {
    let kinds = [Frequency::UnderPolicies, Frequency::UnderPoliciesRare];
    let mut found: Vec<(Frequency, Vec<(String, String)>)> = Vec::new();
    for frequency in kinds {
        let values = values(tables, frequency);
        if found.iter().all(|(_, known)| *known != values) {
            found.push((frequency, values));
        }
    }
    let share = share / found.len() as f64;
    let class = |(frequency, values)| {
        let class = ValueClass {
            of: statement.id.clone(),
            frequency,
            share,
            values,
            seen: None,
        };
        statement.of_class(class)
    };
    found.into_iter().map(class).collect()
}

/// The settings that the tables' policies compare columns with, each once.
fn values(tables: &[&Table], frequency: Frequency) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> = Vec::new();
    for table in tables {
        let policies = table.policies_of_others.iter();
        for setting in policies.flat_map(|policies| &policies.settings) {
            if values.iter().all(|(name, _)| *name != setting.setting)
                && let Some(value) = value(setting, table, frequency)
            {
                values.push((setting.setting.clone(), value));
            }
        }
    }
    values
}

/// What the setting has: its value in this session, or else a value of the column.
fn value(setting: &PolicySetting, table: &Table, frequency: Frequency) -> Option<String> {
    if setting.value.is_some() {
        return setting.value.clone();
    }
    let column = table.column(&setting.column)?;
    let value = match frequency {
        Frequency::UnderPoliciesRare => rare_value(column)?,
        _ => frequent_value(column)?.clone(),
    };
    Some(match &setting.json_key {
        Some(key) => serde_json::json!({ key: value }).to_string(),
        None => value,
    })
}

fn frequent_value(column: &Column) -> Option<&String> {
    let common = &column.statistics.as_ref()?.most_common_values;
    let common = common.first().map(|(value, _)| value);
    common.or_else(|| middle(column))
}

/// One that is none of the common ones; where these are all, one that no row has, or the rarest.
fn rare_value(column: &Column) -> Option<String> {
    let common = &column.statistics.as_ref()?.most_common_values;
    let rarest = || common.last().map(|(value, _)| value);
    middle(column)
        .cloned()
        .or_else(|| absent_value(column))
        .or_else(|| rarest().cloned())
}

fn middle(column: &Column) -> Option<&String> {
    let histogram = &column.statistics.as_ref()?.histogram;
    histogram.get(histogram.len() / 2)
}
