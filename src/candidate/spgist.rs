//! SP-GiST: what falls into parts that do not overlap: ranges, points, network addresses, texts by their beginning
//! (<https://www.postgresql.org/docs/current/spgist-intro.html>).

use super::pattern::prefix;
use super::{Ask, Index};
use crate::index::Method;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let mut indexes = Vec::new();
    for condition in ask.special_conditions() {
        let answers = ask.classes_for(condition, &Method::SpGist);
        // The planner makes a range of a prefix (`match_pattern_prefix`, src/backend/utils/adt/like_support.c).
        let by_prefix = prefix(condition).map(|_| {
            ask.classes(&condition.key, &Method::SpGist, |class| {
                class.searched.iter().any(|operator| operator == "~<~")
            })
        });
        let classes = answers.into_iter().chain(by_prefix.into_iter().flatten());
        indexes.extend(
            classes.map(|class| ask.index(Method::SpGist, vec![(condition.key.clone(), class)])),
        );
    }
    indexes
}
