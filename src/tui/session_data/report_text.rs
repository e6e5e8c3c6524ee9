//! The report in the interface, and as a file: that of the advice, or what is known of plans.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::{SessionData, Stage};
use crate::finding::findings;
use crate::model::printable;
use crate::plan::Plan;
use crate::plan::metrics::metrics;
use crate::report::json::Report;
use crate::report::migration::{self, Direction};
use crate::report::plan_summary;
use crate::report::run_measurements::RunMeasurements;
use crate::report::text::tree::lines;
use crate::report::{html, markdown, text};
use crate::text_layout::indent;

/// The width of a report that is written to a text file.
const FILE_COLUMNS: usize = 100;

impl SessionData {
    /// The report as text, for the indexes that are on.
    pub fn report_text(&self, selected: &BTreeSet<usize>, columns: usize) -> String {
        if let Some(changed) = &self.changed {
            return changed.report.clone();
        }
        match self.selected_advice(selected) {
            Some(advice) => {
                let report = text::write_for_screen(&advice, &RunMeasurements::default(), columns);
                anstream::adapter::strip_str(&report).to_string()
            }
            None => self.findings_text(columns),
        }
    }

    /// What is worth saying about each plan.
    fn findings_text(&self, columns: usize) -> String {
        let mut text = String::new();
        if self.stage == Stage::Searching {
            text.push_str("The search goes on. The report is here when it has ended.\n\n");
        }
        for statement in self.statements.iter().filter(|view| view.is_listed()) {
            let _ = writeln!(text, "{}", printable(&statement.source.id.0));
            for warning in &statement.warnings {
                let _ = writeln!(text, "{}", indent(&format!("! {warning}"), "  ", columns));
            }
            match &statement.before {
                Err(why) => {
                    let why = format!("no plan: {}", printable(why));
                    let _ = writeln!(text, "{}", indent(&why, "  ", columns));
                }
                Ok(plan) => self.plan_findings(&mut text, plan, columns),
            }
            text.push('\n');
        }
        text
    }

    fn plan_findings(&self, text: &mut String, plan: &Plan, columns: usize) {
        let summary = plan_summary::parts(plan, &metrics(plan)).join(" · ");
        let _ = writeln!(text, "{}", indent(&summary, "  ", columns));
        let found = findings(plan, self.known_catalog());
        if found.is_empty() {
            text.push_str("  no findings\n");
        }
        for finding in found {
            let said = format!("{}: {}", finding.severity.name(), finding.message);
            let _ = writeln!(text, "{}", indent(&printable(&said), "  ", columns));
            if let Some(action) = &finding.action {
                let _ = writeln!(text, "{}", indent(&printable(action), "    ", columns));
            }
        }
    }

    /// The report in the format that the file's name asks for: `.json`, `.html`, `.md`, `.sql`, and
    /// text for every other.
    ///
    /// # Errors
    /// When there is nothing to report in this format, in a sentence.
    pub fn report_file(&self, selected: &BTreeSet<usize>, path: &str) -> Result<String, String> {
        let extension = Path::new(path).extension().and_then(|name| name.to_str());
        let extension = extension.unwrap_or_default().to_lowercase();
        let Some(advice) = self.selected_advice(selected) else {
            return match extension.as_str() {
                "json" | "html" | "md" | "sql" => {
                    Err(format!("There is no advice yet to write as {extension}"))
                }
                _ => Ok(self.report_text(selected, FILE_COLUMNS)),
            };
        };
        let measured = RunMeasurements::default();
        match extension.as_str() {
            "json" => Report::new(&advice, &measured)
                .to_json()
                .map_err(|error| error.to_string()),
            "html" => Ok(html::write_advice(&advice, &measured)),
            "md" => Ok(markdown::write(&advice, &measured)),
            "sql" => Ok(migration::write(&advice, Direction::Up)),
            _ => Ok(self.report_text(selected, FILE_COLUMNS)),
        }
    }

    /// The recording of the run, as a file for `pgrehearse review`.
    ///
    /// # Errors
    /// When there is none, in a sentence.
    pub fn recording_file(&self) -> Result<String, String> {
        let Some(recording) = &self.recording else {
            return Err("There is no recording: the search has not ended".to_owned());
        };
        serde_json::to_string(&**recording).map_err(|error| error.to_string())
    }
}

/// A plan as text: a line for each node with its cost and rows, and its conditions.
pub fn plan_text(plan: &Plan) -> String {
    let mut text = String::new();
    for line in lines(plan) {
        let _ = writeln!(
            text,
            "{}  (cost {}, rows {})",
            line.headline, line.cost, line.rows
        );
        for detail in line.details {
            let _ = writeln!(text, "{detail}");
        }
    }
    text
}
