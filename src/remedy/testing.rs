//! Statements with their plans, for tests of proposals.

use super::RemedyInput;
use crate::catalog::{Catalog, Table};
use crate::plan::Plan;
use crate::planner::test_planner::{TestPlan, TestTable};
use crate::workload::{Statement, Usage, Workload};

/// What proposals are made from.
pub(super) struct Asked {
    catalog: Catalog,
    workload: Workload,
    plans: Vec<Plan>,
}

impl Asked {
    /// Tables without any statement.
    pub(super) fn of(tables: impl IntoIterator<Item = TestTable>) -> Asked {
        Asked {
            catalog: Catalog {
                tables: tables.into_iter().map(Table::from).collect(),
                ..Catalog::default()
            },
            workload: Workload::default(),
            plans: Vec::new(),
        }
    }

    /// Another statement with its plan.
    pub(super) fn statement(mut self, sql: &str, plan: &TestPlan) -> Asked {
        let usage = Usage {
            calls: 1.0,
            mean_time_ms: None,
        };
        self.workload.add("s", sql, usage, "s.sql:1".to_owned());
        self.plans.push(plan.plan());
        self
    }

    /// Anything else about the statements.
    pub(super) fn with_workload(mut self, change: impl FnOnce(&mut Workload)) -> Asked {
        change(&mut self.workload);
        self
    }

    /// Anything else about the catalog.
    pub(super) fn with_catalog(mut self, change: impl FnOnce(&mut Catalog)) -> Asked {
        change(&mut self.catalog);
        self
    }

    /// What a function makes of it.
    pub(super) fn ask<T>(&self, propose: impl FnOnce(RemedyInput<'_>) -> T) -> T {
        let statements = self.workload.statements().iter();
        let plans: Vec<(&Statement, &Plan)> = statements.zip(&self.plans).collect();
        propose(RemedyInput {
            plans: &plans,
            catalog: &self.catalog,
        })
    }
}
