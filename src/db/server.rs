//! A live server as a [`Planner`]: plans as things are, and plans under indexes that are built and rolled back.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use super::catalog::field;
use super::{DbError, Session};
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

impl Server<'_> {
    /// How many of these relations are in the catalog: after a rehearsal, of those it built, none.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn count_existing(&self, names: &[QualifiedName]) -> Result<usize, DbError> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let sql = "SELECT count(pg_catalog.to_regclass(name)) AS found FROM unnest($1::text[]) AS name";
        let rows = self.session.query("looking for leftovers", sql, &[(&names, Type::TEXT_ARRAY)])?;
        let found = rows.first().map_or(Ok(0), |row| field::<i64>(row, "found"))?;
        Ok(usize::try_from(found).unwrap_or(0))
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
