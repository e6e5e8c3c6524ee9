//! Switching screens, and moving on each.

use super::refresh::{current_statement, height, refresh, session_data};
use crate::tui::keymap::Screen;
use crate::tui::layout;
use crate::tui::list::Movement;
use crate::tui::model::{Effect, Message, Model, Overlay};
use crate::tui::screen::indexes::IndexRow;

pub(super) fn screen_at_offset(screen: Screen, by: usize) -> Screen {
    let place = Screen::ALL
        .iter()
        .position(|other| *other == screen)
        .unwrap_or(0);
    Screen::ALL[(place + by) % Screen::ALL.len()]
}

/// Moves the selection of this screen, or scrolls the text over it.
pub(super) fn step(model: &mut Model, movement: Movement) -> Vec<Effect> {
    let pager_height = layout::pager_height(model.size);
    if let Some(pager) = model.pager_mut() {
        pager.scroll(movement, pager_height);
        return Vec::new();
    }
    let height = height(model);
    match model.navigation.screen {
        Screen::Workload => {
            let length = model.workload.visible.len();
            model.workload.list.select(movement, length, height);
            model.workload.detail = 0;
        }
        Screen::Plan => model.plan.select(movement, height),
        Screen::Compare => model.compare.select(movement, height),
        Screen::Indexes => {
            let length = model.indexes.rows.len();
            model.indexes.list.select(movement, length, height);
            model.indexes.detail = 0;
            skip_headings(model, movement, height);
        }
        Screen::Report => model.report.scroll(movement, height),
    }
    Vec::new()
}

/// Headings are skipped, in the direction of the movement where possible.
fn skip_headings(model: &mut Model, movement: Movement, height: usize) {
    if !matches!(model.indexes.selected(), Some(IndexRow::Heading(_))) {
        return;
    }
    let length = model.indexes.rows.len();
    let upwards = matches!(movement, Movement::By(lines) | Movement::Pages(lines) if lines < 0);
    let by = if upwards && model.indexes.list.selected > 0 {
        -1
    } else {
        1
    };
    model.indexes.list.select(Movement::By(by), length, height);
    if model.indexes.list.selected == 1 {
        model.indexes.list.offset = 0;
    }
}

/// Shows a screen with the current statement.
pub(super) fn show(model: &mut Model, screen: Screen) -> Vec<Effect> {
    model.navigation.overlay = Overlay::Nothing;
    let shows_two = screen == Screen::Compare && model.compare.other.is_some();
    if screen == model.navigation.screen && !shows_two {
        return Vec::new();
    }
    if let Some(session_data) = session_data(model) {
        let statement = current_statement(model).unwrap_or(0);
        match screen {
            Screen::Plan => {
                let columns = usize::from(model.size.columns);
                model.plan.open(&session_data, statement, columns);
            }
            Screen::Compare => {
                model
                    .compare
                    .open(&session_data, statement, model.selection.indexes());
            }
            Screen::Workload | Screen::Indexes | Screen::Report => {}
        }
    }
    if screen != model.navigation.screen {
        model.navigation.back.retain(|other| *other != screen);
        model.navigation.back.push(model.navigation.screen);
    }
    if screen == Screen::Workload {
        // This is the first screen, so Esc goes back no further.
        model.navigation.back.clear();
    }
    model.navigation.screen = screen;
    refresh(model);
    Vec::new()
}

/// Goes to the next match, or the one before. In a list that is filtered every line is one.
pub(super) fn go_to_match(model: &mut Model, forward: bool) {
    if !search(model, forward, false) {
        let text = searched(model);
        model.message = Message::info(match text.is_empty() {
            true => "Nothing is searched for; / searches".to_owned(),
            false => format!("{text:?} is not here"),
        });
    }
}

/// Goes to a match; false if there is none.
pub(super) fn search(model: &mut Model, forward: bool, from_here: bool) -> bool {
    let pager_height = layout::pager_height(model.size);
    if let Some(pager) = model.pager_mut() {
        return pager.next_match(forward, from_here, pager_height);
    }
    let height = height(model);
    match model.navigation.screen {
        Screen::Plan => model.plan.next_match(forward, from_here, height),
        Screen::Compare => model.compare.next_match(forward, from_here, height),
        Screen::Report => model.report.next_match(forward, from_here, height),
        Screen::Workload | Screen::Indexes => {
            let is_filtered = !searched(model).is_empty();
            if is_filtered && !from_here {
                let by = if forward { 1 } else { -1 };
                let _ = step(model, Movement::By(by));
            }
            is_filtered
        }
    }
}

/// What is searched for here.
pub(super) fn searched(model: &Model) -> &str {
    if let Some(pager) = model.pager() {
        return &pager.find.text;
    }
    match model.navigation.screen {
        Screen::Workload => &model.workload.filter.text,
        Screen::Plan => &model.plan.find.text,
        Screen::Compare => &model.compare.find.text,
        Screen::Indexes => &model.indexes.filter.text,
        Screen::Report => &model.report.find.text,
    }
}
