//! Statements written another way that means the same: only where that is certain, for every row
//! and every setting of the session.
//!
//! What may be rewritten is decided by the tokens, whose places in the text are exact; everything
//! else of the text stays as it is.

mod anti_join;
mod from_tables;
mod period;

pub use anti_join::not_exists;
pub use from_tables::{FromTable, Rewriting};
pub use period::bounded;
