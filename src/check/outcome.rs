//! Everything that a check found.

use super::comparison::{CheckedStatement, StatementChange};
use super::duration::{self, DurationRange};
use super::index_use::{IndexUse, index_uses};
use super::lock::LockMode;
use super::migration::{Migrated, StepOutcome};
use super::safer::{Judged, judge};
use crate::model::{Bytes, Cost, Gap, Millis, QualifiedName};
use crate::workload::{LeftOut, StatementId};

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    /// A file, or the database that was connected to.
    pub source: String,
    /// `server_version_num`.
    pub version_num: u32,
    /// The database.
    pub database: String,
}

/// A statement of the migration, with what is said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedStep {
    /// What it did.
    pub outcome: StepOutcome,
    /// What is said about it.
    pub judged: Judged,
    /// How long it takes on the server; none where it did not run.
    pub duration: Option<DurationRange>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CheckOutcome {
    /// What was compared.
    pub before: Side,
    /// With what.
    pub after: Side,
    /// The statements of the migration; empty if two snapshots were compared.
    pub steps: Vec<CheckedStep>,
    /// The statements of the workload.
    pub statements: Vec<CheckedStatement>,
    /// Indexes that were added or dropped.
    pub indexes: Vec<IndexUse>,
    /// Indexes that would help statements that got worse.
    pub fixes: Vec<Fix>,
    /// What the migration leaves open.
    pub unknown: Unknown,
    /// What another version changes besides plans.
    pub upgrade: Upgrade,
    /// Statements that only one side has.
    pub only: Only,
    /// Has the twin file the tables of its workload only? Others are missing in the twin.
    pub is_partial: bool,
    /// What the twins lack.
    pub gaps: Vec<Gap>,
    /// What of the workload is left out.
    pub left_out: Vec<LeftOut>,
}

/// An index that would help statements that got worse.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// `i1`, `i2`, …
    pub id: String,
    /// The statements that create it.
    pub ddl: Vec<String>,
    /// Its table.
    pub table: QualifiedName,
    /// Its estimated size.
    pub size: Bytes,
    /// The statements that it helps, and what they cost with it.
    pub helped: Vec<(StatementId, Cost)>,
}

/// What another version of PostgreSQL changes besides plans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upgrade {
    /// Settings that only one of the versions has, or that it has another default for.
    pub settings: Vec<SettingChange>,
    /// Views and rules that the new version refuses, each with its message.
    pub refused: Vec<(String, String)>,
}

/// A setting of the planner in two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// Its name.
    pub name: String,
    /// Its value before; none if the version does not have it.
    pub before: Option<String>,
    /// Its value after; none if the version does not have it.
    pub after: Option<String>,
}

/// Statements that only one side has, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// Before.
    pub before: Vec<String>,
    /// After.
    pub after: Vec<String>,
}

/// What nobody can know before the change was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unknown {
    /// New tables: how many rows they will have.
    pub tables: Vec<QualifiedName>,
    /// New columns: which values they will have.
    pub columns: Vec<(QualifiedName, String)>,
    /// Tables that are written anew: no page of them is known to be all-visible.
    pub rewritten: Vec<QualifiedName>,
    /// Columns that have no statistics until the next ANALYZE.
    pub until_analyze: Vec<(QualifiedName, String)>,
    /// The transaction that was open at the end of the migration was taken back.
    pub left_open: bool,
}

impl CheckOutcome {
    /// What a migration did, and what the statements became.
    pub fn of_migration(
        sides: (Side, Side),
        migrated: &Migrated,
        statements: Vec<CheckedStatement>,
    ) -> CheckOutcome {
        let judged = judge(migrated);
        let size = |table: &QualifiedName| migrated.tables.get(table).copied();
        let steps = migrated.steps.iter().zip(judged).map(|(step, judged)| {
            let duration = duration::estimate(step, size);
            CheckedStep {
                outcome: step.clone(),
                judged,
                duration,
            }
        });
        CheckOutcome {
            before: sides.0,
            after: sides.1,
            steps: steps.collect(),
            indexes: index_uses(migrated, &statements),
            statements,
            fixes: Vec::new(),
            unknown: Unknown {
                tables: migrated.new_tables.clone(),
                columns: migrated.new_columns.clone(),
                rewritten: rewritten(migrated),
                until_analyze: migrated.without_statistics.clone(),
                left_open: migrated.left_open,
            },
            upgrade: Upgrade::default(),
            only: Only::default(),
            is_partial: false,
            gaps: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// The indexes that would help a statement, each with what it would cost then.
    pub fn fixes_of(&self, id: &StatementId) -> Vec<(&Fix, Cost)> {
        let of_one = |fix: &'_ Fix| {
            let helped = fix.helped.iter().find(|(helped, _)| helped == id);
            helped.map(|(_, cost)| *cost)
        };
        let fixes = self.fixes.iter();
        fixes.filter_map(|fix| Some((fix, of_one(fix)?))).collect()
    }

    /// How many statements changed so.
    pub fn count(&self, change: StatementChange) -> usize {
        let is_so = |checked: &&CheckedStatement| checked.change == Some(change);
        self.statements.iter().filter(is_so).count()
    }

    /// The statements of the migration that the server refused: file and line.
    pub fn failed_steps(&self) -> Vec<String> {
        use super::migration::StepStatus;
        let failed = self
            .steps
            .iter()
            .filter(|step| matches!(step.outcome.status, StepStatus::Failed(_)));
        failed.map(CheckedStep::place).collect()
    }

    /// The statements of the migration that will probably fail on the server's rows, each with its place.
    pub fn steps_that_will_fail(&self) -> Vec<String> {
        let predicts = |step: &&CheckedStep| {
            let mut findings = step.judged.findings.iter();
            findings.any(super::safer::DdlFinding::predicts_failure)
        };
        let steps = self.steps.iter().filter(predicts);
        steps.map(CheckedStep::place).collect()
    }

    /// Does a statement of the migration drop or change something that a table may use which the twin
    /// file does not have?
    pub fn may_break_others(&self) -> bool {
        use super::migration::StepStatus;
        const WORDS: [&str; 3] = ["drop", "rename", "type"];
        let changes = |step: &CheckedStep| {
            let words = crate::sql::fingerprint::identifiers(&step.outcome.step.sql);
            step.outcome.status == StepStatus::Done
                && !step.outcome.locks.is_empty()
                && WORDS.iter().any(|word| words.contains(*word))
        };
        self.is_partial && self.steps.iter().any(changes)
    }

    /// Did a statement of the migration fail because something is missing that the server may have?
    pub fn misses_something(&self) -> bool {
        use super::migration::StepStatus;
        self.is_partial
            && self.steps.iter().any(|step| match &step.outcome.status {
                StepStatus::Failed(message) => message.contains("does not exist"),
                _ => false,
            })
    }

    /// The statements of the migration that may hold a lock of this mode or a stronger one for longer
    /// than this. In a transaction, a lock is held until its end.
    pub fn steps_with_lock(&self, mode: LockMode, time: Millis) -> Vec<String> {
        let mut found = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let has_lock = step.outcome.locks.iter().any(|lock| lock.mode >= mode);
            if has_lock && self.held_for(at) > time {
                found.push(step.place());
            }
        }
        found
    }

    /// For how long the locks of a statement may be held, at worst.
    pub fn held_for(&self, at: usize) -> Millis {
        let longest = |step: &CheckedStep| step.duration.map_or(0.0, |range| range.high.0);
        let Some(step) = self.steps.get(at) else {
            return Millis(0.0);
        };
        let later = self.steps.get(at + 1..).unwrap_or_default();
        let of_block = later
            .iter()
            .take_while(|later| step.outcome.in_block && later.outcome.in_block);
        Millis(longest(step) + of_block.map(longest).sum::<f64>())
    }

    /// The indexes that were added and that nobody uses.
    pub fn unused_indexes(&self) -> Vec<String> {
        let unused = self.indexes.iter().filter(|index| index.finding.is_some());
        unused.map(|index| index.index.name.to_string()).collect()
    }
}

impl CheckedStep {
    /// `m.sql:12`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.outcome.step.file, self.outcome.step.line)
    }
}

/// The tables that are written anew, once each.
fn rewritten(migrated: &Migrated) -> Vec<QualifiedName> {
    let all = migrated.steps.iter().flat_map(|step| &step.rewrites);
    let all: std::collections::BTreeSet<&QualifiedName> = all.collect();
    all.into_iter().cloned().collect()
}
