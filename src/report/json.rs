//! The JSON report of `advise`: a public interface, versioned, described by
//! `schema/advise-report.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::run_measurements::RunMeasurements;
use crate::advise::drop_effects::HypotheticalDrop;
use crate::advise::foreign::{ForeignServer, RemoteIndex, RemoteStatement};
use crate::advise::what_if::{StatementComparison, WhatIf};
use crate::advise::{
    Advice, Benefit, CheckedTables, ExistingFinding, Followed, Phase, Recommendation,
    RehearsalSummary, Rejected, StatementAdvice, StatementStatus,
};
use crate::catalog::Catalog;
use crate::finding;
use crate::index::{IndexKey, Key};
use crate::model::{Cost, Millis, QualifiedName};
use crate::plan::Plan;
use crate::planner::Evidence;
use crate::remedy::{Effect, NeededIndex, Remedy};
use crate::search::{Curve, CurvePoint, Optimality};
use crate::sentences;
use crate::twin::agreement::Agreement;
use crate::verdict::Change;
use crate::workload;

/// Within a version, fields are only added.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything one run of `advise` found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "pgrehearse advise report")]
pub struct Report {
    /// Version of this format.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: Tool,
    /// The server.
    pub server: Server,
    /// Planner settings that differ from their defaults or matter.
    pub settings: BTreeMap<String, String>,
    /// The statements, before and after.
    pub workload: Workload,
    /// Indexes that the planner chose, with their gains.
    pub recommendations: Vec<RecommendedIndex>,
    /// Other advice, such as statistics. Each was tested and changes a plan or an estimate.
    pub remedies: Vec<RemedyReport>,
    /// Every other candidate, with the reason.
    pub rejected: Vec<RejectedIndex>,
    /// Indexes that exist and have something wrong with them.
    pub existing_indexes: Vec<ExistingIndex>,
    /// The tables whose indexes were checked for these findings.
    pub checked_indexes: CheckedIndexes,
    /// The effect of dropping each existing index that enforces no constraint, with the recommended
    /// indexes in place; predicted by the planner twin, and empty without one.
    pub hypothetical_drops: Vec<HypotheticalDropReport>,
    /// The same under the conditions of --scale and --set, predicted by the planner twin; null
    /// without these options.
    pub what_if: Option<WhatIfReport>,
    /// How far the recommended set can be from the best one, by a lower bound over all sets of the
    /// candidates; null where that is not known.
    pub optimality: Option<OptimalityReport>,
    /// What smaller and larger sets of the candidates would cost, by the plans that were seen; null
    /// where that is not known.
    pub budget_curve: Option<BudgetCurve>,
    /// Other servers that the workload reads through foreign tables.
    pub foreign_servers: Vec<ForeignServerReport>,
    /// What the reader has to know to trust the numbers.
    pub notices: Vec<String>,
    /// What the rehearsal did to the server.
    pub rehearsal: Rehearsal,
    /// How long it took.
    pub timing: Timing,
}

/// What wrote a report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Tool {
    /// `pgrehearse`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub(super) fn this() -> Tool {
        Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Server {
    /// `server_version_num`, such as 150018.
    pub version_num: u32,
    /// `server_version`.
    pub version: String,
    /// The database.
    pub database: String,
    /// A standby: nothing could be built.
    pub in_recovery: bool,
    /// Since when it counts scans and rows written, in UTC: when its statistics began or were last
    /// reset; null when that is not known.
    pub counted_since: Option<String>,
    /// Standbys that were connected, whose counters are their own.
    pub standbys: Option<u32>,
}

/// The statements and their sums.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Workload {
    /// Σ calls × plan cost over the statements that were planned, in planner units.
    pub cost_before: f64,
    /// The same with all recommended indexes.
    pub cost_after: f64,
    /// In the order of the workload.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Statement {
    /// Its name, unique in the report.
    pub id: String,
    /// Its text as it was given.
    pub sql: String,
    /// Null where that text is planned; else the text that means the same and is: with parameters
    /// for the placeholders of a driver, or with types for parameters.
    pub planned_as: Option<String>,
    /// File and line it was read from.
    pub place: String,
    /// How often it runs.
    pub calls: f64,
    /// Of its calls, how many this entry counts for in the workload's cost; the others are those of
    /// the entries with other values.
    pub calls_counted_here: f64,
    /// Null for a statement of the workload; else which values this entry has.
    pub value_class: Option<ValueClass>,
    /// The mean time of one execution, from pg_stat_statements or a log; null if it was not
    /// measured.
    pub mean_time_ms: Option<f64>,
    /// Was it planned?
    pub status: Status,
    /// The server's message when it was not.
    pub error: Option<String>,
    /// The plan's total cost without new indexes.
    pub cost_before: Option<f64>,
    /// The plan's total cost with all recommended indexes.
    pub cost_after: Option<f64>,
    /// What the planner says today, where that rests on a default selectivity and `cost_before` is
    /// under the statistics that an index on the expression brings; else null.
    pub cost_today: Option<f64>,
    /// Measured execution time, only with --analyze.
    pub time_before_ms: Option<f64>,
    /// Measured execution time, only with --analyze.
    pub time_after_ms: Option<f64>,
    /// Blocks of tables and indexes that it read, from memory or not, only with --analyze.
    pub blocks_before: Option<f64>,
    /// The same with all recommended indexes.
    pub blocks_after: Option<f64>,
    /// Why it was not executed, only with --analyze; null when it was, and when no index that was
    /// built is on its tables.
    pub not_executed: Option<String>,
    /// Why only the planner twin was asked about it: it is a statement of other users, and planning
    /// it may execute somebody's function. Null where the server was asked.
    pub twin_only: Option<String>,
    /// How it fares with the recommended indexes.
    pub change: Option<ChangeKind>,
    /// EXPLAIN's own JSON.
    pub plan_before: Option<Value>,
    /// EXPLAIN's own JSON; null when no recommended index is on its tables.
    pub plan_after: Option<Value>,
    /// Findings about its plan.
    pub findings: Vec<Finding>,
    /// Ids of the recommendations that help it.
    pub recommendations: Vec<String>,
    /// Why no index helps it; null when one does, and when it was not planned.
    pub no_index_helps: Option<NoIndexHelps>,
    /// How far the planner twin plans it as the server does: `exact`, `same_shape` or `different`;
    /// null without a twin.
    pub twin_agreement: Option<String>,
    /// With `same_shape`: by how much the total costs differ, as a share of the server's.
    pub twin_deviation: Option<f64>,
    /// The planner twin's cost without new indexes, if recommended indexes were then built on the
    /// server.
    pub predicted_cost_before: Option<f64>,
    /// The planner twin's cost with the recommended indexes.
    pub predicted_cost_after: Option<f64>,
}

/// A statement with other values than those it was given with: with a parameter, or with a literal
/// that is one value of many.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ValueClass {
    /// The id of the statement of the workload.
    pub of: String,
    /// How frequent the values are: `most_common`, `median`, `rare` or `absent`; without a value that
    /// a column is compared with, `wide_range`, `medium_range` or `narrow_range`, or `small_limit` or
    /// `large_limit`; or `under_policies`
    /// and `under_policies_rare`, with row-level security policies that do not apply to the role that asks.
    pub frequency: String,
    /// Its share of the statement's calls, 0 to 1.
    pub share: f64,
    /// The values.
    pub values: Vec<NamedValue>,
    /// In how many executions values of this class were seen in a log; null where the values are
    /// those of statistics.
    pub executions_seen: Option<u64>,
    /// Of how many executions whose values were compared.
    pub executions_compared: Option<u64>,
}

/// A value in a statement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NamedValue {
    /// `$1`, the column that a literal is compared with, or a setting that policies read.
    pub name: String,
    /// As SQL.
    pub value: String,
}

/// Why no index helps a statement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NoIndexHelps {
    /// As a word: `reads_most_of_the_table`, `only_at_lower_random_page_cost`, `already_indexed`,
    /// `being_built`, `incomplete`, `table_too_small`, `no_condition`, `on_foreign_server`, `not_indexable`,
    /// `no_candidate_helped`, or, where an
    /// index would help, the reason why it is not recommended (`over_budget`, …).
    pub reason: String,
    /// As a sentence.
    pub detail: String,
}

/// Was a statement planned?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Yes.
    Planned,
    /// The server refused it; `error` has its message.
    Failed,
    /// There was nothing to plan.
    Skipped,
}

/// How a statement fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Cheaper by at least the minimum gain.
    Better,
    /// About the same.
    Same,
    /// More expensive.
    Worse,
}

/// A finding about a node of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// The node's position in EXPLAIN's order, from 0.
    pub node_id: usize,
    /// What and why.
    pub message: String,
    /// What to do: SQL to run, where there is some.
    pub action: Option<String>,
}

impl From<finding::Finding> for Finding {
    fn from(finding: finding::Finding) -> Finding {
        Finding {
            rule: finding.rule.to_owned(),
            severity: finding.severity.name().to_owned(),
            node_id: finding.node.0,
            message: finding.message,
            action: finding.action,
        }
    }
}

/// The findings about a plan, as reports have them.
fn findings(plan: &Plan, catalog: Option<&Catalog>) -> Vec<Finding> {
    finding::findings(plan, catalog)
        .into_iter()
        .map(Finding::from)
        .collect()
}

/// An index to create.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RecommendedIndex {
    /// `r1`, `r2`, …; the largest saving first. Those that only a rewritten statement needs come
    /// last.
    pub id: String,
    /// Runs as it is; of a partitioned table, several statements, a line each.
    pub ddl: String,
    /// All statements to run, one after the other and outside a transaction: those of `ddl`, and an
    /// ANALYZE where an expression needs statistics for the plans to be the same.
    pub statements: Vec<String>,
    /// Schema-qualified, quoted where needed.
    pub table: String,
    /// The access method.
    pub method: String,
    /// `composite`, `partial`, `expression`, `covering`, `ordered`.
    pub features: Vec<String>,
    /// Its size when it was really built, or, where `evidence` is `planner_twin`, as it is
    /// estimated.
    pub size_bytes: u64,
    /// The estimate of the planner twin, where the index was built, too.
    pub predicted_size_bytes: Option<u64>,
    /// How long building it took; null when it was not built.
    pub build_ms: Option<f64>,
    /// How long the table was locked for writes while it was verified; null when it was not built.
    pub write_block_ms: Option<f64>,
    /// The names of the indexes that were built in the same transaction, because a statement may
    /// use them together.
    pub built_with: Vec<String>,
    /// What the workload's writes would pay to keep it up to date: Σ calls × rows × cost of an
    /// entry, in planner units.
    pub upkeep_cost: f64,
    /// The statements it helps.
    pub benefits: Vec<StatementBenefit>,
    /// The remedies whose rewritten statements need it; empty where the statements use it as they
    /// are.
    pub rewrites: Vec<String>,
    /// Existing indexes it makes redundant.
    pub replaces: Vec<String>,
    /// How the claim was obtained: `rolled_back_transaction` or `planner_twin`.
    pub evidence: String,
    /// Why it was not built on the server, as a word, where `evidence` is `planner_twin`.
    pub not_built_reason: Option<String>,
    /// The same as a sentence.
    pub not_built_detail: Option<String>,
    /// In two sentences.
    pub explanation: String,
}

/// What an index does for a statement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StatementBenefit {
    /// The statement's id.
    pub statement: String,
    /// Plan cost without new indexes.
    pub cost_before: f64,
    /// Plan cost with the index.
    pub cost_after: f64,
    /// The planner twin's plan cost with the index, if it was then built on the server.
    pub predicted_cost_after: Option<f64>,
}

/// A statement that gets worse without an existing index.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WorsenedStatement {
    /// Its costs with the index and without it.
    #[serde(flatten)]
    pub costs: StatementBenefit,
    /// The rewrite that writes it as it was planned here (`m2`); null: as the workload has it.
    pub rewritten_by: Option<String>,
}

/// Something to do that is not an index.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Remedy")]
pub struct RemedyReport {
    /// `m1`, `m2`, …
    pub id: String,
    /// `analyze`, `create_statistics`, `vacuum`, `materialized_view`, `rewrite`, `alter_policy`,
    /// `use_remote_estimate`.
    pub kind: String,
    /// Schema-qualified, quoted where needed.
    pub table: String,
    /// What to run, one after the other; of a rewrite, the indexes that it needs, and last the
    /// statement.
    pub statements: Vec<String>,
    /// Of a rewrite, indexes that serve the statement as it is, for where it has to stay so. They are
    /// not recommended: nothing uses them once it is rewritten.
    pub instead: Vec<String>,
    /// The statements that it does something for.
    pub benefits: Vec<RemedyEffect>,
    /// The size of what it creates, if that takes room.
    pub size_bytes: Option<u64>,
    /// How the claim was obtained: `rolled_back_transaction` or `planner_twin`.
    pub evidence: String,
    /// One or two sentences.
    pub explanation: String,
}

/// A statement without and with a remedy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RemedyEffect {
    /// The statement's id.
    pub statement: String,
    /// Plan cost without it. Better statistics may make it higher: then it was too low before.
    pub cost_before: f64,
    /// Plan cost with it.
    pub cost_after: f64,
    /// The rows that the planner expects where the remedy is about that estimate.
    pub rows_before: Option<f64>,
    /// The same with it.
    pub rows_after: Option<f64>,
    /// Is it planned differently?
    pub plan_changed: bool,
}

/// A candidate that is not recommended.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RejectedIndex {
    /// What would have built it.
    pub ddl: String,
    /// Why not, as a word.
    pub reason: String,
    /// Why not, as a sentence.
    pub detail: String,
    /// Schema-qualified, quoted where needed.
    pub table: String,
    /// The access method.
    pub method: String,
    /// Where it was tried: `rolled_back_transaction` or `planner_twin`; null when it was not.
    pub evidence: Option<String>,
    /// Its size if it was built, else the planner twin's estimate.
    pub size_bytes: Option<u64>,
    /// How long that took, if it was built.
    pub build_ms: Option<f64>,
    /// What the workload's writes would pay to keep it up to date: Σ calls × rows × cost of an
    /// entry, in planner units; null when its size is not known.
    pub upkeep_cost: Option<f64>,
    /// The statements whose plan used it when it was there alone.
    pub benefits: Vec<StatementBenefit>,
}

/// An existing index with something wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExistingIndex {
    /// Schema-qualified, quoted where needed.
    pub index: String,
    /// `duplicate`, `redundant`, `invalid`, `unused`, `bloated`, `being_built`.
    pub finding: String,
    /// Drops it, or rebuilds or completes it where that is what helps (then several statements, a
    /// line each); runs as it is. Empty where nothing is to
    /// be run, or where that would block others or change what is declared: `detail` says why.
    pub ddl: String,
    /// In a sentence.
    pub detail: String,
    /// Its size.
    pub size_bytes: u64,
    /// What `ddl` gives back; of a bloated one estimated.
    pub freed_bytes: u64,
    /// Its size if it were rebuilt, as the planner twin estimates it; null where it is not
    /// bloated.
    pub expected_size_bytes: Option<u64>,
    /// Scans since the statistics were reset.
    pub scans: u64,
    /// Of an unused index: since when nothing has scanned it, in UTC; null otherwise.
    pub unused_since: Option<String>,
    /// Id of the recommendation that does its work, for which `ddl` has to wait; null where none
    /// does.
    pub recommendation: Option<String>,
}

/// Which existing indexes were checked.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckedIndexes {
    /// `workload`: those of the tables that its statements read or write; `all_tables`: those of
    /// every table of the database (--all-tables).
    pub scope: String,
    /// The tables, schema-qualified, quoted where needed.
    pub tables: Vec<String>,
    /// How many indexes they have.
    pub indexes: usize,
    /// Tables that another session had locked: their indexes were not checked.
    pub locked_tables: Vec<String>,
}

/// The predicted effect of dropping an existing index.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "HypotheticalDrop")]
pub struct HypotheticalDropReport {
    /// Schema-qualified, quoted where needed.
    pub index: String,
    /// Its table.
    pub table: String,
    /// Its size.
    pub size_bytes: u64,
    /// Scans since the statistics were reset.
    pub scans: u64,
    /// The statements that would get worse: `cost_before` with it, `cost_after` without it. Empty:
    /// this workload does not need it.
    pub worse: Vec<WorsenedStatement>,
}

/// The workload under other conditions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "WhatIf")]
pub struct WhatIfReport {
    /// As it was typed: `10` or `orders=10`.
    pub scale: Vec<String>,
    /// Settings, by name.
    pub settings: BTreeMap<String, String>,
    /// The statements that are planned.
    pub statements: Vec<ShiftedStatement>,
    /// What to create only then; the statements to run.
    pub started: Vec<String>,
    /// Ids of recommendations that would not be made then.
    pub stopped: Vec<String>,
}

/// A statement, now and under other conditions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ShiftedStatement {
    /// The statement's id.
    pub statement: String,
    /// Cost without any new index, now.
    pub cost_before_now: f64,
    /// Cost without any new index, then.
    pub cost_before_then: f64,
    /// Cost with what is recommended now.
    pub cost_after_now: f64,
    /// Cost then with the same indexes: those that are recommended now.
    pub cost_after_then: f64,
    /// Cost then with what would be recommended then.
    pub cost_rechosen_then: f64,
    /// Is it planned differently then, without any new index?
    pub plan_flipped: bool,
    /// The first step of the plan that differs, as it is now; null when it is planned alike.
    pub step_now: Option<String>,
    /// The same step, as it is then.
    pub step_then: Option<String>,
}

/// What the rehearsal did to the server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Rehearsal {
    /// Transactions opened, all rolled back.
    pub transactions: usize,
    /// Indexes built in them.
    pub indexes_built: usize,
    /// The number of index sets that the planner twin planned with.
    pub twin_questions: usize,
    /// EXPLAINs sent to the server.
    pub server_explains: usize,
    /// EXPLAINs sent to the planner twin.
    pub twin_explains: usize,
    /// --search-time ran out: the recommended indexes are the best that were found until then.
    pub out_of_time: bool,
    /// The run was interrupted (Ctrl-C, SIGTERM): the recommended indexes are the best that were
    /// found until then, and nothing was built or executed after that.
    pub interrupted: bool,
    /// The server stopped answering: the report has what was known by then, and what the planner
    /// twin says without the server. Null if it always answered.
    pub server_silent: Option<ServerSilent>,
    /// Indexes of the rehearsal that are still in the catalog at the end; null without a server: in
    /// a replay, from a twin file.
    pub left_behind: Option<usize>,
    /// Of the indexes built, those that had been built before, to plan with another set of indexes.
    pub built_again_to_plan: usize,
    /// Of the indexes built, those that had been built before, to execute statements with them.
    pub built_again_to_execute: usize,
    /// The longest time that a table was locked for writes.
    pub longest_write_block_ms: f64,
    /// What each phase asked, in the order in which they began.
    pub phases: Vec<PhaseReport>,
    /// The total time that tables were locked for writes.
    pub total_write_block_ms: f64,
    /// The longest time that a session was seen waiting because of that; null where nobody watched.
    pub longest_wait_ms: Option<f64>,
    /// The longest wait of each transaction, summed.
    pub total_wait_ms: Option<f64>,
}

/// Another server that the workload reads through foreign tables.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ForeignServer")]
pub struct ForeignServerReport {
    /// Its name in this database (`CREATE SERVER`).
    pub name: String,
    /// Its foreign data wrapper.
    pub wrapper: String,
    /// The database there, where the server's options name it.
    pub database: Option<String>,
    /// What the workload's statements send there.
    pub statements: Vec<RemoteStatementReport>,
    /// Indexes to try there. They follow from the conditions alone: no planner was asked. Empty once
    /// that server was asked.
    pub unproved: Vec<RemoteIndexReport>,
    /// The report of that server (--follow-foreign), whose DDL runs there; the ids of its
    /// recommendations begin with its name. Null without the option, and where it could not be
    /// asked.
    pub report: Option<Box<Report>>,
    /// Why that server could not be asked, with --follow-foreign.
    pub error: Option<String>,
}

/// What a statement sends to another server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RemoteStatement")]
pub struct RemoteStatementReport {
    /// Its name in the report of that server.
    pub id: String,
    /// The id of the statement here.
    pub of: String,
    /// `Remote SQL` of the plan.
    pub sql: String,
    /// How often, by the calls of the statement and the plan's estimates.
    pub calls: f64,
    /// The condition that is not pushed down, but checked here on every row that is fetched; null
    /// where there is none.
    pub not_pushed_down: Option<String>,
}

/// An index to try on another server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RemoteIndex")]
pub struct RemoteIndexReport {
    /// Runs there as it is.
    pub ddl: String,
    /// The table there, schema-qualified.
    pub table: String,
    /// The ids of the statements here that it is for.
    pub statements: Vec<String>,
}

impl ForeignServerReport {
    fn new(server: &ForeignServer, advice: &Advice) -> ForeignServerReport {
        let followed = advice.followed.get(&server.name);
        let report = match followed {
            Some(Followed::Advised {
                advice,
                left_behind,
            }) => {
                let measured = RunMeasurements {
                    left_behind: *left_behind,
                    ..RunMeasurements::default()
                };
                Some(Report::new(advice, &measured))
            }
            _ => None,
        };
        ForeignServerReport {
            name: server.name.clone(),
            wrapper: server.wrapper.clone(),
            database: server.database.clone(),
            statements: server.statements.iter().map(remote_statement).collect(),
            unproved: advice.unproved(server).iter().map(remote_index).collect(),
            report: report.map(Box::new),
            error: match followed {
                Some(Followed::Failed(error)) => Some(error.clone()),
                _ => None,
            },
        }
    }
}

fn remote_statement(sent: &RemoteStatement) -> RemoteStatementReport {
    RemoteStatementReport {
        id: sent.id.0.clone(),
        of: sent.of.0.clone(),
        sql: sent.sql.clone(),
        calls: sent.calls,
        not_pushed_down: sent.not_pushed_down.clone(),
    }
}

fn remote_index(index: &RemoteIndex) -> RemoteIndexReport {
    RemoteIndexReport {
        ddl: index.ddl.clone(),
        table: index.table.to_string(),
        statements: index.statements.iter().map(|id| id.0.clone()).collect(),
    }
}

/// How far a set of indexes can be from the best one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct OptimalityReport {
    /// What the workload costs with the set in the planner twin, and what its writes pay for it:
    /// Σ calls × cost.
    pub cost: f64,
    /// No set of the candidates within --budget and --max-indexes costs less.
    pub bound: f64,
    /// By which share of the bound the set can be dearer than the best one.
    pub gap: f64,
    /// The number of candidates that could be chosen.
    pub candidates: usize,
    /// For so many statements a cheaper plan was seen that is not trusted: it reads an index in its
    /// order until a LIMIT is reached.
    pub distrusted: usize,
}

impl OptimalityReport {
    fn new(optimality: Optimality) -> OptimalityReport {
        OptimalityReport {
            cost: optimality.cost.0,
            bound: optimality.bound.0,
            gap: optimality.gap(),
            candidates: optimality.candidates,
            distrusted: optimality.distrusted,
        }
    }
}

/// The cost of the workload by the size of its new indexes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BudgetCurve {
    /// Each is larger than the one before and costs less; the first is without any new index.
    pub points: Vec<BudgetCurvePoint>,
    /// The place of the recommended set in `points`, from 0.
    pub recommended: usize,
    /// The place where the curve bends most: up to there the room is used best.
    pub knee: usize,
}

/// A set of candidates.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BudgetCurvePoint {
    /// The size of all its indexes.
    pub size_bytes: u64,
    /// How many they are.
    pub indexes: usize,
    /// What the workload costs with them at most, and what its writes pay for them: Σ calls × cost,
    /// in planner units.
    pub cost: f64,
}

impl BudgetCurve {
    fn new(curve: &Curve) -> BudgetCurve {
        let point = |point: &CurvePoint| BudgetCurvePoint {
            size_bytes: point.size.0,
            indexes: point.indexes,
            cost: point.cost.0,
        };
        BudgetCurve {
            points: curve.points.iter().map(point).collect(),
            recommended: curve.chosen,
            knee: curve.knee,
        }
    }
}

/// One phase of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PhaseReport {
    /// What progress calls it.
    pub name: String,
    /// The number of index sets that the planner twin planned with.
    pub twin_questions: usize,
    /// EXPLAINs sent to the planner twin.
    pub twin_explains: usize,
    /// EXPLAINs sent to the server.
    pub server_explains: usize,
}

/// A server that stopped answering.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ServerSilent {
    /// How long its answer was waited for; 0 where the connection was lost.
    pub waited_ms: f64,
    /// False if a transaction that takes locks was open, and its end was not seen: the server rolls
    /// it back as soon as it notices that the connection is gone.
    pub rollback_seen: bool,
}

/// How long a phase of a run took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PhaseTiming {
    /// Its name, as in `rehearsal.phases`.
    pub name: String,
    /// From its beginning to its end.
    pub time_ms: f64,
}

/// How long it took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timing {
    /// From start to report; null in a replay.
    pub total_ms: Option<f64>,
    /// Of that, time spent waiting for the server; null without a server: in a replay, from a twin
    /// file.
    pub server_ms: Option<f64>,
    /// Of that, each phase of the run, in order; empty in a replay.
    pub phases: Vec<PhaseTiming>,
}

impl Report {
    /// The report of an advice.
    pub fn new(advice: &Advice, measured: &RunMeasurements) -> Report {
        let server = &advice.catalog.server;
        Report {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            server: Server {
                version_num: server.version_num,
                version: server.version.clone(),
                database: server.database.clone(),
                in_recovery: server.in_recovery,
                counted_since: server
                    .counters
                    .as_ref()
                    .map(|counters| counters.since.clone()),
                standbys: server.counters.as_ref().map(|counters| counters.standbys),
            },
            settings: advice.catalog.settings.clone(),
            workload: Workload {
                cost_before: total(advice, StatementAdvice::cost_before),
                cost_after: total(advice, StatementAdvice::cost_after),
                statements: advice
                    .statements
                    .iter()
                    .map(|statement| Statement::new(statement, &advice.catalog))
                    .collect(),
            },
            recommendations: advice
                .recommendations
                .iter()
                .map(|index| RecommendedIndex::new(index, advice))
                .chain(needed_by_rewrites(advice))
                .collect(),
            remedies: advice.remedies.iter().map(RemedyReport::new).collect(),
            rejected: advice.rejected.iter().map(RejectedIndex::new).collect(),
            existing_indexes: advice.existing.iter().map(ExistingIndex::new).collect(),
            checked_indexes: CheckedIndexes::new(&advice.checked),
            hypothetical_drops: advice
                .drops
                .iter()
                .map(HypotheticalDropReport::new)
                .collect(),
            what_if: advice.what_if.as_ref().map(WhatIfReport::new),
            optimality: advice.optimality.map(OptimalityReport::new),
            budget_curve: advice.curve.as_ref().map(BudgetCurve::new),
            foreign_servers: advice
                .foreign_servers
                .iter()
                .map(|server| ForeignServerReport::new(server, advice))
                .collect(),
            notices: advice.notices.iter().map(sentences::notice).collect(),
            rehearsal: Rehearsal::new(&advice.rehearsal, measured),
            timing: Timing {
                total_ms: measured.total.map(tenth),
                server_ms: measured.server.map(tenth),
                phases: phase_timings(&advice.rehearsal, measured),
            },
        }
    }

    /// The report as JSON, indented, with a newline at the end.
    ///
    /// # Errors
    /// When a number has no JSON form, which does not happen for plans.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

fn phase_timings(summary: &RehearsalSummary, measured: &RunMeasurements) -> Vec<PhaseTiming> {
    let timed = summary.phases.iter().filter_map(|phase| {
        let time = measured.phases.get(&phase.name)?;
        Some(PhaseTiming {
            name: phase.name.clone(),
            time_ms: tenth(*time),
        })
    });
    timed.collect()
}

impl Rehearsal {
    fn new(summary: &RehearsalSummary, measured: &RunMeasurements) -> Rehearsal {
        let tally = summary.tally;
        let phase = |phase: &Phase| PhaseReport {
            name: phase.name.clone(),
            twin_questions: phase.twin_questions,
            twin_explains: phase.twin_explains,
            server_explains: phase.server_explains,
        };
        Rehearsal {
            transactions: tally.transactions,
            indexes_built: tally.indexes_built,
            twin_questions: tally.twin_questions,
            server_explains: tally.server_explains,
            twin_explains: tally.twin_explains,
            out_of_time: summary.out_of_time,
            interrupted: summary.interrupted,
            server_silent: summary.server_silent.map(|silence| ServerSilent {
                waited_ms: tenth(silence.waited),
                rollback_seen: silence.rollback_seen,
            }),
            left_behind: measured.left_behind,
            phases: summary.phases.iter().map(phase).collect(),
            built_again_to_plan: tally.built_again_to_plan,
            built_again_to_execute: tally.built_again_to_execute,
            longest_wait_ms: tally.longest_wait.map(tenth),
            total_wait_ms: tally.total_wait.map(tenth),
            longest_write_block_ms: tally.longest_write_block.map_or(0.0, tenth),
            total_write_block_ms: tally.total_write_block.map_or(0.0, tenth),
        }
    }
}

/// The JSON Schema of [`Report`], as it is checked in. A description is one line, however the
/// comment is wrapped.
///
/// # Errors
/// Never in practice: a schema is plain JSON.
#[cfg(any(test, feature = "internals"))]
pub fn schema() -> serde_json::Result<String> {
    schema_of(schemars::schema_for!(Report))
}

/// A schema as text, with each description in one line.
#[cfg(any(test, feature = "internals"))]
pub(super) fn schema_of(mut schema: schemars::Schema) -> serde_json::Result<String> {
    let mut unwrap_lines =
        schemars::transform::RecursiveTransform(|part: &mut schemars::Schema| {
            if let Some(serde_json::Value::String(description)) = part.get_mut("description") {
                *description = description.replace('\n', " ");
            }
        });
    schemars::transform::Transform::transform(&mut unwrap_lines, &mut schema);
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

fn total(advice: &Advice, cost: impl Fn(&StatementAdvice) -> Option<Cost>) -> f64 {
    advice
        .statements
        .iter()
        .filter_map(|statement| Some(statement.statement.calls * cost(statement)?.0))
        .sum()
}

fn thousandth(duration: Millis) -> f64 {
    (duration.0 * 1_000.0).round() / 1_000.0
}

fn tenth(duration: Millis) -> f64 {
    (duration.0 * 10.0).round() / 10.0
}

impl ValueClass {
    fn new(class: &workload::ValueClass) -> ValueClass {
        let value = |(name, value): &(String, String)| NamedValue {
            name: name.clone(),
            value: value.clone(),
        };
        ValueClass {
            of: class.of.0.clone(),
            frequency: class.frequency.word().to_owned(),
            share: class.share,
            values: class.values.iter().map(value).collect(),
            executions_seen: class.seen.map(|seen| seen.executions),
            executions_compared: class.seen.map(|seen| seen.of),
        }
    }
}

impl Statement {
    fn new(advice: &StatementAdvice, catalog: &Catalog) -> Statement {
        let executed = advice.executed.as_ref();
        let (executed_before, executed_after) = (
            executed.map(|(before, _)| before),
            executed.map(|(_, after)| after),
        );
        let time_ms = |plan: Option<&Plan>| plan.and_then(Plan::execution_time).map(thousandth);
        Statement {
            id: advice.statement.id.0.clone(),
            sql: advice.statement.as_written().to_owned(),
            planned_as: planned_as(&advice.statement),
            place: advice.statement.place.clone(),
            calls: advice.statement.calls_with_any_values(),
            calls_counted_here: advice.statement.calls,
            value_class: advice.statement.value_class.as_deref().map(ValueClass::new),
            mean_time_ms: advice.statement.mean_time_ms,
            status: match advice.status {
                StatementStatus::Planned => Status::Planned,
                StatementStatus::Failed => Status::Failed,
                StatementStatus::Skipped => Status::Skipped,
            },
            error: sentences::error(advice),
            not_executed: advice.not_executed.as_ref().map(sentences::not_executed),
            twin_only: advice.twin_only.as_ref().map(sentences::twin_only),
            cost_before: advice.cost_before().map(|cost| cost.0),
            cost_after: advice.cost_after().map(|cost| cost.0),
            cost_today: advice.restated.as_ref().map(|restated| restated.today.0),
            time_before_ms: time_ms(executed_before),
            time_after_ms: time_ms(executed_after),
            blocks_before: executed_before.and_then(Plan::shared_blocks),
            blocks_after: executed_after.and_then(Plan::shared_blocks),
            change: advice.change.map(|change| match change {
                Change::Better => ChangeKind::Better,
                Change::Same => ChangeKind::Same,
                Change::Worse => ChangeKind::Worse,
            }),
            plan_before: advice.before.clone().map(Plan::into),
            plan_after: advice.after.clone().map(Plan::into),
            findings: advice
                .before
                .as_ref()
                .map_or_else(Vec::new, |plan| findings(plan, Some(catalog))),
            recommendations: advice.recommendations.clone(),
            no_index_helps: advice.no_index.as_ref().map(|no_index| NoIndexHelps {
                reason: no_index.reason().name().to_owned(),
                detail: sentences::no_index(no_index),
            }),
            twin_agreement: advice
                .agreement
                .map(|agreement| agreement.name().to_owned()),
            twin_deviation: advice.agreement.and_then(Agreement::deviation),
            predicted_cost_before: advice.predicted.map(|(before, _)| before.0),
            predicted_cost_after: advice.predicted.map(|(_, after)| after.0),
        }
    }
}

/// The text that is planned in place of the one that was given.
fn planned_as(statement: &workload::Statement) -> Option<String> {
    let written = statement.written.as_ref();
    written.map(|_| statement.sql.clone())
}

/// Each once, whatever number of rewritten statements need it.
fn needed_by_rewrites(advice: &Advice) -> Vec<RecommendedIndex> {
    let mut found: Vec<RecommendedIndex> = Vec::new();
    for remedy in &advice.remedies {
        for needed in &remedy.indexes {
            match found.iter_mut().find(|index| index.ddl == needed.ddl) {
                Some(index) => {
                    index.benefits.extend(rewritten(remedy));
                    index.rewrites.push(remedy.id.clone());
                }
                None => {
                    let number = advice.recommendations.len() + found.len() + 1;
                    found.push(RecommendedIndex::needed(needed, remedy, number));
                }
            }
        }
    }
    found
}

/// What a rewritten statement costs instead of the one that it replaces.
fn rewritten(remedy: &Remedy) -> impl Iterator<Item = StatementBenefit> {
    remedy.benefits.iter().map(|effect| StatementBenefit {
        statement: effect.statement.0.clone(),
        cost_before: effect.cost.0.0,
        cost_after: effect.cost.1.0,
        predicted_cost_after: None,
    })
}

impl RecommendedIndex {
    fn needed(needed: &NeededIndex, remedy: &Remedy, number: usize) -> RecommendedIndex {
        let index = &needed.index.definition;
        let features = index.features().into_iter();
        let is_expression = |key: &IndexKey| matches!(key.key, Key::Expression(_));
        let analyze = index
            .keys
            .iter()
            .any(is_expression)
            .then(|| format!("ANALYZE {};", index.table));
        let statements = std::iter::once(needed.ddl.clone()).chain(analyze);
        RecommendedIndex {
            id: format!("r{number}"),
            ddl: needed.ddl.clone(),
            statements: statements.collect(),
            table: index.table.to_string(),
            method: index.method.name().to_owned(),
            features: features.map(|feature| feature.name().to_owned()).collect(),
            size_bytes: needed.size.0,
            predicted_size_bytes: None,
            build_ms: None,
            write_block_ms: None,
            built_with: Vec::new(),
            upkeep_cost: needed.upkeep.0 + 0.0,
            benefits: rewritten(remedy).collect(),
            rewrites: vec![remedy.id.clone()],
            replaces: Vec::new(),
            evidence: Evidence::PlannerTwin.name().to_owned(),
            not_built_reason: None,
            not_built_detail: None,
            explanation: sentences::needed_index(needed, remedy),
        }
    }

    fn new(recommendation: &Recommendation, advice: &Advice) -> RecommendedIndex {
        let index = &recommendation.index.definition;
        let was_built = recommendation.evidence == Evidence::RolledBackTransaction;
        let mut benefits = benefits(&recommendation.benefits);
        for benefit in benefits.iter_mut().filter(|_| was_built) {
            let statement = advice
                .statements
                .iter()
                .find(|statement| statement.statement.id.0 == benefit.statement);
            benefit.predicted_cost_after =
                statement.and_then(|statement| Some(statement.predicted?.1.0));
        }
        RecommendedIndex {
            id: recommendation.id.clone(),
            ddl: recommendation.creation.create.join("\n"),
            statements: recommendation.creation.statements().cloned().collect(),
            table: index.table.to_string(),
            method: index.method.name().to_owned(),
            features: index
                .features()
                .into_iter()
                .map(|feature| feature.name().to_owned())
                .collect(),
            size_bytes: recommendation.size.0,
            predicted_size_bytes: recommendation.predicted_size.map(|size| size.0),
            build_ms: recommendation.build_time.map(tenth),
            write_block_ms: recommendation.write_block.map(tenth),
            built_with: recommendation.built_with.clone(),
            benefits,
            rewrites: Vec::new(),
            // Nothing is written as 0, not as -0.
            upkeep_cost: recommendation.write_cost.0 + 0.0,
            replaces: recommendation
                .replaces
                .iter()
                .map(ToString::to_string)
                .collect(),
            evidence: recommendation.evidence.name().to_owned(),
            not_built_reason: recommendation
                .not_built
                .as_ref()
                .map(|refusal| refusal.reason().name().to_owned()),
            not_built_detail: recommendation
                .not_built
                .as_ref()
                .map(|refusal| sentences::refusal(&refusal.cause)),
            explanation: sentences::explanation(&recommendation.explanation),
        }
    }
}

impl RemedyReport {
    fn new(remedy: &Remedy) -> RemedyReport {
        let effect = |effect: &Effect| RemedyEffect {
            statement: effect.statement.0.clone(),
            cost_before: effect.cost.0.0,
            cost_after: effect.cost.1.0,
            rows_before: effect.rows.map(|(before, _)| before),
            rows_after: effect.rows.map(|(_, after)| after),
            plan_changed: effect.plan_changed,
        };
        RemedyReport {
            id: remedy.id.clone(),
            kind: remedy.kind.name().to_owned(),
            table: remedy.table.to_string(),
            statements: remedy.statements.clone(),
            instead: remedy.instead.iter().map(|one| one.ddl.clone()).collect(),
            benefits: remedy.benefits.iter().map(effect).collect(),
            size_bytes: remedy.size.map(|size| size.0),
            evidence: remedy.evidence.name().to_owned(),
            explanation: sentences::remedy(remedy),
        }
    }
}

impl RejectedIndex {
    fn new(rejected: &Rejected) -> RejectedIndex {
        let index = &rejected.index.definition;
        RejectedIndex {
            ddl: rejected.ddl.clone(),
            reason: rejected.reason().name().to_owned(),
            detail: sentences::rejection(&rejected.rejection),
            table: index.table.to_string(),
            method: index.method.name().to_owned(),
            evidence: rejected.evidence.map(|evidence| evidence.name().to_owned()),
            size_bytes: rejected.size.map(|size| size.0),
            build_ms: rejected.build_time.map(tenth),
            upkeep_cost: rejected.write_cost.map(|cost| cost.0 + 0.0),
            benefits: benefits(&rejected.benefits),
        }
    }
}

fn benefits(benefits: &[Benefit]) -> Vec<StatementBenefit> {
    let benefit = |benefit: &Benefit| StatementBenefit {
        statement: benefit.statement.0.clone(),
        cost_before: benefit.before.0,
        cost_after: benefit.after.0,
        predicted_cost_after: None,
    };
    benefits.iter().map(benefit).collect()
}

impl HypotheticalDropReport {
    fn new(drop: &HypotheticalDrop) -> HypotheticalDropReport {
        let worse = drop.worse.iter().map(|worse| WorsenedStatement {
            costs: StatementBenefit {
                statement: worse.statement.0.clone(),
                cost_before: worse.with.0,
                cost_after: worse.without.0,
                predicted_cost_after: None,
            },
            rewritten_by: worse.rewritten_by.clone(),
        });
        HypotheticalDropReport {
            index: drop.index.to_string(),
            table: drop.table.to_string(),
            size_bytes: drop.size.0,
            scans: drop.scans,
            worse: worse.collect(),
        }
    }
}

impl WhatIfReport {
    fn new(what_if: &WhatIf) -> WhatIfReport {
        let statement = |shifted: &StatementComparison| ShiftedStatement {
            statement: shifted.statement.0.clone(),
            cost_before_now: shifted.cost_before.0.0,
            cost_before_then: shifted.cost_before.1.0,
            cost_after_now: shifted.cost_after.0.0,
            cost_after_then: shifted.cost_after.1.0,
            cost_rechosen_then: shifted.cost_rechosen.0,
            plan_flipped: shifted.flip.is_some(),
            step_now: shifted.flip.as_ref().map(|(now, _)| now.clone()),
            step_then: shifted.flip.as_ref().map(|(_, then)| then.clone()),
        };
        let ddl = |recommendation: &Recommendation| recommendation.creation.create.join("\n");
        WhatIfReport {
            scale: what_if.conditions.growth.clone(),
            settings: what_if.conditions.settings.clone(),
            statements: what_if.statements.iter().map(statement).collect(),
            started: what_if.started.iter().map(ddl).collect(),
            stopped: what_if.stopped.clone(),
        }
    }
}

impl CheckedIndexes {
    fn new(checked: &CheckedTables) -> CheckedIndexes {
        let names = |tables: &[QualifiedName]| tables.iter().map(ToString::to_string).collect();
        CheckedIndexes {
            scope: if checked.all {
                "all_tables"
            } else {
                "workload"
            }
            .to_owned(),
            tables: names(&checked.tables),
            indexes: checked.indexes,
            locked_tables: names(&checked.locked),
        }
    }
}

impl ExistingIndex {
    fn new(finding: &ExistingFinding) -> ExistingIndex {
        ExistingIndex {
            index: finding.index.to_string(),
            finding: finding.kind().name().to_owned(),
            ddl: finding.statement().unwrap_or_default(),
            detail: sentences::existing_index(finding),
            size_bytes: finding.size.0,
            freed_bytes: finding.freed().0,
            expected_size_bytes: finding.expected_size().map(|size| size.0),
            scans: finding.scans,
            unused_since: finding.unused_since().map(str::to_owned),
            recommendation: finding.recommendation().map(str::to_owned),
        }
    }
}
