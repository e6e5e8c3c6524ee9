//! What happens changes the model here and nowhere else; what is to be done about it is returned, not done.

mod actions;
mod jobs;
mod typing;

use std::sync::Arc;

use super::keymap::{Key, Scope, Screen, lookup};
use super::layout;
use super::list::Movement;
use super::model::{Effect, Message, Model, Msg, Overlay};
use super::screen::indexes::IndexRow;
use super::session_data::SessionData;

pub use jobs::send;

/// Applies what happened.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => return key_pressed(model, key),
        Msg::Paste(text) => typing::insert(model, &text),
        Msg::Wheel(lines) => return actions::step(model, Movement::By(lines)),
        Msg::Click(column, line) => click(model, column, line),
        Msg::Resize(size) => {
            model.size = size;
            refresh(model);
        }
        Msg::Tick(now) => model.jobs.now = now,
        Msg::Progress(job, progress) => jobs::progress(model, job, progress),
        Msg::Response(job, response) => jobs::responded(model, job, response),
        Msg::Exported(Ok(done)) => model.message = Message::success(done),
        Msg::Exported(Err(error)) => model.message = Message::error(error),
    }
    Vec::new()
}

fn key_pressed(model: &mut Model, key: Key) -> Vec<Effect> {
    let scope = model.scope();
    model.message = None;
    match (lookup(scope, key), key) {
        (Some(binding), _) if scope == Scope::Typing => typing::act(model, binding.action),
        (Some(binding), _) => actions::act(model, binding.action),
        (None, Key::Char(character)) if scope == Scope::Typing => {
            typing::insert(model, character.encode_utf8(&mut [0; 4]));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// A click selects the line it is on; on the tabs it goes to a screen.
fn click(model: &mut Model, column: u16, line: u16) {
    if !matches!(model.navigation.overlay, Overlay::Nothing) {
        return;
    }
    let areas = layout::of(model);
    if line == areas.tabs.y {
        if let Some(screen) = super::view::tab_at(column) {
            actions::show(model, screen);
        }
    } else if areas.list.contains((column, line).into()) {
        let row = usize::from(line - areas.list.y);
        let place = |offset: usize| Movement::To(offset + row);
        let step = match model.navigation.screen {
            Screen::Workload => place(model.workload.list.offset),
            Screen::Plan => place(model.plan.list.offset),
            Screen::Indexes => place(model.indexes.list.offset),
            Screen::Compare => return,
        };
        actions::step(model, step);
    }
}

/// The session data, apart from the rest of the model.
fn session_data(model: &Model) -> Option<Arc<SessionData>> {
    model.session_data().cloned()
}

/// Lines of the present list.
fn height(model: &Model) -> usize {
    usize::from(layout::of(model).list.height)
}

/// After the session data is there: every state is made from it.
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

/// After something changed that sums are made of: what is marked, what is on, what is known.
fn refresh_totals(model: &mut Model, session_data: &SessionData) {
    model.workload.arrange(session_data, height(model));
    model
        .indexes
        .update_totals(session_data, &model.workload.marks);
}

/// After the terminal's size or the screen changed: selections are in sight again.
fn refresh(model: &mut Model) {
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

/// The statement the screens are about.
fn current_statement(model: &Model) -> Option<usize> {
    match model.navigation.screen {
        Screen::Workload | Screen::Indexes => model.workload.selected().or(model.plan.statement),
        Screen::Plan => model.plan.statement,
        Screen::Compare => model.compare.statement,
    }
}

/// The index the screens are about.
fn current_index(model: &Model, session_data: &SessionData) -> Option<usize> {
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
