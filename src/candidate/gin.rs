//! GIN: for values with many elements in each row: arrays, documents, words and trigrams of texts
//! (<https://www.postgresql.org/docs/current/gin-intro.html>).

use super::context::CandidateContext;
use crate::catalog::OperatorClass;
use crate::index::{Index, Key, Method};

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let special = context.special_conditions();
    let mut indexes = Vec::new();
    let mut together: Vec<(Key, &OperatorClass)> = Vec::new();
    for condition in &special {
        let classes = context.classes_for(condition, &Method::Gin);
        indexes.extend(
            classes
                .iter()
                .map(|class| context.index(Method::Gin, vec![(condition.key.clone(), *class)])),
        );
        // The smaller class, which is not the default one (jsonb_path_ops), together with the
        // others.
        if let Some(class) = classes
            .last()
            .filter(|_| together.iter().all(|(key, _)| *key != condition.key))
        {
            together.push((condition.key.clone(), class));
        }
    }
    if !together.is_empty() {
        indexes.extend(with_scalars(context, &together));
    }
    if together.len() > 1 {
        indexes.push(context.index(Method::Gin, together));
    }
    indexes
}

/// With btree_gin, columns that are compared by equality go into the same index.
fn with_scalars(context: CandidateContext<'_>, special: &[(Key, &OperatorClass)]) -> Option<Index> {
    let equal = context.equality_keys(&[]);
    let scalars: Vec<(Key, &OperatorClass)> = equal
        .into_iter()
        .filter_map(|key| {
            let class = context.classes(&key, &Method::Gin, |class| {
                class.searched.iter().any(|operator| operator == "=")
            });
            Some((key, *class.first().filter(|class| class.default)?))
        })
        .collect();
    (!scalars.is_empty()).then(|| context.index(Method::Gin, [&scalars, special].concat()))
}
