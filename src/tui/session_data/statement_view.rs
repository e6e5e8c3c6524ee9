//! A statement as the screens show it.

use std::sync::Arc;

use crate::model::{Cost, printable};
use crate::plan::Plan;
use crate::report::sql_line;
use crate::text_layout::truncate;
use crate::workload::{Statement, StatementId};

/// How many statements have a measured time ([`Statement::mean_time_ms`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeCoverage {
    /// None: shares are of Σ calls × cost.
    #[default]
    None,
    /// Too few: shares are of Σ calls × cost.
    Minority,
    /// More than half of them: shares are of their Σ calls × mean time.
    Majority,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct StatementView {
    /// The statement.
    pub source: Statement,
    /// Its plan without new indexes, or why there is none.
    pub before: Result<Arc<Plan>, String>,
    /// What its plan lost before it was read, in sentences.
    pub warnings: Vec<String>,
    /// Its plan with all recommended indexes.
    pub after: Option<Arc<Plan>>,
    /// Its share of the workload's time or cost ([`super::SessionData::time_coverage`]), 0 to 1;
    /// none when its own is not known.
    pub share: Option<f64>,
    /// The ids of the recommendations that help it.
    pub helped_by: Vec<String>,
    /// Why no index helps it, in a sentence.
    pub no_index: Option<String>,
    /// Why it was not executed, in a sentence.
    pub not_executed: Option<String>,
    /// The plans it can be compared with.
    pub choices: Vec<Choice>,
    /// The number of findings about its plan.
    pub finding_count: usize,
    /// Name and text in lower case, to filter by.
    pub search_text: String,
    /// Did the user edit it in this session? It is in no total then.
    pub is_edited: bool,
}

/// A plan to compare with a statement's plan without new indexes.
#[derive(Debug, Clone)]
pub struct Choice {
    /// One index alone; `None`: all recommended indexes together.
    pub index: Option<usize>,
    /// The plan without it, from the same state of the server.
    pub before: Arc<Plan>,
    /// The plan with it.
    pub plan: Arc<Plan>,
    /// Whether it uses the index.
    pub used: bool,
}

impl StatementView {
    /// Is it a statement of the workload, and not one of these with other values?
    pub fn is_listed(&self) -> bool {
        self.source.value_class.is_none()
    }

    /// What it is called in a list: its name, or the beginning of its text where the name is only a
    /// number.
    pub fn title(&self, columns: usize) -> String {
        let has_text = !self.source.sql.trim().is_empty();
        match self.source.is_named() || !has_text {
            true => truncate(&printable(&self.source.id.0), columns),
            false => sql_line(&self.source, columns),
        }
    }

    /// The statement of the workload that it is, with whatever values.
    pub fn as_written(&self) -> &StatementId {
        let class = self.source.value_class.as_ref();
        class.map_or(&self.source.id, |class| &class.of)
    }

    /// The cost of its plan without new indexes.
    pub fn cost(&self) -> Option<Cost> {
        Some(self.before.as_ref().ok()?.total_cost())
    }

    /// Its cost with all recommended indexes.
    pub fn cost_after(&self) -> Option<Cost> {
        self.after
            .as_ref()
            .map(|plan| plan.total_cost())
            .or_else(|| self.cost())
    }
}
