//! Statements before and after a change, as `check` compares them.

use std::sync::Arc;

use super::{Choice, SessionData, StatementView, shares, weight};
use crate::plan::Plan;
use crate::workload::Statement;

/// A statement before and after a change.
#[derive(Debug, Clone)]
pub struct ComparedStatement {
    /// The statement.
    pub statement: Statement,
    /// Its plan before, or why there is none.
    pub before: Result<Plan, String>,
    /// Its plan after, or why there is none.
    pub after: Result<Plan, String>,
    /// What happened to it, in a word; empty where nothing did.
    pub change: String,
    /// What is said about that, in sentences.
    pub remarks: Vec<String>,
}

/// What statements are compared over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFrom {
    /// The result in a sentence.
    pub summary: String,
    /// What is compared: `before | after`.
    pub sides: String,
    /// The report as text.
    pub report: String,
}

impl SessionData {
    /// The session data of a comparison: what each statement costs before and after.
    pub fn of_comparison(
        subject: String,
        compared: Vec<ComparedStatement>,
        changed: ChangedFrom,
    ) -> SessionData {
        let mut statements: Vec<StatementView> = compared.into_iter().map(view_of).collect();
        let time_coverage = shares::set_shares(&mut statements);
        let weights = statements.iter().filter_map(weight).collect();
        let mut session_data = SessionData {
            subject,
            statements,
            weights,
            time_coverage,
            changed: Some(changed),
            ..SessionData::default()
        };
        session_data.count_findings();
        session_data
    }
}

fn view_of(compared: ComparedStatement) -> StatementView {
    let ComparedStatement {
        statement,
        before,
        after,
        change,
        remarks,
    } = compared;
    let mut view = StatementView::unplanned(statement);
    view.warnings = remarks;
    if !change.is_empty() {
        view.helped_by = vec![change];
    }
    if let Err(why) = &after {
        view.warnings.insert(0, format!("afterwards: {why}"));
    }
    view.before = before.map(Arc::new);
    view.after = after.ok().map(Arc::new);
    if let (Ok(before), Some(after)) = (&view.before, &view.after) {
        view.choices.push(Choice {
            index: None,
            before: before.clone(),
            plan: after.clone(),
            used: true,
        });
    }
    view
}
