//! The indexes screen: which indexes are on, and what the workload costs with them.

use std::collections::BTreeSet;

use crate::advise::ExistingFinding;
use crate::model::printable::printable_sql;
use crate::model::{Bytes, Cost};
use crate::search::costs::Costs;
use crate::tui::list::ListState;
use crate::tui::session_data::{Estimate, IndexStatus, IndexView, SessionData, TotalBasis, total};

/// The state of the indexes screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The lines of the list.
    pub rows: Vec<IndexRow>,
    /// The selected line and the scroll position.
    pub list: ListState,
    /// The indexes that are on.
    pub enabled: BTreeSet<usize>,
    /// The existing indexes whose DROP or REINDEX is exported, too.
    pub fixes: BTreeSet<usize>,
    /// The first visible line of the details.
    pub detail: usize,
    /// The totals with the indexes that are on.
    pub totals: Option<SelectionTotals>,
    /// Whether the DDL is printed on exit.
    pub print: bool,
}

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexRow {
    /// A headline.
    Heading(&'static str),
    /// A candidate, or an index that the user wrote.
    Index(usize),
    /// An existing index.
    Existing(usize),
}

/// The totals with the indexes that are on.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionTotals {
    /// Σ calls × cost without new indexes.
    pub before: Cost,
    /// The same with the indexes that are on.
    pub after: Cost,
    /// The number of marked statements it covers; `None`: the whole workload.
    pub marked: Option<usize>,
    /// What that is based on.
    pub basis: TotalBasis,
    /// The size of the indexes that are on.
    pub size: Bytes,
    /// The statements that change: statement, before, after; the largest gain first.
    pub changes: Vec<(usize, Cost, Cost)>,
}

impl State {
    /// The state for new session data: the recommended indexes are on.
    pub fn reset(&mut self, session_data: &SessionData, marks: &BTreeSet<usize>) {
        *self = State {
            enabled: session_data.recommended(),
            ..State::default()
        };
        self.rebuild_rows(session_data);
        self.list.selected = usize::from(self.rows.len() > 1);
        self.update_totals(session_data, marks);
    }

    /// Makes the lines again after an index was added; indexes that are on stay on.
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

    /// Switches the selected index on or off; the caller updates the totals.
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
            Some(IndexRow::Existing(finding)) => {
                if session_data.existing[finding].fix().is_none() {
                    return Err("no statement fixes this without blocking others".to_owned());
                }
                (&mut self.fixes, finding)
            }
            _ => return Ok(()),
        };
        if !set.remove(&position) {
            set.insert(position);
        }
        Ok(())
    }

    /// Updates the totals with the indexes that are on, of the marked statements or of the whole
    /// workload.
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

    /// The DDL of the indexes that are on, a statement in each line; `None` if there is none. It
    /// goes to files, clipboards and terminals, so what cannot be seen is written in SQL's escapes.
    pub fn ddl(&self, session_data: &SessionData) -> Option<String> {
        let create = session_data.ddl(&self.enabled).into_iter();
        let drop = self
            .fixes
            .iter()
            .filter_map(|finding| session_data.existing.get(*finding))
            .filter_map(ExistingFinding::statement);
        let statements: Vec<String> = create
            .chain(drop)
            .map(|sql| printable_sql(&sql).into_owned())
            .collect();
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
