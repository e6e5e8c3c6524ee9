//! The candidates that are not recommended, with the reasons.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use crate::advise::{Advice, Rejected};
use crate::model::printable;
use crate::planner::Evidence;
use crate::report::style::{BOLD, styled};
use crate::report::words::count;
use crate::sentences;

/// Table by table, each candidate with its reason on its own line or lines.
pub(super) fn rejected(text: &mut String, advice: &Advice, width: usize) {
    if advice.rejected.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            format!(
                "REJECTED  {}",
                count(advice.rejected.len(), "candidate", "candidates")
            )
        )
    );
    let mut by_table: BTreeMap<String, Vec<&Rejected>> = BTreeMap::new();
    for candidate in &advice.rejected {
        by_table
            .entry(candidate.index.definition.table.to_string())
            .or_default()
            .push(candidate);
    }
    for (name, candidates) in by_table {
        let _ = writeln!(text, "on {}", printable(&name));
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        for candidate in candidates {
            table.add_row(rejected_row(candidate, &name));
        }
        for line in table.lines() {
            let _ = writeln!(text, " {}", line.trim_end());
        }
    }
    text.push('\n');
}

fn rejected_row(candidate: &Rejected, table: &str) -> [String; 4] {
    let about = if candidate.evidence == Some(Evidence::PlannerTwin) {
        "≈ "
    } else {
        ""
    };
    let size = candidate
        .size
        .map_or_else(|| "–".to_owned(), |size| format!("{about}{size}"));
    let definition = candidate.index.definition.definition();
    let definition = definition
        .strip_prefix(table)
        .unwrap_or(&definition)
        .trim_start();
    [
        printable(definition).into_owned(),
        size,
        candidate.reason().name().replace('_', " "),
        printable(&sentences::rejection(&candidate.rejection)).into_owned(),
    ]
}
