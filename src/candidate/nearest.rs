//! Nearest neighbours: `ORDER BY place <-> '(1,2)' LIMIT 10`, by any method that delivers that
//! order (GiST, SP-GiST, those of extensions such as hnsw;
//! <https://www.postgresql.org/docs/current/indexes-ordering.html>).

use std::collections::BTreeSet;

use super::context::CandidateContext;
use crate::catalog::OperatorClass;
use crate::index::{Index, Method};

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let methods: BTreeSet<&Method> = context
        .catalog
        .operator_classes
        .iter()
        .map(|class| &class.method)
        .collect();
    let mut indexes = Vec::new();
    for distance in &context.relation.distances {
        let delivers = |class: &OperatorClass| class.ordered.contains(&distance.operator);
        for method in &methods {
            let classes = context.classes(&distance.key, method, delivers);
            indexes.extend(classes.iter().map(|class| {
                context.index((*method).clone(), vec![(distance.key.clone(), *class)])
            }));
        }
    }
    indexes
}
