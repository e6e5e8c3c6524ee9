//! Drawing: turns the model into cells. Nothing is sorted, requested or changed here.

mod chrome;
mod compare;
mod help;
mod indexes;
mod paint;
mod placeholder;
mod plan;
mod workload;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::keymap::Screen;
use super::layout::{self, MIN_SIZE};
use super::model::{Model, Overlay, Pane};

/// Draws everything.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let whole = frame.area();
    let buffer = frame.buffer_mut();
    if whole.width < MIN_SIZE.columns || whole.height < MIN_SIZE.lines {
        let word = format!("{}×{} is too small", whole.width, whole.height);
        buffer.set_line(0, 0, &Line::from(word), whole.width);
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
        (other, _) => placeholder::draw(model, other, buffer, body),
    }
    let mut cursor = None;
    match &model.navigation.overlay {
        Overlay::Help(scrolled) => help::draw(model, *scrolled, buffer),
        Overlay::Index(editor) => cursor = Some(chrome::index_editor(model, editor, buffer)),
        Overlay::Filter => cursor = Some(chrome::filter_cursor(model, areas)),
        Overlay::Nothing => {}
    }
    if let Some(question) = &model.jobs.asked {
        cursor = None;
        chrome::question(model, question, buffer);
    }
    chrome::status(model, buffer, areas.status);
    chrome::footer(model, buffer, areas.footer);
    if let Some(place) = cursor {
        frame.set_cursor_position(place);
    }
}
