//! What to create: which indexes are on, and what the workload costs with them.

use std::collections::BTreeSet;

use crate::advise::ExistingFinding;
use crate::model::{Bytes, Cost};
use crate::search::costs::Costs;
use crate::tui::list::List;
use crate::tui::session_data::{Entry, Estimate, Evidence, SessionData, Verdict, total};

/// What is seen of the indexes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The lines of the list.
    pub rows: Vec<Row>,
    /// Where we are in them.
    pub list: List,
    /// The indexes that are on.
    pub on: BTreeSet<usize>,
    /// The existing indexes whose DROP or REINDEX is exported, too.
    pub drops: BTreeSet<usize>,
    /// The first line of the details that is seen.
    pub detail: usize,
    /// What the workload costs with what is on.
    pub outcome: Option<Outcome>,
    /// Is the DDL of what is on printed when leaving?
    pub print: bool,
}

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A headline.
    Head(&'static str),
    /// An index that was thought of.
    Entry(usize),
    /// An index that exists.
    Existing(usize),
}

/// What the workload costs with what is on.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Σ calls × cost as things are.
    pub before: Cost,
    /// And with what is on.
    pub after: Cost,
    /// Of how many marked statements; none: of the whole workload.
    pub marked: Option<usize>,
    /// How that is known.
    pub evidence: Evidence,
    /// The size of what is on.
    pub size: Bytes,
    /// The statements that change: card, before, after; those that gain most first.
    pub changes: Vec<(usize, Cost, Cost)>,
}

impl State {
    /// For a new dossier, or one that grew: with what is recommended on.
    pub fn begin(&mut self, session_data: &SessionData, marks: &BTreeSet<usize>) {
        *self = State {
            on: session_data.recommended(),
            ..State::default()
        };
        self.list_rows(session_data);
        self.list.selected = usize::from(self.rows.len() > 1);
        self.answer(session_data, marks);
    }

    /// Lists everything again after an index was added; what is on stays on.
    pub fn list_rows(&mut self, session_data: &SessionData) {
        let of = |wanted: &dyn Fn(&Entry) -> bool| -> Vec<Row> {
            (0..session_data.entries.len())
                .filter(|entry| wanted(&session_data.entries[*entry]))
                .map(Row::Entry)
                .collect()
        };
        let by_hand = |entry: &Entry| entry.verdict == Verdict::ByHand;
        let rejected = |entry: &Entry| matches!(entry.verdict, Verdict::Rejected { .. });
        let existing = (0..session_data.existing.len())
            .map(Row::Existing)
            .collect();
        self.rows = [
            ("Recommended", of(&Entry::is_recommended)),
            ("Rehearsed by hand", of(&by_hand)),
            ("Rejected, each with its reason", of(&rejected)),
            ("Existing indexes", existing),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .flat_map(|(head, rows)| std::iter::once(Row::Head(head)).chain(rows))
        .collect();
    }

    /// The selected line.
    pub fn selected(&self) -> Option<Row> {
        self.rows.get(self.list.selected).copied()
    }

    /// Switches the selected index on or off; the sums are to be made again after that.
    ///
    /// # Errors
    /// Why it cannot be switched.
    pub fn toggle(&mut self, session_data: &SessionData) -> Result<(), String> {
        let (set, position) = match self.selected() {
            Some(Row::Entry(entry)) => {
                if !session_data.entries[entry].is_built() && !self.on.contains(&entry) {
                    return Err("it was not built, so nobody knows what it would bring".to_owned());
                }
                (&mut self.on, entry)
            }
            Some(Row::Existing(finding)) => (&mut self.drops, finding),
            _ => return Ok(()),
        };
        if !set.remove(&position) {
            set.insert(position);
        }
        Ok(())
    }

    /// Adds up what the workload costs with what is on, or what the marked statements (cards) of it do.
    pub fn answer(&mut self, session_data: &SessionData, marks: &BTreeSet<usize>) {
        let Estimate {
            before,
            after,
            evidence,
        } = session_data.estimate(&self.on);
        let (before, after) = (
            session_data.among(marks, before),
            session_data.among(marks, after),
        );
        self.outcome = Some(Outcome {
            before: total(&before),
            after: total(&after),
            marked: Some(marks.len()).filter(|marked| *marked > 0),
            evidence,
            size: self
                .on
                .iter()
                .filter_map(|entry| session_data.entries.get(*entry)?.size)
                .sum(),
            changes: changes(session_data, &before, &after),
        });
    }

    /// The statements that make what is on real, a line each; none when nothing is on.
    pub fn ddl(&self, session_data: &SessionData) -> Option<String> {
        let create = session_data.ddl(&self.on).into_iter();
        let drop = self
            .drops
            .iter()
            .filter_map(|finding| session_data.existing.get(*finding))
            .map(ExistingFinding::statement);
        let statements: Vec<String> = create.chain(drop).collect();
        (!statements.is_empty()).then(|| statements.join("\n") + "\n")
    }
}

fn changes(session_data: &SessionData, before: &Costs, after: &Costs) -> Vec<(usize, Cost, Cost)> {
    let change = |(position, card): (usize, &crate::tui::session_data::Card)| {
        let (before, after) = (
            before.get(&card.statement.id)?,
            after.get(&card.statement.id)?,
        );
        let changed = before.cost.saved_share(after.cost).abs() > crate::verdict::WORSE_SHARE;
        changed.then_some((
            before.calls * (before.cost.0 - after.cost.0),
            (position, before.cost, after.cost),
        ))
    };
    let mut changes: Vec<_> = session_data
        .cards
        .iter()
        .enumerate()
        .filter_map(change)
        .collect();
    changes.sort_by(|(a_saved, a), (b_saved, b)| b_saved.total_cmp(a_saved).then(a.0.cmp(&b.0)));
    changes.into_iter().map(|(_, change)| change).collect()
}
