//! Recomputes what depends on the session data and the terminal's size after one of them changed.

use std::sync::Arc;

use crate::tui::keymap::Screen;
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::screen::indexes::IndexRow;
use crate::tui::session_data::SessionData;

/// The session data, independent of the borrow of the model.
pub(super) fn session_data(model: &Model) -> Option<Arc<SessionData>> {
    model.session_data().cloned()
}

/// The height of the list on this screen.
pub(super) fn height(model: &Model) -> usize {
    usize::from(layout::of(model).list.height)
}

/// Makes every screen's state from new session data.
pub(super) fn refresh_all(model: &mut Model) {
    let Some(session_data) = session_data(model) else {
        return;
    };
    model.plan = Default::default();
    model.compare = Default::default();
    model.workload.arrange(&session_data, height(model));
    model.indexes.reset(&session_data, &model.workload.marks);
    refresh(model);
}

/// Recomputes the totals after marks, switched-on indexes or the data changed.
pub(super) fn refresh_totals(model: &mut Model, session_data: &SessionData) {
    model.workload.arrange(session_data, height(model));
    model
        .indexes
        .update_totals(session_data, &model.workload.marks);
}

/// Scrolls selections into view after the terminal's size or the screen changed.
pub(super) fn refresh(model: &mut Model) {
    let Some(session_data) = session_data(model) else {
        return;
    };
    let columns = usize::from(model.size.columns);
    if model.navigation.screen == Screen::Plan {
        model.plan.wrap(&session_data, columns);
    }
    let height = height(model);
    match model.navigation.screen {
        Screen::Workload => model
            .workload
            .list
            .keep_in_sight(model.workload.visible.len(), height),
        Screen::Plan => model
            .plan
            .list
            .keep_in_sight(model.plan.visible.len(), height),
        Screen::Compare => model
            .compare
            .list
            .keep_in_sight(model.compare.rows.len(), height),
        Screen::Indexes => model
            .indexes
            .list
            .keep_in_sight(model.indexes.rows.len(), height),
    }
}

/// The statement that is shown or selected.
pub(super) fn current_statement(model: &Model) -> Option<usize> {
    match model.navigation.screen {
        Screen::Workload | Screen::Indexes => model.workload.selected().or(model.plan.statement),
        Screen::Plan => model.plan.statement,
        Screen::Compare => model.compare.statement,
    }
}

/// The index that is shown or selected.
pub(super) fn current_index(model: &Model, session_data: &SessionData) -> Option<usize> {
    match model.navigation.screen {
        Screen::Indexes => match model.indexes.selected() {
            Some(IndexRow::Index(index)) => Some(index),
            _ => None,
        },
        Screen::Compare => model
            .compare
            .current(session_data)
            .and_then(|choice| choice.index),
        _ => None,
    }
}
