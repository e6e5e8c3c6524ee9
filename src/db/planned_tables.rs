//! The tables that a session has had planned.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::model::QualifiedName;
use crate::plan::Plan;

/// The tables of the statements that this session has planned.
#[derive(Default)]
pub(super) struct PlannedTables(RefCell<BTreeSet<QualifiedName>>);

impl PlannedTables {
    pub(super) fn add(&self, plan: &Plan) {
        self.0.borrow_mut().extend(plan.tables());
    }

    pub(super) fn contains(&self, table: &QualifiedName) -> bool {
        self.0.borrow().contains(table)
    }
}
