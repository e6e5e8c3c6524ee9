//! The statements, ranked.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::paint::{line, rule, style};
use crate::model::{Cost, factor_text, printable};
use crate::sentences;
use crate::text_layout::truncate;
use crate::tui::cells::{bar, count, left, mean_time, right, short_number};
use crate::tui::layout::Areas;
use crate::tui::model::{Model, Overlay};
use crate::tui::screen::workload::{Sort, SortDirection};
use crate::tui::session_data::{IndexView, SessionData, StatementView, TimeCoverage, Totals};
use crate::tui::sql_text;
use crate::tui::theme::Theme;

const BAR: usize = 8;
const SHARE: usize = 7;
const TIME: usize = 10;
const NUMBER: usize = 11;
const FINDINGS: usize = 4;

/// With less room than this, no text is shown beside the numbers.
const MIN_TEXT: usize = 24;

/// Draws the screen.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    summary(model, session_data, buffer, areas);
    let columns = columns(areas.list.width, session_data.time_coverage);
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
            model.theme,
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
            Line::styled("  no statement matches the filter", model.theme.dim()),
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
            " · {} marked: {share:.1}% of the {}; u unmarks",
            state.marks.len(),
            basis(session_data)
        );
    }
    let words = Span::styled(words, theme.dim());
    let filter = state.filter.text();
    if filter.is_empty() && model.navigation.overlay != Overlay::Filter {
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
    let recommended = session_data.recommended().len();
    let Totals { before, after, .. } = model.workload.totals;
    let whose = whose_cost(model);
    if session_data.indexes.is_empty() {
        return format!(
            "{}; {whose}: {}",
            count(session_data.listed(), "plan", "plans"),
            text(before)
        );
    }
    if recommended == 0 {
        let reasons = session_data.indexes.iter().filter_map(IndexView::rejected);
        let none = sentences::none_recommended(reasons);
        return format!("{none}; {whose} (calls × cost): {}", text(before));
    }
    let factor = factor_text(before.factor_to(after));
    let indexes = count(recommended, "index", "indexes");
    format!(
        "With {indexes} {whose} falls {factor}: {} → {}",
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

/// The columns of [`RowMarks::text`].
const MARKS: usize = 3;

/// The columns' widths: the name gets what the numbers leave, the text what the name leaves.
struct Columns {
    /// The heading of the shares.
    share: &'static str,
    bar: usize,
    name: usize,
    time: usize,
    after: usize,
    helped_by: usize,
    sql: usize,
}

/// With fewer columns than this, columns that are also shown elsewhere are left out.
const NARROW: u16 = 100;

fn columns(width: u16, time_coverage: TimeCoverage) -> Columns {
    let (after, helped_by) = if width < NARROW {
        (0, 0)
    } else {
        (NUMBER + 1, 9)
    };
    let time = if time_coverage == TimeCoverage::None {
        0
    } else {
        TIME
    };
    let bar = if width < NARROW && time > 0 { 0 } else { BAR };
    let numbers = 8 + time + NUMBER + 1 + after + 9;
    let room =
        usize::from(width).saturating_sub(MARKS + bar + SHARE + numbers + helped_by + FINDINGS);
    let (name, sql) = match room.saturating_sub(36 + 2) {
        sql if sql < MIN_TEXT => (room, 0),
        sql => (36, sql),
    };
    let share = match (time_coverage, bar) {
        (TimeCoverage::Majority, 0) => "%time",
        (_, 0) => "%cost",
        (TimeCoverage::Majority, _) => "share of time",
        _ => "share of cost",
    };
    Columns {
        share,
        bar,
        name,
        time,
        after,
        helped_by,
        sql,
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
    let spans = vec![
        left(
            &format!("   {}", head(share, Sort::Share)),
            MARKS + bar + SHARE,
            theme.dim(),
        ),
        left(&head("statement", Sort::Name), name, theme.dim()),
        right(&head("calls", Sort::Calls), 8, theme.dim()),
        right(&head("mean time", Sort::Time), time, theme.dim()),
        right(&head("cost", Sort::Cost), NUMBER + 1, theme.dim()),
        right("after", after, theme.dim()),
        right(&head("gain", Sort::Gain), 9, theme.dim()),
        right("!", FINDINGS, theme.dim()),
        left(" indexes", helped_by, theme.dim()),
        left(if sql > 0 { "  text" } else { "" }, sql + 2, theme.dim()),
    ];
    line(buffer, areas.headings, 0, Line::from(spans));
}

fn row(
    theme: Theme,
    (statement, mark): (&StatementView, RowMarks),
    columns: &Columns,
    buffer: &mut Buffer,
    (areas, number): (Areas, usize),
) {
    let share = statement.share.map_or_else(
        || "– ".to_owned(),
        |share| format!("{:.1}% ", share * 100.0),
    );
    let share_bar = bar(statement.share.unwrap_or(0.0), columns.bar);
    let source = &statement.source;
    let time = source
        .mean_time_ms
        .map_or_else(|| "–".to_owned(), mean_time);
    let mut spans = vec![
        Span::styled(mark.text(), theme.key()),
        left(&share_bar, columns.bar, theme.bar()),
        right(&share, SHARE, theme.dim()),
        left(&printable(&source.id.0), columns.name, theme.bold()),
        right(
            &short_number(source.calls_with_any_values()),
            8,
            theme.dim(),
        ),
        right(&time, columns.time, Style::new()),
    ];
    spans.extend(cost_spans(theme, statement, columns));
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
fn cost_spans(theme: Theme, statement: &StatementView, columns: &Columns) -> Vec<Span<'static>> {
    let (Some(cost), Some(cost_after)) = (statement.cost(), statement.cost_after()) else {
        let error = statement.before.as_ref().err().map_or("", String::as_str);
        let room = NUMBER + 1 + columns.after + 9 + FINDINGS + columns.helped_by;
        let text = format!("  not planned: {}", printable(error));
        return vec![left(&text, room, theme.bad())];
    };
    let (gain, tone) = gain(theme, statement);
    let cost_after = if statement.after.is_some() {
        cost_after.to_string()
    } else {
        "–".to_owned()
    };
    let findings = match statement.finding_count {
        0 => String::new(),
        number => number.to_string(),
    };
    let helped_by = format!(" {}", statement.helped_by.join(" "));
    vec![
        right(&cost.to_string(), NUMBER + 1, Style::new()),
        right(&cost_after, columns.after, tone),
        right(&gain, 9, tone),
        right(&findings, FINDINGS, theme.hot()),
        left(&helped_by, columns.helped_by, theme.dim()),
    ]
}

/// `910×`, `worse 1.20×` or `=`, and its meaning for the style.
fn gain(theme: Theme, statement: &StatementView) -> (String, Style) {
    let factor = statement.factor();
    if factor > 1.01 {
        (factor_text(factor).into_owned(), theme.good())
    } else if factor < 0.99 {
        (format!("↑{}", factor_text(1.0 / factor)), theme.bad())
    } else {
        ("=".to_owned(), theme.dim())
    }
}

/// The text of the selected statement, below.
fn preview(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    let Some(statement) = model
        .workload
        .selected()
        .map(|statement| &session_data.statements[statement])
    else {
        return;
    };
    let place = if statement.source.place.is_empty() {
        String::new()
    } else {
        format!(" · {}", statement.source.place)
    };
    let title = format!("{}{place}", statement.source.id);
    rule(buffer, areas.detail, 0, &printable(&title), model.theme);
    let room = usize::from(areas.detail.height).saturating_sub(1);
    let lines = sql_text::lines(
        &beginning(&statement.source.sql),
        usize::from(areas.detail.width).saturating_sub(2),
    );
    for (number, text) in lines.iter().take(room).enumerate() {
        line(
            buffer,
            areas.detail,
            1 + number,
            super::plan::sql_line(text, model.theme),
        );
    }
    let remarks = [
        ("no index helps", &statement.no_index),
        ("not executed", &statement.not_executed),
    ];
    let remark = remarks
        .into_iter()
        .find_map(|(what, why)| Some((what, why.as_ref()?)));
    if let Some((what, why)) = remark {
        let why = truncate(
            &format!("{what}: {}", printable(why)),
            usize::from(areas.detail.width),
        );
        line(
            buffer,
            areas.detail,
            room,
            Line::styled(why, model.theme.dim()),
        );
    }
    if let Err(why) = &statement.before {
        line(
            buffer,
            areas.detail,
            room,
            Line::styled(format!("✗ {}", printable(why)), model.theme.bad()),
        );
    }
}

/// The beginning of a text that a preview can show, because some statements are megabytes long.
fn beginning(sql: &str) -> String {
    const MAX_CHARACTERS: usize = 4_000;
    sql.trim().chars().take(MAX_CHARACTERS).collect()
}
