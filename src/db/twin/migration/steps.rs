//! Executes the statements of a migration one by one, in the transactions that they ask for.

use tokio_postgres::error::SqlState;

use super::observation::{OPERATION, Relation, Relations, note, relations};
use crate::check::lock::LockMode;
use crate::check::migration::{HeldLock, StepOutcome, StepStatus};
use crate::check::script::{Handling, LeftOut, Step};
use crate::db::DbError;
use crate::db::error::message;
use crate::db::explain::{EXPLAIN, plan_of};
use crate::db::twin::Twin;
use crate::model::{QualifiedName, quote_identifier};
use crate::plan::{NodeType, Plan};
use crate::sql::{leading_words, relation_names, schema_to_create};
use crate::twin::snapshot::Oid;

/// Time limit for a statement of the migration: it works on few rows.
const STEP_PATIENCE: &str = "10s";

/// Extensions that the twin installs for a migration: those that PostgreSQL calls trusted, and whose
/// functions only compute. (No languages, nothing that reaches files or other servers.)
const EXTENSIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "seg",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
];

/// Executes steps in the role's session.
pub(super) struct StepRunner<'t> {
    twin: &'t Twin,
    /// The relations from before the migration.
    known: &'t Relations,
    /// The number of a file without rows.
    empty: Oid,
    in_block: bool,
}

/// What the server said to one statement.
enum Said {
    Done,
    Refused { message: String, state: SqlState },
}

impl<'t> StepRunner<'t> {
    pub(super) fn new(twin: &'t Twin, known: &'t Relations, empty: Oid) -> StepRunner<'t> {
        StepRunner {
            twin,
            known,
            empty,
            in_block: false,
        }
    }

    /// Executes all steps up to the first that fails; says whether a transaction was left open, which
    /// takes back what was done in it.
    pub(super) fn run(mut self, steps: &[Step]) -> Result<(Vec<StepOutcome>, bool), DbError> {
        let mut outcomes = Vec::with_capacity(steps.len());
        let mut has_failed = false;
        for step in steps {
            if has_failed {
                outcomes.push(StepOutcome::new(step, StepStatus::NotReached));
                continue;
            }
            let mut outcome = self.step(step)?;
            outcome.in_block = self.in_block;
            has_failed = matches!(outcome.status, StepStatus::Failed(_));
            outcomes.push(outcome);
        }
        let left_open = self.in_block && !has_failed;
        self.twin.session.rollback();
        Ok((outcomes, left_open))
    }

    fn step(&mut self, step: &Step) -> Result<StepOutcome, DbError> {
        self.twin.session.set("statement_timeout", STEP_PATIENCE)?;
        match step.handling {
            Handling::Run => self.execute(step),
            Handling::Plan => self.plan(step),
            Handling::Begin | Handling::Commit | Handling::Rollback => self.transaction(step),
            Handling::Analyze => Ok(self.analyze(step)),
            Handling::CreateSchema => self.create_schema(step),
            Handling::CreateExtension => self.create_extension(step),
            Handling::LeaveOut(why) => Ok(StepOutcome::new(step, StepStatus::LeftOut(why))),
        }
    }

    fn say(&self, sql: &str) -> Result<Said, DbError> {
        let Err(error) = self.twin.session.try_query(sql)? else {
            return Ok(Said::Done);
        };
        match DbError::query(OPERATION, &error) {
            refused if refused.is_refusal() => Ok(Said::Refused {
                message: message(&error, 0, sql),
                state: error.code().cloned().unwrap_or(SqlState::INTERNAL_ERROR),
            }),
            lost => Err(lost),
        }
    }

    fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.twin.session.batch(OPERATION, sql)
    }

    fn transaction(&mut self, step: &Step) -> Result<StepOutcome, DbError> {
        let said = self.say(&step.sql)?;
        let status = match said {
            Said::Done => {
                self.in_block = step.handling == Handling::Begin
                    || leading_words(&step.sql, 8)
                        .ends_with(&["and".to_owned(), "chain".to_owned()]);
                StepStatus::Done
            }
            Said::Refused { message, .. } => StepStatus::Failed(message),
        };
        Ok(StepOutcome::new(step, status))
    }

    /// Executes a statement in a transaction, and sees there what it did. One that refuses to run in a
    /// transaction runs by itself, if the migration does not have it in one.
    fn execute(&self, step: &Step) -> Result<StepOutcome, DbError> {
        let mut outcome = StepOutcome::new(step, StepStatus::Done);
        if is_about_savepoints(step) {
            if let Said::Refused { message, .. } = self.say(&step.sql)? {
                outcome.status = StepStatus::Failed(message);
            }
            return Ok(outcome);
        }
        if !self.in_block {
            self.batch("BEGIN")?;
        }
        self.batch("SAVEPOINT pgrehearse")?;
        let before = relations(&self.twin.session)?;
        let mut said = self.say(&step.sql)?;
        if let Said::Refused { message, state } = &said {
            let message = message.clone();
            let is_data = is_about_rows(state);
            let must_be_alone = *state == SqlState::ACTIVE_SQL_TRANSACTION;
            self.batch("ROLLBACK TO SAVEPOINT pgrehearse")?;
            if must_be_alone && !self.in_block {
                self.batch("ROLLBACK")?;
                return self.execute_alone(step);
            }
            if is_data {
                said = self.execute_without_rows(step)?;
                let succeeds = matches!(said, Said::Done);
                outcome.fails_on_values =
                    Some(message).filter(|message| succeeds && is_about_one_value(message));
            }
        }
        match said {
            Said::Done => {
                let after = relations(&self.twin.session)?;
                note(&mut outcome, self.known, &before, &after);
                self.batch("RELEASE SAVEPOINT pgrehearse")?;
                if !self.in_block {
                    // Deferred constraints are checked now.
                    if let Said::Refused { message, .. } = self.say("COMMIT")? {
                        outcome.status = StepStatus::Failed(message);
                    }
                }
            }
            Said::Refused { message, state } => {
                self.batch("ROLLBACK TO SAVEPOINT pgrehearse")?;
                if !self.in_block {
                    self.batch("ROLLBACK")?;
                }
                outcome.status = refused(step, message, &state);
            }
        }
        Ok(outcome)
    }

    /// The rows with the smallest and the largest values are none of the server's: what fails on them
    /// may succeed there. So it is tried without rows.
    fn execute_without_rows(&self, step: &Step) -> Result<Said, DbError> {
        let call = |function: &str| format!("SELECT pgrehearse_twin.{function}({})", self.empty);
        self.batch(&call("set_rows_aside"))?;
        let said = self.say(&step.sql)?;
        if matches!(said, Said::Done) {
            self.batch(&call("put_rows_back"))?;
        }
        Ok(said)
    }

    /// CREATE INDEX CONCURRENTLY, VACUUM and the like: they commit several times, so that their locks
    /// are gone at the end.
    fn execute_alone(&self, step: &Step) -> Result<StepOutcome, DbError> {
        let mut outcome = StepOutcome::new(step, StepStatus::Done);
        let before = relations(&self.twin.session)?;
        let call = |function: &str| format!("SELECT pgrehearse_twin.{function}({})", self.empty);
        self.batch(&call("set_rows_aside"))?;
        let said = self.say(&step.sql)?;
        self.batch(&call("put_rows_back"))?;
        match said {
            Said::Done => {
                let after = relations(&self.twin.session)?;
                note(&mut outcome, self.known, &before, &after);
                outcome.locks = documented_locks(step, &outcome, self.known);
            }
            Said::Refused { message, state } => outcome.status = refused(step, message, &state),
        }
        Ok(outcome)
    }

    /// How many rows the planner expects a statement to write, with the sizes of the server.
    fn plan(&self, step: &Step) -> Result<StepOutcome, DbError> {
        let begin = if self.in_block {
            "SAVEPOINT pgrehearse_plan"
        } else {
            "BEGIN"
        };
        self.batch(begin)?;
        self.batch("SELECT pgrehearse_twin.use_large_files()")?;
        let explain = format!("{EXPLAIN}{}", step.sql);
        let planned = self.twin.session.try_query(&explain)?;
        let end = if self.in_block {
            "ROLLBACK TO SAVEPOINT pgrehearse_plan; RELEASE SAVEPOINT pgrehearse_plan"
        } else {
            "ROLLBACK"
        };
        let status = match planned {
            Ok(rows) => StepStatus::Planned {
                rows: plan_of(&rows).map_or(0.0, |plan| written_rows(&plan)),
            },
            Err(error) => match DbError::query(OPERATION, &error) {
                lost if !lost.is_refusal() => return Err(lost),
                _ => {
                    let text = message(&error, EXPLAIN.len(), &step.sql);
                    let state = error.code().cloned().unwrap_or(SqlState::INTERNAL_ERROR);
                    refused(step, text, &state)
                }
            },
        };
        self.batch(end)?;
        let mut outcome = StepOutcome::new(step, status);
        if matches!(outcome.status, StepStatus::Planned { .. }) {
            outcome.locks = self.named(step).map(row_lock).collect();
        }
        Ok(outcome)
    }

    /// The known tables that a statement names; of several with one name, all.
    fn named(&self, step: &Step) -> impl Iterator<Item = QualifiedName> {
        let names = relation_names(&step.sql);
        let is_named = |name: &QualifiedName| {
            names.iter().any(|named| {
                let schema = named.schema.as_ref();
                named.name == name.name && schema.is_none_or(|schema| *schema == name.schema)
            })
        };
        let writes = leading_words(&step.sql, 1);
        let writes = writes.first().is_some_and(|word| word != "select");
        let tables: Vec<QualifiedName> = self
            .known
            .values()
            .filter(|relation| writes && matches!(relation.kind.as_str(), "r" | "p"))
            .map(|relation| relation.name.clone())
            .filter(is_named)
            .collect();
        tables.into_iter()
    }

    fn analyze(&self, step: &Step) -> StepOutcome {
        let mut outcome = StepOutcome::new(step, StepStatus::Done);
        let lock = |relation| HeldLock {
            relation,
            mode: LockMode::ShareUpdateExclusive,
            is_seen: false,
        };
        outcome.locks = self.named(step).map(lock).collect();
        outcome
    }

    /// The role may not create schemas; a name is all that is taken from the text.
    fn create_schema(&self, step: &Step) -> Result<StepOutcome, DbError> {
        let Some(schema) = schema_to_create(&step.sql) else {
            let status = StepStatus::LeftOut(LeftOut::Unknown);
            return Ok(StepOutcome::new(step, status));
        };
        let owner = quote_identifier(&self.twin.role.name).into_owned();
        let sql = format!(
            "CREATE SCHEMA {}{} AUTHORIZATION {owner}",
            if schema.if_not_exists {
                "IF NOT EXISTS "
            } else {
                ""
            },
            quote_identifier(&schema.name),
        );
        let status = match self.twin.admin.batch(OPERATION, &sql) {
            Ok(()) => self.notice_others()?,
            Err(DbError::Query {
                message,
                state: Some(_),
                ..
            }) => StepStatus::Failed(message),
            Err(error) => return Err(error),
        };
        Ok(StepOutcome::new(step, status))
    }

    /// Within a transaction, a session notices what others have created only when it acquires a lock
    /// that it does not have (`LockRelationOid`, src/backend/storage/lmgr/lmgr.c).
    fn notice_others(&self) -> Result<StepStatus, DbError> {
        if self.in_block {
            self.batch(
                "SAVEPOINT pgrehearse; SELECT FROM pgrehearse_twin.set_aside; \
                 ROLLBACK TO SAVEPOINT pgrehearse; RELEASE SAVEPOINT pgrehearse",
            )?;
        }
        Ok(StepStatus::Done)
    }

    /// Only extensions of the list, in the schema `public`.
    fn create_extension(&self, step: &Step) -> Result<StepOutcome, DbError> {
        let names = crate::sql::fingerprint::identifiers(&step.sql);
        let known = EXTENSIONS.iter().find(|name| names.contains(**name));
        let Some(name) = known else {
            let message = "the planner twin installs only extensions whose functions compute";
            let status = StepStatus::NotPossible(message.to_owned());
            return Ok(StepOutcome::new(step, status));
        };
        let sql = format!(
            "CREATE EXTENSION IF NOT EXISTS {} SCHEMA public",
            quote_identifier(name)
        );
        let status = match self.twin.admin.batch(OPERATION, &sql) {
            Ok(()) => self.notice_others()?,
            Err(DbError::Query {
                message,
                state: Some(_),
                ..
            }) => StepStatus::NotPossible(message),
            Err(error) => return Err(error),
        };
        Ok(StepOutcome::new(step, status))
    }
}

/// SAVEPOINT and the like must not be within a savepoint of ours.
fn is_about_savepoints(step: &Step) -> bool {
    let words = leading_words(&step.sql, 1);
    let word = words.first().map(String::as_str);
    matches!(word, Some("savepoint" | "release" | "rollback"))
}

/// SQLSTATE classes 22 (values), 23 (constraints) and P0 (functions that raise an error).
fn is_about_rows(state: &SqlState) -> bool {
    ["22", "23", "P0"]
        .iter()
        .any(|class| state.code().starts_with(class))
}

/// Is it about a single value, which may be one of the server's? Other messages say nothing about the
/// server, because the rows combine values that never were in one row.
fn is_about_one_value(message: &str) -> bool {
    ["invalid input", "out of range", "value too long"]
        .iter()
        .any(|part| message.contains(part))
}

/// SQLSTATE classes 53 (resources), 58 (system) and XX (internal errors): the twin's files are not those
/// of the server.
fn is_of_the_twin(state: &SqlState) -> bool {
    ["53", "58", "XX"]
        .iter()
        .any(|class| state.code().starts_with(class))
}

/// What the role may not do, and what is about things that are not copied, says nothing about the
/// migration on the server.
fn refused(step: &Step, message: String, state: &SqlState) -> StepStatus {
    let words = leading_words(&step.sql, 3);
    let is_not_copied = [
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::UNDEFINED_FILE,
    ]
    .contains(state);
    let is_unimportant = words.iter().any(|word| {
        matches!(
            word.as_str(),
            "trigger"
                | "comment"
                | "policy"
                | "function"
                | "procedure"
                | "routine"
                | "aggregate"
                | "rule"
        )
    });
    // Tablespaces belong to the server, as roles do.
    let is_role = message.contains("role \"") || message.contains("tablespace \"");
    if *state == SqlState::INSUFFICIENT_PRIVILEGE
        || is_of_the_twin(state)
        || is_not_copied && (is_unimportant || is_role)
    {
        StepStatus::NotPossible(message)
    } else {
        StepStatus::Failed(message)
    }
}

/// The locks of statements that end them before anybody can look
/// (<https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>).
fn documented_locks(step: &Step, outcome: &StepOutcome, known: &Relations) -> Vec<HeldLock> {
    let identifiers = crate::sql::fingerprint::identifiers(&step.sql);
    let is_full = identifiers.contains("full") || identifiers.contains("cluster");
    let mode = if is_full {
        LockMode::AccessExclusive
    } else {
        LockMode::ShareUpdateExclusive
    };
    let names_index =
        |relation: &Relation| relation.kind == "i" && identifiers.contains(&relation.name.name);
    let tables_of_indexes = known
        .values()
        .filter(|relation| names_index(relation))
        .filter_map(|relation| known.get(&relation.table?));
    let named = known
        .values()
        .filter(|relation| relation.is_table() && identifiers.contains(&relation.name.name));
    let touched = outcome.builds.iter().chain(&outcome.rewrites).cloned();
    let tables: std::collections::BTreeSet<QualifiedName> = tables_of_indexes
        .chain(named)
        .map(|relation| relation.name.clone())
        .chain(touched)
        .collect();
    tables
        .into_iter()
        .map(|relation| HeldLock {
            relation,
            mode,
            is_seen: false,
        })
        .collect()
}

fn row_lock(relation: QualifiedName) -> HeldLock {
    HeldLock {
        relation,
        mode: LockMode::RowExclusive,
        is_seen: false,
    }
}

/// The rows that a statement writes, or else returns.
fn written_rows(plan: &Plan) -> f64 {
    let root = plan.root();
    if *root.node_type() != NodeType::ModifyTable {
        return root.plan_rows().unwrap_or(0.0);
    }
    let inputs = plan.children(root.id);
    inputs.filter_map(crate::plan::Node::plan_rows).sum()
}
