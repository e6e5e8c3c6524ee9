//! Switching screens, and moving on each.

use super::refresh::{current_statement, height, refresh, session_data};
use crate::tui::keymap::Screen;
use crate::tui::layout;
use crate::tui::list::{ListState, Movement};
use crate::tui::model::{Effect, Model, Overlay};
use crate::tui::screen::indexes::IndexRow;

pub(super) fn screen_at_offset(screen: Screen, by: usize) -> Screen {
    let place = Screen::ALL
        .iter()
        .position(|other| *other == screen)
        .unwrap_or(0);
    Screen::ALL[(place + by) % Screen::ALL.len()]
}

/// Moves the selection of this screen, or scrolls the help.
pub(super) fn step(model: &mut Model, movement: Movement) -> Vec<Effect> {
    if let Overlay::Help(scrolled) = model.navigation.overlay {
        let mut list = ListState {
            selected: scrolled,
            offset: scrolled,
        };
        list.scroll(
            movement,
            layout::help_lines(),
            layout::help_height(model.size),
        );
        model.navigation.overlay = Overlay::Help(list.offset);
        return Vec::new();
    }
    let height = height(model);
    match model.navigation.screen {
        Screen::Workload => {
            model
                .workload
                .list
                .select(movement, model.workload.visible.len(), height)
        }
        Screen::Plan => model.plan.select(movement, height),
        Screen::Compare => model.compare.select(movement, height),
        Screen::Indexes => {
            model
                .indexes
                .list
                .select(movement, model.indexes.rows.len(), height);
            model.indexes.detail = 0;
            skip_headings(model, movement, height);
        }
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
pub(super) fn show(model: &mut Model, screen: Screen) {
    model.navigation.overlay = Overlay::Nothing;
    if screen == model.navigation.screen {
        return;
    }
    if let Some(session_data) = session_data(model) {
        let statement = current_statement(model).unwrap_or(0);
        match screen {
            Screen::Plan => {
                model
                    .plan
                    .open(&session_data, statement, usize::from(model.size.columns))
            }
            Screen::Compare => model.compare.open(&session_data, statement),
            Screen::Workload | Screen::Indexes => {}
        }
    }
    model.navigation.back.retain(|other| *other != screen);
    model.navigation.back.push(model.navigation.screen);
    if screen == Screen::Workload {
        // This is the first screen, so Esc goes back no further.
        model.navigation.back.clear();
    }
    model.navigation.screen = screen;
    refresh(model);
}
