//! Statements in the order they were given, found by their names.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::statement::Statement;
use super::statement_id::StatementId;

/// The statements of a workload. Where two have the same name, it means the first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Statement>", into = "Vec<Statement>")]
pub(super) struct Statements {
    list: Vec<Statement>,
    places: HashMap<StatementId, usize>,
}

impl Statements {
    pub(super) fn as_slice(&self) -> &[Statement] {
        &self.list
    }

    pub(super) fn find(&self, id: &StatementId) -> Option<&Statement> {
        self.list.get(*self.places.get(id)?)
    }

    pub(super) fn push(&mut self, statement: Statement) {
        let place = self.list.len();
        self.places.entry(statement.id.clone()).or_insert(place);
        self.list.push(statement);
    }

    /// Changes the last statement, which keeps its name.
    pub(super) fn change_last(&mut self, change: impl FnOnce(&mut Statement)) {
        if let Some(last) = self.list.last_mut() {
            change(last);
        }
    }
}

impl PartialEq for Statements {
    fn eq(&self, other: &Statements) -> bool {
        self.list == other.list
    }
}

impl FromIterator<Statement> for Statements {
    fn from_iter<I: IntoIterator<Item = Statement>>(all: I) -> Statements {
        let mut statements = Statements::default();
        all.into_iter()
            .for_each(|statement| statements.push(statement));
        statements
    }
}

impl From<Vec<Statement>> for Statements {
    fn from(list: Vec<Statement>) -> Statements {
        list.into_iter().collect()
    }
}

impl From<Statements> for Vec<Statement> {
    fn from(statements: Statements) -> Vec<Statement> {
        statements.list
    }
}
