//! The workload under other conditions: which plans change, which indexes help then, and which no
//! longer do.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::advise::what_if::{StatementComparison, WhatIf};
use crate::model::printable;
use crate::model::printable::printable_sql;
use crate::report::style::{BOLD, DIM, GOOD, styled};
use crate::text_layout::indent;

/// Writes the section.
pub(in crate::report) fn write(text: &mut String, what_if: &WhatIf, width: usize) {
    let heading = format!(
        "WHAT IF  {}, in the planner twin",
        printable(&what_if.conditions.to_string())
    );
    let _ = writeln!(text, "{}", styled(BOLD, heading));
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header([
        "",
        "cost now",
        "then",
        "with indexes now",
        "then",
        "reselected",
        "",
    ]);
    for shifted in &what_if.statements {
        table.add_row(row(shifted));
    }
    for column in table.column_iter_mut().skip(1).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for line in table.lines() {
        let _ = writeln!(text, " {}", line.trim_end());
    }
    for index in &what_if.started {
        let _ = writeln!(text, "  recommended then (about {}):", index.size);
        for statement in index.creation.statements() {
            let _ = writeln!(text, "    {}", styled(GOOD, printable_sql(statement)));
        }
    }
    if !what_if.stopped.is_empty() {
        let line = format!("not recommended then: {}", what_if.stopped.join(", "));
        let _ = writeln!(text, "{}", indent(&line, "  ", width));
    }
    if what_if.started.is_empty() && what_if.stopped.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            styled(DIM, "  the same indexes would be recommended")
        );
    }
    text.push('\n');
}

fn row(shifted: &StatementComparison) -> [String; 7] {
    let flip = shifted
        .flip
        .as_ref()
        .map(|(now, then)| printable(&format!("{now} → {then}")).into_owned());
    [
        printable(&shifted.statement.0).into_owned(),
        shifted.cost_before.0.to_string(),
        shifted.cost_before.1.to_string(),
        shifted.cost_after.0.to_string(),
        shifted.cost_after.1.to_string(),
        shifted.cost_rechosen.to_string(),
        flip.unwrap_or_default(),
    ]
}
