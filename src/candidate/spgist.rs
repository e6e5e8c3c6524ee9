//! SP-GiST: for values that fall into parts that do not overlap: ranges, points, network addresses,
//! texts by their beginning (<https://www.postgresql.org/docs/current/spgist-intro.html>).

use super::context::CandidateContext;
use super::pattern::prefix;
use crate::index::Index;
use crate::index::Method;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let mut indexes = Vec::new();
    for condition in context.special_conditions() {
        let answers = context.classes_for(condition, &Method::SpGist);
        // The planner makes a range of a prefix (`match_pattern_prefix`,
        // src/backend/utils/adt/like_support.c).
        let by_prefix = prefix(condition).map(|_| {
            context.classes(&condition.key, &Method::SpGist, |class| {
                class.searched.iter().any(|operator| operator == "~<~")
            })
        });
        let classes = answers.into_iter().chain(by_prefix.into_iter().flatten());
        indexes.extend(
            classes
                .map(|class| context.index(Method::SpGist, vec![(condition.key.clone(), class)])),
        );
    }
    indexes
}
