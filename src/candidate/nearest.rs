//! What is nearest first: `ORDER BY place <-> '(1,2)' LIMIT 10`, by any method that delivers that order (GiST, SP-GiST, those of
//! extensions such as hnsw; <https://www.postgresql.org/docs/current/indexes-ordering.html>).

use std::collections::BTreeSet;

use super::Ask;
use crate::catalog::OperatorClass;
use crate::index::{Index, Method};

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let methods: BTreeSet<&Method> = ask
        .catalog
        .operator_classes
        .iter()
        .map(|class| &class.method)
        .collect();
    let mut indexes = Vec::new();
    for distance in &ask.relation.distances {
        let delivers = |class: &OperatorClass| class.ordered.contains(&distance.operator);
        for method in &methods {
            let classes = ask.classes(&distance.key, method, delivers);
            indexes.extend(
                classes.iter().map(|class| {
                    ask.index((*method).clone(), vec![(distance.key.clone(), *class)])
                }),
            );
        }
    }
    indexes
}
