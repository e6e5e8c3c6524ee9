//! What is known before anything is chosen: values only.

use super::baseline::{Baseline, touching};
use super::build_refusal::build_refusal;
use super::twin_view::TwinView;
use crate::catalog::{Catalog, Table};
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::{RefusalCause, Target, TwinState};
use crate::verdict::{Limits, Rehearse};
use crate::workload::{Statement, StatementId, Workload};
use std::collections::BTreeSet;

/// The workload, its limits, and what the server and the twin say of it as it is today.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// The workload, with the lookups that its foreign keys make.
    pub(super) workload: &'a Workload,
    pub(super) limits: &'a Limits,
    pub(super) catalog: &'a Catalog,
    /// The server's plans without any new index.
    pub(super) baseline: &'a Baseline,
    pub(super) twin: &'a TwinView,
}

impl<'a> Context<'a> {
    /// Which planner is asked about candidates.
    pub(super) fn target(self) -> Target {
        self.twin.target()
    }

    /// Why nothing may be made on the server, on any table: the twin that was wanted is not there.
    pub(super) fn no_twin(self) -> Option<RefusalCause> {
        let is_missing = matches!(self.twin.state, TwinState::Unavailable(_));
        (is_missing && self.limits.rehearse == Rehearse::Auto).then_some(RefusalCause::NoTwin)
    }

    /// Why nothing may be built on this table: the first rule that forbids it.
    pub(super) fn build_refusal(self, table: &Table) -> Option<RefusalCause> {
        self.no_twin()
            .or_else(|| build_refusal(table, self.catalog, self.limits))
    }

    /// What trials are compared with: the baseline of the planner that was asked.
    pub(super) fn trial_baseline(self) -> &'a Baseline {
        self.twin.baseline_or(self.baseline)
    }

    /// The server's plan of a statement without any new index.
    pub(super) fn plan(self, id: &StatementId) -> Option<&'a Plan> {
        self.baseline.get(id)?.plan()
    }

    /// The same plan, of the planner that is asked about candidates.
    pub(super) fn trial_plan(self, id: &StatementId) -> Option<&'a Plan> {
        self.trial_baseline().get(id)?.plan()
    }

    /// The statements whose plan touches one of these tables (or a partition of it).
    pub(super) fn touching(self, tables: &BTreeSet<QualifiedName>) -> Vec<Statement> {
        touching(self.workload, self.baseline, self.catalog, tables)
    }
}
