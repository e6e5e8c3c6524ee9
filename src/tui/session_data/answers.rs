//! What a rehearsal has to say about advice that a finding gives by rule: a rule sees one node and says `CREATE INDEX`, the rehearsal
//! has seen what that index does, or a better one.

use std::collections::BTreeSet;

use super::{Entry, SessionData, Verdict};
use crate::finding::Finding;
use crate::index::Index;
use crate::index::parse_index;
use crate::workload::StatementId;

impl SessionData {
    /// What was rehearsed in answer to a finding about this statement's plan; none when its action is no index, or nothing was
    /// rehearsed for it. `present` are the indexes that the plan was made with: they answer nothing any more.
    pub fn answer(
        &self,
        card: usize,
        present: &BTreeSet<usize>,
        finding: &Finding,
    ) -> Option<String> {
        let suggested = suggested_index(finding)?;
        let statement = &self.cards.get(card)?.statement.id;
        let absent = self
            .entries
            .iter()
            .enumerate()
            .filter(|(position, _)| !present.contains(position));
        let entries: Vec<&Entry> = absent.map(|(_, entry)| entry).collect();
        let on_table = || {
            entries
                .iter()
                .filter(|entry| entry.index.definition.table == suggested.table)
        };
        on_table()
            .find_map(|entry| recommended(entry, statement))
            .or_else(|| {
                on_table()
                    .find(|entry| entry.index.definition == suggested)
                    .and_then(|entry| rejected(entry))
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

fn recommended(entry: &Entry, statement: &StatementId) -> Option<String> {
    let Verdict::Recommended { id, .. } = &entry.verdict else {
        return None;
    };
    let benefit = entry
        .benefits
        .iter()
        .find(|benefit| benefit.statement == *statement)?;
    Some(format!(
        "see Indexes: {id} answers this, as rehearsed: cost {} → {}",
        benefit.before, benefit.after
    ))
}

fn rejected(entry: &Entry) -> Option<String> {
    let Verdict::Rejected { reason, detail } = &entry.verdict else {
        return None;
    };
    Some(format!(
        "see Indexes: this index was rejected, {}: {detail}",
        reason.name().replace('_', " ")
    ))
}
