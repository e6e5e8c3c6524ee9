//! Opening and closing prompts, and what is searched for.

use super::navigation::searched;
use super::refresh::{height, refresh, session_data};
use crate::tui::keymap::Screen;
use crate::tui::model::{Connection, Message, Model, Overlay};
use crate::tui::prompt::{Export, Note, Prompt, PromptPurpose};
use crate::tui::session_data::SessionData;

/// Opens a prompt over what is shown.
pub(super) fn open(model: &mut Model, mut prompt: Prompt) {
    let under = std::mem::replace(&mut model.navigation.overlay, Overlay::Nothing);
    if let Overlay::Pager(pager) = under {
        prompt.under = Some(pager);
    }
    model.navigation.overlay = Overlay::Prompt(Box::new(prompt));
    refresh(model);
}

/// Closes the prompt; the text that it was about is shown again.
pub(super) fn close(model: &mut Model) -> Option<Box<Prompt>> {
    let overlay = std::mem::replace(&mut model.navigation.overlay, Overlay::Nothing);
    let Overlay::Prompt(mut prompt) = overlay else {
        model.navigation.overlay = overlay;
        return None;
    };
    if let Some(pager) = prompt.under.take() {
        model.navigation.overlay = Overlay::Pager(pager);
    }
    refresh(model);
    Some(prompt)
}

/// Begins a search; a list keeps what it is filtered by.
pub(super) fn search(model: &mut Model) {
    let is_list = matches!(model.navigation.screen, Screen::Workload | Screen::Indexes);
    let text = match is_list && model.pager().is_none() {
        true => searched(model).to_owned(),
        false => String::new(),
    };
    open(model, Prompt::new(PromptPurpose::Search, &text));
}

/// Is something searched for on this screen?
pub(super) fn is_searched(model: &Model) -> bool {
    !searched(model).is_empty()
}

/// Clears what is searched for on this screen; false if nothing is.
pub(super) fn clear_search(model: &mut Model) -> bool {
    let was_searched = is_searched(model);
    if was_searched {
        set_search(model, "");
    }
    was_searched
}

pub(super) fn set_search(model: &mut Model, text: &str) {
    if let Some(pager) = model.pager_mut() {
        text.clone_into(&mut pager.find.text);
        return;
    }
    let find = match model.navigation.screen {
        Screen::Workload => &mut model.workload.filter,
        Screen::Plan => &mut model.plan.find,
        Screen::Compare => &mut model.compare.find,
        Screen::Indexes => &mut model.indexes.filter,
        Screen::Report => &mut model.report.find,
    };
    text.clone_into(&mut find.text);
    let height = height(model);
    let Some(session_data) = session_data(model) else {
        return;
    };
    match model.navigation.screen {
        Screen::Workload => model.workload.arrange(&session_data, height),
        Screen::Indexes => model.indexes.arrange(&session_data, height),
        Screen::Plan | Screen::Compare | Screen::Report => {}
    }
}

/// Asks where to write something.
pub(super) fn ask_for_path(model: &mut Model, export: Export) {
    open(
        model,
        Prompt::new(PromptPurpose::Path(export), export.file_name()),
    );
}

/// Says why a text is not accepted; it stays.
pub(super) fn reject(model: &mut Model, why: String) {
    if let Overlay::Prompt(prompt) = &mut model.navigation.overlay {
        prompt.note = Some(Note::Error(why));
        prompt.waits_for = None;
    }
}

/// Opens an empty prompt for an index.
pub(super) fn new_index(model: &mut Model) {
    open_index(model, "");
}

/// Opens the prompt with an index, as the statement that creates it.
pub(super) fn edit_index(model: &mut Model, session_data: &SessionData, index: Option<usize>) {
    let Some(index) = index.and_then(|index| session_data.indexes.get(index)) else {
        model.message = Message::info("No index is selected here; n writes a new one");
        return;
    };
    let text = format!(
        "CREATE INDEX {} ON {}",
        crate::model::quote_identifier(&index.named.name),
        index.named.definition.definition()
    );
    open_index(model, &text);
}

fn open_index(model: &mut Model, text: &str) {
    if model.jobs.connection == Connection::None {
        model.message = Message::info("There is no server and no planner twin: this is a file");
    } else if session_data(model).is_none_or(|data| data.catalog.tables.is_empty()) {
        model.message = Message::info("The tables are not known yet");
    } else {
        open(model, Prompt::new(PromptPurpose::Index, text));
    }
}
