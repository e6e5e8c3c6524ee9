//! `a = 1 OR b = 2`: an index for each arm, which a BitmapOr reads together. Each is a candidate by
//! itself; the search finds out that they pay together.

use super::context::CandidateContext;
use super::{composite, gin, partial, single};
use crate::index::Index;
use crate::predicate::RelationUse;

/// A list of ORs this long is a list of values.
const MAX_ARMS: usize = 6;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let alternatives = context
        .relation
        .alternatives
        .iter()
        .filter(|arms| arms.len() <= MAX_ARMS);
    alternatives
        .flatten()
        .flat_map(|arm| for_arm(context, arm))
        .collect()
}

/// The candidates for a use with only the conditions of this arm.
fn for_arm(context: CandidateContext<'_>, arm: &[crate::predicate::Condition]) -> Vec<Index> {
    let relation = RelationUse {
        conditions: arm.to_vec(),
        orders: Vec::new(),
        extremes: Vec::new(),
        distances: Vec::new(),
        alternatives: Vec::new(),
        limited: false,
        fetched: None,
        needed: None,
        ..context.relation.clone()
    };
    let context = CandidateContext {
        relation: &relation,
        ..context
    };
    [
        single::generate,
        composite::generate,
        partial::generate,
        gin::generate,
    ]
    .iter()
    .flat_map(|generator| generator(context))
    .collect()
}
