//! Details of an index: its DDL, how it was tested, why it is or is not recommended, what writers
//! pay.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::advise::Fix;
use crate::model::printable;
use crate::model::printable::printable_sql;
use crate::sentences;
use crate::text_layout::wrap;
use crate::tui::model::Model;
use crate::tui::screen::indexes::IndexRow;
use crate::tui::session_data::{IndexStatus, IndexView, SessionData};
use crate::tui::theme::Theme;
use crate::tui::write_cost_text;

/// Everything known about the selected index.
pub fn selected_index(
    model: &Model,
    session_data: &SessionData,
    columns: usize,
) -> Vec<Line<'static>> {
    match model.indexes.selected() {
        Some(IndexRow::Index(index)) => {
            index_lines(model.theme, &session_data.indexes[index], columns)
        }
        Some(IndexRow::Existing(position)) => {
            let finding = &session_data.existing[position];
            let mut lines = plain(
                &printable(&sentences::existing_index(finding)),
                columns,
                Style::new(),
            );
            let estimated = if finding.expected_size().is_some() {
                "about "
            } else {
                ""
            };
            let gain = format!("This frees {estimated}{}.", finding.freed());
            let Some(statement) = finding.statement() else {
                return lines;
            };
            lines.extend(plain(&gain, columns, model.theme.dim()));
            let tone = if finding.fix() == Some(Fix::Drop) {
                model.theme.bad()
            } else {
                model.theme.bold()
            };
            lines.extend(plain(&printable_sql(&statement), columns, tone));
            lines
        }
        _ => Vec::new(),
    }
}

fn index_lines(theme: Theme, index: &IndexView, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for statement in &index.ddl {
        lines.extend(plain(&printable_sql(statement), columns, theme.good()));
    }
    let mut facts = vec![index.named.definition.method.name().to_owned()];
    facts.extend(
        index
            .named
            .definition
            .features()
            .into_iter()
            .map(|feature| feature.name().to_owned()),
    );
    if index.is_predicted() && index.build_time.is_none() {
        facts.push("tested in the planner twin, not built; the size is an estimate".to_owned());
    }
    facts.extend(index.build_time.map(|time| format!("built in {time}")));
    facts.extend(
        index
            .write_block
            .map(|wait| format!("locked for writes {wait}")),
    );
    lines.extend(plain(&facts.join(" · "), columns, theme.dim()));
    lines.extend(status_lines(theme, index, columns));
    let partial = index.named.definition.predicate.is_some();
    let counted = index
        .entries_written
        .as_ref()
        .map(|known| write_cost_text::sentences(known, partial));
    for sentence in counted
        .into_iter()
        .chain(write_cost_text::workload_sentence(index.writers))
    {
        lines.extend(plain(&sentence, columns, theme.dim()));
    }
    lines
}

/// Why it is recommended, or not.
fn status_lines(theme: Theme, index: &IndexView, columns: usize) -> Vec<Line<'static>> {
    let (text, style) = match &index.status {
        IndexStatus::Recommended { explanation, .. } => {
            (printable(explanation).into_owned(), Style::new())
        }
        IndexStatus::Rejected { reason, detail } => {
            let reason = reason.name().replace('_', " ");
            let why = format!("Rejected ({reason}): {}", printable(detail));
            (why, theme.bad())
        }
        IndexStatus::Candidate => ("Tested alone; the search goes on.".to_owned(), Style::new()),
        IndexStatus::UserDefined if index.is_tested() => {
            ("Written by you, and tested.".to_owned(), Style::new())
        }
        IndexStatus::UserDefined => (
            "Written by you; not tested: R builds it on the server, and rolls back.".to_owned(),
            Style::new(),
        ),
    };
    plain(&text, columns, style)
}

fn plain(text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, columns.saturating_sub(1), 12)
        .into_iter()
        .map(|text| Line::styled(text, style))
        .collect()
}
