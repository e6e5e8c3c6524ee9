//! Only here do events change the model; effects are returned, not performed.

mod actions;
mod jobs;
mod navigation;
mod refresh;
mod start;
mod typing;

use super::keymap::{Key, Scope, Screen, lookup};
use super::layout;
use super::list::Movement;
use super::model::{Effect, Message, Model, Msg, Overlay};

/// Applies an event.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Paste(_) | Msg::Wheel(_) | Msg::Click(..) if model.jobs.asked.is_some() => {}
        Msg::Key(key) => return key_pressed(model, key),
        Msg::Paste(text) => typing::insert(model, &text),
        Msg::Wheel(lines) => return navigation::step(model, Movement::By(lines)),
        Msg::Click(column, line) => click(model, column, line),
        Msg::Resize(size) => {
            model.size = size;
            refresh::refresh(model);
        }
        Msg::Tick(now) => model.jobs.now = now,
        Msg::Progress(job, progress) => jobs::progress(model, job, progress),
        Msg::Response(job, response) => jobs::responded(model, job, response),
        Msg::Asked(job, question) => jobs::asked(model, job, question),
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

/// A click selects its line; on the tabs it switches the screen.
fn click(model: &mut Model, column: u16, line: u16) {
    if !matches!(model.navigation.overlay, Overlay::Nothing) {
        return;
    }
    let areas = layout::of(model);
    if line == areas.tabs.y {
        if let Some(screen) = layout::tab_at(column) {
            navigation::show(model, screen);
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
        navigation::step(model, step);
    }
}
