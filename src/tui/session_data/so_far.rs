//! What is known while a run goes on: statements first, then their plans, then one tested index
//! after the other. What the user has made is added to each new state.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    IndexStatus, IndexView, SessionData, Stage, StatementView, search_text, shares, weight,
};
use crate::catalog::Catalog;
use crate::catalog::entries_written::entries_written;
use crate::finding::findings;
use crate::plan::Plan;
use crate::planner::{Answer, Comparison, NamedIndex, PlanOutcome};
use crate::sentences;
use crate::verdict::Limits;
use crate::workload::{Statement, StatementId, Workload};

/// An index that the user wrote, and the plans without and with it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnIndex {
    /// The index.
    pub named: NamedIndex,
    /// Its plans.
    pub compared: Comparison,
}

impl SessionData {
    /// The statements of a workload, before one is planned.
    pub fn begun(subject: String, workload: &Workload, limits: &Limits) -> SessionData {
        let statements = workload.statements().iter();
        let mut session_data = SessionData {
            subject,
            statements: statements.cloned().map(StatementView::unplanned).collect(),
            limits: limits.clone(),
            stage: Stage::Searching,
            ..SessionData::default()
        };
        session_data.time_coverage = shares::set_shares(&mut session_data.statements);
        session_data
    }

    /// Adds the plans of statements.
    pub fn add_plans(&mut self, plans: &BTreeMap<StatementId, PlanOutcome>) {
        for statement in &mut self.statements {
            match plans.get(&statement.source.id) {
                Some(PlanOutcome::Plan(plan)) => {
                    statement.finding_count = findings(plan, None).len();
                    statement.before = Ok(Arc::new(plan.clone()));
                }
                Some(outcome) => statement.before = Err(why_not(outcome)),
                None => {}
            }
        }
        self.time_coverage = shares::set_shares(&mut self.statements);
        self.weights = self.statements.iter().filter_map(weight).collect();
    }

    /// Adds what the server knows of the tables.
    pub fn add_catalog(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        self.count_findings();
    }

    /// Adds an index that was tested alone.
    pub fn add_tested(&mut self, named: &NamedIndex, answer: &Answer) {
        let Answer::Planned(planned) = answer else {
            return;
        };
        let Some(tested) = planned.indexes.first() else {
            return;
        };
        let known = self.indexes.iter().position(|known| known.named == *named);
        if known.is_some() {
            return;
        }
        let own_plans: BTreeMap<StatementId, PlanOutcome> = self
            .statements
            .iter()
            .filter_map(|view| Some((&view.source.id, view.before.as_ref().ok()?)))
            .map(|(id, plan)| (id.clone(), PlanOutcome::Plan(Plan::clone(plan))))
            .filter(|(id, _)| planned.plans.contains_key(id))
            .collect();
        let compared = Comparison {
            before: own_plans,
            after: planned.clone(),
        };
        let benefits = self.benefits(tested, &compared);
        self.indexes.push(IndexView {
            ddl: Vec::new(),
            status: IndexStatus::Candidate,
            evidence: Some(tested.evidence()),
            size: Some(tested.size),
            build_time: tested.build_time,
            write_block: planned.write_block,
            benefits,
            entries_written: entries_written(&named.definition, &self.catalog),
            writers: self.writers(&named.definition.table),
            named: named.clone(),
            trial: None,
        });
        self.add_trial(self.indexes.len() - 1, answer.clone(), &BTreeMap::new());
    }

    /// Adds an index that the user wrote and that was not tested; returns its position.
    pub fn add_untested(&mut self, named: NamedIndex) -> usize {
        let mut known = self.indexes.iter();
        let known = known.position(|known| known.named.definition == named.definition);
        if let Some(known) = known {
            return known;
        }
        self.indexes.push(IndexView {
            ddl: vec![format!(
                "CREATE INDEX CONCURRENTLY {} ON {};",
                crate::model::quote_identifier(&named.name),
                named.definition.definition()
            )],
            status: IndexStatus::UserDefined,
            evidence: None,
            size: None,
            build_time: None,
            write_block: None,
            benefits: Vec::new(),
            entries_written: entries_written(&named.definition, &self.catalog),
            writers: self.writers(&named.definition.table),
            named,
            trial: None,
        });
        self.indexes.len() - 1
    }

    /// Adds what the user has made to new data of a run.
    pub fn add_own(&mut self, indexes: &[OwnIndex], statements: &[StatementView]) {
        self.statements.extend(statements.iter().cloned());
        self.weights = self.statements.iter().filter_map(weight).collect();
        for own in indexes {
            let is_there = |known: &IndexView| {
                known.named.definition == own.named.definition && known.is_tested()
            };
            if !self.indexes.iter().any(is_there) {
                self.add_user_defined(own.named.clone(), own.compared.clone());
            }
        }
    }

    /// Adds a statement that the user edited, with its plan; returns its position.
    pub fn add_statement(&mut self, statement: Statement, outcome: &PlanOutcome) -> usize {
        let mut view = StatementView::unplanned(statement);
        view.before = match outcome {
            PlanOutcome::Plan(plan) => Ok(Arc::new(plan.clone())),
            other => Err(why_not(other)),
        };
        view.is_edited = true;
        if let Ok(plan) = &view.before {
            view.finding_count = findings(plan, self.known_catalog()).len();
        }
        let same = |known: &StatementView| known.source.id == view.source.id;
        let position = self.statements.iter().position(same);
        let position = match position {
            Some(known) => {
                self.statements[known] = view;
                known
            }
            None => {
                self.statements.push(view);
                self.statements.len() - 1
            }
        };
        self.weights = self.statements.iter().filter_map(weight).collect();
        position
    }
}

impl StatementView {
    /// A statement that has no plan yet.
    pub(super) fn unplanned(source: Statement) -> StatementView {
        StatementView {
            search_text: search_text(&source),
            source,
            before: Err(String::new()),
            warnings: Vec::new(),
            after: None,
            share: None,
            finding_count: 0,
            helped_by: Vec::new(),
            no_index: None,
            not_executed: None,
            choices: Vec::new(),
            is_edited: false,
        }
    }

    /// Was it not planned yet, because the run goes on?
    pub fn is_unplanned(&self) -> bool {
        self.before.as_ref().is_err_and(String::is_empty)
    }
}

/// Why there is no plan, in words.
fn why_not(outcome: &PlanOutcome) -> String {
    match outcome {
        PlanOutcome::Plan(_) => String::new(),
        PlanOutcome::Failed(message) => message.clone(),
        PlanOutcome::Empty => "nothing to plan".to_owned(),
        PlanOutcome::NotExecuted(reason) => sentences::not_executed(reason),
        PlanOutcome::TwinOnly(_) => "the planner twin plans it".to_owned(),
    }
}
