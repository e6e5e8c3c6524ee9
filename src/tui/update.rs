//! Only here do events change the model; effects are returned, not performed.

mod actions;
mod commands;
mod jobs;
mod lost_work;
mod navigation;
mod prompts;
mod refresh;
mod requests;
mod selecting;
mod start;
mod tried;
mod typing;

use super::keymap::{Key, Scope, Screen, lookup};
use super::layout;
use super::list::Movement;
use super::model::{Effect, Message, Model, Msg, Overlay};
use super::workload_columns;

/// Applies an event.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Paste(_) | Msg::Wheel(_) if model.question.is_some() => {}
        Msg::Key(key) => return key_pressed(model, key),
        Msg::Paste(text) => pasted(model, &text),
        Msg::Wheel(lines) => return navigation::step(model, Movement::By(lines)),
        Msg::Click(column, line) => return click(model, column, line),
        Msg::Resize(size) => {
            model.size = size;
            refresh::resized(model);
        }
        Msg::Tick(now) => model.jobs.now = now,
        Msg::Progress(job, progress) => jobs::progress(model, job, progress),
        Msg::Response(job, response) => return jobs::responded(model, job, response),
        Msg::Known(job, session_data) => jobs::known(model, job, *session_data),
        Msg::Asked(job, question) => jobs::asked(model, job, question),
        Msg::Lost(why) => jobs::lost(model, &why),
        Msg::Exported(Ok(done)) => model.message = Message::success(done),
        Msg::Exported(Err(error)) => model.message = Message::error(error),
        Msg::Edited(what, text) => return typing::edited(model, what, text),
        Msg::Resumed => return requests::resumed(model),
    }
    Vec::new()
}

fn key_pressed(model: &mut Model, key: Key) -> Vec<Effect> {
    let scope = model.scope();
    model.message = None;
    if std::mem::take(&mut model.awaits_count) {
        return selecting::count_typed(model, key);
    }
    match (lookup(scope, key), key) {
        (Some(binding), _) if scope == Scope::Typing => typing::act(model, binding.action),
        (Some(binding), _) => actions::act(model, binding.action),
        (None, Key::Char(character)) if scope == Scope::Typing => {
            typing::insert(model, character.encode_utf8(&mut [0; 4]));
            Vec::new()
        }
        (None, _) => {
            model.message = Message::info(unbound(scope, key));
            Vec::new()
        }
    }
}

/// What is said about a key that does nothing here.
fn unbound(scope: Scope, key: Key) -> String {
    let label = key.label();
    match scope {
        Scope::Asked => format!("{label} answers nothing: y or n"),
        Scope::Reading => format!("{label} does nothing here; q closes this"),
        Scope::Typing => format!("{label} does nothing while typing; Esc cancels"),
        Scope::Everywhere | Scope::On(_) => {
            format!("{label} does nothing on this screen; ? shows the keys")
        }
    }
}

/// Text that is pasted is typed, or begins a new index where it is one.
fn pasted(model: &mut Model, text: &str) {
    if matches!(model.navigation.overlay, Overlay::Prompt(_)) {
        typing::insert(model, text);
        return;
    }
    let is_index = text
        .trim_start()
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("create"));
    if is_index {
        prompts::new_index(model);
        if matches!(model.navigation.overlay, Overlay::Prompt(_)) {
            typing::insert(model, text.trim());
        }
    } else {
        model.message = Message::info("A CREATE INDEX can be pasted here, to test it");
    }
}

/// A click selects its line, sorts by its heading, presses the key of its hint, or switches the
/// screen.
fn click(model: &mut Model, column: u16, line: u16) -> Vec<Effect> {
    let areas = layout::of(model);
    if line == areas.footer.y {
        return match layout::hint_at(model, column) {
            Some(action) if model.scope() == Scope::Typing => typing::act(model, action),
            Some(action) => actions::act(model, action),
            None => Vec::new(),
        };
    }
    if model.question.is_some() || !matches!(model.navigation.overlay, Overlay::Nothing) {
        return Vec::new();
    }
    if line == areas.tabs.y {
        if let Some(screen) = layout::tab_at(column) {
            return navigation::show(model, screen);
        }
    } else if line == areas.headings.y && areas.headings.height > 0 {
        sort_by_heading(model, column);
    } else if areas.list.contains((column, line).into()) {
        let row = usize::from(line - areas.list.y);
        let place = |offset: usize| Movement::To(offset + row);
        let step = match model.navigation.screen {
            Screen::Workload => place(model.workload.list.offset),
            Screen::Plan => place(model.plan.list.offset),
            Screen::Indexes => place(model.indexes.list.offset),
            Screen::Compare => place(model.compare.list.offset),
            Screen::Report => return Vec::new(),
        };
        return navigation::step(model, step);
    }
    Vec::new()
}

fn sort_by_heading(model: &mut Model, column: u16) {
    let Some(session_data) = refresh::session_data(model) else {
        return;
    };
    if model.navigation.screen != Screen::Workload {
        return;
    }
    let columns = workload_columns::columns(
        model.size.columns,
        session_data.time_coverage,
        session_data.changed.is_some(),
    );
    if let Some(sort) = columns.at(usize::from(column)) {
        model.workload.sort_by(sort);
        refresh::refresh_totals(model, &session_data);
    }
}
