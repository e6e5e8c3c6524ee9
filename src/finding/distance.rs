//! Expressions that compute a distance, as `ORDER BY` of a search for the nearest has them.

use crate::sql::{Expression, Shape};

/// Operators that compute a distance, with those of pgvector and what an index on a vector needs.
const DISTANCES: &[(&str, Option<&str>)] = &[
    ("<->", Some("vector_l2_ops")),
    ("<#>", Some("vector_ip_ops")),
    ("<=>", Some("vector_cosine_ops")),
    ("<+>", Some("vector_l1_ops")),
    ("<~>", Some("bit_hamming_ops")),
    ("<%>", Some("bit_jaccard_ops")),
    ("<<->", None),
    ("<->>", None),
    ("<<<->", None),
    ("<->>>", None),
];

/// Whether an expression computes a distance, which no btree has as a useful key.
pub(super) fn is_distance(expression: &Expression) -> bool {
    distance(expression).is_some()
}

/// The column of a distance, its operator, and what pgvector's indexes need for it.
pub(super) fn distance(
    expression: &Expression,
) -> Option<(&Expression, &'static str, Option<&'static str>)> {
    let Shape::Binary {
        operator,
        left,
        right,
    } = &expression.shape
    else {
        return None;
    };
    let (name, class) = DISTANCES.iter().find(|(known, _)| known == operator)?;
    let column = if matches!(left.shape, Shape::Column(_)) {
        left
    } else {
        right
    };
    Some((column, name, *class))
}
