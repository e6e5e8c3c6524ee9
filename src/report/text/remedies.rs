//! Advice that is not an index.

use std::fmt::Write as _;

use crate::advise::Advice;
use crate::model::printable::printable_sql;
use crate::model::{group_thousands, printable};
use crate::planner::Evidence;
use crate::remedy::{Effect, Remedy};
use crate::report::rewriting;
use crate::report::style::{BAD, BOLD, DIM, GOOD, styled};
use crate::sentences;
use crate::text_layout::indent;

/// Writes the section, unless it is empty.
pub(super) fn write(text: &mut String, advice: &Advice, width: usize) {
    if advice.remedies.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            "BESIDES INDEXES  each was tested and changes what the planner does"
        )
    );
    for remedy in &advice.remedies {
        block(text, (remedy, advice), width);
    }
    text.push('\n');
}

/// Writes a remedy: what to run, what it changes, and why.
pub(in crate::report) fn block(
    text: &mut String,
    (remedy, advice): (&Remedy, &Advice),
    width: usize,
) {
    let size = remedy
        .size
        .map_or_else(String::new, |size| format!(" · {size}"));
    let tested = match remedy.evidence {
        Evidence::RolledBackTransaction => "tested on the server and rolled back",
        Evidence::PlannerTwin => "planner twin only",
    };
    let facts = format!("{}{size} · {tested}", remedy.kind.name().replace('_', " "));
    let _ = writeln!(text, "\n{}  {facts}", styled(BOLD, &remedy.id));
    let rewriting = rewriting::of_remedy(remedy, advice);
    let run = match &rewriting {
        Some((created, _)) => created,
        None => remedy.statements.as_slice(),
    };
    for statement in run {
        for line in printable_sql(statement).lines() {
            let _ = writeln!(text, "    {}", styled(GOOD, line));
        }
    }
    for (mark, line) in rewriting.iter().flat_map(|(_, lines)| lines) {
        let line = format!("{mark} {line}");
        let line = match mark {
            '-' => styled(BAD, &line).to_string(),
            '+' => styled(GOOD, &line).to_string(),
            _ => line,
        };
        let _ = writeln!(text, "    {line}");
    }
    for effect in &remedy.benefits {
        let _ = writeln!(
            text,
            "    {}  {}",
            printable(&effect.statement.0),
            numbers(effect)
        );
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            DIM,
            indent(&printable(&sentences::remedy(remedy)), "    ", width)
        )
    );
}

/// `cost 1,200 → 900 · expects 6 → 600 rows · different plan`
fn numbers(effect: &Effect) -> String {
    let Effect {
        cost: (before, after),
        rows,
        plan_changed,
        ..
    } = effect;
    let rows = rows.map(|(before, after)| {
        format!(
            " · expects {} → {} rows",
            group_thousands(before, 0),
            group_thousands(after, 0)
        )
    });
    let planned = if *plan_changed {
        " · different plan"
    } else {
        ""
    };
    format!(
        "cost {before} → {after}{}{planned}",
        rows.unwrap_or_default()
    )
}
