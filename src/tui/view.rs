//! Drawing: turns the model into cells. Nothing is sorted, requested or changed here.

mod chrome;
mod compare;
mod help;
mod indexes;
mod pager;
mod paint;
mod placeholder;
mod plan;
mod prompt;
mod report;
mod workload;

pub use help::help_text;
pub use plan::sql_line;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::ascii;
use super::keymap::Screen;
use super::layout::{self, MIN_SIZE};
use super::model::{Model, Overlay, Pane, Size};
use crate::text_layout::wrap;

/// Draws everything.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let whole = frame.area();
    let buffer = frame.buffer_mut();
    if whole.width < MIN_SIZE.columns || whole.height < MIN_SIZE.lines {
        let (width, height) = (whole.width, whole.height);
        let Size { columns, lines } = MIN_SIZE;
        let word = format!("{width}×{height} is too small: {columns}×{lines} is enough");
        for (number, text) in wrap(&word, width.into(), height.into()).iter().enumerate() {
            let y = u16::try_from(number).unwrap_or(u16::MAX);
            buffer.set_line(0, y, &Line::from(text.as_str()), width);
        }
        return;
    }
    let areas = layout::of(model);
    chrome::tabs(model, buffer, areas.tabs);
    let body = Rect {
        y: 1,
        height: whole.height.saturating_sub(3),
        ..whole
    };
    match (&model.data, model.navigation.screen) {
        (Pane::Has(session_data), Screen::Workload) => {
            workload::draw(model, session_data, buffer, areas)
        }
        (Pane::Has(session_data), Screen::Plan) => plan::draw(model, session_data, buffer, areas),
        (Pane::Has(session_data), Screen::Compare) => {
            compare::draw(model, session_data, buffer, areas)
        }
        (Pane::Has(session_data), Screen::Indexes) => {
            indexes::draw(model, session_data, buffer, areas)
        }
        (Pane::Has(_), Screen::Report) => report::draw(model, buffer, areas),
        (other, _) => placeholder::draw(model, other, buffer, body),
    }
    if let Some(pager) = model.pager() {
        pager::draw(model, pager, buffer, body);
    }
    chrome::status(model, buffer, areas.status);
    let mut cursor = None;
    if let Overlay::Prompt(prompt) = &model.navigation.overlay {
        cursor = Some(prompt::draw(model, prompt, buffer, areas));
    }
    if let Some(question) = &model.question {
        cursor = None;
        chrome::question(model, question, buffer);
    }
    chrome::footer(model, buffer, areas.footer);
    if model.is_ascii {
        ascii::without_unicode(buffer);
    }
    if let Some(place) = cursor {
        frame.set_cursor_position(place);
    }
}
