//! The statements, ranked.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::paint::{line, rule, style};
use crate::model::{Cost, factor_text, printable};
use crate::sentences;
use crate::tui::cells::{bar, cell, count, left, mean_time, right, short_number};
use crate::tui::details;
use crate::tui::layout::Areas;
use crate::tui::model::Model;
use crate::tui::screen::workload::{Sort, SortDirection};
use crate::tui::session_data::{
    IndexView, SessionData, Stage, StatementView, TimeCoverage, Totals,
};
use crate::tui::theme::Theme;
use crate::tui::workload_columns::{CALLS, Columns, FINDINGS, GAIN, MARKS, NUMBER, SHARE, columns};

/// Draws the screen.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    summary(model, session_data, buffer, areas);
    let columns = columns(
        areas.list.width,
        session_data.time_coverage,
        session_data.changed.is_some(),
    );
    headings(model, &columns, buffer, areas);
    let state = &model.workload;
    let height = usize::from(areas.list.height);
    for (number, statement) in state
        .visible
        .iter()
        .skip(state.list.offset)
        .take(height)
        .enumerate()
    {
        let selected = state.list.offset + number == state.list.selected;
        let mark = RowMarks {
            selected,
            marked: state.marks.contains(statement),
        };
        row(
            model,
            (&session_data.statements[*statement], mark),
            &columns,
            buffer,
            (areas, number),
        );
    }
    if state.visible.is_empty() {
        line(
            buffer,
            areas.list,
            0,
            Line::styled(
                "  No statement matches; Esc shows all again",
                model.theme.dim(),
            ),
        );
    }
    preview(model, session_data, buffer, areas);
}

fn summary(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    let theme = model.theme;
    let in_full = sentence(model, session_data, |cost| cost.to_string());
    let fits = in_full.width() <= usize::from(areas.top.width);
    let sentence = if fits {
        in_full
    } else {
        sentence(model, session_data, |cost| short_number(cost.0))
    };
    line(buffer, areas.top, 0, Line::styled(sentence, theme.bold()));
    line(buffer, areas.top, 1, shown(model, session_data));
    for (number, notice) in session_data.notices.iter().enumerate().take(2) {
        line(
            buffer,
            areas.top,
            2 + number,
            Line::styled(format!("! {}", printable(notice)), theme.hot()),
        );
    }
}

/// Which statements are listed, and which ones the sums are over.
fn shown(model: &Model, session_data: &SessionData) -> Line<'static> {
    let (theme, state) = (model.theme, &model.workload);
    let all = count(session_data.listed(), "statement", "statements");
    let mut words = match state.visible.len() {
        shown if shown == session_data.listed() => all,
        shown => format!("{shown} of {all}"),
    };
    if state.marked_only {
        words += ", marked only";
    }
    if !state.marks.is_empty() {
        let share = state.totals.share * 100.0;
        words += &format!(
            " · {} marked: {share:.1}% of the {}; Esc unmarks",
            state.marks.len(),
            basis(session_data)
        );
    }
    let words = Span::styled(words, theme.dim());
    let filter = state.filter.text.as_str();
    if filter.is_empty() {
        return Line::from(words);
    }
    Line::from(vec![
        Span::styled("/ ", theme.key()),
        Span::raw(printable(filter).into_owned() + "   "),
        words,
    ])
}

/// What shares refer to.
fn basis(session_data: &SessionData) -> &'static str {
    if session_data.time_coverage == TimeCoverage::Majority {
        "time"
    } else {
        "cost"
    }
}

/// Whose cost is summed up: `the workload's cost`, `the cost of 3 marked statements`.
fn whose_cost(model: &Model) -> String {
    match model.workload.marks.len() {
        0 => "the workload's cost".to_owned(),
        marked => format!(
            "the cost of {}",
            count(marked, "marked statement", "marked statements")
        ),
    }
}

/// The summary in a sentence, its costs formatted by `text`.
fn sentence(model: &Model, session_data: &SessionData, text: impl Fn(Cost) -> String) -> String {
    let on = model.selection.indexes().len();
    let Totals { before, after, .. } = model.workload.totals;
    let whose = whose_cost(model);
    if session_data
        .statements
        .iter()
        .all(StatementView::is_unplanned)
    {
        return format!(
            "{} to plan",
            count(session_data.listed(), "statement", "statements")
        );
    }
    if let Some(changed) = &session_data.changed {
        let costs = format!("{} → {}", text(before), text(after));
        return format!("{}; {whose}: {costs}", changed.summary);
    }
    let is_searching = session_data.stage == Stage::Searching;
    if session_data.indexes.is_empty() && (is_searching || session_data.advice.is_none()) {
        return format!(
            "{}; {whose}: {}",
            count(session_data.listed(), "plan", "plans"),
            text(before)
        );
    }
    if on == 0 && is_searching {
        let tested = count(session_data.indexes.len(), "candidate", "candidates");
        return format!("{tested} tested so far; {whose}: {}", text(before));
    }
    if on == 0 && session_data.recommended().is_empty() {
        let reasons = session_data.indexes.iter().filter_map(IndexView::rejected);
        let none = sentences::none_recommended(reasons);
        return format!("{none}; {whose} (calls × cost): {}", text(before));
    }
    if on == 0 {
        return format!("No index is on; {whose}: {}", text(before));
    }
    let indexes = count(on, "index", "indexes");
    let factor = before.factor_to(after);
    let change = match factor {
        lower if lower > 1.005 => format!("falls {}", factor_text(lower)),
        higher if higher < 0.995 => format!("rises {}", factor_text(1.0 / higher)),
        _ => "stays".to_owned(),
    };
    format!(
        "With {indexes} {whose} {change}: {} → {}",
        text(before),
        text(after)
    )
}

/// The marks before a line.
#[derive(Debug, Clone, Copy)]
struct RowMarks {
    selected: bool,
    marked: bool,
}

impl RowMarks {
    fn text(self) -> &'static str {
        match (self.selected, self.marked) {
            (false, false) => "   ",
            (true, false) => "▶  ",
            (false, true) => " ● ",
            (true, true) => "▶● ",
        }
    }
}

fn headings(model: &Model, columns: &Columns, buffer: &mut Buffer, areas: Areas) {
    let theme = model.theme;
    let state = &model.workload;
    let arrow = if state.direction == SortDirection::Usual {
        "▾"
    } else {
        "▴"
    };
    let head = |title: &str, sort: Sort| {
        if state.sort == sort {
            format!("{title}{arrow}")
        } else {
            title.to_owned()
        }
    };
    let Columns {
        share,
        bar,
        name,
        time,
        after,
        helped_by,
        sql,
    } = *columns;
    let is_comparison = model
        .session_data()
        .is_some_and(|data| data.changed.is_some());
    let spans = vec![
        left(
            &format!("   {}", head(share, Sort::Share)),
            MARKS + bar + SHARE,
            theme.dim(),
        ),
        left(&head("statement", Sort::Name), name, theme.dim()),
        cell(&head("calls", Sort::Calls), CALLS, theme.dim()),
        cell(&head("mean time", Sort::Time), time, theme.dim()),
        cell(&head("cost", Sort::Cost), NUMBER, theme.dim()),
        cell("after", after, theme.dim()),
        cell(&head("gain", Sort::Gain), GAIN, theme.dim()),
        cell("!", FINDINGS, theme.dim()),
        left(
            if is_comparison { " change" } else { " indexes" },
            helped_by,
            theme.dim(),
        ),
        left(if sql > 0 { "  text" } else { "" }, sql + 2, theme.dim()),
    ];
    line(buffer, areas.headings, 0, Line::from(spans));
}

fn row(
    model: &Model,
    (statement, mark): (&StatementView, RowMarks),
    columns: &Columns,
    buffer: &mut Buffer,
    (areas, number): (Areas, usize),
) {
    let theme = model.theme;
    let share = statement.share.map_or_else(
        || "– ".to_owned(),
        |share| format!("{:.1}% ", share * 100.0),
    );
    let share_bar = bar(
        statement.share.unwrap_or(0.0),
        columns.bar.saturating_sub(1),
    );
    let source = &statement.source;
    let time = source
        .mean_time_ms
        .map_or_else(|| "–".to_owned(), mean_time);
    let mut spans = vec![
        Span::styled(mark.text(), theme.key()),
        left(&share_bar, columns.bar, theme.bar()),
        right(&share, SHARE, theme.dim()),
        left(&statement.title(columns.name), columns.name, theme.bold()),
        cell(
            &short_number(source.calls_with_any_values()),
            CALLS,
            theme.dim(),
        ),
        cell(&time, columns.time, Style::new()),
    ];
    spans.extend(cost_spans(model, statement, columns));
    if columns.sql > 0 {
        let beginning: String = source
            .sql
            .trim()
            .graphemes(true)
            .take(columns.sql)
            .collect();
        let text = format!("  {}", printable(&beginning));
        spans.push(left(&text, columns.sql + 2, theme.dim()));
    }
    line(buffer, areas.list, number, Line::from(spans));
    if mark.selected {
        style(buffer, areas.list, number, theme.selected());
    }
}

/// The columns from the cost on; the error instead if the statement was not planned.
fn cost_spans(model: &Model, statement: &StatementView, columns: &Columns) -> Vec<Span<'static>> {
    let theme = model.theme;
    let room = NUMBER + columns.after + GAIN + FINDINGS + columns.helped_by;
    if statement.is_unplanned() {
        return vec![left("  …", room, theme.dim())];
    }
    let Some(cost) = statement.cost() else {
        let error = statement.before.as_ref().err().map_or("", String::as_str);
        let text = format!("  not planned: {}", printable(error));
        return vec![left(&text, room, theme.bad())];
    };
    let after = model.workload.cost_after(statement);
    let changes = after.is_some_and(|after| after != cost);
    let (gain, tone) = gain(theme, model.workload.factor(statement));
    let after = match after.filter(|_| changes) {
        Some(after) => after.to_string(),
        None => "–".to_owned(),
    };
    let findings = match statement.finding_count {
        0 => String::new(),
        number => number.to_string(),
    };
    let helped_by = format!(" {}", statement.helped_by.join(" "));
    vec![
        cell(&cost.to_string(), NUMBER, Style::new()),
        cell(&after, columns.after, tone),
        cell(&gain, GAIN, tone),
        cell(&findings, FINDINGS, theme.hot()),
        left(&helped_by, columns.helped_by, theme.dim()),
    ]
}

/// `910×`, `worse 1.20×` or `=`, and its meaning for the style.
fn gain(theme: Theme, factor: f64) -> (String, Style) {
    if factor > 1.01 {
        (factor_text(factor).into_owned(), theme.good())
    } else if factor < 0.99 {
        (format!("↑{}", factor_text(1.0 / factor)), theme.bad())
    } else {
        ("=".to_owned(), theme.dim())
    }
}

/// The details of the selected statement, below.
fn preview(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    let Some(statement) = model
        .workload
        .selected()
        .map(|statement| &session_data.statements[statement])
    else {
        return;
    };
    let columns = usize::from(areas.detail.width);
    let lines = details::selected_statement(model, session_data, columns);
    let room = usize::from(areas.detail.height).saturating_sub(1);
    let first = model.workload.detail;
    let more = match lines.len().saturating_sub(first + room) {
        0 => String::new(),
        more => format!(" · {more} more lines: v reads all"),
    };
    let place = match statement.source.place.as_str() {
        "" => String::new(),
        place => format!(" · {place}"),
    };
    let title = format!("{}{place}{more}", statement.source.id);
    rule(buffer, areas.detail, 0, &printable(&title), model.theme);
    for (number, text) in lines.into_iter().skip(first).take(room).enumerate() {
        line(buffer, areas.detail, 1 + number, text);
    }
}
