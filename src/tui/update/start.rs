//! The first model of a session.

use super::navigation::show;
use super::refresh::replace_data;
use super::requests::send;
use crate::tui::keymap::Screen;
use crate::tui::model::{Connection, Effect, Model, Pane, Request, Size};
use crate::tui::session_data::SessionData;
use crate::tui::theme::Theme;

impl Model {
    /// For data from a file: everything is loaded. A single plan is opened.
    pub fn offline(session_data: SessionData, size: Size, theme: Theme) -> Model {
        let mut model = Model::empty(Connection::None, size, theme);
        let is_single = session_data.statements.len() == 1 && session_data.indexes.is_empty();
        if session_data.statements.is_empty() {
            model.data = Pane::Empty("The file contains no statements.".to_owned());
            return model;
        }
        replace_data(&mut model, session_data);
        if is_single {
            let _ = show(&mut model, Screen::Plan);
        }
        model
    }

    /// For a server, before its first response; the effect requests the run.
    pub fn live(size: Size, theme: Theme) -> (Model, Vec<Effect>) {
        let mut model = Model::empty(Connection::Live, size, theme);
        let effects = send(&mut model, Request::Advise);
        (model, effects)
    }
}
