//! What the commands of `:` do.

use super::refresh::{height, refresh_totals, session_data};
use super::{actions, prompts, requests, selecting};
use crate::tui::command_line::{Command, WriteWhat};
use crate::tui::exports;
use crate::tui::keymap::Screen;
use crate::tui::model::{Effect, Message, Model};
use crate::tui::prompt::Export;

/// Does what a command says.
pub(super) fn perform(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Do(action) => return actions::act(model, action),
        Command::NewIndex => prompts::new_index(model),
        Command::SortStatements(sort) => {
            if let Some(session_data) = session_data(model) {
                let effects = super::navigation::show(model, Screen::Workload);
                model.workload.sort_by(sort);
                refresh_totals(model, &session_data);
                return effects;
            }
        }
        Command::SortIndexes(sort) => {
            if let Some(session_data) = session_data(model) {
                let effects = super::navigation::show(model, Screen::Indexes);
                model.indexes.sort = sort;
                let height = height(model);
                model.indexes.arrange(&session_data, height);
                return effects;
            }
        }
        Command::Best(wanted) => return selecting::best(model, wanted),
        Command::Write(what, path) => {
            let export = match what {
                WriteWhat::Shown => exports::of_screen(model),
                WriteWhat::Ddl => Export::Ddl,
                WriteWhat::Report => Export::Report,
                WriteWhat::Recording => Export::Recording,
            };
            return write(model, export, path);
        }
        Command::Stop => return requests::stop(model),
        Command::TakeMouse(takes) => {
            model.takes_mouse = takes;
            model.message = Message::info(match takes {
                true => "The mouse selects and scrolls here",
                false => "The mouse is the terminal's: it marks text",
            });
            return vec![Effect::TakeMouse(takes)];
        }
        Command::QuitAnyway => return vec![Effect::Quit],
    }
    Vec::new()
}

/// Writes something to a file.
pub(super) fn write(model: &mut Model, export: Export, path: String) -> Vec<Effect> {
    let Some(session_data) = session_data(model) else {
        model.message = Message::info("There is nothing to write yet");
        return Vec::new();
    };
    match exports::text(model, &session_data, export, &path) {
        Ok(text) => {
            if export == Export::Ddl || export == Export::Recording {
                model.own.is_unsaved = false;
            }
            vec![Effect::WriteFile { path, text }]
        }
        Err(why) => {
            model.message = Message::error(why);
            Vec::new()
        }
    }
}
