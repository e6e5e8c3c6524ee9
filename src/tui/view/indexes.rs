//! The indexes screen: the indexes and which are on, the totals, the details of the selected one.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::paint::{divider, line, rule, style};
use crate::advise::Fix;
use crate::model::{Cost, factor_text, printable};
use crate::sentences;
use crate::tui::cells::{bar, cell, count, left, right};
use crate::tui::details;
use crate::tui::layout::Areas;
use crate::tui::model::{Job, Model, Request};
use crate::tui::screen::indexes::{IndexRow, SelectionTotals};
use crate::tui::session_data::{IndexStatus, SessionData, Stage, TotalBasis};
use crate::tui::theme::Theme;
use crate::tui::write_cost_text;

const METER: usize = 16;

/// `  [x] `
const SWITCH: usize = 6;

/// `r1  `
const ID: usize = 4;

/// With fewer columns than this, the build time is only in the details.
const NARROW: usize = 100;

/// Draws the screen.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    if let Some(why) = nothing_was_tested(model, session_data) {
        line(buffer, areas.top, 0, Line::styled(why, model.theme.dim()));
        return;
    }
    if let Some(totals) = &model.indexes.totals {
        summary(model, session_data, totals, buffer, areas);
    }
    let state = &model.indexes;
    let columns = columns(usize::from(areas.list.width), session_data);
    if state.rows.is_empty() {
        line(
            buffer,
            areas.list,
            0,
            Line::styled(no_rows(model, session_data), model.theme.dim()),
        );
    } else {
        headings(model.theme, &columns, buffer, areas);
    }
    for (number, row) in state
        .rows
        .iter()
        .skip(state.list.offset)
        .take(usize::from(areas.list.height))
        .enumerate()
    {
        line(
            buffer,
            areas.list,
            number,
            row_line(model, session_data, *row, &columns),
        );
        if state.list.offset + number == state.list.selected {
            style(buffer, areas.list, number, model.theme.selected());
        }
    }
    divider(buffer, areas.detail, model.theme);
    index_details(model, session_data, buffer, areas.detail);
}

/// Plans from files: there is no set of indexes with totals.
fn nothing_was_tested(model: &Model, session_data: &SessionData) -> Option<&'static str> {
    let is_file = session_data.advice.is_none() && session_data.stage == Stage::Complete;
    let is_empty = model.indexes.rows.is_empty() && !model.indexes.filter.is_active();
    (is_file && is_empty).then_some(if session_data.changed.is_some() {
        "No index was tested: these are the plans before and after a change"
    } else {
        "These are saved plans: no index was tested"
    })
}

/// Why the list is empty.
fn no_rows(model: &Model, session_data: &SessionData) -> &'static str {
    if model.indexes.filter.is_active() {
        "  No index matches; Esc shows all again"
    } else if session_data.stage == Stage::Searching {
        "  No candidate is tested yet"
    } else {
        "  No candidate indexes"
    }
}

fn summary(
    model: &Model,
    session_data: &SessionData,
    totals: &SelectionTotals,
    buffer: &mut Buffer,
    areas: Areas,
) {
    let theme = model.theme;
    let (before, after) = (totals.before, totals.after);
    let on = count(model.selection.indexes().len(), "index", "indexes");
    let factor = before.factor_to(after);
    let (gain, gain_tone) = match factor {
        lower if lower > 1.005 => (format!("{} lower", factor_text(lower)), theme.good()),
        higher if higher < 0.995 => (format!("{} higher", factor_text(1.0 / higher)), theme.bad()),
        _ => ("the same".to_owned(), theme.dim()),
    };
    let whose = match totals.marked {
        None => "workload".to_owned(),
        Some(marked) => count(marked, "marked statement", "marked statements"),
    };
    let first = vec![
        Span::styled(format!("{on} on  "), theme.bold()),
        Span::raw(format!("{whose} {before} → {after}  ")),
        Span::styled(gain, gain_tone),
    ];
    line(buffer, areas.top, 0, Line::from(first));
    let (mut second, tone) = match session_data.limits.budget {
        Some(budget) => {
            let share = totals.size.0 as f64 / budget.0.max(1) as f64;
            let over = if share > 1.0 { "  OVER BUDGET" } else { "" };
            let meter = format!("{:░<METER$}", bar(share, METER));
            let text = format!("{meter} {} of {budget}{over}", totals.size);
            (
                text,
                if share > 1.0 {
                    theme.bad()
                } else {
                    theme.bar()
                },
            )
        }
        None => (
            format!("{} in total (no --budget)", totals.size),
            theme.dim(),
        ),
    };
    if model.indexes.print {
        second += "  · DDL is printed on exit";
    }
    line(buffer, areas.top, 1, Line::styled(second, tone));
    let basis = basis(model, session_data, totals.basis);
    line(buffer, areas.top, 2, Line::styled(basis, theme.dim()));
}

/// What the totals are based on, in a sentence.
fn basis(model: &Model, session_data: &SessionData, basis: TotalBasis) -> &'static str {
    let selected = model.selection.indexes();
    let mut on = selected
        .iter()
        .filter_map(|index| session_data.indexes.get(*index));
    let has_untested = on.any(|index| !index.is_tested());
    let predicts = |job: &Job| matches!(job.request, Request::Predict { .. });
    match basis {
        _ if model.selection.indexes().is_empty() => "No index is on",
        TotalBasis::Verified => "Verified: these indexes were built, planned with and rolled back",
        TotalBasis::Tested => "Verified: this index was built alone, planned with and rolled back",
        TotalBasis::Estimated if model.jobs.short.iter().any(predicts) => {
            "Estimated: each index was tested alone; the planner twin is asked about all together …"
        }
        TotalBasis::Estimated | TotalBasis::Predicted if has_untested => {
            "Not known: an index that is on was not tested; R builds it on the server, and rolls back"
        }
        TotalBasis::Predicted => {
            "Predicted: planned with in the planner twin; nothing was built (R builds)"
        }
        TotalBasis::Estimated => "Estimated: each index was tested alone, not together",
    }
}

/// The columns' widths; the definition gets the rest.
struct Columns {
    definition: usize,
    size: usize,
    build: usize,
    upkeep: usize,
    helps: usize,
}

impl Columns {
    fn numbers(&self) -> usize {
        self.size + self.build + self.upkeep + self.helps
    }
}

/// The column of writes is shown if they were counted; older recordings have no counters.
fn columns(all: usize, session_data: &SessionData) -> Columns {
    let upkeep = if session_data.counts_writes() { 10 } else { 0 };
    let (size, build, helps) = if all < NARROW {
        (10, 0, 15)
    } else {
        (10, 10, 18)
    };
    let definition = all.saturating_sub(SWITCH + ID + size + build + upkeep + helps);
    Columns {
        definition,
        size,
        build,
        upkeep,
        helps,
    }
}

fn headings(theme: Theme, columns: &Columns, buffer: &mut Buffer, areas: Areas) {
    let Columns {
        definition,
        size,
        build,
        upkeep,
        helps,
    } = *columns;
    let spans = vec![
        left("  on  id  index", SWITCH + ID + definition, theme.dim()),
        right("size", size, theme.dim()),
        right("build", build, theme.dim()),
        right("writes", upkeep, theme.dim()),
        right("helps", helps, theme.dim()),
    ];
    line(buffer, areas.headings, 0, Line::from(spans));
}

fn row_line(
    model: &Model,
    session_data: &SessionData,
    row: IndexRow,
    columns: &Columns,
) -> Line<'static> {
    let theme = model.theme;
    match row {
        IndexRow::Heading(title) => Line::styled(title, theme.bold()),
        IndexRow::Index(position) => index_line(model, session_data, position, columns),
        IndexRow::Existing(position) => {
            let finding = &session_data.existing[position];
            let switch = match (
                model.selection.switches().fixes.contains(&position),
                finding.fix(),
            ) {
                (_, None) => "   ·  ",
                (false, _) => "  [ ] ",
                (true, Some(Fix::Drop)) => "  [D] ",
                (true, Some(Fix::Reindex)) => "  [R] ",
                (true, Some(Fix::Attach)) => "  [A] ",
            };
            let text = format!(
                "{} {}: {}",
                finding.kind().name(),
                finding.index,
                sentences::existing_index(finding)
            );
            Line::from(vec![
                Span::raw(switch),
                left(&printable(&text), ID + columns.definition, Style::new()),
                right(&finding.size.to_string(), columns.size, theme.dim()),
                Span::raw(" ".repeat(columns.numbers() - columns.size)),
            ])
        }
    }
}

fn index_line(
    model: &Model,
    session_data: &SessionData,
    position: usize,
    columns: &Columns,
) -> Line<'static> {
    let index = &session_data.indexes[position];
    let theme = model.theme;
    let helped = session_data.helped(index);
    let on = model.selection.indexes().contains(&position);
    let switch = match (index.is_tested() || on, on) {
        (false, _) => "   ·  ",
        (true, true) => "  [x] ",
        (true, false) => "  [ ] ",
    };
    let dash = || "–".to_owned();
    let tone = match (&index.status, on) {
        (_, true) => theme.good(),
        (IndexStatus::Rejected { .. }, _) => theme.dim(),
        _ => Style::new(),
    };
    let last = match &index.status {
        IndexStatus::Rejected { reason, .. } if index.benefits.is_empty() => {
            reason.name().replace('_', " ")
        }
        _ => count(helped, "statement", "statements"),
    };
    let writes = index
        .entries_written
        .as_ref()
        .map_or_else(dash, write_cost_text::short);
    let definition = index.named.definition.definition();
    let definition = definition.strip_prefix("public.").unwrap_or(&definition);
    let spans = vec![
        Span::styled(switch, tone),
        left(index.id(), ID, theme.key()),
        left(&printable(definition), columns.definition, tone),
        cell(
            &index.size_text().unwrap_or_else(dash),
            columns.size,
            theme.dim(),
        ),
        cell(
            &index.build_time.map_or_else(dash, |time| time.to_string()),
            columns.build,
            theme.dim(),
        ),
        cell(&writes, columns.upkeep, theme.dim()),
        cell(&last, columns.helps, theme.dim()),
    ];
    Line::from(spans)
}

/// The details of the selected line, then the statements that change.
fn index_details(model: &Model, session_data: &SessionData, buffer: &mut Buffer, area: Rect) {
    let details = details::selected_index(model, session_data, usize::from(area.width));
    let title = match model.indexes.selected() {
        Some(IndexRow::Index(index)) => session_data.indexes[index].named.name.clone(),
        Some(IndexRow::Existing(position)) => session_data.existing[position].index.to_string(),
        _ => String::new(),
    };
    let totals = model.indexes.totals.as_ref();
    let changes = totals.map_or(0, |totals| totals.changes.len());
    let room = usize::from(area.height).saturating_sub(1);
    let room_for_details = room.saturating_sub((changes + 1).min(room / 3));
    let shown = details.len().min(room_for_details);
    let first = model.indexes.detail;
    let more = if details.len() > first + shown {
        " · > shows more"
    } else {
        ""
    };
    let title = format!("{}{more}", printable(&title));
    rule(buffer, area, 0, &title, model.theme);
    let mut number = 1;
    for text in details.into_iter().skip(first).take(shown) {
        line(buffer, area, number, text);
        number += 1;
    }
    if let Some(totals) = totals {
        changed_statements(model, session_data, totals, buffer, (area, number));
    }
}

/// The statements whose cost changes, from this line of the area on.
fn changed_statements(
    model: &Model,
    session_data: &SessionData,
    totals: &SelectionTotals,
    buffer: &mut Buffer,
    (area, first): (Rect, usize),
) {
    if first >= usize::from(area.height) {
        return;
    }
    let among = totals
        .marked
        .map_or_else(String::new, |marked| format!(" of {marked} marked"));
    // With other values it is the same statement.
    let changed = totals.changes.iter();
    let changed: BTreeSet<_> = changed
        .map(|(statement, _, _)| session_data.statements[*statement].as_written())
        .collect();
    let verb = if changed.len() == 1 {
        "changes"
    } else {
        "change"
    };
    let title = format!(
        "{}{among} {verb} with the selected indexes",
        count(changed.len(), "statement", "statements")
    );
    rule(buffer, area, first, &title, model.theme);
    for (number, (statement, before, after)) in totals.changes.iter().enumerate() {
        let columns = usize::from(area.width);
        let title = session_data.statements[*statement].title(columns);
        let text = change_line(model.theme, &title, (*before, *after), columns);
        line(buffer, area, first + 1 + number, text);
    }
}

fn change_line(
    theme: Theme,
    id: &str,
    (before, after): (Cost, Cost),
    columns: usize,
) -> Line<'static> {
    let factor = before.factor_to(after);
    let (tone, gain) = if factor >= 1.0 {
        (theme.good(), factor_text(factor).into_owned())
    } else {
        (theme.bad(), format!("↑{}", factor_text(1.0 / factor)))
    };
    let numbers = format!("{before} → {after}");
    Line::from(vec![
        left(id, columns.saturating_sub(24 + 9), Style::new()),
        right(&numbers, 24, theme.dim()),
        right(&gain, 9, tone),
    ])
}
