//! One key: each thing a statement looks up, ranges over, joins on, sorts by, or takes the minimum
//! or maximum of.

use super::context::{CandidateContext, ascending, distinct_keys};
use crate::index::{Index, Key};
use crate::predicate::ConditionKind;

/// Beside anything else that an index can serve, IS NULL is for its predicate, and no key by itself:
/// the planner counts with the correlation of the values that are there, and NULLs may be anywhere.
pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let is_lookup = |kind| {
        matches!(
            kind,
            ConditionKind::Equality | ConditionKind::Membership | ConditionKind::Range
        )
    };
    let orders = &context.relation.orders;
    let only_null = orders.is_empty() && context.conditions(|c| is_lookup(c.kind)).is_empty();
    // Few rows may have a field of a document. The planner takes nearly all to have it until an index
    // brings statistics of the expression.
    let is_null_test = |kind: ConditionKind, key: &Key| {
        kind == ConditionKind::Null
            || kind == ConditionKind::NotNull && matches!(key, Key::Expression(_))
    };
    let looked_up =
        context.conditions(|c| is_lookup(c.kind) || only_null && is_null_test(c.kind, &c.key));
    let sorted_by = context
        .relation
        .orders
        .iter()
        .filter_map(|order| match order.as_slice() {
            [only] => Some(only.key.clone()),
            _ => None,
        });
    let mut keys: Vec<Key> = distinct_keys(looked_up);
    keys.extend(sorted_by);
    keys.extend(context.relation.extremes.iter().cloned());
    keys.into_iter()
        .map(|key| context.btree(ascending(&[key])))
        .collect()
}
