//! A live server as a [`Planner`]: plans without new indexes, and with indexes that are built and
//! rolled back.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::explain::Explained;
use super::row::field;
use super::settle::Settled;
use super::transaction::{Locks, Rehearsal};
use super::wait_budget::WaitBudget;
use super::{DbError, Session};
use crate::catalog::Catalog;
use crate::model::{Bytes, Millis, QualifiedName};
use crate::planner::hypothesis::use_remote_estimate;
use crate::planner::{
    Answer, Hypothesis, Mode, NamedIndex, OtherTables, PlanOutcome, Planned, Planner, PlannerError,
    Question, RefusalCause, Target, TwinOnly, TwinOnlyReason,
};
use crate::sql::{StatementKind, statement_kind};
use crate::verdict::expected_build;
use crate::workload::{Statement, StatementId};

/// A server behind one session.
pub struct Server<'s> {
    session: &'s Session,
    /// Facts of each statement from its plan without new indexes.
    planned: BTreeMap<StatementId, PlannedStatement>,
    /// The texts of statements that could only be planned with types for their parameters.
    settled: BTreeMap<StatementId, String>,
    /// The tables to lock with LOCK TABLE.
    lockable: BTreeSet<QualifiedName>,
    /// Statements that are executed whatever they call.
    executed_anyway: BTreeSet<StatementId>,
    /// How long one index on each table is expected to take.
    expected: BTreeMap<QualifiedName, Millis>,
    /// What others have waited because of this run.
    budget: WaitBudget,
}

/// Without DETAIL and HINT.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

/// Why a definition is not planned.
pub(super) const DEFINITION: &str = "this is DDL: `check --migrate` is for migrations";

/// What a rehearsal must know about a statement before it takes locks.
#[derive(Debug, Clone)]
struct PlannedStatement {
    tables: BTreeSet<QualifiedName>,
    plan_bytes: usize,
}

/// Maximum length of a plan that is fetched while writers wait. If a client or a network stalls
/// while a longer plan is sent, the server waits in a write that no timeout ends, and keeps its
/// locks. Less than what a socket buffers.
const MAX_PLAN_UNDER_LOCK_BYTES: usize = 96 * 1024;

impl<'s> Server<'s> {
    /// Sends questions over this session.
    pub fn new(session: &'s Session) -> Self {
        Server {
            session,
            planned: BTreeMap::new(),
            settled: BTreeMap::new(),
            lockable: BTreeSet::new(),
            executed_anyway: BTreeSet::new(),
            expected: BTreeMap::new(),
            budget: WaitBudget::default(),
        }
    }

    /// Executes these statements whatever they call.
    #[must_use]
    pub fn executing_anyway(self, statements: BTreeSet<StatementId>) -> Self {
        Server {
            executed_anyway: statements,
            ..self
        }
    }

    /// The outcome of a statement that is not sent: planned with the policies of others; of other
    /// users, and its planning may execute somebody's function; or to be executed, and not known to be harmless.
    fn withheld(&self, statement: &Statement, mode: Mode) -> Result<Option<PlanOutcome>, DbError> {
        if statement.is_under_policies() {
            return Ok(Some(PlanOutcome::TwinOnly(TwinOnly {
                authors: BTreeSet::new(),
                reason: TwinOnlyReason::PoliciesOfOthers,
            })));
        }
        if let Some(objection) = self.session.objection_to_planning(statement)? {
            return Ok(Some(PlanOutcome::TwinOnly(objection)));
        }
        if mode == Mode::Plan || self.executed_anyway.contains(&statement.id) {
            return Ok(None);
        }
        let objection = self.session.objection_to_executing(&statement.sql)?;
        Ok(objection.map(PlanOutcome::NotExecuted))
    }

    /// The outcome of a statement whose plan is not read in a transaction that writers wait for.
    fn long_plan(&self, statement: &Statement, question: &Question) -> Option<PlanOutcome> {
        let is_asked = question.mode == Mode::Plan && question.takes_a_transaction();
        let planned = self.planned.get(&statement.id).filter(|_| is_asked)?;
        let is_long = planned.plan_bytes > MAX_PLAN_UNDER_LOCK_BYTES;
        is_long.then(|| {
            PlanOutcome::TwinOnly(TwinOnly {
                authors: BTreeSet::new(),
                reason: TwinOnlyReason::LongPlan(Bytes(planned.plan_bytes as u64)),
            })
        })
    }

    /// The answer about the statements that may be sent, and why the others are not.
    fn answer(&mut self, question: &Question) -> Result<Answer, DbError> {
        if question.mode == Mode::Check {
            return self.check(&question.statements);
        }
        let mut withheld = BTreeMap::new();
        let mut sent = Vec::new();
        for statement in &question.statements {
            let long = self.long_plan(statement, question);
            match self.withheld(statement, question.mode)?.or(long) {
                Some(outcome) => {
                    withheld.insert(statement.id.clone(), outcome);
                }
                None => sent.push(statement.clone()),
            }
        }
        let Some(first) = withheld.keys().next().cloned() else {
            return self.answer_safely(question);
        };
        let needs_statements = question.mode == Mode::Plan && question.takes_a_transaction();
        if sent.is_empty() && needs_statements {
            return Ok(Answer::Refused(
                RefusalCause::PlannedInTwinOnly(first).into(),
            ));
        }
        let answer = if sent.is_empty() {
            Answer::Planned(Planned::default())
        } else {
            let statements = sent;
            self.answer_safely(&Question {
                statements,
                ..question.clone()
            })?
        };
        Ok(match answer {
            Answer::Planned(mut planned) => {
                planned.plans.extend(withheld);
                Answer::Planned(planned)
            }
            refused @ Answer::Refused(_) => refused,
        })
    }

    /// The statements that would not be executed.
    fn check(&self, statements: &[Statement]) -> Result<Answer, DbError> {
        let mut planned = Planned::default();
        for statement in statements {
            if let Some(outcome) = self.withheld(statement, Mode::Execute)? {
                planned.plans.insert(statement.id.clone(), outcome);
            }
        }
        Ok(Answer::Planned(planned))
    }

    fn answer_safely(&mut self, question: &Question) -> Result<Answer, DbError> {
        match &question.hypothesis {
            None => self.answer_plainly(question),
            Some(hypothesis) => self.answer_under(hypothesis, question),
        }
    }

    fn capture(&mut self, statement: &Statement) -> Result<PlanOutcome, DbError> {
        if statement_kind(&statement.sql) == StatementKind::Definition {
            return Ok(PlanOutcome::Failed(DEFINITION.to_owned()));
        }
        let explained = match self.session.capture(&statement.sql)? {
            refused @ Explained::Refused { .. } => self.capture_settled(statement, refused)?,
            explained => explained,
        };
        Ok(match explained {
            Explained::Plan { plan, bytes } => {
                self.session.planned.add(&plan);
                self.planned.insert(
                    statement.id.clone(),
                    PlannedStatement {
                        tables: plan.tables(),
                        plan_bytes: bytes,
                    },
                );
                PlanOutcome::Plan(plan)
            }
            Explained::Refused {
                message,
                state: Some(SqlState::INSUFFICIENT_PRIVILEGE),
            } => PlanOutcome::TwinOnly(TwinOnly {
                authors: statement.authors.clone(),
                reason: TwinOnlyReason::NoRights(first_line(&message)),
            }),
            Explained::Refused { message, .. } => PlanOutcome::Failed(message),
            Explained::Empty => PlanOutcome::Empty,
        })
    }

    /// The plan of a refused statement with types for its parameters, if that can be planned.
    fn capture_settled(
        &mut self,
        statement: &Statement,
        refused: Explained,
    ) -> Result<Explained, DbError> {
        match self.session.settle(statement)? {
            Settled::To(text) => {
                let explained = self.session.capture(&text)?;
                if matches!(explained, Explained::Plan { .. }) {
                    self.settled.insert(statement.id.clone(), text);
                }
                Ok(explained)
            }
            Settled::Missing(message, state) => Ok(Explained::Refused {
                message,
                state: Some(state),
            }),
            Settled::No => Ok(refused),
        }
    }

    fn rehearse(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
        mode: Mode,
    ) -> Result<Answer, DbError> {
        let short = |statement: &&Statement| {
            self.planned
                .get(&statement.id)
                .is_none_or(|statement| statement.plan_bytes <= MAX_PLAN_UNDER_LOCK_BYTES)
        };
        let statements: Vec<&Statement> = statements.iter().filter(short).collect();
        let planned = statements
            .iter()
            .filter_map(|statement| self.planned.get(&statement.id));
        let built_on: BTreeSet<&QualifiedName> = indexes
            .iter()
            .map(|index| &index.definition.table)
            .collect();
        let read: BTreeSet<&QualifiedName> =
            planned.flat_map(|statement| &statement.tables).collect();
        let lockable = |table: &&&QualifiedName| self.lockable.contains(**table);
        let locks = Locks {
            write: built_on.iter().filter(lockable).copied().collect(),
            read: read
                .difference(&built_on)
                .filter(lockable)
                .copied()
                .collect(),
        };
        let expected = built_on
            .iter()
            .filter_map(|table| self.expected.get(*table));
        let expected = expected.fold(Millis::default(), |longest, time| {
            Millis(longest.0.max(time.0))
        });
        let rehearsal = Rehearsal {
            indexes,
            statements,
            mode,
            locks,
            expected,
        };
        self.session.rehearse(&rehearsal, &mut self.budget)
    }

    /// How many of these relations are in the catalog. After a rehearsal, the indexes that it built
    /// must not be.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn count_existing(&self, names: &[QualifiedName]) -> Result<usize, DbError> {
        let (schemas, names): (Vec<&str>, Vec<&str>) = names
            .iter()
            .map(|name| (name.schema.as_str(), name.name.as_str()))
            .unzip();
        let rows = self.session.query(
            "looking for leftovers",
            include_str!("sql/count_existing.sql"),
            &[(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)],
        )?;
        let found = rows
            .first()
            .map_or(Ok(0), |row| field::<i64>(row, "found"))?;
        Ok(usize::try_from(found).unwrap_or(0))
    }
}

impl Server<'_> {
    /// Plans each statement by itself, without any new index.
    fn plan_each(
        &mut self,
        statements: &[Statement],
        plan: impl Fn(&mut Self, &Statement) -> Result<PlanOutcome, DbError>,
    ) -> Result<Answer, DbError> {
        let mut planned = Planned::default();
        for statement in statements {
            let outcome = plan(self, statement)?;
            planned.plans.insert(statement.id.clone(), outcome);
        }
        planned.settled = std::mem::take(&mut self.settled);
        planned.long_plans = statements
            .iter()
            .filter_map(|Statement { id, .. }| Some((id.clone(), self.planned.get(id)?.plan_bytes)))
            .filter(|(_, bytes)| *bytes > MAX_PLAN_UNDER_LOCK_BYTES)
            .map(|(id, bytes)| (id, Bytes(bytes as u64)))
            .collect();
        Ok(Answer::Planned(planned))
    }

    fn answer_plainly(&mut self, question: &Question) -> Result<Answer, DbError> {
        let statements = &question.statements;
        match (question.mode, question.indexes.is_empty()) {
            (Mode::Plan, true) => self.plan_each(statements, Self::capture),
            (Mode::Plan, false) => self.rehearse(&question.indexes, statements, Mode::Plan),
            (Mode::Execute, true) => self.plan_each(statements, |server, statement| {
                server.session.execute_without_indexes(&statement.sql)
            }),
            (Mode::Execute, false) => self.rehearse(&question.indexes, statements, Mode::Execute),
            (Mode::Check, _) => self.check(statements),
        }
    }

    fn answer_under(
        &mut self,
        hypothesis: &Hypothesis,
        question: &Question,
    ) -> Result<Answer, DbError> {
        let statements = &question.statements;
        match hypothesis {
            Hypothesis::Rewritten => self.answer_plainly(question),
            Hypothesis::Setting { name, value } if question.indexes.is_empty() => {
                self.plan_each(statements, |server, statement| {
                    let explained = server
                        .session
                        .capture_under((name, value), &statement.sql)?;
                    Ok(explained.into())
                })
            }
            Hypothesis::Analyzed(analyzed) if question.indexes.is_empty() => self
                .session
                .plan_after(&analyzed.statements(), statements, &mut self.budget),
            Hypothesis::RemoteEstimates(server) if question.indexes.is_empty() => {
                let script = [use_remote_estimate(server)];
                self.session
                    .plan_after(&script, statements, &mut self.budget)
            }
            Hypothesis::View(view) if question.indexes.is_empty() => {
                match self.session.objection_to_executing(&view.query)? {
                    Some(objection) => {
                        Ok(Answer::Refused(RefusalCause::NotExecuted(objection).into()))
                    }
                    None => self
                        .session
                        .plan_with_view(view, statements, &mut self.budget),
                }
            }
            Hypothesis::Setting { .. }
            | Hypothesis::Analyzed(_)
            | Hypothesis::View(_)
            | Hypothesis::RemoteEstimates(_)
            | Hypothesis::AllVisible(_)
            | Hypothesis::AlteredPolicy(_)
            | Hypothesis::Reindexed(_) => {
                Ok(Answer::Refused(hypothesis.refused(&question.indexes)))
            }
        }
    }
}

impl Server<'_> {
    /// Which tables can be locked before a build, and how long builds on them are expected to take.
    pub fn know(&mut self, catalog: &Catalog) {
        self.lockable = catalog
            .tables
            .iter()
            .filter(|table| table.lockable)
            .map(|table| table.name.clone())
            .collect();
        self.expected = catalog
            .tables
            .iter()
            .map(|table| {
                (
                    table.name.clone(),
                    expected_build(table.rows.unwrap_or(0.0)),
                )
            })
            .collect();
    }
}

impl Planner for Server<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if question.target == Target::Twin || !question.hidden.is_empty() {
            return Err(PlannerError::NoTwin);
        }
        Ok(self.answer(question)?)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        let catalog = self.session.catalog(tables)?;
        self.know(&catalog);
        Ok(catalog)
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        Ok(self.session.other_tables(known)?)
    }
}
