//! Saved plans, and the comparison of two of them, as a page.

use askama::Template;

use super::head::Head;
use super::plan::{self, ShownFinding};
use crate::finding::findings_with;
use crate::model::printable;
use crate::model::printable::printable_lines;
use crate::plan::metrics::metrics;
use crate::plan::read::ReadPlan;
use crate::report::diff::Diff;
use crate::report::plan_summary;
use crate::report::review::Reviewed;
use crate::report::words::count;

#[derive(Debug, Template)]
#[template(path = "plans.html")]
struct Page {
    head: Head,
    plans: Vec<PlanPart>,
}

#[derive(Debug, Default)]
struct PlanPart {
    anchor: String,
    name: String,
    error: Option<String>,
    summary: String,
    warnings: Vec<String>,
    sql: Option<String>,
    findings: Vec<ShownFinding>,
    table: String,
}

/// Saved plans, with findings.
pub fn write_reviewed(files: &[Reviewed]) -> String {
    let mut plans: Vec<PlanPart> = Vec::new();
    for file in files {
        let name = printable(&file.file).into_owned();
        match &file.plans {
            Err(error) => plans.push(PlanPart {
                name,
                error: Some(printable(error).into_owned()),
                ..PlanPart::default()
            }),
            Ok(read) => {
                let is_only = read.len() == 1;
                plans.extend(read.iter().enumerate().map(|(number, read)| {
                    let name = if is_only {
                        name.clone()
                    } else {
                        format!("{name}, plan {}", number + 1)
                    };
                    reviewed(name, read)
                }));
            }
        }
    }
    let heading = count(plans.len(), "plan", "plans");
    page(heading, plans)
}

fn reviewed(name: String, read: &ReadPlan) -> PlanPart {
    let plan = &read.plan;
    let metrics = metrics(plan);
    let findings = findings_with(plan, &metrics, None);
    let warnings = read.warnings.iter();
    let warnings = warnings.map(|warning| printable(&warning.to_string()).into_owned());
    PlanPart {
        summary: plan_summary::parts(plan, &metrics).join(" · "),
        warnings: warnings.collect(),
        sql: read.query.as_deref().map(printable_lines),
        findings: findings
            .iter()
            .map(|finding| ShownFinding::new(finding, plan))
            .collect(),
        table: plan::one(plan, &findings, &name),
        name,
        ..PlanPart::default()
    }
}

/// Pairs of plans, before and after.
pub fn write_diffs(diffs: &[Diff<'_>]) -> String {
    let parts = diffs.iter().map(|diff| {
        let report = diff.report();
        let (before, after) = diff.plans();
        let name = format!(
            "{} and {}",
            printable(&report.before.file),
            printable(&report.after.file)
        );
        let warnings = report.warnings.iter();
        let totals = diff.totals().into_iter();
        let totals: Vec<String> = totals
            .map(|(name, change)| format!("{name} {change}"))
            .collect();
        PlanPart {
            summary: totals.join(" · "),
            warnings: warnings.map(|text| printable(text).into_owned()).collect(),
            table: plan::two(before, after, &[], &name),
            name,
            ..PlanPart::default()
        }
    });
    let parts: Vec<PlanPart> = parts.collect();
    page(count(parts.len(), "pair of plans", "pairs of plans"), parts)
}

fn page(heading: String, mut plans: Vec<PlanPart>) -> String {
    for (number, plan) in plans.iter_mut().enumerate() {
        plan.anchor = format!("plan-{}", number + 1);
    }
    let parts = plans
        .iter()
        .map(|plan| (plan.anchor.clone(), plan.name.clone()));
    let head = Head {
        parts: parts.collect(),
        ..Head::new(heading)
    };
    Page { head, plans }.render().unwrap_or_default()
}
