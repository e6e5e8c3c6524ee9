//! What a plan asks of each table: the conditions its nodes filter and join on, and the orders and
//! groups they need.
//!
//! The plan is the dependable source: it is already resolved, folded and attached to the relation
//! that pays. In EXPLAIN's VERBOSE form every column carries its relation's alias, and aliases are
//! unique within a plan. The table's columns come from the catalog; for a saved plan without one,
//! [`catalog_of_plan`] makes a small catalog from the plan itself.

mod collect;
mod condition;
mod key;
mod named;
mod needed;
mod plan_catalog;
mod relation;
mod relation_use;
mod search_value;

pub use collect::relation_uses;
pub use condition::{Condition, ConditionKind, Operand};
pub use key::OrderKey;
pub use named::NamedColumns;
pub(crate) use needed::CONDITION_PROPERTIES;
pub use plan_catalog::catalog_of_plan;
pub use relation::Relation;
pub use relation_use::RelationUse;

#[cfg(test)]
mod tests;
