//! Details of a statement: why no index helps it, with which values it was planned, its text.

use ratatui::text::Line;

use crate::model::printable;
use crate::text_layout::wrap;
use crate::tui::model::Model;
use crate::tui::session_data::{SessionData, StatementView};
use crate::tui::sql_text;
use crate::tui::theme::Theme;
use crate::tui::view::sql_line;

/// What a preview shows of a statement's text, because some are megabytes long.
const MAX_CHARACTERS: usize = 20_000;

/// Everything known about the selected statement.
pub fn selected_statement(
    model: &Model,
    session_data: &SessionData,
    columns: usize,
) -> Vec<Line<'static>> {
    let selected = model.workload.selected();
    let statement = selected.and_then(|selected| session_data.statements.get(selected));
    let Some(statement) = statement else {
        return Vec::new();
    };
    let mut lines = remarks(model.theme, statement, columns);
    lines.extend(values(model.theme, session_data, statement, columns));
    let sql: String = statement
        .source
        .sql
        .trim()
        .chars()
        .take(MAX_CHARACTERS)
        .collect();
    let text = sql_text::lines(&sql, columns.saturating_sub(2).max(8));
    lines.extend(text.iter().map(|text| sql_line(text, model.theme)));
    lines
}

/// Why there is no plan, why no index helps, why it was not executed.
fn remarks(theme: Theme, statement: &StatementView, columns: usize) -> Vec<Line<'static>> {
    let not_planned = match &statement.before {
        Err(why) if !why.is_empty() => Some(why),
        _ => None,
    };
    let remarks = [
        ("✗ no plan", not_planned, theme.bad()),
        ("no index helps", statement.no_index.as_ref(), theme.dim()),
        ("not executed", statement.not_executed.as_ref(), theme.dim()),
    ];
    let mut lines = Vec::new();
    for (what, why, style) in remarks {
        let Some(why) = why else { continue };
        let text = wrap(&format!("{what}: {}", printable(why)), columns, 8);
        lines.extend(text.into_iter().map(|text| Line::styled(text, style)));
    }
    lines
}

/// The costs with other values than those of the text.
fn values(
    theme: Theme,
    session_data: &SessionData,
    statement: &StatementView,
    columns: usize,
) -> Vec<Line<'static>> {
    let of_it = |other: &&StatementView| {
        let class = other.source.value_class.as_ref();
        class.is_some_and(|class| class.of == statement.source.id)
    };
    let mut lines = Vec::new();
    for other in session_data.statements.iter().filter(of_it) {
        let (Some(class), Some(cost)) = (&other.source.value_class, other.cost()) else {
            continue;
        };
        let after = other
            .cost_after()
            .map_or_else(String::new, |after| format!(" → {after}"));
        let share = class.share * 100.0;
        let text = format!(
            "{} ({share:.0}% of its calls): cost {cost}{after}",
            class.frequency.title()
        );
        let text = wrap(&printable(&text), columns, 3);
        lines.extend(text.into_iter().map(|text| Line::styled(text, theme.dim())));
    }
    lines
}
