//! The indexes screen: which indexes are on, and what the workload costs with them.

use std::collections::BTreeSet;

use crate::advise::ExistingFinding;
use crate::model::printable::printable_sql;
use crate::model::{Bytes, Cost};
use crate::search::costs::Costs;
use crate::tui::find::Find;
use crate::tui::list::{ListState, Movement};
use crate::tui::selection::{Selection, Switches};
use crate::tui::session_data::{Estimate, IndexStatus, IndexView, SessionData, TotalBasis, total};

/// The state of the indexes screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The lines of the list.
    pub rows: Vec<IndexRow>,
    /// The selected line and the scroll position.
    pub list: ListState,
    /// Only indexes with this in their name, definition or reason.
    pub filter: Find,
    /// What they are sorted by, within each group.
    pub sort: IndexSort,
    /// The first visible line of the details.
    pub detail: usize,
    /// The totals with the indexes that are on.
    pub totals: Option<SelectionTotals>,
    /// Whether the DDL is printed on exit.
    pub print: bool,
}

/// What indexes are sorted by, within each group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IndexSort {
    /// By rank: what brings most first.
    #[default]
    Rank,
    /// By table and columns.
    Name,
    /// The largest first.
    Size,
    /// What helps most statements first.
    Statements,
}

impl IndexSort {
    /// All of them, in the order of the key.
    pub const ALL: [IndexSort; 4] = [
        IndexSort::Rank,
        IndexSort::Name,
        IndexSort::Size,
        IndexSort::Statements,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            IndexSort::Rank => "rank",
            IndexSort::Name => "table and columns",
            IndexSort::Size => "size",
            IndexSort::Statements => "statements helped",
        }
    }

    /// The next one.
    pub fn next(self) -> IndexSort {
        let place = Self::ALL.iter().position(|sort| *sort == self);
        Self::ALL[place.map_or(0, |place| (place + 1) % Self::ALL.len())]
    }
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
    /// Makes the lines again; the selected line stays selected where it is still there.
    pub fn arrange(&mut self, session_data: &SessionData, height: usize) {
        let selected = self.selected();
        let of = |wanted: &dyn Fn(&IndexView) -> bool| -> Vec<IndexRow> {
            let mut positions: Vec<usize> = (0..session_data.indexes.len())
                .filter(|index| wanted(&session_data.indexes[*index]))
                .filter(|index| self.matches(&session_data.indexes[*index]))
                .collect();
            self.sort_indexes(session_data, &mut positions);
            positions.into_iter().map(IndexRow::Index).collect()
        };
        let user_defined = |index: &IndexView| index.status == IndexStatus::UserDefined;
        let candidate = |index: &IndexView| index.status == IndexStatus::Candidate;
        let rejected = |index: &IndexView| matches!(index.status, IndexStatus::Rejected { .. });
        let existing = (0..session_data.existing.len())
            .filter(|finding| {
                let index = &session_data.existing[*finding].index;
                !self.filter.is_active() || self.filter.is_in(&index.to_string())
            })
            .map(IndexRow::Existing)
            .collect();
        self.rows = [
            ("Recommended", of(&IndexView::is_recommended)),
            ("Your indexes", of(&user_defined)),
            ("Tested so far", of(&candidate)),
            ("Rejected", of(&rejected)),
            ("Existing indexes", existing),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .flat_map(|(head, rows)| std::iter::once(IndexRow::Heading(head)).chain(rows))
        .collect();
        let place = selected.and_then(|selected| self.rows.iter().position(|row| *row == selected));
        let place = place.filter(|_| !matches!(selected, Some(IndexRow::Heading(_))));
        let place = place.unwrap_or(usize::from(self.rows.len() > 1));
        self.list
            .select(Movement::To(place), self.rows.len(), height);
        if self.list.selected == 1 {
            self.list.offset = 0;
        }
    }

    fn matches(&self, index: &IndexView) -> bool {
        if !self.filter.is_active() {
            return true;
        }
        let definition = index.named.definition.definition();
        let reason = match &index.status {
            IndexStatus::Rejected { reason, detail } => {
                format!("{} {detail}", reason.name().replace('_', " "))
            }
            _ => String::new(),
        };
        let text = format!("{} {} {definition} {reason}", index.id(), index.named.name);
        self.filter.is_in(&text)
    }

    fn sort_indexes(&self, session_data: &SessionData, positions: &mut [usize]) {
        let of = |position: &usize| &session_data.indexes[*position];
        match self.sort {
            IndexSort::Rank => {}
            IndexSort::Name => {
                positions.sort_by_cached_key(|index| of(index).named.definition.definition());
            }
            IndexSort::Size => {
                positions.sort_by_key(|index| std::cmp::Reverse(of(index).size.map(|size| size.0)));
            }
            IndexSort::Statements => {
                positions
                    .sort_by_cached_key(|index| std::cmp::Reverse(session_data.helped(of(index))));
            }
        }
    }

    /// The selected line.
    pub fn selected(&self) -> Option<IndexRow> {
        self.rows.get(self.list.selected).copied()
    }

    /// What is on once the selected line is switched.
    ///
    /// # Errors
    /// Why it cannot be switched.
    pub fn toggled(
        &self,
        session_data: &SessionData,
        selection: &Selection,
    ) -> Result<Switches, String> {
        let mut switches = selection.switches().clone();
        let (set, position) = match self.selected() {
            Some(IndexRow::Index(index)) => (&mut switches.indexes, index),
            Some(IndexRow::Existing(finding)) => {
                if session_data.existing[finding].fix().is_none() {
                    return Err("No statement fixes this without blocking others".to_owned());
                }
                (&mut switches.fixes, finding)
            }
            _ => return Ok(switches),
        };
        if !set.remove(&position) {
            set.insert(position);
        }
        Ok(switches)
    }

    /// Updates the totals with the indexes that are on, of the marked statements or of the whole
    /// workload.
    pub fn update_totals(
        &mut self,
        session_data: &SessionData,
        selected: &BTreeSet<usize>,
        estimate: &Estimate,
        marks: &BTreeSet<usize>,
    ) {
        let before = session_data.among(marks, estimate.before.clone());
        let after = session_data.among(marks, estimate.after.clone());
        self.totals = Some(SelectionTotals {
            before: total(&before),
            after: total(&after),
            marked: Some(marks.len()).filter(|marked| *marked > 0),
            basis: estimate.basis,
            size: selected
                .iter()
                .filter_map(|index| session_data.indexes.get(*index)?.size)
                .sum(),
            changes: changes(session_data, &before, &after),
        });
    }

    /// The DDL of the indexes that are on, a statement in each line; `None` if there is none. It
    /// goes to files, clipboards and terminals, so what cannot be seen is written in SQL's escapes.
    pub fn ddl(&self, session_data: &SessionData, selection: &Selection) -> Option<String> {
        let create = session_data.ddl(selection.indexes()).into_iter();
        let drop = selection
            .switches()
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
