//! The report of `review`: saved plans, read offline. JSON is a list with an object for each file.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::json::Finding;
use super::markdown::escaped;
use super::style::{BAD, BOLD, MIN_WIDTH, styled};
use crate::finding::findings_with;
use crate::model::printable;
use crate::plan::metrics::metrics;
use crate::plan::read::ReadPlan;
use crate::text_layout::indent;

mod facts;
mod nodes;
mod view;

pub use nodes::ReviewedNode;
pub(crate) use view::PlanReview;

/// One file that was reviewed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReviewedFile {
    /// Its name as it was given or found.
    pub file: String,
    /// Why it could not be read; then there are no plans.
    pub error: Option<String>,
    /// The plans in it.
    pub plans: Vec<ReviewedPlan>,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReviewedPlan {
    /// The format it was saved in.
    pub source_format: String,
    /// The statement's name, where the file has a workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// How often it runs, where the file has a workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<f64>,
    /// The statement, when it is known.
    pub query: Option<String>,
    /// Every node, those of subplans included.
    pub node_count: usize,
    /// Planner units.
    pub total_cost: f64,
    /// `Execution Time`, with EXPLAIN ANALYZE.
    pub execution_time_ms: Option<f64>,
    /// `Planning Time`.
    pub planning_time_ms: Option<f64>,
    /// JIT compilation.
    pub jit_time_ms: Option<f64>,
    /// All triggers.
    pub trigger_time_ms: Option<f64>,
    /// What could not be read, or is missing, with the line of the file.
    pub warnings: Vec<String>,
    /// The findings about it, highest impact first.
    pub findings: Vec<Finding>,
    /// What was derived for each node.
    pub nodes: Vec<ReviewedNode>,
    /// EXPLAIN's own JSON.
    pub tree: Value,
}

/// A file and what was found in it, before it is written in some format.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    /// The file's name.
    pub file: String,
    /// Its plans, or why there are none.
    pub plans: Result<Vec<ReadPlan>, String>,
}

impl Reviewed {
    /// As the JSON report has it.
    pub fn to_report(&self) -> ReviewedFile {
        let (plans, error) = match &self.plans {
            Ok(plans) => (plans.iter().map(reviewed_plan).collect(), None),
            Err(error) => (Vec::new(), Some(error.clone())),
        };
        ReviewedFile {
            file: self.file.clone(),
            error,
            plans,
        }
    }
}

fn reviewed_plan(
    ReadPlan {
        plan,
        format,
        query,
        warnings,
        of,
    }: &ReadPlan,
) -> ReviewedPlan {
    let metrics = metrics(plan);
    let triggers = &metrics.summary.triggers;
    ReviewedPlan {
        source_format: format.name().to_owned(),
        statement: of.as_ref().map(|of| of.name.clone()),
        calls: of.as_ref().map(|of| of.calls),
        query: query.clone(),
        node_count: plan.nodes().len(),
        total_cost: plan.total_cost().0,
        execution_time_ms: metrics.summary.execution.map(|time| time.0),
        planning_time_ms: metrics.summary.planning.map(|time| time.0),
        jit_time_ms: metrics.summary.jit.map(|jit| jit.time.0),
        trigger_time_ms: (!triggers.is_empty())
            .then(|| triggers.iter().map(|trigger| trigger.time.0).sum()),
        warnings: warnings.iter().map(ToString::to_string).collect(),
        findings: findings_with(plan, &metrics, None)
            .into_iter()
            .map(Finding::from)
            .collect(),
        nodes: nodes::nodes(plan, &metrics),
        tree: plan.clone().into(),
    }
}

/// All files as JSON, indented, with a newline at the end.
///
/// # Errors
/// When a number has no JSON form, which does not happen for plans.
pub fn write_json(files: &[Reviewed]) -> serde_json::Result<String> {
    let reports: Vec<ReviewedFile> = files.iter().map(Reviewed::to_report).collect();
    Ok(serde_json::to_string_pretty(&reports)? + "\n")
}

/// All files as text: findings first, then each plan as a tree with its costliest nodes marked.
pub fn write_text(files: &[Reviewed], width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", styled(BOLD, printable(&file.file)));
        match &file.plans {
            Ok(plans) => plans
                .iter()
                .for_each(|plan| text.push_str(&PlanReview::new(plan).text(width))),
            Err(error) => {
                let _ = writeln!(
                    text,
                    "{}",
                    styled(BAD, indent(&printable(error), "  ", width))
                );
            }
        }
        text.push('\n');
    }
    text
}

/// All files as Markdown: findings as a list, the same trees in code fences.
pub fn write_markdown(files: &[Reviewed], width: usize) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "### {}\n", escaped(&file.file));
        match &file.plans {
            Ok(plans) => plans.iter().for_each(|plan| {
                text.push_str(&PlanReview::new(plan).markdown(width.max(MIN_WIDTH)))
            }),
            Err(error) => {
                let _ = writeln!(text, "**could not be read**: {}\n", escaped(error));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
