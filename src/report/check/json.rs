//! The JSON report of `check`: a public interface, versioned, described by
//! `schema/check-report.schema.json`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::summary;
use crate::check::comparison::{Assumed, Assumption, Cause, CheckedStatement};
use crate::check::gate::JudgedGate;
use crate::check::index_use::IndexUse;
use crate::check::migration::{IndexChange, StepStatus};
use crate::check::outcome::{CheckOutcome, CheckedStep, Fix, SettingChange, Side};
use crate::model::{Millis, QualifiedName};
use crate::plan::Plan;
use crate::planner::PlanOutcome;
use crate::report::json::Tool;
use crate::sentences::check as words;

/// Within a version, fields are only added.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that one run of `check` found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "pgrehearse check report")]
pub struct CheckReport {
    /// Version of this format.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: Tool,
    /// What was compared.
    pub before: SideReport,
    /// With what.
    pub after: SideReport,
    /// The statements of the migration, in order; empty without one.
    pub ddl: Vec<DdlReport>,
    /// The statements of the workload, in its order.
    pub statements: Vec<StatementReport>,
    /// Indexes that were added or dropped.
    pub indexes: Vec<IndexReport>,
    /// Indexes that would help statements that got worse, in the planner twin.
    pub advice: Vec<FixReport>,
    /// Settings that another version of PostgreSQL does not have, or that have another value there by
    /// default.
    pub settings: Vec<SettingReport>,
    /// The conditions of --fail-on.
    pub gates: Vec<GateReport>,
    /// What the reader has to know to trust the result.
    pub notices: Vec<String>,
    /// How long it took.
    pub timing: Timing,
}

/// One side of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SideReport {
    /// A file, or the database that was connected to; behind it the files of the migration.
    pub source: String,
    /// The server whose planner is copied.
    pub server: ServerReport,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServerReport {
    /// `server_version_num`, such as 150018.
    pub version_num: u32,
    /// The database.
    pub database: String,
}

/// A statement of the migration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DdlReport {
    /// Its text.
    pub sql: String,
    /// The file that it is from.
    pub file: String,
    /// Its line in the file.
    pub line: usize,
    /// `ok`, `failed`, or `not_reached` after one that failed.
    pub status: String,
    /// `executed`; `planned`, because it reads or writes rows; `left_out` or `not_possible`: the planner
    /// twin does not execute it, which says nothing about the server. Null where it was not reached.
    pub handling: Option<String>,
    /// The server's message where it failed or is not possible.
    pub error: Option<String>,
    /// The strongest lock on each relation that existed before the migration.
    pub locks: Vec<LockReport>,
    /// Tables whose rows it writes anew.
    pub rewrites: Vec<String>,
    /// Tables whose rows it reads.
    pub scans: Vec<String>,
    /// The tables of the indexes that it builds; once for each index.
    pub builds: Vec<String>,
    /// How many rows it is expected to write or return; null where it was executed.
    pub planned_rows: Option<f64>,
    /// How long it takes on the server, without waiting for locks; null where that is not known.
    pub estimated_ms: Option<Range>,
    /// Statements that do the same without blocking others for long; empty where there are none.
    pub safer: Vec<String>,
    /// What is worth saying about it.
    pub findings: Vec<DdlFindingReport>,
}

/// A lock on a relation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LockReport {
    /// The relation.
    pub relation: String,
    /// Its mode, as in `pg_locks`.
    pub mode: String,
    /// `pg_locks` if it was seen there; `documentation` for statements that run in transactions of their
    /// own, and for those that were only planned.
    pub evidence: String,
}

/// From the shortest to the longest.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Range {
    /// With everything in memory.
    pub low: f64,
    /// With a slow disk.
    pub high: f64,
}

/// What is worth saying about a statement of the migration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DdlFindingReport {
    /// The rule.
    pub rule: String,
    /// A sentence.
    pub message: String,
}

/// A statement of the workload.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StatementReport {
    /// Its name.
    pub id: String,
    /// Its text as it was given.
    pub sql: String,
    /// File and line it was read from.
    pub place: String,
    /// How often it runs.
    pub calls: f64,
    /// `same`, `cheaper`, `dearer`, `flipped` or `cannot_run`; null where it could not be planned before,
    /// either.
    pub change: Option<String>,
    /// The server's message where it has no plan.
    pub error: Option<String>,
    /// The plan's total cost before.
    pub cost_before: Option<f64>,
    /// The plan's total cost after.
    pub cost_after: Option<f64>,
    /// Why it changed: `schema`, `statistics`, `size`, `settings`, `version`.
    pub causes: Vec<String>,
    /// What alone makes the difference, as far as it is known: settings of the planner, or columns.
    pub responsible: Vec<String>,
    /// Statements of SQL with which its plan does not depend on chance any more, tried in the planner twin.
    pub remedies: Vec<String>,
    /// EXPLAIN's own JSON.
    pub plan_before: Option<Value>,
    /// EXPLAIN's own JSON.
    pub plan_after: Option<Value>,
    /// The ids of the indexes in `advice` that would help it.
    pub fixed_by: Vec<String>,
    /// Other plans that it gets under assumptions about what nobody knows yet.
    pub assumed: Vec<AssumedReport>,
}

/// A plan under an assumption.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AssumedReport {
    /// `not_analyzed`, `distinct_columns`, `constant_columns`, `large_tables`, `grown` or `redrawn`.
    pub assumption: String,
    /// In how many draws of the statistics, of `redrawn`; else null.
    pub times: Option<usize>,
    /// Of how many draws, of `redrawn`; else null.
    pub draws: Option<usize>,
    /// How many times the rows there are, of `grown`; else null.
    pub factor: Option<u32>,
    /// As for the statement.
    pub change: String,
    /// The plan's total cost.
    pub cost: Option<f64>,
    /// EXPLAIN's own JSON.
    pub plan: Option<Value>,
}

/// An index that was added or dropped.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct IndexReport {
    /// Its name.
    pub index: String,
    /// Its table.
    pub table: String,
    /// As the server prints it.
    pub ddl: String,
    /// `added` or `dropped`.
    pub change: String,
    /// Its size; of an added one an estimate.
    pub size_bytes: u64,
    /// The statements whose plans read it: of an added one after, of a dropped one before.
    pub used_by: Vec<String>,
    /// `unused`, `redundant` or null.
    pub finding: Option<String>,
    /// What is wrong with it, in a sentence.
    pub detail: Option<String>,
}

/// An index that would help statements that got worse.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FixReport {
    /// `i1`, `i2`, …
    pub id: String,
    /// The statements that create it, in order.
    pub ddl: String,
    /// Its table.
    pub table: String,
    /// Its estimated size.
    pub size_bytes: u64,
    /// What statements cost with it.
    pub benefits: Vec<FixBenefit>,
}

/// What a statement costs with an index.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FixBenefit {
    /// The statement.
    pub statement: String,
    /// The plan's total cost.
    pub cost: f64,
}

/// A setting of the planner in two versions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SettingReport {
    /// Its name.
    pub name: String,
    /// Its value before; null if the version does not have it.
    pub before: Option<String>,
    /// Its value after; null if the version does not have it.
    pub after: Option<String>,
}

/// A condition of --fail-on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GateReport {
    /// As it was given.
    pub gate: String,
    /// Is it met? Then the exit status is 4.
    pub matched: bool,
    /// What meets it: statements, indexes, or lines of the migration.
    pub by: Vec<String>,
}

/// How long it took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timing {
    /// The whole run.
    pub total_ms: f64,
}

impl CheckReport {
    /// The report.
    pub fn new(outcome: &CheckOutcome, gates: &[JudgedGate], total: Millis) -> CheckReport {
        CheckReport {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            before: side(&outcome.before),
            after: side(&outcome.after),
            ddl: outcome.steps.iter().map(ddl).collect(),
            statements: outcome
                .statements
                .iter()
                .map(|checked| statement(checked, outcome))
                .collect(),
            indexes: outcome.indexes.iter().map(index).collect(),
            advice: outcome.fixes.iter().map(fix).collect(),
            settings: outcome.upgrade.settings.iter().map(setting).collect(),
            gates: gates.iter().map(gate).collect(),
            notices: summary::notices(outcome),
            timing: Timing {
                total_ms: total.0.round(),
            },
        }
    }

    /// As indented JSON, with a newline at the end.
    ///
    /// # Errors
    /// When a number has no JSON form.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The JSON Schema of the report.
///
/// # Errors
/// When it has no JSON form.
#[cfg(any(test, feature = "internals"))]
pub fn schema() -> serde_json::Result<String> {
    crate::report::json::schema_of(schemars::schema_for!(CheckReport))
}

fn side(side: &Side) -> SideReport {
    SideReport {
        source: side.source.clone(),
        server: ServerReport {
            version_num: side.version_num,
            database: side.database.clone(),
        },
    }
}

fn names(names: &[QualifiedName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn ddl(step: &CheckedStep) -> DdlReport {
    let outcome = &step.outcome;
    let (status, handling) = match &outcome.status {
        StepStatus::Done => ("ok", Some("executed")),
        StepStatus::Planned { .. } => ("ok", Some("planned")),
        StepStatus::LeftOut(_) => ("ok", Some("left_out")),
        StepStatus::NotPossible(_) => ("ok", Some("not_possible")),
        StepStatus::Failed(_) => ("failed", Some("executed")),
        StepStatus::NotReached => ("not_reached", None),
    };
    let error = match &outcome.status {
        StepStatus::NotPossible(message) | StepStatus::Failed(message) => Some(message.clone()),
        _ => None,
    };
    let planned_rows = match outcome.status {
        StepStatus::Planned { rows } => Some(rows),
        _ => None,
    };
    let lock = |lock: &crate::check::migration::HeldLock| LockReport {
        relation: lock.relation.to_string(),
        mode: lock.mode.name().to_owned(),
        evidence: if lock.is_seen {
            "pg_locks".to_owned()
        } else {
            "documentation".to_owned()
        },
    };
    DdlReport {
        sql: outcome.step.sql.clone(),
        file: outcome.step.file.clone(),
        line: outcome.step.line,
        status: status.to_owned(),
        handling: handling.map(str::to_owned),
        error,
        locks: outcome.locks.iter().map(lock).collect(),
        rewrites: names(&outcome.rewrites),
        scans: names(&outcome.scans),
        builds: names(&outcome.builds),
        planned_rows,
        estimated_ms: step.duration.map(|range| Range {
            low: range.low.0.round(),
            high: range.high.0.round(),
        }),
        safer: step.judged.safer.clone(),
        findings: step
            .judged
            .findings
            .iter()
            .map(|finding| DdlFindingReport {
                rule: finding.rule().to_owned(),
                message: words::ddl_finding(finding),
            })
            .collect(),
    }
}

fn plan(outcome: &PlanOutcome) -> Option<Value> {
    outcome.plan().cloned().map(Plan::into)
}

fn statement(checked: &CheckedStatement, outcome: &CheckOutcome) -> StatementReport {
    let error = match checked.change {
        Some(_) => words::no_plan(&checked.after),
        None => words::no_plan(&checked.before),
    };
    let assumed = |assumed: &Assumed| AssumedReport {
        assumption: assumed.assumption.name().to_owned(),
        factor: match assumed.assumption {
            Assumption::Grown { factor, .. } => Some(factor),
            _ => None,
        },
        times: match assumed.assumption {
            Assumption::Redrawn { times, .. } => Some(times),
            _ => None,
        },
        draws: match assumed.assumption {
            Assumption::Redrawn { draws, .. } => Some(draws),
            _ => None,
        },
        change: assumed.change.name().to_owned(),
        cost: assumed.after.plan().map(|plan| plan.total_cost().0),
        plan: plan(&assumed.after),
    };
    StatementReport {
        id: checked.statement.id.0.clone(),
        sql: checked.statement.as_written().to_owned(),
        place: checked.statement.place.clone(),
        calls: checked.statement.calls,
        change: checked.change.map(|change| change.name().to_owned()),
        error,
        cost_before: checked.cost_before().map(|cost| cost.0),
        cost_after: checked.cost_after().map(|cost| cost.0),
        causes: checked
            .causes
            .iter()
            .map(|cause: &Cause| cause.name().to_owned())
            .collect(),
        responsible: checked.responsible.clone(),
        remedies: checked.remedies.clone(),
        plan_before: plan(&checked.before),
        plan_after: plan(&checked.after),
        fixed_by: outcome
            .fixes_of(&checked.statement.id)
            .into_iter()
            .map(|(fix, _)| fix.id.clone())
            .collect(),
        assumed: checked.assumed.iter().map(assumed).collect(),
    }
}

fn index(index: &IndexUse) -> IndexReport {
    IndexReport {
        index: index.index.name.to_string(),
        table: index.index.table.to_string(),
        ddl: format!("{};", index.index.definition),
        change: match index.index.change {
            IndexChange::Added => "added".to_owned(),
            IndexChange::Dropped => "dropped".to_owned(),
        },
        size_bytes: index.index.size.0,
        used_by: index.used_by.clone(),
        finding: index
            .finding
            .as_ref()
            .map(|finding| finding.name().to_owned()),
        detail: index.finding.as_ref().map(words::index_finding),
    }
}

fn fix(fix: &Fix) -> FixReport {
    let benefits = fix.helped.iter().map(|(id, cost)| FixBenefit {
        statement: id.0.clone(),
        cost: cost.0,
    });
    FixReport {
        id: fix.id.clone(),
        ddl: fix.ddl.join("\n"),
        table: fix.table.to_string(),
        size_bytes: fix.size.0,
        benefits: benefits.collect(),
    }
}

fn setting(setting: &SettingChange) -> SettingReport {
    SettingReport {
        name: setting.name.clone(),
        before: setting.before.clone(),
        after: setting.after.clone(),
    }
}

fn gate(gate: &JudgedGate) -> GateReport {
    GateReport {
        gate: gate.gate.text(),
        matched: gate.is_met(),
        by: gate.by.clone(),
    }
}
