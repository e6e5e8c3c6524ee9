//! Partial indexes of the other methods: `payload @> '…' AND state = 'open'` is a GIN index of the
//! open rows.
//!
//! Not BRIN: its size is that of the table's pages, whichever rows it summarizes, so a predicate
//! saves nothing. Not hash: it gets buckets for all rows of the table
//! (`hashbuild`, src/backend/access/hash/hash.c, goes by the table's estimate).

use super::context::CandidateContext;
use super::{gin, gist, nearest, partial, pattern, spgist};
use crate::index::Index;
use crate::predicate::{Condition, RelationUse};

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    partial::parts(context)
        .into_iter()
        .flat_map(|part| of_part(context, &part))
        .collect()
}

/// The candidates for the other conditions, limited to these rows.
fn of_part(context: CandidateContext<'_>, part: &partial::Part<'_>) -> Vec<Index> {
    let is_left = |condition: &&Condition| !part.implied.contains(condition);
    let conditions = context
        .relation
        .conditions
        .iter()
        .filter(is_left)
        .cloned()
        .collect();
    let relation = RelationUse {
        conditions,
        ..context.relation.clone()
    };
    let context = CandidateContext {
        relation: &relation,
        ..context
    };
    [
        pattern::generate,
        gin::generate,
        gist::generate,
        spgist::generate,
        nearest::generate,
    ]
    .iter()
    .flat_map(|generator| generator(context))
    .map(|index| index.partial(part.predicate.clone()))
    .collect()
}
