//! Policies of row-level security that call a STABLE function (`owner = auth.uid()`): PostgreSQL may
//! call it for every row, and once if it stands in a subquery (`owner = (SELECT auth.uid())`).

use super::RemedyInput;
use super::rewrite::is_stable;
use crate::catalog::{Catalog, Policy, Table};
use crate::model::QualifiedName;
use crate::plan::{Node, Plan};
use crate::planner::hypothesis::AlteredPolicy;
use crate::sql::rewrite::{
    Comparisons, FromTable, KnownColumn, KnownTable, membership, select_once,
};

/// A policy, written another way.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// As it could be.
    pub altered: AlteredPolicy,
    /// The columns that it compares with the result of a function.
    pub columns: Vec<String>,
    /// The columns that it looks for in a subquery that is now evaluated once.
    pub looked_up: Vec<String>,
}

/// The policies of the tables that these plans read.
pub fn propose(input: RemedyInput<'_>) -> Vec<Proposal> {
    let is_read = |table: &&Table| {
        let mut plans = input.plans.iter();
        plans.any(|(_, plan)| plan.tables().contains(&table.name))
    };
    let tables = input.catalog.tables.iter().filter(is_read);
    tables
        .flat_map(|table| {
            let policies = table.policies.iter();
            policies.filter_map(|policy| proposal(policy, table, input.catalog))
        })
        .collect()
}

impl Proposal {
    /// Does this plan evaluate for every row what the altered policy evaluates once? Else the cost is
    /// another one because the estimate is.
    pub fn mends(&self, plan: &Plan, catalog: &Catalog) -> bool {
        calls_for_every_row(plan, catalog)
            || !self.looked_up.is_empty() && evaluates_subqueries(plan)
    }
}

/// Has a condition a subquery that is evaluated for each row, and is no hash table?
fn evaluates_subqueries(plan: &Plan) -> bool {
    let filters = plan.nodes().iter().filter_map(Node::filter);
    filters.into_iter().any(|filter| {
        let subplans = filter.match_indices("SubPlan ");
        let mut before = subplans.map(|(at, _)| &filter[..at]);
        before.any(|before| !before.ends_with("hashed "))
    })
}

/// Does a plan call a STABLE function for every row? In the condition of an index it is called once.
fn calls_for_every_row(plan: &Plan, catalog: &Catalog) -> bool {
    let stable = || {
        catalog
            .mutable
            .iter()
            .filter(|call| call.own && !call.volatile)
    };
    let filters = plan.nodes().iter().filter_map(Node::filter);
    filters
        .into_iter()
        .any(|filter| stable().any(|call| filter.contains(&format!("{}(", call.called))))
}

fn proposal(policy: &Policy, table: &Table, catalog: &Catalog) -> Option<Proposal> {
    let columns = table.columns.iter().map(|column| KnownColumn {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
        not_null: column.not_null,
        groups: None,
        parent: None,
    });
    let known = KnownTable {
        columns: columns.collect(),
    };
    let schema = |_: &FromTable| Some(known.clone());
    // A policy's condition stands in the WHERE clause of a statement that reads the table.
    let is_stable = |name: &str| is_stable(name, catalog);
    let turned = membership(&policy.condition, &table.name.name, &is_stable);
    let condition = turned
        .as_ref()
        .map_or(&policy.condition, |turned| &turned.condition);
    let before = format!("SELECT FROM {} WHERE ", table.name);
    let sql = format!("{before}{condition}");
    let once = select_once(&sql, &schema, Comparisons::All, &is_stable);
    if turned.is_none() && once.is_none() {
        return None;
    }
    let sql = once.as_ref().map_or(&sql, |once| &once.sql);
    Some(Proposal {
        altered: AlteredPolicy {
            name: policy.name.clone(),
            table: QualifiedName::clone(&table.name),
            condition: sql.strip_prefix(&before)?.to_owned(),
        },
        columns: once.map(|once| once.columns).unwrap_or_default(),
        looked_up: turned.map(|turned| turned.columns).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{CallKind, Mutable};
    use crate::planner::test_planner::{seq_scan, table};
    use crate::remedy::testing::Asked;

    fn altered(condition: &str, volatile: bool) -> Vec<String> {
        let todos = table("todos", &["owner uuid", "done boolean"]).with(|table| {
            table.policies = vec![Policy {
                name: "own rows".to_owned(),
                condition: condition.to_owned(),
            }];
        });
        let asked = Asked::of([todos])
            .statement("SELECT * FROM todos", &seq_scan("todos", 100.0))
            .with_catalog(|catalog| {
                catalog.mutable.push(Mutable {
                    kind: CallKind::Function,
                    called: "uid".to_owned(),
                    arguments: Vec::new(),
                    own: true,
                    volatile,
                });
            });
        asked.ask(|input| {
            let found = propose(input).into_iter();
            found.map(|found| found.altered.statement()).collect()
        })
    }

    #[test]
    fn a_stable_function_is_called_once() {
        assert_eq!(
            altered("((auth.uid() = owner) AND (NOT done))", false),
            [
                "ALTER POLICY \"own rows\" ON public.todos USING (((SELECT auth.uid()) = owner) AND (NOT done))"
            ]
        );
        assert_eq!(
            altered(
                "((auth.uid() = owner) OR (auth.uid() IN ( SELECT shares.member FROM shares WHERE (shares.owner = todos.owner))))",
                false
            ),
            [
                "ALTER POLICY \"own rows\" ON public.todos USING (((SELECT auth.uid()) = owner) OR (todos.owner IN (SELECT shares.owner FROM shares WHERE shares.member = (SELECT auth.uid()))))"
            ]
        );
        assert!(altered("(auth.uid() = owner)", true).is_empty());
        assert!(altered("(owner = ( SELECT auth.uid() AS uid))", false).is_empty());
    }
}
