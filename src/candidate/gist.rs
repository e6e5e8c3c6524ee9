//! GiST: ranges that overlap, shapes that contain, trees of labels (<https://www.postgresql.org/docs/current/gist-intro.html>).
//!
//! Not where GIN answers the same: over words, trigrams and the like GiST holds signatures, which are lossy; its costs look lower
//! than they are, and GIN is faster to read (<https://www.postgresql.org/docs/current/textsearch-indexes.html>).

use super::Ask;
use crate::catalog::OperatorClass;
use crate::index::{Index, Key, Method};

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let mut indexes = Vec::new();
    let mut together: Vec<(Key, &OperatorClass)> = Vec::new();
    for condition in ask.special_conditions() {
        if !ask.classes_for(condition, &Method::Gin).is_empty() {
            continue;
        }
        let classes = ask.classes_for(condition, &Method::Gist);
        indexes.extend(
            classes
                .iter()
                .map(|class| ask.index(Method::Gist, vec![(condition.key.clone(), *class)])),
        );
        if let Some(class) = classes
            .first()
            .filter(|_| together.iter().all(|(key, _)| *key != condition.key))
        {
            together.push((condition.key.clone(), class));
        }
    }
    if together.is_empty() {
        return indexes;
    }
    // With btree_gist, what is equal comes first: a room, then its times.
    let scalars: Vec<(Key, &OperatorClass)> = ask
        .equality_keys(&[])
        .into_iter()
        .filter_map(|key| {
            let class = ask.classes(&key, &Method::Gist, |class| {
                class.searched.iter().any(|operator| operator == "=")
            });
            Some((key, *class.first().filter(|class| class.default)?))
        })
        .collect();
    let all = [scalars, together].concat();
    if all.len() > 1 {
        indexes.push(ask.index(Method::Gist, all));
    }
    indexes
}
