//! The report as one HTML file: for a browser, without a network, and readable without JavaScript.
//!
//! The pages are templates in `templates`; askama escapes what is put into them. What is shown is
//! prepared here as plain text, with control characters written out.

mod advice;
mod head;
mod plan;
mod plans;

pub use advice::write as write_advice;
pub use plans::{write_diffs, write_reviewed};

#[cfg(test)]
mod tests;
