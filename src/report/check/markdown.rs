//! The report of `check` as Markdown for a pull request: the summary first, details folded, and not
//! longer than a comment may be.

use std::fmt::Write as _;

use super::{summary, text};
use crate::check::comparison::CheckedStatement;
use crate::check::gate::JudgedGate;
use crate::check::migration::StepStatus;
use crate::check::outcome::{CheckOutcome, CheckedStep};
use crate::model::printable::printable_sql;
use crate::report::markdown::{escaped, fenced};
use crate::sentences::check as words;

/// A comment on GitHub has at most 65,536 characters; the rest is for what surrounds the report.
pub const MAX_BYTES: usize = 60_000;

/// Columns of the plans in code fences.
const FENCE_COLUMNS: usize = 120;

/// Rows of a table; the rest is only counted.
const MAX_ROWS: usize = 50;

/// The longest statement that is shown.
const MAX_SQL_CHARACTERS: usize = 400;

/// Writes the report.
pub fn write(outcome: &CheckOutcome, gates: &[JudgedGate]) -> String {
    let mut markdown = String::from("## pgrehearse check\n\n");
    let _ = writeln!(
        markdown,
        "**{}**: {} → {}\n",
        escaped(&summary::counts(outcome)),
        escaped(&outcome.before.source),
        escaped(&outcome.after.source)
    );
    for gate in gates.iter().filter(|gate| gate.is_met()) {
        let _ = writeln!(markdown, "- ❌ {}", short(&escaped(&summary::gate(gate))));
    }
    statements(&mut markdown, outcome);
    migration(&mut markdown, outcome);
    fixes(&mut markdown, outcome);
    indexes(&mut markdown, outcome);
    let notices = summary::notices(outcome);
    if !notices.is_empty() {
        markdown += "\n";
        for notice in notices.iter().take(MAX_ROWS) {
            let _ = writeln!(markdown, "- {}", short(&escaped(notice)));
        }
    }
    details(&mut markdown, outcome, gates);
    markdown
}

fn statements(markdown: &mut String, outcome: &CheckOutcome) {
    let changed = summary::changed(outcome);
    if changed.is_empty() {
        return;
    }
    *markdown += "\n| statement | change | cost before | cost after |\n|---|---|---:|---:|\n";
    for checked in changed.iter().take(MAX_ROWS) {
        *markdown += &row(checked);
    }
    more(markdown, changed.len());
}

fn row(checked: &CheckedStatement) -> String {
    let cost =
        |cost: Option<crate::model::Cost>| cost.map_or_else(String::new, |cost| cost.to_string());
    let change = checked.change.map_or("", words::statement_change);
    let assumed = checked.assumed.iter().map(words::assumed);
    let mut what = vec![format!("**{change}**")];
    if summary::tells_causes(checked) && !checked.causes.is_empty() {
        what.push(escaped(&words::reasons(checked)));
    }
    what.extend(
        summary::error_after(checked)
            .map(|error| escaped(error.lines().next().unwrap_or_default())),
    );
    what.extend(assumed);
    what.extend(words::chance(checked).iter().map(|line| escaped(line)));
    format!(
        "| {} | {} | {} | {} |\n",
        short(&escaped(&checked.statement.id.0)),
        short(&what.join("; ")),
        cost(checked.cost_before()),
        cost(checked.cost_after())
    )
}

fn more(markdown: &mut String, number: usize) {
    if number > MAX_ROWS {
        let _ = writeln!(markdown, "\n… and {} more", number - MAX_ROWS);
    }
}

fn migration(markdown: &mut String, outcome: &CheckOutcome) {
    let worth: Vec<&CheckedStep> = outcome
        .steps
        .iter()
        .filter(|step| {
            !step.judged.findings.is_empty() || matches!(step.outcome.status, StepStatus::Failed(_))
        })
        .collect();
    if worth.is_empty() {
        return;
    }
    *markdown += "\n### The migration\n";
    for step in worth.iter().take(MAX_ROWS) {
        let sql = printable_sql(&step.outcome.step.sql).into_owned();
        let _ = writeln!(
            markdown,
            "\n**{}**\n\n```sql\n{}\n```\n",
            escaped(&step.place()),
            fenced(&short(&sql))
        );
        if let StepStatus::Failed(message) = &step.outcome.status {
            let _ = writeln!(markdown, "- ❌ {}", short(&escaped(message)));
        }
        for lock in step.outcome.locks.iter().take(MAX_ROWS) {
            let _ = writeln!(markdown, "- {}", escaped(&words::lock(lock)));
        }
        if let Some(range) = step.duration {
            let _ = writeln!(markdown, "- takes {}", words::duration(range));
        }
        for finding in &step.judged.findings {
            let _ = writeln!(
                markdown,
                "- ⚠️ {}",
                short(&escaped(&words::ddl_finding(finding)))
            );
        }
        if !step.judged.safer.is_empty() {
            let safer: Vec<String> = step
                .judged
                .safer
                .iter()
                .map(|sql| fenced(&printable_sql(sql)))
                .collect();
            let _ = writeln!(markdown, "\nInstead:\n\n```sql\n{}\n```", safer.join("\n"));
        }
    }
    more(markdown, worth.len());
}

fn fixes(markdown: &mut String, outcome: &CheckOutcome) {
    if outcome.fixes.is_empty() {
        return;
    }
    *markdown += "\n### Indexes that would help\n";
    for fix in outcome.fixes.iter().take(MAX_ROWS) {
        let names: Vec<&str> = fix.helped.iter().map(|(id, _)| id.0.as_str()).collect();
        let ddl: Vec<String> = fix
            .ddl
            .iter()
            .map(|sql| fenced(&printable_sql(sql)))
            .collect();
        let _ = writeln!(
            markdown,
            "\n{} ({}), for {}:\n\n```sql\n{}\n```",
            fix.id,
            fix.size,
            short(&escaped(&names.join(", "))),
            ddl.join("\n")
        );
    }
}

fn indexes(markdown: &mut String, outcome: &CheckOutcome) {
    if outcome.indexes.iter().any(|index| index.finding.is_some()) {
        *markdown += "\n";
    }
    let found = outcome
        .indexes
        .iter()
        .filter_map(|index| Some((index, index.finding.as_ref()?)));
    for (index, finding) in found.take(MAX_ROWS) {
        let _ = writeln!(
            markdown,
            "- ⚠️ new index {}: {}",
            escaped(&index.index.name.to_string()),
            escaped(&words::index_finding(finding))
        );
    }
}

/// Everything else, as far as there is room.
fn details(markdown: &mut String, outcome: &CheckOutcome, gates: &[JudgedGate]) {
    const FRAME: &str = "\n<details><summary>Plans and locks</summary>\n\n```\n";
    const END: &str = "```\n\n</details>\n";
    const CUT: &str = "… (the rest is in the text report)\n";
    let full =
        anstream::adapter::strip_str(&text::write(outcome, gates, FENCE_COLUMNS)).to_string();
    let full = fenced(&full);
    let used = markdown.len() + FRAME.len() + END.len() + CUT.len();
    let Some(room) = MAX_BYTES.checked_sub(used) else {
        cut(markdown);
        return;
    };
    *markdown += FRAME;
    let mut left = room;
    let mut is_whole = true;
    for line in full.split_inclusive('\n') {
        let Some(rest) = left.checked_sub(line.len()) else {
            is_whole = false;
            break;
        };
        left = rest;
        *markdown += line;
    }
    if !is_whole {
        *markdown += CUT;
    }
    *markdown += END;
}

/// Whole lines up to the limit.
fn cut(markdown: &mut String) {
    const CUT: &str = "\n\n… (the rest is in the text report)\n";
    if markdown.len() <= MAX_BYTES {
        return;
    }
    let mut end = MAX_BYTES - CUT.len();
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    let end = markdown
        .get(..end)
        .and_then(|text| text.rfind('\n'))
        .unwrap_or(end);
    markdown.truncate(end);
    // A code block that was cut is closed.
    if markdown.matches("```").count() % 2 == 1 {
        *markdown += "\n```";
    }
    *markdown += CUT;
}

fn short(text: &str) -> String {
    let mut characters = text.char_indices();
    match characters.nth(MAX_SQL_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
