//! The result of a run: every statement, and every candidate with the decision on it.

use std::collections::BTreeMap;

use super::benefit::Benefit;
use super::drop_effects::HypotheticalDrop;
use super::existing::finding::ExistingFinding;
use super::foreign::{ForeignServer, RemoteIndex};
use super::no_index_helps::NoIndexHelps;
use super::notice::Notice;
use super::recommendation::Recommendation;
use super::rejection::Rejection;
use super::restated::Restated;
use super::summary::RehearsalSummary;
use super::what_if::WhatIf;
use crate::catalog::Catalog;
use crate::model::{Bytes, Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::planner::{Evidence, NamedIndex, NotExecuted, TwinOnly};
use crate::remedy::Remedy;
use crate::search::{Curve, Optimality};
use crate::twin::agreement::Agreement;
use crate::verdict::{Change, Reason};
use crate::workload::{Statement, StatementId, ValueClass};

/// The result of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What the server knew.
    pub catalog: Catalog,
    /// Every statement of the workload, in its order.
    pub statements: Vec<StatementAdvice>,
    /// The indexes that pay, those that save most first.
    pub recommendations: Vec<Recommendation>,
    /// What helps besides indexes.
    pub remedies: Vec<Remedy>,
    /// Every other candidate, with the reason.
    pub rejected: Vec<Rejected>,
    /// What is wrong with indexes that exist.
    pub existing: Vec<ExistingFinding>,
    /// Whose indexes were checked for that.
    pub checked: CheckedTables,
    /// What the drop of an index that exists would do.
    pub drops: Vec<HypotheticalDrop>,
    /// The same under other conditions, if that was asked for.
    pub what_if: Option<WhatIf>,
    /// How far the recommended set can be from the best one; none where that is not known, or where
    /// the server's answers left a part of the set.
    pub optimality: Option<Optimality>,
    /// What smaller and larger sets would cost; none where that is not known.
    pub curve: Option<Curve>,
    /// What the workload asks of other servers, through foreign tables.
    pub foreign_servers: Vec<ForeignServer>,
    /// What these servers themselves said, by name, where they were asked (`--follow-foreign`).
    pub followed: BTreeMap<String, Followed>,
    /// What the run took.
    pub rehearsal: RehearsalSummary,
    /// What the reader has to know to trust the numbers.
    pub notices: Vec<Notice>,
}

/// What came of asking another server.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// Advice, as for any server; its DDL runs there.
    Advised {
        /// The advice.
        advice: Box<Advice>,
        /// Indexes of the rehearsal that are still in that server's catalog.
        left_behind: Option<usize>,
    },
    /// Why there is none.
    Failed(String),
}

/// The tables whose existing indexes were checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckedTables {
    /// By name.
    pub tables: Vec<QualifiedName>,
    /// How many indexes they have.
    pub indexes: usize,
    /// They are all tables of the database (`--all-tables`), not only those of the workload.
    pub all: bool,
    /// Those of them that another session had locked: they were not checked.
    pub locked: Vec<QualifiedName>,
}

/// One statement, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementAdvice {
    /// The statement.
    pub statement: Statement,
    /// Was it planned?
    pub status: StatementStatus,
    /// The server's message when it was not.
    pub error: Option<String>,
    /// The plan without new indexes.
    pub before: Option<Plan>,
    /// The plan with all recommended indexes; none when none of them is on its tables.
    pub after: Option<Plan>,
    /// How it fares.
    pub change: Option<Change>,
    /// The recommendations its plan uses, by id.
    pub recommendations: Vec<String>,
    /// Why no index helps it, if none does.
    pub no_index: Option<NoIndexHelps>,
    /// How far the planner twin plans it as the server does, if there was one.
    pub agreement: Option<Agreement>,
    /// The plans without and with the recommended indexes as they were executed, with times and
    /// buffers (`--analyze`).
    pub executed: Option<(Plan, Plan)>,
    /// Why it was not executed, though the others were.
    pub not_executed: Option<NotExecuted>,
    /// Why the server was not asked about it; its plans are the twin's.
    pub twin_only: Option<TwinOnly>,
    /// Where it is compared under statistics that are not there today: how it is planned today.
    pub restated: Option<Restated>,
    /// The costs before and after that the twin predicted, where the server was asked, too.
    pub predicted: Option<(Cost, Cost)>,
}

/// Was a statement planned?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementStatus {
    /// Yes.
    Planned,
    /// The server refused it.
    Failed,
    /// There was nothing to plan.
    Skipped,
}

impl Advice {
    /// The statements of the workload, without those that are the same with other values.
    pub fn as_written(&self) -> impl Iterator<Item = &StatementAdvice> {
        let statements = self.statements.iter();
        statements.filter(|statement| statement.statement.value_class.is_none())
    }

    /// What another server itself said.
    pub fn followed(&self, server: &ForeignServer) -> Option<&Advice> {
        match self.followed.get(&server.name) {
            Some(Followed::Advised { advice, .. }) => Some(advice),
            _ => None,
        }
    }

    /// The indexes that are left to try on another server: none once it has been asked.
    pub fn unproved<'s>(&self, server: &'s ForeignServer) -> &'s [RemoteIndex] {
        match self.followed(server) {
            Some(_) => &[],
            None => &server.to_try,
        }
    }

    /// The statement with other values.
    pub fn classes_of(
        &self,
        id: &StatementId,
    ) -> impl Iterator<Item = (&ValueClass, &StatementAdvice)> {
        let classes = self
            .statements
            .iter()
            .filter_map(|statement| Some((statement.statement.value_class.as_deref()?, statement)));
        classes.filter(move |(class, _)| class.of == *id)
    }
}

impl StatementAdvice {
    /// The cost of the plan without new indexes.
    pub fn cost_before(&self) -> Option<Cost> {
        self.before.as_ref().map(Plan::total_cost)
    }

    /// The plan's cost with the recommended indexes.
    pub fn cost_after(&self) -> Option<Cost> {
        self.after
            .as_ref()
            .or(self.before.as_ref())
            .map(Plan::total_cost)
    }
}

/// A candidate that is not recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// The index under its name.
    pub index: NamedIndex,
    /// What would create it.
    pub ddl: String,
    /// Why.
    pub rejection: Rejection,
    /// Which planner was asked about it, if one was.
    pub evidence: Option<Evidence>,
    /// Its size, if it was built, or as the planner twin had it.
    pub size: Option<Bytes>,
    /// How long building it took.
    pub build_time: Option<Millis>,
    /// What the workload's writes would pay for it: Σ calls × rows × cost, in planner units; none
    /// where its size is not known.
    pub write_cost: Option<Cost>,
    /// The statements whose plan used it when it was tested alone.
    pub benefits: Vec<Benefit>,
}

impl Rejected {
    /// The kind of reason, as reports name it.
    pub fn reason(&self) -> Reason {
        self.rejection.reason()
    }
}
