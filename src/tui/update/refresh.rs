//! Recomputes what depends on the session data and the terminal's size after one of them changed.

use std::sync::Arc;

use crate::tui::aligned;
use crate::tui::keymap::Screen;
use crate::tui::layout;
use crate::tui::list::Movement;
use crate::tui::model::{Model, Pane};
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

/// Puts new data in place of the old. What the user has made, selected and opened stays.
pub(super) fn replace_data(model: &mut Model, mut session_data: SessionData) {
    let old = self::session_data(model);
    // Whoever has not moved looks at the first line, whichever statement that is.
    let is_at_top = model.workload.list.selected == 0;
    session_data.add_own(&model.own.indexes, &model.own.statements);
    if session_data.statements.is_empty() {
        model.data = Pane::Empty("The workload contains no statements.".to_owned());
        return;
    }
    model.selection.carry_over(old.as_deref(), &session_data);
    model.data = Pane::Has(Arc::new(session_data));
    refresh_all(model);
    if is_at_top {
        let (length, height) = (model.workload.visible.len(), height(model));
        model.workload.list.select(Movement::First, length, height);
    }
}

/// Puts changed data in place of the old: what has a position keeps it.
pub(super) fn change_data(model: &mut Model, session_data: SessionData) {
    model.data = Pane::Has(Arc::new(session_data));
    refresh_all(model);
}

/// Makes every screen's state from new session data.
pub(super) fn refresh_all(model: &mut Model) {
    let Some(session_data) = session_data(model) else {
        return;
    };
    let columns = usize::from(model.size.columns);
    model.plan.reopen(&session_data, columns);
    model
        .compare
        .reopen(&session_data, model.selection.indexes());
    model.report.forget();
    refresh_totals(model, &session_data);
    refresh(model);
}

/// Recomputes the totals after marks, switched-on indexes or the data changed.
pub(super) fn refresh_totals(model: &mut Model, session_data: &SessionData) {
    let selected = model.selection.indexes().clone();
    let estimate = session_data.estimate(&selected);
    model.workload.totals = session_data.totals(&model.workload.marks, &estimate);
    model.workload.after = estimate.after.clone();
    let height = height(model);
    model.workload.arrange(session_data, height);
    model.indexes.arrange(session_data, height);
    model
        .indexes
        .update_totals(session_data, &selected, &estimate, &model.workload.marks);
}

/// After the terminal's size changed.
pub(super) fn resized(model: &mut Model) {
    let columns = usize::from(model.size.columns);
    if let Some(pager) = model.pager_mut() {
        pager.wrap(columns.saturating_sub(2));
    }
    refresh(model);
}

/// Scrolls selections into view after the terminal's size or the screen changed.
pub(super) fn refresh(model: &mut Model) {
    let Some(session_data) = session_data(model) else {
        return;
    };
    let columns = usize::from(model.size.columns);
    match model.navigation.screen {
        Screen::Plan => {
            model.plan.wrap(&session_data, columns);
            // The terminal may have another width now.
            if model.plan.wrapped.is_some() {
                let (room, height) = (layout::plan_names(model), height(model));
                model.plan.wrap_names(room, height);
            }
        }
        Screen::Report => {
            let selected = model.selection.indexes();
            let columns = columns.saturating_sub(1);
            model.report.write(&session_data, selected, columns);
        }
        Screen::Compare => {
            let list = usize::from(layout::of(model).list.width);
            model.compare.wrap(aligned::plan_columns(list));
        }
        Screen::Workload | Screen::Indexes => {}
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
        Screen::Report => model
            .report
            .list
            .keep_in_sight(model.report.lines.len(), height),
    }
}

/// The statement that is shown or selected.
pub(super) fn current_statement(model: &Model) -> Option<usize> {
    match model.navigation.screen {
        Screen::Workload | Screen::Indexes | Screen::Report => {
            model.workload.selected().or(model.plan.statement)
        }
        Screen::Plan => model.plan.statement,
        Screen::Compare => model.compare.statement,
    }
}

/// The index that is shown or selected.
pub(super) fn current_index(model: &Model) -> Option<usize> {
    match model.navigation.screen {
        Screen::Indexes => match model.indexes.selected() {
            Some(IndexRow::Index(index)) => Some(index),
            _ => None,
        },
        Screen::Compare => model.compare.current().and_then(|choice| choice.index),
        _ => None,
    }
}
