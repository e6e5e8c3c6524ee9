//! What a question may suppose besides new indexes: another setting, better statistics, a vacuumed table, a view that exists.

use serde::{Deserialize, Serialize};

use super::{NamedIndex, Refusal};
use crate::model::{Bytes, Millis, QualifiedName, quote_identifier};
use crate::verdict::Reason;

/// Something that is not so, and is supposed for the time of one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hypothesis {
    /// A planner setting has another value. The server can tell about indexes that exist, the twin about all.
    Setting {
        /// Its name.
        name: String,
        /// Its value, as SET takes it.
        value: String,
    },
    /// ANALYZE has run. Only the server can tell, in a transaction that is rolled back: it has the rows.
    Analyzed(Analyzed),
    /// VACUUM has marked all pages of a table as visible to everybody. Only the twin can tell.
    AllVisible(QualifiedName),
    /// A materialized view exists; the statements that are asked about read it. The twin takes rows and size as they are estimated; the
    /// server really fills it, in a transaction that is rolled back.
    View(View),
    /// Nothing: the statements are the workload's, written another way.
    Rewritten,
}

/// Statistics as ANALYZE would make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analyzed {
    /// The table.
    pub table: QualifiedName,
    /// Its columns. They are named one by one so that the server goes on counting the rows that changed since ANALYZE: autovacuum
    /// goes by that (`do_analyze_rel` in src/backend/commands/analyze.c resets the counter only without a list).
    pub columns: Vec<String>,
    /// What is created before.
    pub statistics: Vec<ExtendedStatistics>,
}

/// An object of CREATE STATISTICS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExtendedStatistics {
    /// Its name.
    pub name: QualifiedName,
    /// The table.
    pub table: QualifiedName,
    /// `dependencies`, `mcv`, `ndistinct`; none for a single expression.
    pub kinds: Vec<String>,
    /// Columns and expressions as CREATE STATISTICS takes them.
    pub keys: Vec<String>,
}

/// A materialized view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Its name.
    pub name: QualifiedName,
    /// The statement that fills it.
    pub query: String,
    /// How many rows it is estimated to have.
    pub rows: f64,
    /// How large it is estimated to be.
    pub size: Bytes,
}

impl Analyzed {
    /// What makes it so.
    pub fn statements(&self) -> Vec<String> {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| quote_identifier(column))
            .collect();
        let analyze = format!("ANALYZE {} ({})", self.table, columns.join(", "));
        self.statistics
            .iter()
            .map(ExtendedStatistics::create)
            .chain([analyze])
            .collect()
    }
}

impl ExtendedStatistics {
    /// `CREATE STATISTICS public.t_a_b_stats (dependencies, mcv) ON a, b FROM public.t`
    pub fn create(&self) -> String {
        let kinds = if self.kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.kinds.join(", "))
        };
        format!(
            "CREATE STATISTICS {}{kinds} ON {} FROM {}",
            self.name,
            self.keys.join(", "),
            self.table
        )
    }
}

impl View {
    /// Creates it without rows.
    pub fn create_empty(&self) -> String {
        format!("{} WITH NO DATA", self.create())
    }

    /// Creates it; on a line of its own, because the statement may end in a comment.
    pub fn create(&self) -> String {
        // A comment at the end of the query must not take in what is put behind it.
        let end = if self.query.contains("--") { "\n" } else { "" };
        format!(
            "CREATE MATERIALIZED VIEW {} AS\n{}{end}",
            self.name, self.query
        )
    }

    /// Fills it anew.
    pub fn refresh(&self) -> String {
        format!("REFRESH MATERIALIZED VIEW {}", self.name)
    }
}

impl Hypothesis {
    /// Is something made for it on the server, and rolled back?
    pub fn takes_a_transaction(&self) -> bool {
        match self {
            Hypothesis::Analyzed(_) | Hypothesis::View(_) => true,
            Hypothesis::Setting { .. } | Hypothesis::AllVisible(_) | Hypothesis::Rewritten => false,
        }
    }

    /// There is nobody who could tell.
    pub fn refused(&self, indexes: &[NamedIndex]) -> Refusal {
        let beside = if indexes.is_empty() {
            ""
        } else {
            " beside new indexes"
        };
        let detail = format!("nobody to ask can suppose {self}{beside}");
        Refusal {
            reason: Reason::Offline,
            detail,
            write_block: Millis::default(),
            built: 0,
        }
    }
}

impl std::fmt::Display for Hypothesis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Hypothesis::Setting { name, value } => write!(formatter, "{name} = {value}"),
            Hypothesis::Analyzed(analyzed) => {
                formatter.write_str(&analyzed.statements().join("; "))
            }
            Hypothesis::AllVisible(table) => write!(formatter, "VACUUM {table}"),
            Hypothesis::View(view) => write!(formatter, "the materialized view {}", view.name),
            Hypothesis::Rewritten => formatter.write_str("another way of writing it"),
        }
    }
}
