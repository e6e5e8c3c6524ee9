//! `a = 1 OR b = 2`: an index for each arm, which a BitmapOr reads together. Only the search can tell that they belong together.

use super::{Ask, composite, gin, partial, single};
use crate::index::Index;
use crate::predicate::RelationUse;

/// A list of ORs this long is a list of values.
const MAX_ARMS: usize = 6;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let alternatives = ask
        .relation
        .alternatives
        .iter()
        .filter(|arms| arms.len() <= MAX_ARMS);
    alternatives
        .flatten()
        .flat_map(|arm| for_arm(ask, arm))
        .collect()
}

/// As if the arm were all that is asked.
fn for_arm(ask: Ask<'_>, arm: &[crate::predicate::Condition]) -> Vec<Index> {
    let relation = RelationUse {
        conditions: arm.to_vec(),
        orders: Vec::new(),
        extremes: Vec::new(),
        distances: Vec::new(),
        alternatives: Vec::new(),
        limited: false,
        fetched: None,
        needed: None,
        ..ask.relation.clone()
    };
    let ask = Ask {
        relation: &relation,
        ..ask
    };
    [
        single::generate,
        composite::generate,
        partial::generate,
        gin::generate,
    ]
    .iter()
    .flat_map(|generator| generator(ask))
    .collect()
}
