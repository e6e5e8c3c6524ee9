//! The interactive interface: a pure core (what happens goes in, the model changes, effects come out; the model goes in, cells come
//! out), and around it a loop that owns the terminal and a worker that owns the server.
//!
//! Only this room names ratatui and crossterm's events. It knows no server: whoever starts it hands in a [`backend::Backend`].

pub mod aligned;
mod areas;
pub mod backend;
mod cells;
mod clipboard;
mod editor;
mod event_loop;
pub mod keymap;
mod list;
pub mod look;
pub mod model;
mod plan_view;
mod screen;
pub mod session_data;
mod sql_text;
mod terminal;
mod update;
mod view;

pub use event_loop::{Ended, Start, run};
#[cfg(any(test, feature = "internals"))]
pub use update::update;
#[cfg(any(test, feature = "internals"))]
pub use view::draw;

#[cfg(test)]
mod tests;
