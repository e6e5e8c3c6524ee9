//! The report as Markdown: to paste into an issue or a pull request, which hold 65 kB. What to do
//! is said at once; details are folded, and left out where there is no room for them.

use std::fmt::Write as _;

use super::closing::closing;
use super::document::Document;
use super::gains::{Gains, IndexGain};
use super::headline::{headline, optimality};
use super::notices::short_notices;
use super::rewriting;
use super::run_measurements::RunMeasurements;
use super::short::{gain, mostly_for, shown_ddl, shown_indexes};
use super::text::{recommendation, side_by_side};
use super::words::{execution_text, more, percent, sentence, shortened_text, sql_line, title};
use crate::advise::foreign::ForeignServer;
use crate::advise::{Advice, ExistingFinding, Rejected, StatementAdvice, StatementStatus};
use crate::model::printable::{printable_lines, printable_sql};
use crate::model::{factor_text, printable};
use crate::planner::Evidence;
use crate::remedy::Remedy;
use crate::sentences;
use crate::verdict::Change;
use crate::workload::ValueClass;

/// Columns of the plans in code fences.
const FENCE_COLUMNS: usize = 120;

/// Of the statements, this many of the largest are not folded.
const SHOWN_STATEMENTS: usize = 10;

/// Columns of a statement's text.
const MAX_TEXT: usize = 100;

/// Writes the report.
pub fn write(advice: &Advice, measured: &RunMeasurements) -> String {
    let gains = Gains::of(advice);
    let mut document = Document::default();
    let verdict = headline(advice, &gains) + &optimality(advice);
    document.add(&format!(
        "## pgrehearse: {}\n\n{}\n\n",
        escaped(&verdict),
        escaped(&title(advice))
    ));
    recommended(&mut document, advice, &gains);
    largest(&mut document, &gains);
    setbacks(&mut document, advice);
    for notice in short_notices(&advice.notices).first {
        document.add(&format!("> ⚠ {}\n\n", escaped(&notice.0)));
    }
    besides(&mut document, advice);
    document.fold("What each index does", explanations(&gains));
    document.fold("All statements", all_statements(advice));
    document.fold("No index helps", no_index(advice));
    document.fold("Plans that change, before and after", plans(&gains));
    document.fold("Rejected candidates", advice.rejected.iter().map(rejected));
    document.fold("Notes", advice.notices.iter().map(note));
    document.finish(&format!("{}\n", escaped(&closing(advice, measured))))
}

fn recommended(document: &mut Document, advice: &Advice, gains: &Gains<'_>) {
    let shown = shown_indexes(gains);
    if shown.is_empty() {
        return;
    }
    let evidence = sentence(recommendation::recommended_heading(advice));
    let table_of_first = table(shown, gains);
    document.add(&format!("### What to do\n\n{evidence}\n\n{table_of_first}"));
    document.add(&sql_block(&shown_ddl(shown)));
    let rest = gains.indexes.get(shown.len()..).unwrap_or_default();
    if !rest.is_empty() {
        let saved: f64 = rest.iter().map(|gain| gain.share).sum();
        let title = format!(
            "{}, which save {} together",
            more(rest.len(), "index", "indexes"),
            percent(saved)
        );
        document.fold(&title, [table(rest, gains), sql_block(&shown_ddl(rest))]);
    }
}

fn table(gains: &[IndexGain<'_>], all: &Gains<'_>) -> String {
    let mut rows =
        "| | saves | so far | size | writes pay | mostly for |\n|---|--:|--:|--:|--:|---|\n"
            .to_owned();
    for gain in gains {
        let about = match gain.index.evidence {
            Evidence::PlannerTwin => "≈ ",
            Evidence::RolledBackTransaction => "",
        };
        let _ = writeln!(
            rows,
            "| **{}** | {} | {} | {about}{} | {} | {} |",
            gain.index.id,
            percent(gain.share),
            percent(gain.so_far),
            gain.index.size,
            percent(gain.upkeep),
            escaped(&mostly_for(gain, all))
        );
    }
    rows + "\n"
}

fn sql_block(statements: &[String]) -> String {
    format!("```sql\n{}\n```\n\n", fenced(&statements.join("\n")))
}

/// The statements that cost most.
fn largest(document: &mut Document, gains: &Gains<'_>) {
    if gains.statements.is_empty() {
        return;
    }
    let mut rows = "### Statements\n\n| | share | | index | |\n|---|--:|---|---|---|\n".to_owned();
    for share in gains.statements.iter().take(SHOWN_STATEMENTS) {
        let statement = &share.statement.statement;
        let _ = writeln!(
            rows,
            "| {} | {} | {} | {} | {} |",
            escaped(&statement.id.0),
            percent(share.share),
            gain(share).1,
            share.statement.recommendations.join(", "),
            escaped(&sql_line(statement, MAX_TEXT))
        );
    }
    let more = gains.statements.len().saturating_sub(SHOWN_STATEMENTS);
    if more > 0 {
        let _ = writeln!(rows, "\n{more} more below.");
    }
    document.add(&(rows + "\n"));
}

/// What gets worse or was not planned.
fn setbacks(document: &mut Document, advice: &Advice) {
    let mut lines = String::new();
    for statement in &advice.statements {
        let (before, after) = (statement.cost_before(), statement.cost_after());
        if let (Some(Change::Worse), Some(before), Some(after)) = (statement.change, before, after)
        {
            let factor = factor_text(after.factor_to(before));
            let id = escaped(&statement.statement.id.0);
            let _ = writeln!(lines, "- {id} gets **{factor} more expensive**");
        }
    }
    let failed = |statement: &&StatementAdvice| statement.status != StatementStatus::Planned;
    let all: Vec<&StatementAdvice> = advice.statements.iter().filter(failed).collect();
    for statement in all.iter().take(SHOWN_STATEMENTS) {
        let error = sentences::error(statement).unwrap_or_default();
        let id = escaped(&statement.statement.id.0);
        let _ = writeln!(lines, "- {id} was **not planned**: {}", escaped(&error));
    }
    if all.len() > SHOWN_STATEMENTS {
        let _ = writeln!(
            lines,
            "- {} more were not planned",
            all.len() - SHOWN_STATEMENTS
        );
    }
    if !lines.is_empty() {
        document.add(&format!("### Worse or not planned\n\n{lines}\n"));
    }
}

/// What helps and is no index.
fn besides(document: &mut Document, advice: &Advice) {
    for (number, one) in advice.remedies.iter().enumerate() {
        let title = if number == 0 {
            "### Besides indexes\n\n"
        } else {
            ""
        };
        document.add(&format!("{title}{}", remedy(one, advice)));
    }
    for server in &advice.foreign_servers {
        document.add(&foreign_server(server, advice));
    }
    for (number, finding) in advice.existing.iter().enumerate() {
        let title = if number == 0 {
            "### Existing indexes\n\n"
        } else {
            ""
        };
        document.add(&format!("{title}{}\n", existing(finding)));
    }
}

fn explanations<'a>(gains: &'a Gains<'_>) -> impl Iterator<Item = String> + 'a {
    let line = |gain: &IndexGain<'_>| {
        let text = escaped(&sentences::explanation(&gain.index.explanation));
        format!("- **{}** {text}\n", gain.index.id)
    };
    gains.indexes.iter().map(line)
}

/// A row for each statement, and for each class of its values.
fn all_statements(advice: &Advice) -> impl Iterator<Item = String> + '_ {
    let is_executed = |statement: &StatementAdvice| statement.executed.is_some();
    let executed = advice.statements.iter().any(is_executed);
    let header = if executed {
        "| statement | calls | cost before | cost after | | executed |\n|---|--:|--:|--:|---|---|\n"
    } else {
        "| statement | calls | cost before | cost after | |\n|---|--:|--:|--:|---|\n"
    };
    let rows = advice.as_written().map(move |statement| {
        let execution = statement.executed.as_ref();
        let execution = execution.map(|(before, after)| execution_text(before, after));
        let mut rows = row(statement);
        if executed {
            let _ = write!(rows, " {} |", execution.unwrap_or_default());
        }
        rows.push('\n');
        for (class, with_values) in advice.classes_of(&statement.statement.id) {
            let blank = if executed { " |" } else { "" };
            let _ = writeln!(rows, "{}{blank}", row_of_class(class, with_values));
        }
        rows
    });
    std::iter::once(header.to_owned()).chain(rows)
}

/// The plans of the statements that an index helps or harms.
fn plans<'a>(gains: &'a Gains<'_>) -> impl Iterator<Item = String> + 'a {
    let changed = gains.statements.iter().filter_map(|share| {
        let (before, after) = (
            share.statement.before.as_ref()?,
            share.statement.after.as_ref()?,
        );
        (before != after).then_some((share, before, after))
    });
    changed.map(|(share, before, after)| {
        let plans = side_by_side::write(before, Some(after), FENCE_COLUMNS);
        let plans = anstream::adapter::strip_str(&plans).to_string();
        let statement = &share.statement.statement;
        format!(
            "**{}** {}\n\n```sql\n{}\n```\n\n```\n{}```\n\n",
            escaped(&statement.id.0),
            gain(share).1,
            fenced(&printable_lines(statement.as_written())),
            fenced(&plans)
        )
    })
}

fn rejected(candidate: &Rejected) -> String {
    let size = candidate
        .size
        .map_or_else(String::new, |size| format!(", {size}"));
    format!(
        "- `{}` {}{size}: {}\n",
        code(&candidate.index.definition.definition()),
        candidate.reason().name(),
        escaped(&sentences::rejection(&candidate.rejection))
    )
}

fn note(notice: &crate::advise::notice::Notice) -> String {
    format!("- {}\n", escaped(&sentences::notice(notice)))
}

fn remedy(remedy: &Remedy, advice: &Advice) -> String {
    let mut text = format!(
        "**{}** {}\n\n",
        remedy.id,
        escaped(&sentences::remedy(remedy))
    );
    let rewriting = rewriting::of_remedy(remedy, advice);
    let run = match &rewriting {
        Some((created, _)) => created,
        None => remedy.statements.as_slice(),
    };
    if !run.is_empty() {
        let sql: Vec<_> = run.iter().map(|sql| printable_sql(sql)).collect();
        let _ = writeln!(text, "```sql\n{}\n```\n", fenced(&sql.join("\n")));
    }
    if let Some((_, lines)) = rewriting {
        let lines = lines.iter().map(|(mark, line)| format!("{mark} {line}"));
        let lines: Vec<String> = lines.collect();
        let _ = writeln!(text, "```diff\n{}\n```\n", fenced(&lines.join("\n")));
    }
    text
}

/// What should be done on another server.
fn foreign_server(server: &ForeignServer, advice: &Advice) -> String {
    let mut markdown = format!("### On {}\n\n", escaped(&server.name));
    let created = advice.followed(server).into_iter().flat_map(|advice| {
        let recommended = advice.recommendations.iter();
        recommended.flat_map(|index| index.creation.statements())
    });
    let to_try = advice.unproved(server).iter().map(|index| &index.ddl);
    let sql: Vec<_> = created
        .chain(to_try)
        .map(|sql| printable_sql(sql))
        .collect();
    if !sql.is_empty() {
        let _ = writeln!(markdown, "```sql\n{}\n```\n", fenced(&sql.join("\n")));
    }
    if let Some(note) = sentences::foreign_server(server, advice.followed.get(&server.name)) {
        let _ = writeln!(markdown, "{}\n", escaped(&note));
    }
    markdown
}

/// A line for each statement that no index helps.
fn no_index(advice: &Advice) -> impl Iterator<Item = String> + '_ {
    advice.statements.iter().filter_map(|statement| {
        let no_index = statement.no_index.as_ref()?;
        Some(format!(
            "- {}: {}\n",
            escaped(&statement.statement.id.0),
            escaped(&sentences::no_index(no_index))
        ))
    })
}

/// The statement with other values: `↳ rare values, 38 % of the calls`.
fn row_of_class(class: &ValueClass, statement: &StatementAdvice) -> String {
    let name = format!(
        "↳ {}, {:.0} % of the calls",
        class.frequency.title(),
        class.share * 100.0
    );
    costs_row(statement, &name, "")
}

fn row(statement: &StatementAdvice) -> String {
    let mut name = escaped(&statement.statement.id.0);
    if let Some(sql) = shortened_text(&statement.statement, MAX_TEXT) {
        name += &format!(" {}", escaped(&sql));
    }
    let calls = statement.statement.calls_with_any_values();
    costs_row(statement, &name, &calls.to_string())
}

fn costs_row(statement: &StatementAdvice, name: &str, calls: &str) -> String {
    match (statement.cost_before(), statement.cost_after()) {
        (Some(before), Some(after)) => {
            let gain = if before == after {
                "unchanged".to_owned()
            } else {
                factor_text(before.factor_to(after)).into_owned()
            };
            format!(
                "| {name} | {calls} | {before} | {after} | {gain} {} |",
                statement.recommendations.join(", ")
            )
        }
        _ if statement.status == StatementStatus::Skipped => {
            format!("| {name} | {calls} | | | skipped |")
        }
        _ => format!(
            "| {name} | {calls} | | | {} |",
            escaped(&sentences::error(statement).unwrap_or_else(|| "failed".to_owned()))
        ),
    }
}

fn existing(finding: &ExistingFinding) -> String {
    let (index, detail) = (
        escaped(&finding.index.to_string()),
        escaped(&sentences::existing_index(finding)),
    );
    let statement = finding.statement().map_or_else(String::new, |sql| {
        format!("\n```sql\n{}\n```\n", fenced(&printable_sql(&sql)))
    });
    let (kind, about) = (
        finding.kind().name(),
        if finding.expected_size().is_some() {
            "about "
        } else {
            ""
        },
    );
    format!(
        "**{kind}** {index}, frees {about}{}: {detail}\n{statement}",
        finding.freed()
    )
}

/// One line, with what Markdown or HTML would act on written out.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => safe.extend(['\\', character]),
            other => safe.push(other),
        }
    }
    safe
}

/// Text between backquotes.
fn code(text: &str) -> String {
    printable(text).replace('`', "ˋ")
}

/// Text that cannot end the fence around it.
pub(super) fn fenced(text: &str) -> String {
    text.replace("```", "ˋˋˋ")
}

#[cfg(test)]
mod tests;
