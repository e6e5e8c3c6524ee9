//! Statements before and after a change, as `check` compares them.

use std::sync::Arc;

use super::changed_from::ChangedFrom;
use super::{Choice, SessionData, StatementView};
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

impl SessionData {
    /// The session data of a comparison: what each statement costs before and after.
    pub fn of_comparison(
        subject: String,
        compared: Vec<ComparedStatement>,
        changed: ChangedFrom,
    ) -> SessionData {
        let statements = compared.into_iter().map(view_of).collect();
        SessionData {
            changed: Some(changed),
            ..SessionData::of_statements(subject, statements)
        }
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
