//! The interactive interface: a pure core (an event changes the model and returns effects; drawing
//! turns the model into cells), and around it a loop that owns the terminal and a worker that owns
//! the server.
//!
//! Only this room uses ratatui and crossterm's events. It does not know the server: the caller
//! passes a [`backend::Backend`].

pub mod aligned;
mod ascii;
pub mod backend;
mod burst;
mod cells;
mod command_line;
mod details;
mod editor;
mod event_loop;
mod exports;
mod find;
pub mod keymap;
mod layout;
mod linear;
mod list;
pub mod model;
mod pager;
mod plan_view;
mod prompt;
mod screen;
mod selection;
pub mod session_data;
mod sql_text;
mod terminal;
pub mod theme;
mod update;
mod view;
mod workload_columns;
mod write_cost_text;

pub use event_loop::{SessionEnd, Start, run};
pub use linear::run as run_linear;
#[cfg(any(test, feature = "internals"))]
pub use update::update;
#[cfg(any(test, feature = "internals"))]
pub use view::draw;

#[cfg(test)]
mod tests;
