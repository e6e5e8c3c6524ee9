//! The report as Markdown: to paste into an issue or a pull request.

use std::fmt::Write as _;

use super::rewriting;
use super::run_measurements::RunMeasurements;
use super::text;
use crate::advise::foreign::ForeignServer;
use crate::advise::{Advice, ExistingFinding, StatementAdvice, StatementStatus};
use crate::model::printable::printable_sql;
use crate::model::{factor_text, printable};
use crate::sentences;
use crate::workload::ValueClass;

/// Columns of the plans in code fences.
const FENCE_COLUMNS: usize = 120;

/// Writes the report.
pub fn write(advice: &Advice, measured: &RunMeasurements) -> String {
    let mut markdown = String::from("## pgrehearse report\n\n");
    statements(&mut markdown, advice);
    no_index(&mut markdown, advice);
    markdown += "\n### Recommended\n\n";
    if advice.recommendations.is_empty() {
        let _ = writeln!(markdown, "{}", text::no_index(advice));
    }
    for recommendation in &advice.recommendations {
        let ddl = recommendation
            .creation
            .statements()
            .map(|sql| printable_sql(sql))
            .collect::<Vec<_>>()
            .join("\n");
        let _ = writeln!(
            markdown,
            "**{}** {}\n\n```sql\n{}\n```\n",
            recommendation.id,
            escaped(&sentences::explanation(&recommendation.explanation)),
            fenced(&ddl)
        );
    }
    remedies(&mut markdown, advice);
    for server in &advice.foreign_servers {
        foreign_server(&mut markdown, server, advice);
    }
    if !advice.existing.is_empty() {
        markdown += "### Existing indexes\n\n";
    }
    for finding in &advice.existing {
        let _ = writeln!(markdown, "{}", existing(finding));
    }
    let full =
        anstream::adapter::strip_str(&text::write(advice, measured, FENCE_COLUMNS)).to_string();
    let _ = writeln!(
        markdown,
        "<details><summary>Plans, and every rejected candidate</summary>\n\n```\n{}```\n\n</details>",
        fenced(&full)
    );
    markdown
}

/// A row for each statement, and for each class of its values.
fn statements(markdown: &mut String, advice: &Advice) {
    let executed = advice
        .statements
        .iter()
        .any(|statement| statement.executed.is_some());
    *markdown += if executed {
        "| statement | calls | cost before | cost after | | executed |\n|---|--:|--:|--:|---|---|\n"
    } else {
        "| statement | calls | cost before | cost after | |\n|---|--:|--:|--:|---|\n"
    };
    for statement in advice.as_written() {
        let execution = statement
            .executed
            .as_ref()
            .map(|(before, after)| text::execution_text(before, after));
        let execution = if executed {
            format!(" {} |", execution.unwrap_or_default())
        } else {
            String::new()
        };
        let _ = writeln!(markdown, "{}{execution}", row(statement));
        for (class, with_values) in advice.classes_of(&statement.statement.id) {
            let blank = if executed { " |" } else { "" };
            let _ = writeln!(markdown, "{}{blank}", row_of_class(class, with_values));
        }
    }
}

fn remedies(markdown: &mut String, advice: &Advice) {
    for (number, remedy) in advice.remedies.iter().enumerate() {
        if number == 0 {
            markdown.push_str("### Besides indexes\n\n");
        }
        let explanation = escaped(&sentences::remedy(remedy));
        let _ = writeln!(markdown, "**{}** {explanation}\n", remedy.id);
        let rewriting = rewriting::of_remedy(remedy, advice);
        let run = match &rewriting {
            Some((created, _)) => created,
            None => remedy.statements.as_slice(),
        };
        if !run.is_empty() {
            let sql: Vec<_> = run.iter().map(|sql| printable_sql(sql)).collect();
            let _ = writeln!(markdown, "```sql\n{}\n```\n", fenced(&sql.join("\n")));
        }
        if let Some((_, lines)) = rewriting {
            let lines = lines.iter().map(|(mark, line)| format!("{mark} {line}"));
            let lines: Vec<String> = lines.collect();
            let _ = writeln!(markdown, "```diff\n{}\n```\n", fenced(&lines.join("\n")));
        }
    }
}

/// What should be done on another server.
fn foreign_server(markdown: &mut String, server: &ForeignServer, advice: &Advice) {
    let _ = writeln!(markdown, "### On {}\n", escaped(&server.name));
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
}

/// A line for each statement that no index helps.
fn no_index(markdown: &mut String, advice: &Advice) {
    let reasons = advice
        .statements
        .iter()
        .filter_map(|statement| Some((&statement.statement.id.0, statement.no_index.as_ref()?)));
    for (number, (name, no_index)) in reasons.enumerate() {
        if number == 0 {
            markdown.push_str("\nNo index helps:\n\n");
        }
        let _ = writeln!(
            markdown,
            "- {}: {}",
            escaped(name),
            escaped(&sentences::no_index(no_index))
        );
    }
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

/// Columns of a statement's text.
const MAX_TEXT: usize = 100;

fn row(statement: &StatementAdvice) -> String {
    let mut name = escaped(&statement.statement.id.0);
    if let Some(sql) = text::shortened_text(&statement.statement, MAX_TEXT) {
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

/// Text that cannot end the fence around it.
pub(super) fn fenced(text: &str) -> String {
    text.replace("```", "ˋˋˋ")
}
