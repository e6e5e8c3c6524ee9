//! Rehearse an index before you build it: a PostgreSQL index advisor and query-plan analyzer.
//!
//! The program `pgrehearse` is this crate's main interface. The library offers the parts that are
//! useful on their own:
//!
//! | to | use |
//! |---|---|
//! | read plans in any of EXPLAIN's formats | [`read_plans`], [`read_plans_from_bytes`] |
//! | walk through a plan | [`Plan`], [`Node`] |
//! | compute what each node takes by itself | [`metrics`] |
//! | find out what is wrong with a plan | [`findings`] |
//! | compare two plans of a query | [`diff`] |
//! | get advice on a workload from any [`Planner`] | [`advise`](fn@advise) |
//! | look at a recorded run again | [`Recording`], [`Replay`] |
//!
//! Nothing here opens a connection, reads a file or prints.
//!
//! # Reading plans
//!
//! ```
//! let plans = pgrehearse::read_plans(
//!     "                        QUERY PLAN
//!      -----------------------------------------------------------
//!       Seq Scan on orders  (cost=0.00..1943.00 rows=98 width=16)
//!         Filter: (customer_id = 42)
//!      (2 rows)",
//! )?;
//! let plan = &plans[0].plan;
//! assert_eq!(plan.root().node_type(), &pgrehearse::NodeType::SeqScan);
//! assert_eq!(plan.root().text("Filter"), Some("(customer_id = 42)"));
//! assert_eq!(plan.total_cost(), pgrehearse::Cost(1943.0));
//!
//! let error = pgrehearse::read_plans("SELECT 1").unwrap_err();
//! assert_eq!(error.to_string(), "there is no plan in it");
//! # Ok::<(), pgrehearse::ReadError>(())
//! ```
//!
//! # Metrics
//!
//! EXPLAIN's numbers include everything below a node and are averages over loops. [`metrics`] says
//! what a node takes by itself:
//!
//! ```
//! let plans = pgrehearse::read_plans(
//!     "Sort  (cost=20.00..21.00 rows=100 width=4) (actual time=9.000..10.000 rows=100.00 loops=1)
//!   Sort Key: id
//!   ->  Seq Scan on orders  (cost=0.00..15.00 rows=100 width=4) (actual time=0.100..4.000 rows=100.00 loops=1)
//! Execution Time: 10.000 ms",
//! )?;
//! let metrics = pgrehearse::metrics(&plans[0].plan);
//! assert_eq!(metrics.nodes[0].self_share, 0.6);
//! assert_eq!(metrics.nodes[1].self_share, 0.4);
//! # Ok::<(), pgrehearse::ReadError>(())
//! ```
//!
//! # Findings
//!
//! ```
//! let plans = pgrehearse::read_plans(
//!     "Sort  (cost=90000.00..92000.00 rows=1000000 width=64) (actual time=900.0..1200.0 rows=1000000.00 loops=1)
//!   Sort Key: placed_at
//!   Sort Method: external merge  Disk: 64000kB
//!   ->  Seq Scan on orders  (cost=0.00..15000.00 rows=1000000 width=64) (actual time=0.1..200.0 rows=1000000.00 loops=1)
//! Execution Time: 1250.0 ms",
//! )?;
//! let findings = pgrehearse::findings(&plans[0].plan);
//! assert_eq!(findings[0].rule, "sort-spilled");
//! assert_eq!(findings[0].severity, pgrehearse::Severity::Critical);
//! # Ok::<(), pgrehearse::ReadError>(())
//! ```
//!
//! # Differences
//!
//! ```
//! use pgrehearse::ChangeKind;
//!
//! let plans = pgrehearse::read_plans(
//!     "Seq Scan on orders  (cost=0.00..1943.00 rows=98 width=16)
//!   Filter: (customer_id = 42)
//!
//! Index Scan using orders_customer_id_idx on orders  (cost=0.29..104.91 rows=98 width=16)
//!   Index Cond: (customer_id = 42)",
//! )?;
//! let diff = pgrehearse::diff(&plans[0].plan, &plans[1].plan);
//! assert_eq!(diff.changes[0].kind, ChangeKind::AccessPath);
//! assert_eq!(diff.after.numbers.cost, Some(104.91));
//! # Ok::<(), pgrehearse::ReadError>(())
//! ```
//!
//! # Advice
//!
//! [`advise`](fn@advise) asks a [`Planner`]: a trait with one question, [`Planner::ask`]. A
//! recorded run answers it without a server, and a planner of your own can wrap another one:
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use pgrehearse::{
//!     Answer, Catalog, Planner, PlannerError, Preparation, QualifiedName, Question, Recording, Replay, Target,
//! };
//!
//! /// Counts the plans that the server made.
//! struct ServerPlans<'p> {
//!     planner: &'p mut dyn Planner,
//!     count: usize,
//! }
//!
//! impl Planner for ServerPlans<'_> {
//!     fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
//!         if question.target == Target::Server {
//!             self.count += question.statements.len();
//!         }
//!         self.planner.ask(question)
//!     }
//!
//!     fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
//!         self.planner.catalog(tables)
//!     }
//!
//!     fn prepare_twin(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Preparation, PlannerError> {
//!         self.planner.prepare_twin(tables)
//!     }
//! }
//!
//! let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/recordings/003-game-overviews-twin.json");
//! let recording = Recording::from_json(&std::fs::read_to_string(file)?)?;
//! let mut planner = ServerPlans { planner: &mut Replay::new(&recording), count: 0 };
//! let advice = pgrehearse::advise(&recording.workload, &recording.limits, &mut planner, &|_| {})?;
//! assert_eq!(advice.recommendations.len(), 4);
//! assert!(pgrehearse::explanation_text(&advice.recommendations[0]).starts_with("For games-of-developer"));
//! assert!(planner.count > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What stays and what may change
//!
//! The crate follows semantic versioning. It covers the items on this page: their names, types and
//! fields. While the version begins with 0, a new minor version (0.2) may change them and a patch
//! version (0.1.1) may not.
//!
//! - Structs may get fields and enums may get variants in a minor version: match with a wildcard
//!   arm.
//! - The text of messages, the set of rules, the order of findings and the numbers of [`metrics`]
//!   may change in any version.
//! - JSON reports have a version of their own, `schema_version`.
//! - The feature `internals` makes every module public for this crate's own tests and benchmarks.
//!   It promises nothing.

mod advise;
mod candidate;
mod catalog;
mod check;
mod cli;
mod cluster;
mod command;
mod db;
mod finding;
mod index;
mod log;
mod mcp;
mod model;
mod plan;
mod planner;
mod predicate;
mod remedy;
mod report;
mod search;
mod sentences;
mod sql;
mod terminal;
mod text_layout;
mod tui;
mod twin;
mod verdict;
mod workload;

pub use finding::{Finding, Impact, RULES, Rule, Severity};
pub use model::{Bytes, Cost, Millis, QualifiedName};
pub use plan::metrics::cost::NodeCost;
pub use plan::metrics::time::NodeTime;
pub use plan::metrics::{
    Basis, Buffers, Direction, Estimate, Jit, Memory, Metrics, NodeMetrics, Removed, Serialization,
    Summary, Trigger, metrics,
};
pub use plan::read::{
    FilePosition, ReadError, ReadPlan, Reason as ReadErrorReason, SourceFormat, Warning,
    WarningKind, read as read_plans_from_bytes, read_text as read_plans,
};
pub use plan::{MAX_PLAN_DEPTH, Node, NodeId, NodeType, Plan, PlanError, Properties, Property};
pub use report::diff::{
    ChangeKind, DiffNode, DiffReport, JoinOrder, NodeChange, Numbers, PlanNumbers,
};

pub use advise::rejection::Rejection;
pub use advise::{
    Advice, Benefit, Recommendation, Rejected, StatementAdvice, StatementStatus, advise,
};
pub use catalog::Catalog;
pub use index::Index;
pub use planner::recording::{Recorder, Recording, RecordingError, Replay};
pub use planner::{
    Answer, Event, Evidence, Hypothesis, Mode, NamedIndex, Observer, PlanOutcome, Planned, Planner,
    PlannerError, Preparation, Question, Refusal, RefusalCause, Rollback, Target, TestedIndex,
    TwinState,
};
pub use verdict::{Limits, MinImprovement, NoIndexReason, Reason, Rehearse};
pub use workload::{Statement, StatementId, Usage, Workload};

/// A rejection as the reports say it.
pub fn rejection_text(rejection: &Rejection) -> String {
    sentences::rejection(rejection)
}

/// What a recommended index does for which statement, and what it costs, as the reports say it.
pub fn explanation_text(recommendation: &Recommendation) -> String {
    sentences::explanation(&recommendation.explanation)
}

/// What is worth saying about a plan, highest impact first.
pub fn findings(plan: &Plan) -> Vec<Finding> {
    finding::findings(plan, None)
}

/// The differences of two plans of the same query.
pub fn diff(before: &Plan, after: &Plan) -> DiffReport {
    let named = |file, plan| report::diff::NamedPlan {
        file,
        query: None,
        plan,
    };
    let diff = report::diff::Diff::new(named("before", before), named("after", after));
    diff.report().clone()
}

/// The program: reads the command line, runs it, and returns the exit status.
#[doc(hidden)]
pub fn run() -> std::process::ExitCode {
    command::run()
}

/// Every module, for this crate's own tests and benchmarks: see the feature `internals`.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    /// A public module of the same name for each, with the same items.
    macro_rules! publish {
        ($($name:ident),+ $(,)?) => {
            $(#[allow(missing_docs, reason = "the module itself is documented")]
            pub mod $name {
                pub use crate::$name::*;
            })+
        };
    }

    publish!(
        advise, candidate, catalog, check, cli, cluster, db, finding, index, log, model, plan,
        planner, predicate, remedy, report, search, sentences, sql, tui, twin, verdict, workload,
    );
}
