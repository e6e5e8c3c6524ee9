//! One plan as text: a summary, the most important findings, and the tree with heat bars, numbers
//! and findings.

use std::fmt::Write as _;

use anstyle::Style;

use super::facts::facts;
use crate::finding::{Finding, Severity, findings_with};
use crate::model::printable::printable_sql;
use crate::model::{group_thousands, printable};
use crate::plan::metrics::{Basis, Direction, Metrics, NodeMetrics, metrics};
use crate::plan::read::{OfWorkload, ReadPlan, Warning};
use crate::plan::{NodeId, Plan};
use crate::report::heat::{MARKED_SHARE, MAX_MARKED};
use crate::report::markdown::{escaped, fenced};
use crate::report::plan_summary;
use crate::report::style::{BAD, BOLD, DIM, GOOD, HOT, styled};
use crate::report::text::tree::{NodeLines, lines};
use crate::text_layout::{fit, indent, truncate};

/// Findings that are listed before the tree.
const MAX_ON_TOP: usize = 5;
/// Row estimates that are off by a smaller factor are not shown.
const MIN_FACTOR: f64 = 2.0;
/// Columns of the numbers behind a headline: time or cost, self, bar, rows, factor.
const NUMBER_COLUMNS: usize = 11 + 6 + 7 + 11 + 8;

/// A plan with its metrics and findings.
pub(crate) struct PlanReview<'p> {
    plan: &'p Plan,
    of: Option<&'p OfWorkload>,
    query: Option<&'p str>,
    warnings: &'p [Warning],
    metrics: Metrics,
    findings: Vec<Finding>,
}

impl<'p> PlanReview<'p> {
    pub(crate) fn new(read: &'p ReadPlan) -> PlanReview<'p> {
        let plan = &read.plan;
        let metrics = metrics(plan);
        let findings = findings_with(plan, &metrics, None);
        PlanReview {
            plan,
            of: read.of.as_deref(),
            query: read.query.as_deref(),
            warnings: &read.warnings,
            metrics,
            findings,
        }
    }

    /// `jobs-queue · 12,000 calls`.
    fn name(&self) -> Option<String> {
        let of = self.of?;
        let calls = match of.calls {
            1.0 => String::new(),
            calls => format!(" · {} calls", group_thousands(calls, 0)),
        };
        Some(format!("{}{calls}", of.name))
    }

    /// For a terminal of that width.
    pub(crate) fn text(&self, width: usize) -> String {
        let mut text = String::new();
        if let Some(name) = self.name() {
            let name = styled(BOLD, indent(&printable(&name), "  ", width));
            let _ = writeln!(text, "{name}");
        }
        if let Some(query) = self.query {
            let _ = writeln!(text, "{}", indent(&printable(query), "  ", width));
        }
        let _ = writeln!(
            text,
            "{}",
            styled(BOLD, indent(&self.summary(), "  ", width))
        );
        for warning in self.warnings {
            let line = format!("! {}", printable(&warning.to_string()));
            let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
        }
        text.push('\n');
        self.top(&mut text, width);
        self.tree(&mut text, width);
        text
    }

    /// To paste into an issue.
    pub(crate) fn markdown(&self, width: usize) -> String {
        let mut text = String::new();
        if let Some(name) = self.name() {
            let _ = writeln!(text, "#### {}\n", escaped(&name));
        }
        if let Some(query) = self.query {
            let _ = writeln!(
                text,
                "```sql\n{}\n```\n",
                fenced(&crate::model::printable::printable_lines(query))
            );
        }
        let _ = writeln!(text, "{}\n", self.summary());
        for warning in self.warnings {
            let _ = writeln!(text, "**{}**\n", escaped(&warning.to_string()));
        }
        for finding in &self.findings {
            let place = escaped(&self.plan.node(finding.node).title());
            let head = format!(
                "**{}** {} at {place}",
                finding.severity.name(),
                finding.rule
            );
            let _ = writeln!(text, "- {head}: {}", escaped(&finding.message));
            if let Some(action) = &finding.action {
                let _ = writeln!(
                    text,
                    "  ```sql\n  {}\n  ```",
                    fenced(&printable_sql(action))
                );
            }
        }
        let mut tree = String::new();
        self.tree(&mut tree, width);
        let tree = anstream::adapter::strip_str(&tree).to_string();
        let _ = writeln!(text, "\n```\n{}```\n", fenced(&tree));
        text
    }

    /// `ran in 41 ms · planned in 0.1 ms · cost 12,395 · 3 nodes · 2 findings`.
    fn summary(&self) -> String {
        let mut parts = plan_summary::parts(self.plan, &self.metrics);
        parts.push(counted(self.plan.nodes().len(), "node", "nodes"));
        parts.push(match self.findings.len() {
            0 => "no findings".to_owned(),
            number => counted(number, "finding", "findings"),
        });
        parts.join(" · ")
    }

    /// The most important findings, a line each, with the statement to run.
    fn top(&self, text: &mut String, width: usize) {
        for (number, finding) in self.findings.iter().take(MAX_ON_TOP).enumerate() {
            let title = self.plan.node(finding.node).title();
            let line = format!(
                "{} {} {} at {} ({})",
                mark(number),
                finding.severity.name(),
                finding.rule,
                printable(&title),
                finding.impact
            );
            let _ = writeln!(
                text,
                "{}",
                styled(style(finding.severity), indent(&line, "  ", width))
            );
            if let Some(action) = &finding.action {
                let _ = writeln!(
                    text,
                    "{}",
                    styled(GOOD, indent(&printable_sql(action), "      ", width))
                );
            }
        }
        if !self.findings.is_empty() {
            text.push('\n');
        }
    }

    fn tree(&self, text: &mut String, width: usize) {
        let room = width.saturating_sub(NUMBER_COLUMNS + 2);
        let amount = if matches!(self.metrics.basis, Basis::Time(_)) {
            "time"
        } else {
            "cost"
        };
        let header = numbers(
            amount,
            "self",
            "",
            "rows",
            if self.measured() { "off by" } else { "" },
        );
        let _ = writeln!(
            text,
            "{}",
            styled(DIM, format!("  {}{header}", fit("", room)).trim_end())
        );
        let marked = self.metrics.costliest(MARKED_SHARE, MAX_MARKED);
        let mut of_node: Vec<Vec<(usize, &Finding)>> = vec![Vec::new(); self.plan.nodes().len()];
        for (number, finding) in self.findings.iter().enumerate() {
            of_node[finding.node.0].push((number, finding));
        }
        for (node, findings) in lines(self.plan)
            .into_iter()
            .zip(&of_node)
            .enumerate()
            .map(|(id, pair)| (NodeId(id), pair))
            .map(|(id, (lines, findings))| {
                (
                    NodeLine {
                        id,
                        lines,
                        hot: marked.contains(&id),
                    },
                    findings,
                )
            })
        {
            self.node(text, &node, findings, width);
        }
    }

    fn node(
        &self,
        text: &mut String,
        node: &NodeLine,
        findings: &[(usize, &Finding)],
        width: usize,
    ) {
        let room = width.saturating_sub(NUMBER_COLUMNS + 2);
        let metrics = self.metrics.node(node.id);
        let line = format!(
            "{}{}",
            fit(&node.lines.headline, room),
            self.numbers(node, metrics)
        );
        let line = line.trim_end();
        let line = if node.hot {
            styled(HOT, format!("* {line}"))
        } else {
            format!("  {line}")
        };
        let _ = writeln!(text, "{line}");
        for detail in &node.lines.details {
            let _ = writeln!(text, "  {}", styled(DIM, truncate(detail, width - 2)));
        }
        let facts = facts(self.plan.node(node.id), metrics);
        if !facts.is_empty() {
            let line = format!("{}  {}", node.lines.below, facts.join(" · "));
            let _ = writeln!(text, "  {}", styled(DIM, truncate(&line, width - 2)));
        }
        for (number, finding) in findings {
            let margin = format!("  {}  ", node.lines.below);
            let message = format!(
                "{} {}: {}",
                mark(*number),
                finding.rule,
                printable(&finding.message)
            );
            let _ = writeln!(
                text,
                "{}",
                styled(style(finding.severity), indent(&message, &margin, width))
            );
            if let Some(action) = finding.action.as_ref().filter(|_| *number >= MAX_ON_TOP) {
                let _ = writeln!(
                    text,
                    "{}",
                    styled(
                        GOOD,
                        indent(&printable_sql(action), &format!("{margin}  "), width)
                    )
                );
            }
        }
    }

    fn numbers(&self, node: &NodeLine, metrics: &NodeMetrics) -> String {
        if metrics.executed() == Some(false) {
            return numbers("never run", "", "", "", "");
        }
        let amount = match (self.metrics.basis, metrics.time) {
            (Basis::Time(_), Some(time)) => time.inclusive.to_string(),
            (Basis::Time(_), None) => String::new(),
            (Basis::Cost(_), _) => node.lines.cost.clone(),
        };
        let rows = metrics
            .rows_total()
            .map_or_else(|| node.lines.rows.clone(), |rows| group_thousands(rows, 0));
        let percent = format!("{:.0} %", metrics.self_share * 100.0);
        numbers(
            &amount,
            &percent,
            &bar(metrics.self_share),
            &rows,
            &factor(metrics),
        )
    }

    fn measured(&self) -> bool {
        self.metrics
            .nodes
            .first()
            .is_some_and(|root| root.loops.is_some())
    }
}

/// A node about to be written.
struct NodeLine {
    id: NodeId,
    lines: NodeLines,
    hot: bool,
}

fn numbers(amount: &str, own: &str, bar: &str, rows: &str, factor: &str) -> String {
    format!(
        "{:>11}{own:>6} {}{:>11}{factor:>8}",
        truncate(amount, 11),
        fit(bar, 6),
        truncate(rows, 10)
    )
}

/// `▲200×` when there were more rows than expected, `▼3.4×` when there were fewer.
fn factor(metrics: &NodeMetrics) -> String {
    let Some(estimate) = metrics.estimate else {
        return String::new();
    };
    let (Some(factor), Some(direction)) = (estimate.factor(), estimate.direction()) else {
        return String::new();
    };
    if factor < MIN_FACTOR {
        return String::new();
    }
    let arrow = if direction == Direction::Under {
        '▲'
    } else {
        '▼'
    };
    let number = match factor {
        small if small < 10.0 => format!("{small:.1}"),
        large if large < 100_000.0 => format!("{large:.0}"),
        huge => format!("{huge:.0e}"),
    };
    format!("{arrow}{number}×")
}

/// `[1]`: the number that connects a finding in the list with its node in the tree.
fn mark(number: usize) -> String {
    format!("[{}]", number + 1)
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => BAD,
        Severity::Warning => HOT,
        Severity::Info => DIM,
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        group_thousands(number as f64, 0),
        if number == 1 { one } else { many }
    )
}

/// A bar of up to six columns.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * 48.0).round() as usize;
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{}{}", "█".repeat(eighths / 8), partial[eighths % 8])
}
