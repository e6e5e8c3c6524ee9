//! One key: each thing a statement looks up, ranges over, joins on, sorts by, or takes the minimum
//! or maximum of.

use super::context::{CandidateContext, ascending, distinct_keys};
use crate::index::{Index, Key};
use crate::predicate::ConditionKind;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let looked_up = context.conditions(|c| {
        matches!(
            c.kind,
            ConditionKind::Equality
                | ConditionKind::Membership
                | ConditionKind::Range
                | ConditionKind::Null
        )
    });
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
