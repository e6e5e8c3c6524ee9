//! What a question may assume besides new indexes: another setting, better statistics, a vacuumed
//! table, a view that exists.

use serde::{Deserialize, Serialize};

use super::{NamedIndex, Refusal, RefusalCause};
use crate::model::{Bytes, QualifiedName, quote_identifier};

/// A condition that is not true now and is assumed for one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hypothesis {
    /// A planner setting has another value. The server can plan with the indexes that exist, the
    /// twin with any.
    Setting {
        /// Its name.
        name: String,
        /// Its value, as SET takes it.
        value: String,
    },
    /// ANALYZE has run. Only the server has the rows for that; it runs it in a transaction that is
    /// rolled back.
    Analyzed(Analyzed),
    /// VACUUM has marked all pages of a table as all-visible. Only the twin can simulate that.
    AllVisible(QualifiedName),
    /// A materialized view exists; the statements of the question read it. The twin takes rows and
    /// size as they are estimated; the server fills it, in a transaction that is rolled back.
    View(View),
    /// The planner asks this foreign server for its estimates. Only the server can, in a transaction
    /// that is rolled back; EXPLAIN then connects as the role's user mapping says.
    RemoteEstimates(String),
    /// Nothing: the statements are the workload's, written another way.
    Rewritten,
    /// A row-level security policy shows rows by another condition. Only the twin can simulate that.
    AlteredPolicy(AlteredPolicy),
    /// These existing btrees were rebuilt. The answer has no plans, but the indexes with their
    /// sizes; those whose size cannot be estimated are left out. Only the twin can estimate them.
    Reindexed(Vec<NamedIndex>),
}

/// A row-level security policy with another condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlteredPolicy {
    /// Its name.
    pub name: String,
    /// The table.
    pub table: QualifiedName,
    /// The new condition.
    pub condition: String,
}

impl AlteredPolicy {
    /// `ALTER POLICY own ON public.todos USING (…)`.
    pub fn statement(&self) -> String {
        let is_enclosed = self.condition.starts_with('(') && self.condition.ends_with(')');
        let condition = if is_enclosed {
            self.condition.clone()
        } else {
            format!("({})", self.condition)
        };
        format!(
            "ALTER POLICY {} ON {} USING {condition}",
            quote_identifier(&self.name),
            self.table
        )
    }
}

/// Statistics as ANALYZE would make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analyzed {
    /// The table.
    pub table: QualifiedName,
    /// Its columns. They are named one by one so that the server goes on counting the rows that
    /// changed since ANALYZE: autovacuum goes by that (`do_analyze_rel` in
    /// src/backend/commands/analyze.c resets the counter only without a list).
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

/// Lets the planner ask a foreign server for its estimates. The owner of the server may run it; it
/// locks no table.
pub fn use_remote_estimate(server: &str) -> String {
    format!(
        "ALTER SERVER {} OPTIONS (ADD use_remote_estimate 'true')",
        quote_identifier(server)
    )
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
        // Text after the query must not become part of a comment at its end.
        let end = if self.query.contains("--") { "\n" } else { "" };
        format!(
            "CREATE MATERIALIZED VIEW {} AS\n{}{end}",
            self.name, self.query
        )
    }

    /// Fills it again.
    pub fn refresh(&self) -> String {
        format!("REFRESH MATERIALIZED VIEW {}", self.name)
    }
}

impl Hypothesis {
    /// Does the server create or analyze something for it, and roll it back?
    pub fn takes_a_transaction(&self) -> bool {
        match self {
            Hypothesis::Analyzed(_) | Hypothesis::View(_) | Hypothesis::RemoteEstimates(_) => true,
            Hypothesis::Setting { .. }
            | Hypothesis::AllVisible(_)
            | Hypothesis::AlteredPolicy(_)
            | Hypothesis::Rewritten
            | Hypothesis::Reindexed(_) => false,
        }
    }

    /// The planner that is asked cannot simulate it.
    pub fn refused(&self, indexes: &[NamedIndex]) -> Refusal {
        RefusalCause::CannotSimulate {
            hypothesis: self.to_string(),
            beside_indexes: !indexes.is_empty(),
        }
        .into()
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
            Hypothesis::AlteredPolicy(altered) => formatter.write_str(&altered.statement()),
            Hypothesis::RemoteEstimates(server) => {
                formatter.write_str(&use_remote_estimate(server))
            }
            Hypothesis::Rewritten => formatter.write_str("statements written another way"),
            Hypothesis::Reindexed(indexes) => {
                let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
                write!(formatter, "REINDEX {}", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(kinds: &[&str]) -> ExtendedStatistics {
        ExtendedStatistics {
            name: QualifiedName::new("public", "order_a_stats"),
            table: QualifiedName::new("public", "order"),
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            keys: vec!["a".to_owned(), "(lower(b))".to_owned()],
        }
    }

    #[test]
    fn statistics_are_created_before_their_columns_are_analyzed() {
        let analyzed = Analyzed {
            table: QualifiedName::new("public", "order"),
            columns: vec!["a".to_owned(), "Group".to_owned()],
            statistics: vec![statistics(&["dependencies", "mcv"])],
        };
        assert_eq!(
            analyzed.statements(),
            [
                "CREATE STATISTICS public.order_a_stats (dependencies, mcv) ON a, (lower(b)) FROM public.\"order\"",
                "ANALYZE public.\"order\" (a, \"Group\")",
            ]
        );
        let plain = statistics(&[]).create();
        assert!(
            plain.starts_with("CREATE STATISTICS public.order_a_stats ON a"),
            "{plain}"
        );
    }

    fn view(query: &str) -> View {
        View {
            name: QualifiedName::new("public", "sums"),
            query: query.to_owned(),
            rows: 1.0,
            size: Bytes(8192),
        }
    }

    #[test]
    fn a_comment_at_the_end_of_a_view_takes_nothing_in() {
        assert_eq!(
            view("SELECT 1").create_empty(),
            "CREATE MATERIALIZED VIEW public.sums AS\nSELECT 1 WITH NO DATA"
        );
        assert_eq!(
            view("SELECT 1 -- one").create_empty(),
            "CREATE MATERIALIZED VIEW public.sums AS\nSELECT 1 -- one\n WITH NO DATA"
        );
    }

    #[test]
    fn a_refusal_says_whether_new_indexes_were_in_the_way() {
        let vacuumed = Hypothesis::AllVisible(QualifiedName::new("public", "t"));
        let expected = RefusalCause::CannotSimulate {
            hypothesis: "VACUUM public.t".to_owned(),
            beside_indexes: false,
        };
        assert_eq!(vacuumed.refused(&[]).cause, expected);
        assert!(!vacuumed.takes_a_transaction());
        assert!(Hypothesis::View(view("SELECT 1")).takes_a_transaction());
    }
}
