//! What every screen has: tabs, status line, footer; and questions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::paint::{line, rule};
use crate::model::printable;
use crate::text_layout::{truncate, wrap};
use crate::tui::keymap::Screen;
use crate::tui::layout;
use crate::tui::model::{
    Connection, Job, MessageLevel, Model, Pane, Progress, Purpose, Question, Request,
};

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
    // The database says more than the server's version.
    let subject = match subject.split_once(" · ") {
        Some((_, database)) if subject.width() > room => database,
        _ => subject,
    };
    let subject = truncate(&printable(subject), room);
    spans.push(Span::raw(
        " ".repeat(room.saturating_sub(subject.width()) + 1),
    ));
    spans.push(Span::styled(subject, theme.dim()));
    line(buffer, area, 0, Line::from(spans));
}

/// The status line: a message, else what is running, else a lost connection.
pub fn status(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let text = if let Some(message) = &model.message {
        let (mark, style) = match message.level {
            MessageLevel::Info => ("·", theme.dim()),
            MessageLevel::Success => ("✓", theme.good()),
            MessageLevel::Error => ("✗", theme.bad()),
        };
        Line::styled(format!("{mark} {}", printable(&message.text)), style)
    } else if let Some(job) = &model.jobs.main {
        Line::styled(running(model, job, usize::from(area.width)), theme.hot())
    } else if let (Connection::Lost(why), Pane::Has(_)) = (&model.jobs.connection, &model.data) {
        let room = usize::from(area.width).saturating_sub(LOST.width() + RETRY.width());
        let why = format!("{LOST}{}{RETRY}", truncate(&printable(why), room));
        Line::styled(why, theme.bad())
    } else if let Some(job) = model.jobs.short.last() {
        Line::styled(format!("▸ {}", printable(&job.progress.what)), theme.hot())
    } else {
        Line::default()
    };
    line(buffer, area, 0, text);
}

const LOST: &str = "✗ Connection lost: ";
const RETRY: &str = " · r connects again";

/// `▸ testing candidates 12 of 189 · orders_state_idx · planner twin · 3.2 s, about 8 s left`.
fn running(model: &Model, job: &Job, columns: usize) -> String {
    let now = model.jobs.now;
    let elapsed = now.saturating_sub(job.began).as_secs_f64();
    let progress = &job.progress;
    let what = printable(&progress.what);
    if model
        .question
        .as_ref()
        .is_some_and(|question| question.purpose == Purpose::Build)
    {
        return format!("▸ {what} · waiting for your answer");
    }
    let steps = match progress.steps {
        0 | 1 => String::new(),
        steps => format!(" {} of {steps}", progress.step.min(steps)),
    };
    let place = match &job.request {
        Request::Verify { .. } => "rolled back",
        _ if what.starts_with("planning") || what.starts_with("waiting") => "server, reads only",
        _ => "planner twin",
    };
    let end = format!(" · {elapsed:.1} s{} · Esc stops", left(now, job));
    let begin = 2 + what.width() + steps.width();
    // What the phase says already, and what there is no room for, is left out.
    let is_said = what.contains(place);
    let end = match is_said || begin + place.width() + 3 + end.width() > columns {
        true => end,
        false => format!(" · {place}{end}"),
    };
    let what = truncate(
        &what,
        columns.saturating_sub(2 + steps.width() + end.width()),
    );
    let taken = what.width() + steps.width() + end.width() + 5;
    let about = match progress.about.as_str() {
        "" => String::new(),
        about => match columns.saturating_sub(taken) {
            room if room < 8 => String::new(),
            room => format!(" · {}", truncate(&printable(about), room)),
        },
    };
    format!("▸ {what}{steps}{about}{end}")
}

/// How long the phase goes on, if each step takes as long as those before.
fn left(now: std::time::Duration, job: &Job) -> String {
    let Progress { step, steps, .. } = job.progress;
    let done = step.saturating_sub(1);
    let elapsed = now.saturating_sub(job.phase_began).as_secs_f64();
    if done < 3 || steps <= step || elapsed < 0.5 {
        return String::new();
    }
    let left = elapsed * (steps - done) as f64 / done as f64;
    format!(", about {left:.0} s left")
}

/// The most useful keys that fit; help and quit always.
pub fn footer(model: &Model, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let hints = layout::footer_hints(model);
    let spans = hints.into_iter().flat_map(|hint| {
        [
            Span::styled(hint.keys, theme.key()),
            Span::raw(format!(" {}  ", hint.word)),
        ]
    });
    line(buffer, area, 0, Line::from_iter(spans));
}

/// The box with a question.
pub fn question(model: &Model, question: &Question, buffer: &mut Buffer) {
    let theme = model.theme;
    let columns = usize::from(model.size.columns).saturating_sub(2);
    let room = usize::from(model.size.lines).saturating_sub(5);
    let text = wrap(&printable(&question.text), columns, room);
    let area = layout::question(model.size, text.len());
    for number in 0..usize::from(area.height) {
        let blank = " ".repeat(usize::from(area.width));
        line(buffer, area, number, Line::raw(blank));
    }
    rule(buffer, area, 0, question.title, theme);
    let last = text.len() + 1;
    for (number, text) in text.into_iter().enumerate() {
        line(buffer, area, 1 + number, Line::raw(text));
    }
    let answers = match question.purpose {
        Purpose::Build => "y builds; n builds nothing",
        Purpose::Quit => "y quits; n goes on",
        Purpose::Stop => "y stops; n goes on",
    };
    line(buffer, area, last, Line::styled(answers, theme.key()));
}
