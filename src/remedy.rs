//! What may help a statement where no index is the answer: fresh statistics, extended ones, a
//! vacuum, a materialized view, another way of writing it. One idea in a file; each only proposes,
//! from plans and the catalog. [`mod@crate::advise`] tests each proposal and recommends only those
//! that help.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::model::{Bytes, Cost, QualifiedName};
use crate::plan::Plan;
use crate::planner::{Evidence, NamedIndex};
use crate::workload::{Statement, StatementId};
use analyze::Stale;

pub mod analyze;
pub mod materialized_view;
pub mod policy;
pub mod rewrite;
pub mod statistics;
pub mod vacuum;

/// Advice that is not an index, with its effect in a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    /// `m1`, `m2`, …
    pub id: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// The table it is about.
    pub table: QualifiedName,
    /// What to run, one after the other; a rewritten statement comes last.
    pub statements: Vec<String>,
    /// The new indexes that a rewritten statement needs, which `statements` creates.
    pub indexes: Vec<NeededIndex>,
    /// The recommended indexes that a rewritten statement uses.
    pub beside: Vec<NamedIndex>,
    /// What serves the statement as it is written, and nothing else once it is rewritten.
    pub instead: Vec<InsteadIndex>,
    /// Its effect on each statement that it is for.
    pub benefits: Vec<Effect>,
    /// The size of what it creates, if that takes room.
    pub size: Option<Bytes>,
    /// Where it was tested.
    pub evidence: Evidence,
    /// Why it may help.
    pub reason: RemedyReason,
}

impl Remedy {
    /// What it brings each statement of the workload: of one that is rewritten the mean over the
    /// classes of its values.
    pub fn expected(&self) -> Vec<Effect> {
        match (&self.reason, self.benefits.first()) {
            (RemedyReason::WrittenAnotherWay { before, after, .. }, Some(first)) => vec![Effect {
                cost: (*before, *after),
                ..first.clone()
            }],
            _ => self.benefits.clone(),
        }
    }
}

/// A new index that only a rewritten statement needs, as the planner twin has it.
#[derive(Debug, Clone, PartialEq)]
pub struct NeededIndex {
    /// The index under its name.
    pub index: NamedIndex,
    /// The statement that creates it.
    pub ddl: String,
    /// Its estimated size.
    pub size: Bytes,
    /// What the workload's writes pay for it: Σ calls × rows × cost, in planner units.
    pub upkeep: Cost,
}

/// An index that a statement needs only as long as it is not rewritten.
#[derive(Debug, Clone, PartialEq)]
pub struct InsteadIndex {
    /// The index under its name.
    pub index: NamedIndex,
    /// The statement that creates it.
    pub ddl: String,
    /// What the statement costs with it, written as it is.
    pub cost: Cost,
}

/// Why a remedy may help, with its facts.
#[derive(Debug, Clone, PartialEq)]
pub enum RemedyReason {
    /// The table was never analyzed, or its statistics are out of date.
    StaleStatistics {
        /// What is wrong with them.
        stale: Stale,
        /// The statement whose estimate changes most with fresh ones.
        most_changed: Effect,
    },
    /// The planner assumes that these columns are independent, or knows nothing of this expression.
    UnknownToThePlanner {
        /// Columns and expressions.
        keys: Vec<String>,
        /// The statement whose estimate changes most with the statistics object.
        most_changed: Effect,
    },
    /// Index-only scans look into the table for pages that are not marked as all-visible.
    NotAllVisible {
        /// The share of pages that are, 0 to 1.
        share: f64,
    },
    /// The statement makes few rows of many.
    FewRowsOfMany {
        /// The rows of the view.
        rows: f64,
        /// The rows that the statement reads.
        read: f64,
        /// What refreshing the view costs: what the statement costs today.
        refresh_cost: Cost,
    },
    /// A policy calls a STABLE function, or evaluates a subquery, perhaps for every row; written
    /// another way that is done once.
    CalledOnce {
        /// The policy.
        policy: String,
        /// The columns that it compares with the function's result.
        columns: Vec<String>,
        /// The columns that a subquery names, and is evaluated for every row because of them.
        looked_up: Vec<String>,
    },
    /// What the planner assumes of foreign tables is not what their server says.
    AskTheServer {
        /// The server.
        server: String,
        /// Its foreign tables that were never analyzed here.
        never_analyzed: Vec<QualifiedName>,
        /// The statement whose estimate changes most.
        most_changed: Effect,
    },
    /// The planner does better with the statement as it is written now.
    WrittenAnotherWay {
        /// The cost of the statement as it was.
        before: Cost,
        /// Its cost as it is written now.
        after: Cost,
        /// As it was, it reads an index in its order until enough rows are found; what that costs if
        /// it goes to the end.
        to_its_end: Option<Cost>,
        /// How many new indexes that takes.
        indexes: usize,
        /// Why it means the same and may be better.
        because: String,
    },
}

/// What kind of remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `ANALYZE`: statistics that were never made, or are out of date.
    Analyze,
    /// `CREATE STATISTICS`: columns that depend on each other, or an expression.
    CreateStatistics,
    /// `VACUUM`: pages that an index-only scan need not look at.
    Vacuum,
    /// `CREATE MATERIALIZED VIEW`: the result of a statement that reads most of a table, kept.
    MaterializedView,
    /// The statement, written another way.
    Rewrite,
    /// `use_remote_estimate`: the planner asks a foreign server for its estimates.
    RemoteEstimates,
    /// `ALTER POLICY`: a row-level security policy, written another way.
    AlterPolicy,
}

impl Kind {
    /// Does it change what the planner knows, and not what there is to read?
    pub fn is_about_statistics(self) -> bool {
        matches!(
            self,
            Kind::Analyze | Kind::CreateStatistics | Kind::RemoteEstimates
        )
    }

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Analyze => "analyze",
            Kind::CreateStatistics => "create_statistics",
            Kind::Vacuum => "vacuum",
            Kind::MaterializedView => "materialized_view",
            Kind::Rewrite => "rewrite",
            Kind::AlterPolicy => "alter_policy",
            Kind::RemoteEstimates => "use_remote_estimate",
        }
    }
}

/// A statement without and with a remedy.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The statement.
    pub statement: StatementId,
    /// Its cost.
    pub cost: (Cost, Cost),
    /// The rows that the planner expects where the remedy is about that estimate.
    pub rows: Option<(f64, f64)>,
    /// Is it planned another way?
    pub plan_changed: bool,
}

/// An estimate has changed when it is this many times another.
const MIN_ESTIMATE_FACTOR: f64 = 2.0;

/// How many times an estimate became another; the planner never expects less than one row.
pub fn estimate_factor((before, after): (f64, f64)) -> f64 {
    let (before, after) = (before.max(1.0), after.max(1.0));
    (before / after).max(after / before)
}

/// Estimates of fewer rows than this are the same to every plan.
const MIN_ESTIMATE: f64 = 10.0;

/// Is the second estimate another one than the first?
pub fn estimate_has_changed(rows: (f64, f64)) -> bool {
    estimate_factor(rows) >= MIN_ESTIMATE_FACTOR && rows.0.max(rows.1) >= MIN_ESTIMATE
}

/// What remedies are proposed from.
#[derive(Debug, Clone, Copy)]
pub struct RemedyInput<'a> {
    /// The statements with their present plans.
    pub plans: &'a [(&'a Statement, &'a Plan)],
    /// What the server knows.
    pub catalog: &'a Catalog,
}

/// Is there a remedy that only the planner twin can test?
pub fn wants_twin(input: RemedyInput<'_>) -> bool {
    vacuum::is_read_by_index(input)
        || !materialized_view::propose(input).is_empty()
        || !rewrite::propose(input).is_empty()
        || !policy::propose(input).is_empty()
}

/// The statements that a proposal is for.
pub type AskedBy = BTreeSet<StatementId>;

#[cfg(test)]
mod testing;
