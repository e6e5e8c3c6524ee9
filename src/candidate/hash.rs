//! Hash: long values that are only ever looked up whole. A btree holds the values, a hash index
//! four bytes of each (<https://www.postgresql.org/docs/current/hash-intro.html>).

use super::context::{CandidateContext, ascending};
use crate::index::{Index, Key, Method};
use crate::predicate::ConditionKind;

/// Minimum width at which the difference in size is worth a test.
const LONG_VALUE_BYTES: u32 = 32;

/// Equal values make chains of overflow pages.
const MAX_ROWS_OF_A_VALUE: f64 = 20.0;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let rows = context.table.rows.unwrap_or(0.0);
    let equal = context.conditions(|condition| {
        condition.kind == ConditionKind::Equality && !condition.operator.is_empty()
    });
    let keys = super::context::distinct_keys(equal)
        .into_iter()
        .filter(|key| {
            let Key::Column(name) = key else { return false };
            let Some(column) = context.table.column(name) else {
                return false;
            };
            let long = column
                .statistics
                .as_ref()
                .is_some_and(|known| known.average_width_bytes >= LONG_VALUE_BYTES);
            let spread = column
                .distinct_values(rows)
                .is_some_and(|distinct| rows / distinct <= MAX_ROWS_OF_A_VALUE);
            let sorted = context
                .relation
                .orders
                .iter()
                .flatten()
                .any(|term| term.key == *key);
            long && spread && !sorted
        });
    keys.map(|key| Index {
        method: Method::Hash,
        ..context.btree(ascending(&[key]))
    })
    .collect()
}
