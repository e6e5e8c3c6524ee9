//! The first model of a session.

use std::sync::Arc;

use super::jobs::send;
use super::navigation::show;
use super::refresh::refresh_all;
use crate::tui::keymap::Screen;
use crate::tui::model::{Connection, Effect, Model, Pane, Request, Size};
use crate::tui::session_data::SessionData;
use crate::tui::theme::Theme;

impl Model {
    /// For data from a file: everything is loaded. A single plan is opened.
    pub fn offline(session_data: SessionData, size: Size, theme: Theme) -> Model {
        let mut model = Model::empty(Connection::None, size, theme);
        let is_single = session_data.statements.len() == 1 && session_data.indexes.is_empty();
        model.data = if session_data.statements.is_empty() {
            Pane::Empty("The file contains no statements.".to_owned())
        } else {
            Pane::Has(Arc::new(session_data))
        };
        refresh_all(&mut model);
        if is_single {
            show(&mut model, Screen::Plan);
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
