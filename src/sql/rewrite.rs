//! Statements written another way that means the same: only where that is certain, for every row
//! and every setting of the session. Two rules name the setting that they depend on
//! ([`name_configuration`], [`bounded`]).
//!
//! What may be rewritten is decided by the tokens, whose places in the text are exact; everything
//! else of the text stays as it is.

mod anti_join;
mod array_contains;
mod conditions;
mod constants;
mod days;
mod disjunction;
mod from_tables;
mod group_values;
mod groups;
mod isolated;
mod joined_groups;
mod membership;
mod not_distinct;
mod period;
mod range_bounds;
mod select;
mod select_once;
mod text_search;
mod whole;

pub use anti_join::not_exists;
pub use array_contains::array_contains;
pub use constants::without_modifiers;
pub use disjunction::union_of_arms;
pub use from_tables::{FromTable, KnownColumn, KnownTable, ParentKey, Rewriting};
pub use group_values::group_values;
pub use groups::{Groups, group_by_group};
pub use isolated::isolated;
pub use membership::membership;
pub use not_distinct::equal;
pub use period::bounded;
pub use range_bounds::range_bounds;
pub use select_once::{Comparisons, select_once};
pub use text_search::name_configuration;

#[cfg(test)]
mod page;
