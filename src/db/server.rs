//! A live server as a [`Planner`]: plans as things are, and plans under indexes that are built and rolled back.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;

use super::catalog::field;
use super::explain::Explained;
use super::transaction::{Locks, Mode};
use super::{DbError, Session};
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::rehearsal::{
    Answer, Hypothesis, NamedIndex, PlanOutcome, Planned, Planner, PlannerError,
};
use crate::workload::{Statement, StatementId};

/// A server behind one session.
pub struct Server<'s> {
    session: &'s Session,
    /// What was seen of each statement when it was planned as things are.
    seen: BTreeMap<StatementId, Seen>,
    /// The tables that LOCK TABLE takes.
    lockable: BTreeSet<QualifiedName>,
}

/// What a rehearsal has to know of a statement before it takes locks.
#[derive(Debug, Clone)]
struct Seen {
    tables: BTreeSet<QualifiedName>,
    plan_bytes: usize,
}

/// A longer plan is not fetched while writers wait: a client or a network that stalls in the middle of it would keep the server,
/// and its locks, waiting in a write that no timeout ends. Less than what a socket buffers.
const MAX_PLAN_UNDER_LOCK_BYTES: usize = 96 * 1024;

impl<'s> Server<'s> {
    /// Asks over this session.
    pub fn new(session: &'s Session) -> Self {
        Server {
            session,
            seen: BTreeMap::new(),
            lockable: BTreeSet::new(),
        }
    }

    fn capture(&mut self, statement: &Statement) -> Result<PlanOutcome, DbError> {
        Ok(match self.session.capture(&statement.sql)? {
            Explained::Plan { plan, bytes } => {
                self.seen.insert(
                    statement.id.clone(),
                    Seen {
                        tables: plan.tables(),
                        plan_bytes: bytes,
                    },
                );
                PlanOutcome::Plan(plan)
            }
            Explained::Refused { message, .. } => PlanOutcome::Failed(message),
            Explained::Empty => PlanOutcome::Empty,
        })
    }

    fn rehearse(
        &self,
        indexes: &[NamedIndex],
        statements: &[Statement],
        how: Mode,
    ) -> Result<Answer, DbError> {
        let short = |statement: &&Statement| {
            self.seen
                .get(&statement.id)
                .is_none_or(|seen| seen.plan_bytes <= MAX_PLAN_UNDER_LOCK_BYTES)
        };
        let statements: Vec<&Statement> = statements.iter().filter(short).collect();
        let seen = statements
            .iter()
            .filter_map(|statement| self.seen.get(&statement.id));
        let built_on: BTreeSet<&QualifiedName> = indexes
            .iter()
            .map(|index| &index.definition.table)
            .collect();
        let read: BTreeSet<&QualifiedName> = seen.flat_map(|seen| &seen.tables).collect();
        let lockable = |table: &&&QualifiedName| self.lockable.contains(**table);
        let locks = Locks {
            write: built_on.iter().filter(lockable).copied().collect(),
            read: read
                .difference(&built_on)
                .filter(lockable)
                .copied()
                .collect(),
        };
        self.session.rehearse(indexes, &statements, &locks, how)
    }

    /// How many of these relations are in the catalog: after a rehearsal, of those it built, none.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn count_existing(&self, names: &[QualifiedName]) -> Result<usize, DbError> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let sql = "/* pgrehearse */ SELECT count(pg_catalog.to_regclass(name)) AS found FROM unnest($1::text[]) AS name";
        let rows =
            self.session
                .query("looking for leftovers", sql, &[(&names, Type::TEXT_ARRAY)])?;
        let found = rows
            .first()
            .map_or(Ok(0), |row| field::<i64>(row, "found"))?;
        Ok(usize::try_from(found).unwrap_or(0))
    }
}

impl Planner for Server<'_> {
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        let catalog = self.session.catalog(tables)?;
        self.lockable = catalog
            .tables
            .iter()
            .filter(|table| table.lockable)
            .map(|table| table.name.clone())
            .collect();
        Ok(catalog)
    }

    fn plan(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        if indexes.is_empty() {
            let mut planned = Planned::default();
            for statement in statements {
                planned
                    .plans
                    .insert(statement.id.clone(), self.capture(statement)?);
            }
            return Ok(Answer::Planned(planned));
        }
        Ok(self.rehearse(indexes, statements, Mode::Planned)?)
    }

    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        if !indexes.is_empty() {
            return Ok(self.rehearse(indexes, statements, Mode::Executed)?);
        }
        let mut planned = Planned::default();
        for statement in statements {
            planned.plans.insert(
                statement.id.clone(),
                self.session.execute_as_things_are(&statement.sql)?,
            );
        }
        Ok(Answer::Planned(planned))
    }

    fn suppose(
        &mut self,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        match hypothesis {
            Hypothesis::Setting { name, value } if indexes.is_empty() => {
                let mut planned = Planned::default();
                for statement in statements {
                    let explained = self.session.capture_under((name, value), &statement.sql)?;
                    planned.plans.insert(statement.id.clone(), explained.into());
                }
                Ok(Answer::Planned(planned))
            }
            Hypothesis::Rewritten => self.plan(indexes, statements),
            Hypothesis::Analyzed(analyzed) if indexes.is_empty() => Ok(self
                .session
                .suppose_after(&analyzed.statements(), statements)?),
            Hypothesis::View(view) if indexes.is_empty() => {
                Ok(self.session.suppose_view(view, statements)?)
            }
            Hypothesis::Setting { .. }
            | Hypothesis::Analyzed(_)
            | Hypothesis::View(_)
            | Hypothesis::AllVisible(_) => Ok(Answer::Refused(hypothesis.refused(indexes))),
        }
    }
}
