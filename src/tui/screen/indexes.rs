//! What to create: which indexes are on, and what the workload costs with them.

use std::collections::BTreeSet;

use crate::advise::ExistingFinding;
use crate::model::{Bytes, Cost};
use crate::rehearsal::costs::Costs;
use crate::tui::list::ListState;
use crate::tui::session_data::{Estimate, IndexStatus, IndexView, SessionData, TotalBasis, total};

/// What is seen of the indexes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The lines of the list.
    pub rows: Vec<IndexRow>,
    /// Where we are in them.
    pub list: ListState,
    /// The indexes that are on.
    pub enabled: BTreeSet<usize>,
    /// The existing indexes whose DROP or REINDEX is exported, too.
    pub fixes: BTreeSet<usize>,
    /// The first line of the details that is seen.
    pub detail: usize,
    /// What the workload costs with what is on.
    pub totals: Option<SelectionTotals>,
    /// Is the DDL of what is on printed when leaving?
    pub print: bool,
}

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexRow {
    /// A headline.
    Heading(&'static str),
    /// An index that was thought of.
    Index(usize),
    /// An index that exists.
    Existing(usize),
}

/// What the workload costs with what is on.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionTotals {
    /// Σ calls × cost as things are.
    pub before: Cost,
    /// And with what is on.
    pub after: Cost,
    /// Of how many marked statements; none: of the whole workload.
    pub marked: Option<usize>,
    /// How that is known.
    pub basis: TotalBasis,
    /// The size of what is on.
    pub size: Bytes,
    /// The statements that change: statement, before, after; those that gain most first.
    pub changes: Vec<(usize, Cost, Cost)>,
}

impl State {
    /// For a new session data, or one that grew: with what is recommended on.
    pub fn reset(&mut self, session_data: &SessionData, marks: &BTreeSet<usize>) {
        *self = State {
            enabled: session_data.recommended(),
            ..State::default()
        };
        self.rebuild_rows(session_data);
        self.list.selected = usize::from(self.rows.len() > 1);
        self.update_totals(session_data, marks);
    }

    /// Lists everything again after an index was added; what is on stays on.
    pub fn rebuild_rows(&mut self, session_data: &SessionData) {
        let of = |wanted: &dyn Fn(&IndexView) -> bool| -> Vec<IndexRow> {
            (0..session_data.indexes.len())
                .filter(|index| wanted(&session_data.indexes[*index]))
                .map(IndexRow::Index)
                .collect()
        };
        let user_defined = |index: &IndexView| index.status == IndexStatus::UserDefined;
        let rejected = |index: &IndexView| matches!(index.status, IndexStatus::Rejected { .. });
        let existing = (0..session_data.existing.len())
            .map(IndexRow::Existing)
            .collect();
        self.rows = [
            ("Recommended", of(&IndexView::is_recommended)),
            ("Your indexes", of(&user_defined)),
            ("Rejected", of(&rejected)),
            ("Existing indexes", existing),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .flat_map(|(head, rows)| std::iter::once(IndexRow::Heading(head)).chain(rows))
        .collect();
    }

    /// The selected line.
    pub fn selected(&self) -> Option<IndexRow> {
        self.rows.get(self.list.selected).copied()
    }

    /// Switches the selected index on or off; the sums are to be made again after that.
    ///
    /// # Errors
    /// Why it cannot be switched.
    pub fn toggle(&mut self, session_data: &SessionData) -> Result<(), String> {
        let (set, position) = match self.selected() {
            Some(IndexRow::Index(index)) => {
                if !session_data.indexes[index].is_tested() && !self.enabled.contains(&index) {
                    return Err("this index was not tested, so its effect is unknown".to_owned());
                }
                (&mut self.enabled, index)
            }
            Some(IndexRow::Existing(finding)) => (&mut self.fixes, finding),
            _ => return Ok(()),
        };
        if !set.remove(&position) {
            set.insert(position);
        }
        Ok(())
    }

    /// Adds up what the workload costs with what is on, or what the marked statements (statements) of it do.
    pub fn update_totals(&mut self, session_data: &SessionData, marks: &BTreeSet<usize>) {
        let Estimate {
            before,
            after,
            basis,
        } = session_data.estimate(&self.enabled);
        let (before, after) = (
            session_data.among(marks, before),
            session_data.among(marks, after),
        );
        self.totals = Some(SelectionTotals {
            before: total(&before),
            after: total(&after),
            marked: Some(marks.len()).filter(|marked| *marked > 0),
            basis,
            size: self
                .enabled
                .iter()
                .filter_map(|index| session_data.indexes.get(*index)?.size)
                .sum(),
            changes: changes(session_data, &before, &after),
        });
    }

    /// The statements that make what is on real, a line each; none when nothing is on.
    pub fn ddl(&self, session_data: &SessionData) -> Option<String> {
        let create = session_data.ddl(&self.enabled).into_iter();
        let drop = self
            .fixes
            .iter()
            .filter_map(|finding| session_data.existing.get(*finding))
            .map(ExistingFinding::statement);
        let statements: Vec<String> = create.chain(drop).collect();
        (!statements.is_empty()).then(|| statements.join("\n") + "\n")
    }
}

fn changes(session_data: &SessionData, before: &Costs, after: &Costs) -> Vec<(usize, Cost, Cost)> {
    let change = |(position, statement): (usize, &crate::tui::session_data::StatementView)| {
        let (before, after) = (
            before.get(&statement.source.id)?,
            after.get(&statement.source.id)?,
        );
        let changed = before.cost.saved_share(after.cost).abs() > crate::verdict::WORSE_SHARE;
        changed.then_some((
            before.calls * (before.cost.0 - after.cost.0),
            (position, before.cost, after.cost),
        ))
    };
    let mut changes: Vec<_> = session_data
        .statements
        .iter()
        .enumerate()
        .filter_map(change)
        .collect();
    changes.sort_by(|(a_saved, a), (b_saved, b)| b_saved.total_cmp(a_saved).then(a.0.cmp(&b.0)));
    changes.into_iter().map(|(_, change)| change).collect()
}
