//! The interactive interface: a pure core (what happens goes in, the model changes, effects come
//! out; the model goes in, cells come out), and around it a loop that owns the terminal and a
//! worker that owns the server.
//!
//! Only this room names ratatui and crossterm's events. It knows no server: whoever starts it hands
//! in a [`backend::Backend`].

pub mod aligned;
pub mod backend;
mod cells;
mod details;
mod editor;
mod event_loop;
pub mod keymap;
mod layout;
mod list;
pub mod model;
mod plan_view;
mod screen;
pub mod session_data;
mod sql_text;
mod terminal;
pub mod theme;
mod update;
mod view;
mod write_cost_text;

pub use event_loop::{SessionEnd, Start, run};
#[cfg(any(test, feature = "internals"))]
pub use update::update;
#[cfg(any(test, feature = "internals"))]
pub use view::draw;

#[cfg(test)]
mod tests;
