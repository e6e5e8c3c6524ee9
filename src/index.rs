//! An index as a value: what it is built on and how it is written, whether it exists or not.
//!
//! Values compare, print and parse back (`parse(print(x)) == x`); nothing here knows a server.

mod definition;
mod hot;
pub mod naming;
mod parse;

pub use definition::{Extension, Index, IndexKey, Key, Method, NamedIndex};
pub(crate) use hot::columns_that_block_hot;
pub use parse::{WrittenIndex, parse_index, parse_written_index};
