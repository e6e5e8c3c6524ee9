//! The report of `review`: saved plans, read offline. JSON is a list with an object for each file.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::heat;
use super::json::Finding;
use super::text::layout::{cut, fitted, indented};
use super::text::tree::lines;
use super::text::{BAD, BOLD, DIM, HOT, NARROWEST, styled};
use crate::model::printable;
use crate::plan::read::ReadPlan;

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
    /// The statement, when it is known.
    pub query: Option<String>,
    /// Every node, those of subplans included.
    pub node_count: usize,
    /// Planner units.
    pub total_cost: f64,
    /// `Execution Time`, with EXPLAIN ANALYZE.
    pub execution_time_ms: Option<f64>,
    /// What is to be said about it.
    pub findings: Vec<Finding>,
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
        ReviewedFile { file: self.file.clone(), error, plans }
    }
}

fn reviewed_plan(ReadPlan { plan, format, query }: &ReadPlan) -> ReviewedPlan {
    ReviewedPlan {
        source_format: format.name().to_owned(),
        query: query.clone(),
        node_count: plan.nodes().len(),
        total_cost: plan.total_cost().0,
        execution_time_ms: plan.summary.get("Execution Time").and_then(Value::as_f64),
        findings: Vec::new(),
        tree: plan.clone().into(),
    }
}

/// All files as JSON, indented, with a newline at the end.
///
/// # Errors
/// When a number has no JSON form, which plans do not hold.
pub fn write_json(files: &[Reviewed]) -> serde_json::Result<String> {
    let reports: Vec<ReviewedFile> = files.iter().map(Reviewed::to_report).collect();
    Ok(serde_json::to_string_pretty(&reports)? + "\n")
}

/// All files for people: each plan as a tree, its costliest nodes marked.
pub fn write_text(files: &[Reviewed], width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", styled(BOLD, printable(&file.file)));
        match &file.plans {
            Ok(plans) => plans.iter().for_each(|plan| text.push_str(&plan_tree(plan, width))),
            Err(error) => {
                let _ = writeln!(text, "{}", styled(BAD, indented(&printable(error), "  ", width)));
            }
        }
        text.push('\n');
    }
    text
}

/// All files as Markdown: the same trees in code fences.
pub fn write_markdown(files: &[Reviewed], width: usize) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "### {}\n", printable(&file.file));
        match &file.plans {
            Ok(plans) => {
                for plan in plans {
                    let tree = anstream::adapter::strip_str(&plan_tree(plan, width)).to_string();
                    let _ = writeln!(text, "```\n{}```\n", tree.replace("```", "ˋˋˋ"));
                }
            }
            Err(error) => {
                let _ = writeln!(text, "**could not be read**: {}\n", printable(error));
            }
        }
    }
    text
}

/// Columns for cost, rows, share and bar behind a headline.
const NUMBER_COLUMNS: usize = 11 + 12 + 6 + 8;

fn plan_tree(ReadPlan { plan, query, .. }: &ReadPlan, width: usize) -> String {
    let mut text = String::new();
    if let Some(query) = query {
        let _ = writeln!(text, "{}", indented(&printable(query), "  ", width));
    }
    let room = width - NUMBER_COLUMNS - 3;
    let _ =
        writeln!(text, "{}", styled(DIM, format!("  {}{:>11}{:>12}{:>6}", fitted("", room), "cost", "rows", "self")));
    for (node, (share, hot)) in lines(plan).into_iter().zip(heat(plan)) {
        let percent = format!("{:.0} %", share * 100.0);
        let headline = format!(
            "{}{:>11}{:>12}{percent:>6}",
            fitted(&node.headline, room),
            cut(&node.cost, 11),
            cut(&node.rows, 12)
        );
        let line = if hot {
            styled(HOT, format!("* {headline} {}", bar(share)))
        } else {
            format!("  {headline} {}", bar(share))
        };
        let _ = writeln!(text, "{}", line.trim_end());
        for detail in node.details {
            let _ = writeln!(text, "  {}", styled(DIM, cut(&detail, width - 2)));
        }
    }
    text
}

/// A bar of up to six columns.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * 48.0).round() as usize;
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), partial[eighths % 8])
}
