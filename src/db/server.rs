//! A live server as a [`Planner`]: plans as things are, and plans under indexes that are built and rolled back.

use std::collections::BTreeSet;

use super::Session;
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::rehearsal::{Answer, NamedIndex, Planned, Planner, PlannerError};
use crate::workload::Statement;

/// A server behind one session.
pub struct Server<'s> {
    session: &'s Session,
}

impl<'s> Server<'s> {
    /// Asks over this session.
    pub fn new(session: &'s Session) -> Self {
        Server { session }
    }
}

impl Planner for Server<'_> {
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.session.catalog(tables)?)
    }

    fn plan(&mut self, indexes: &[NamedIndex], statements: &[Statement]) -> Result<Answer, PlannerError> {
        if indexes.is_empty() {
            let mut planned = Planned::default();
            for statement in statements {
                planned.plans.insert(statement.id.clone(), self.session.explain(&statement.sql)?);
            }
            return Ok(Answer::Planned(planned));
        }
        Ok(self.session.rehearse(indexes, statements)?)
    }
}
