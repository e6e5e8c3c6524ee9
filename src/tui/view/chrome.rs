//! What every screen has: tabs, status line, footer; and the lines for typing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::paint::{line, rule};
use crate::model::printable;
use crate::text_layout::{truncate, wrap, wrap_anywhere};
use crate::tui::keymap::{Screen, hints};
use crate::tui::layout::{self, Areas};
use crate::tui::model::{Connection, IndexEditor, MessageLevel, Model, Pane};
use crate::tui::sql_text;

/// The tabs, and at the right the subject: a database or a file.
pub fn tabs(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let mut spans = Vec::new();
    for (number, screen) in Screen::ALL.into_iter().enumerate() {
        let selected = screen == model.navigation.screen;
        spans.push(Span::styled(
            layout::tab(number, screen),
            if selected {
                theme.selected()
            } else {
                theme.dim()
            },
        ));
    }
    let taken: usize = spans.iter().map(Span::width).sum();
    let room = usize::from(area.width).saturating_sub(taken + 2);
    let subject = model
        .session_data()
        .map_or("", |session_data| session_data.subject.as_str());
    let subject = truncate(&printable(subject), room);
    spans.push(Span::raw(
        " ".repeat(room.saturating_sub(subject.width()) + 1),
    ));
    spans.push(Span::styled(subject, theme.dim()));
    line(buffer, area, 0, Line::from(spans));
}

/// The status line: a lost connection, a running request, the last message.
pub fn status(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let text = if let Some(job) = &model.jobs.current {
        let elapsed = model.jobs.now.saturating_sub(job.began).as_secs_f64();
        let what = printable(&job.progress.what).into_owned();
        let doing = match &model.jobs.asked {
            Some(_) => format!("▸ {what} · waiting for your answer"),
            None => format!("▸ {what} · {elapsed:.1} s · Esc cancels on the server"),
        };
        Line::styled(doing, theme.hot())
    } else if let Some(message) = &model.message {
        let (mark, style) = match message.level {
            MessageLevel::Info => ("·", theme.dim()),
            MessageLevel::Success => ("✓", theme.good()),
            MessageLevel::Error => ("✗", theme.bad()),
        };
        Line::styled(format!("{mark} {}", printable(&message.text)), style)
    } else if let (Connection::Lost(why), Pane::Has(_)) = (&model.jobs.connection, &model.data) {
        Line::styled(format!("✗ connection lost: {why} · r retries"), theme.bad())
    } else {
        Line::default()
    };
    line(buffer, area, 0, text);
}

/// The most useful keys that fit; help and quit always.
pub fn footer(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let mut hints: Vec<_> = hints(model.scope()).collect();
    let width = |(keys, word): &(std::borrow::Cow<'_, str>, &str)| keys.width() + word.width() + 3;
    // The general hints are last and the most important: the screen's own hints are left out first,
    // from the last one.
    while hints.len() > 3 && hints.iter().map(width).sum::<usize>() > usize::from(area.width) {
        hints.remove(hints.len() - 4);
    }
    let spans = hints.into_iter().flat_map(|(keys, word)| {
        [
            Span::styled(keys.into_owned(), theme.key()),
            Span::raw(format!(" {word}  ")),
        ]
    });
    line(buffer, area, 0, Line::from_iter(spans));
}

/// The box for typing an index; returns the cursor's position.
pub fn index_editor(model: &Model, editor: &IndexEditor, buffer: &mut Buffer) -> Position {
    let theme = model.theme;
    let area = layout::editor(model.size);
    for number in 0..usize::from(area.height) {
        let blank = " ".repeat(usize::from(area.width));
        line(buffer, area, number, Line::raw(blank));
    }
    rule(
        buffer,
        area,
        0,
        "Test an index: build it, plan with it, roll back",
        theme,
    );
    let columns = usize::from(area.width).saturating_sub(2);
    let before = wrap_anywhere(&printable(editor.input.before_cursor()), columns);
    let all = wrap_anywhere(&printable(editor.input.text()), columns);
    let room = usize::from(area.height).saturating_sub(2);
    let cursor_line = before.len() - 1;
    let first = (cursor_line + 1).saturating_sub(room);
    for (number, text) in all.iter().skip(first).take(room).enumerate() {
        line(
            buffer,
            area,
            1 + number,
            super::plan::sql_line(&sql_text::lines(text, columns.max(8))[0], theme),
        );
    }
    let (style, word) = match &editor.error {
        Some(error) => (theme.bad(), format!("✗ {}", printable(error))),
        None => (
            theme.dim(),
            "Writes to the table wait during the build. Enter tests the index, Esc cancels."
                .to_owned(),
        ),
    };
    line(
        buffer,
        area,
        usize::from(area.height) - 1,
        Line::styled(word, style),
    );
    let column = before.last().map_or(0, |text| text.width());
    Position::new(
        area.x + column as u16,
        area.y + 1 + (cursor_line - first) as u16,
    )
}

/// The box with the question whether indexes may be built.
pub fn question(model: &Model, question: &str, buffer: &mut Buffer) {
    let theme = model.theme;
    let columns = usize::from(model.size.columns).saturating_sub(2);
    let room = usize::from(model.size.lines).saturating_sub(5);
    let text = wrap(&printable(question), columns, room);
    let area = layout::question(model.size, text.len());
    for number in 0..usize::from(area.height) {
        let blank = " ".repeat(usize::from(area.width));
        line(buffer, area, number, Line::raw(blank));
    }
    rule(buffer, area, 0, "Build on the server?", theme);
    let last = text.len() + 1;
    for (number, text) in text.into_iter().enumerate() {
        line(buffer, area, 1 + number, Line::raw(text));
    }
    let answers = "y builds, and does not ask again; n builds nothing";
    line(buffer, area, last, Line::styled(answers, theme.key()));
}

/// The cursor's position while a filter is typed: behind its text.
pub fn filter_cursor(model: &Model, areas: Areas) -> Position {
    let column = "/ ".width() + printable(model.workload.filter.before_cursor()).width();
    Position::new(
        (column as u16).min(areas.top.width.saturating_sub(1)),
        areas.top.y + 1,
    )
}
