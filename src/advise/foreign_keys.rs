//! The lookups that foreign keys make outside of plans: deleting a row of the parent, or changing
//! its key, looks up the rows that refer to it. Those queries run inside triggers and are in no
//! plan (src/backend/utils/adt/ri_triggers.c, `RI_FKey_noaction_del`), and PostgreSQL makes no
//! index for them. So they join the workload as statements of their own, as often as their parents'
//! rows are written.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ForeignKey};
use crate::model::quote_identifier;
use crate::plan::{Node, NodeType, Plan};
use crate::sql::{Assigned, assignments};
use crate::workload::{Statement, Workload};

use super::baseline::Baseline;

/// The lookups that the workload's DELETEs and UPDATEs make in tables that have no index for them.
pub(super) fn lookups(
    workload: &Workload,
    baseline: &Baseline,
    catalog: &Catalog,
) -> Vec<Statement> {
    let planned = workload
        .statements()
        .iter()
        .filter_map(|statement| Some((statement, baseline.get(&statement.id)?.plan()?)));
    planned
        .flat_map(|(statement, plan)| lookups_of(statement, plan, catalog))
        .collect()
}

fn lookups_of(statement: &Statement, plan: &Plan, catalog: &Catalog) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    for node in plan
        .nodes()
        .iter()
        .filter(|node| *node.node_type() == NodeType::ModifyTable)
    {
        let Some(table) = node
            .table()
            .and_then(|name| Some(catalog.index_owner(&name)?.name.clone()))
        else {
            continue;
        };
        let is_asked = |key: &&ForeignKey| match node.modification() {
            Some("Delete") => true,
            Some("Update") => sets_one_of(&statement.sql, &key.parent_columns),
            _ => false,
        };
        for key in catalog
            .foreign_keys
            .iter()
            .filter(|key| key.parent == table)
            .filter(is_asked)
        {
            let id = format!("{}/{}", statement.id, key.name);
            if !key.indexed && found.iter().all(|known| known.id.0 != id) {
                found.push(lookup(statement, key, id, rows_written(plan, node)));
            }
        }
    }
    found
}

/// As the trigger asks, but for the lock on what is found, which takes a privilege that reading
/// does not.
fn lookup(statement: &Statement, key: &ForeignKey, id: String, rows: f64) -> Statement {
    let conditions: Vec<String> = key
        .columns
        .iter()
        .enumerate()
        .map(|(number, column)| {
            let operator = key.operators.get(number).map_or("=", String::as_str);
            format!("x.{} {operator} ${}", quote_identifier(column), number + 1)
        })
        .collect();
    Statement {
        id: crate::workload::StatementId(id),
        sql: format!(
            "SELECT 1 FROM {} x WHERE {}",
            key.table,
            conditions.join(" AND ")
        ),
        written: None,
        calls: statement.calls * rows,
        mean_time_ms: None,
        place: format!("foreign key {} behind {}", key.name, statement.place),
        varying_literals: BTreeSet::new(),
        observed: Vec::new(),
        fixed_literals: BTreeSet::new(),
        value_class: None,
        calls_of_classes: 0.0,
        authors: statement.authors.clone(),
        search_path: None,
        within_function: false,
        rows_per_call: None,
    }
}

/// The planner's estimate of the rows that are deleted or updated, each of which is one lookup.
fn rows_written(plan: &Plan, node: &Node) -> f64 {
    let below = plan.children(node.id).filter_map(Node::plan_rows);
    below.sum::<f64>().max(1.0)
}

/// Does the UPDATE assign one of these columns? (A key that is not assigned makes no lookup; a
/// statement that cannot be read may.)
fn sets_one_of(sql: &str, columns: &[String]) -> bool {
    let sets_one = |assigned: &Assigned| {
        columns
            .iter()
            .any(|column| assigned.columns.contains(column))
    };
    assignments(sql).map_or(true, |found| found.iter().any(sets_one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_looked_up_with_its_own_operator() {
        let mut workload = Workload::default();
        let usage = crate::workload::Usage {
            calls: 2.0,
            mean_time_ms: None,
        };
        workload.add("d", "DELETE FROM rates", usage, String::new());
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let key = ForeignKey {
            name: "k".to_owned(),
            table: crate::model::QualifiedName::new("public", "bookings"),
            columns: named(&["rate", "during"]),
            operators: named(&["=", "&&"]),
            parent: crate::model::QualifiedName::new("public", "rates"),
            parent_columns: named(&["id", "valid"]),
            on_delete: "a".to_owned(),
            on_update: "a".to_owned(),
            indexed: false,
            certain: true,
        };
        let found = lookup(&workload.statements()[0], &key, "d/k".to_owned(), 3.0);
        assert_eq!(
            found.sql,
            "SELECT 1 FROM public.bookings x WHERE x.rate = $1 AND x.during && $2"
        );
        assert!((found.calls - 6.0).abs() < 1e-9);
    }

    #[test]
    fn only_what_is_assigned_counts() {
        let id = ["id".to_owned()];
        assert!(sets_one_of("UPDATE t SET id = id + 1 WHERE a = 1", &id));
        assert!(!sets_one_of("UPDATE t SET name = $1\nWHERE id = 1", &id));
        assert!(sets_one_of("UPDATE t SET (a, id) = (1, 2)", &id));
    }
}
