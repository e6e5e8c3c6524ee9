//! Partial indexes of the other methods: `payload @> '…' AND state = 'open'` is a GIN index of the open rows.
//!
//! Not BRIN: its size is that of the table's pages, whichever rows it summarizes, so a predicate saves nothing.

use super::{Ask, gin, gist, hash, nearest, partial, pattern, spgist};
use crate::index::Index;
use crate::predicate::{Condition, RelationUse};

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    partial::parts(ask)
        .into_iter()
        .flat_map(|part| of_part(ask, &part))
        .collect()
}

/// As if only the rest of the conditions were asked for, of these rows.
fn of_part(ask: Ask<'_>, part: &partial::Part<'_>) -> Vec<Index> {
    let is_left = |condition: &&Condition| !part.settled.contains(condition);
    let conditions = ask
        .relation
        .conditions
        .iter()
        .filter(is_left)
        .cloned()
        .collect();
    let relation = RelationUse {
        conditions,
        ..ask.relation.clone()
    };
    let ask = Ask {
        relation: &relation,
        ..ask
    };
    [
        pattern::generate,
        gin::generate,
        gist::generate,
        spgist::generate,
        nearest::generate,
        hash::generate,
    ]
    .iter()
    .flat_map(|generator| generator(ask))
    .map(|index| index.partial(part.predicate.clone()))
    .collect()
}
