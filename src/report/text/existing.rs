//! Indexes that exist: what is wrong with them, and what the workload would cost without them.

use std::fmt::Write as _;

use crate::advise::Advice;
use crate::model::printable::printable_sql;
use crate::model::{factor_text, group_thousands, printable};
use crate::report::style::{BOLD, styled};
use crate::sentences;
use crate::text_layout::indent;

/// Writes what is wrong with existing indexes.
pub(super) fn existing(text: &mut String, advice: &Advice, width: usize) {
    if advice.existing.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", styled(BOLD, "EXISTING INDEXES"));
    for finding in &advice.existing {
        let index = finding.index.to_string();
        let size = match finding.expected_size() {
            Some(expected) => format!("{} → about {expected}", finding.size),
            None => finding.size.to_string(),
        };
        let about = format!(
            "{} {} ({size}): {}",
            finding.kind().name(),
            printable(&index),
            printable(&sentences::existing_index(finding))
        );
        let _ = writeln!(text, "{}", indent(&about, "  ", width));
        for statement in finding.statements() {
            let _ = writeln!(text, "    {}", printable_sql(&statement));
        }
    }
    text.push('\n');
}

/// Costs of the workload without an existing index.
pub(super) fn hypothetical_drops(text: &mut String, advice: &Advice, width: usize) {
    if advice.drops.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            "WITHOUT AN EXISTING INDEX  costs in the planner twin, with the recommended indexes"
        )
    );
    for drop in &advice.drops {
        let scans = group_thousands(drop.scans as f64, 0);
        let index = format!(
            "  {} ({}, scanned {scans} times)",
            printable(&drop.index.to_string()),
            drop.size
        );
        let worse: Vec<String> = drop
            .worse
            .iter()
            .map(|worse| {
                let factor = factor_text(worse.without.factor_to(worse.with));
                format!(
                    "{} {} → {}, {factor} worse",
                    printable(&worse.name()),
                    worse.with,
                    worse.without
                )
            })
            .collect();
        let effect = if worse.is_empty() {
            "no statement of this workload gets worse".to_owned()
        } else {
            worse.join("; ")
        };
        let _ = writeln!(
            text,
            "{}",
            indent(&format!("{}: {effect}", index.trim_start()), "  ", width)
        );
    }
    text.push('\n');
}
