//! The details of what is selected, as styled lines of a width: drawing shows a part of them, and
//! update counts them, so that they cannot be scrolled beyond their end.

mod index;
mod node;
mod statement;

pub use index::selected_index;
pub use node::{compared_nodes, plan_node};
pub use statement::selected_statement;
