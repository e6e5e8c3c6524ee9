//! GIN: arrays, documents, texts and their trigrams, of which a row has many
//! (<https://www.postgresql.org/docs/current/gin-intro.html>).

use super::Ask;
use crate::catalog::OperatorClass;
use crate::index::{Index, Key, Method};

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let special = ask.special_conditions();
    let mut indexes = Vec::new();
    let mut together: Vec<(Key, &OperatorClass)> = Vec::new();
    for condition in &special {
        let classes = ask.classes_for(condition, &Method::Gin);
        indexes.extend(
            classes
                .iter()
                .map(|class| ask.index(Method::Gin, vec![(condition.key.clone(), *class)])),
        );
        // The smaller class, which is not the default one (jsonb_path_ops), together with the others.
        if let Some(class) = classes
            .last()
            .filter(|_| together.iter().all(|(key, _)| *key != condition.key))
        {
            together.push((condition.key.clone(), class));
        }
    }
    if !together.is_empty() {
        indexes.extend(with_scalars(ask, &together));
    }
    if together.len() > 1 {
        indexes.push(ask.index(Method::Gin, together));
    }
    indexes
}

/// With btree_gin, what is equal goes into the same index.
fn with_scalars(ask: Ask<'_>, special: &[(Key, &OperatorClass)]) -> Option<Index> {
    let equal = ask.equality_keys(&[]);
    let scalars: Vec<(Key, &OperatorClass)> = equal
        .into_iter()
        .filter_map(|key| {
            let class = ask.classes(&key, &Method::Gin, |class| {
                class.searched.iter().any(|operator| operator == "=")
            });
            Some((key, *class.first().filter(|class| class.default)?))
        })
        .collect();
    (!scalars.is_empty()).then(|| ask.index(Method::Gin, [&scalars, special].concat()))
}
