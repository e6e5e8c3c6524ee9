//! What tests show about an index that a finding suggests: a rule sees one node and suggests
//! `CREATE INDEX`; the tests know the effect of that index, or of a better one.

use std::collections::BTreeSet;

use super::{IndexStatus, IndexView, SessionData};
use crate::finding::Finding;
use crate::index::Index;
use crate::index::parse_index;
use crate::workload::StatementId;

impl SessionData {
    /// The test result for the index that a finding suggests; `None` if it suggests no index or
    /// nothing was tested for it. `present` are the indexes that the plan was made with, which are
    /// no solution for it.
    pub fn answer(
        &self,
        statement: usize,
        present: &BTreeSet<usize>,
        finding: &Finding,
    ) -> Option<String> {
        let suggested = suggested_index(finding)?;
        let id = &self.statements.get(statement)?.source.id;
        let absent = self
            .indexes
            .iter()
            .enumerate()
            .filter(|(position, _)| !present.contains(position));
        let indexes: Vec<&IndexView> = absent.map(|(_, index)| index).collect();
        let on_table = || {
            indexes
                .iter()
                .filter(|index| index.named.definition.table == suggested.table)
        };
        on_table()
            .find_map(|index| recommended(index, id))
            .or_else(|| {
                on_table()
                    .find(|index| index.named.definition == suggested)
                    .and_then(|index| rejected(index))
            })
    }
}

fn suggested_index(finding: &Finding) -> Option<Index> {
    let action = finding
        .action
        .as_ref()
        .filter(|action| action.starts_with("CREATE INDEX"))?;
    parse_index(action.trim_end_matches(';')).ok()
}

fn recommended(index: &IndexView, statement: &StatementId) -> Option<String> {
    let IndexStatus::Recommended { id, .. } = &index.status else {
        return None;
    };
    let benefit = index
        .benefits
        .iter()
        .find(|benefit| benefit.statement == *statement)?;
    Some(format!(
        "see Indexes: {id} fixes this; tested cost {} → {}",
        benefit.before, benefit.after
    ))
}

fn rejected(index: &IndexView) -> Option<String> {
    let IndexStatus::Rejected { reason, detail } = &index.status else {
        return None;
    };
    Some(format!(
        "see Indexes: this index was rejected ({}): {detail}",
        reason.name().replace('_', " ")
    ))
}
