//! The statements: which are shown, in what order, which is selected.

use std::collections::BTreeSet;

use crate::tui::editor::Line;
use crate::tui::list::{List, Step};
use crate::tui::session_data::{Card, SessionData, Timed, Totals};

/// What is seen of the workload.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The cards that are shown, in order.
    pub order: Vec<usize>,
    /// Where we are in them.
    pub list: List,
    /// What they are sorted by.
    pub sort: Sort,
    /// Which way.
    pub direction: Direction,
    /// Only statements with this in their name or text.
    pub filter: Line,
    /// The cards that are marked: when there are any, all sums are over these.
    pub marks: BTreeSet<usize>,
    /// Are only the marked ones shown?
    pub marked_only: bool,
    /// What the marked statements cost, or all of them when none is marked.
    pub totals: Totals,
}

/// What statements are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Share of the total time or cost.
    #[default]
    Share,
    /// Name.
    Name,
    /// Calls.
    Calls,
    /// Measured time of one call.
    Time,
    /// Cost of one call.
    Cost,
    /// How much is to be gained.
    Gain,
}

/// Which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// The most interesting first: large numbers, but names from A on.
    #[default]
    Usual,
    /// Turned round.
    Reversed,
}

impl Sort {
    fn next(self, timed: Timed) -> Sort {
        match self {
            Sort::Share => Sort::Name,
            Sort::Name => Sort::Calls,
            Sort::Calls if timed != Timed::Nowhere => Sort::Time,
            Sort::Calls | Sort::Time => Sort::Cost,
            Sort::Cost => Sort::Gain,
            Sort::Gain => Sort::Share,
        }
    }
}

impl State {
    /// Sorts by the next column; as with all that follows, the list is to be arranged again after that.
    pub fn sort_by_next(&mut self, session_data: &SessionData) {
        self.sort = self.sort.next(session_data.timed);
        self.direction = Direction::Usual;
    }

    /// Turns the order round.
    pub fn reverse(&mut self) {
        self.direction = match self.direction {
            Direction::Usual => Direction::Reversed,
            Direction::Reversed => Direction::Usual,
        };
    }

    /// Marks the selected statement, or takes its mark away.
    pub fn mark(&mut self) {
        if let Some(card) = self.selected()
            && !self.marks.remove(&card)
        {
            self.marks.insert(card);
        }
    }

    /// Marks everything that is shown; if it is marked already, takes those marks away.
    pub fn mark_shown(&mut self) {
        let shown: BTreeSet<usize> = self.order.iter().copied().collect();
        if shown.is_subset(&self.marks) {
            self.marks.retain(|card| !shown.contains(card));
        } else {
            self.marks.extend(shown);
        }
    }

    /// Adds up, filters and sorts; whatever was selected stays so if it is still there.
    pub fn arrange(&mut self, session_data: &SessionData, height: usize) {
        let selected = self.selected();
        let wanted = self.filter.text().to_lowercase();
        let cards = &session_data.cards;
        self.marks.retain(|card| *card < cards.len());
        self.marked_only &= !self.marks.is_empty();
        self.totals = session_data.totals(&self.marks);
        let is_shown = |card: &usize| {
            cards[*card].haystack.contains(&wanted)
                && (!self.marked_only || self.marks.contains(card))
        };
        self.order = (0..cards.len()).filter(is_shown).collect();
        let sort = self.sort;
        self.order
            .sort_by(|a, b| compare(sort, &cards[*a], &cards[*b]).then(a.cmp(b)));
        if self.direction == Direction::Reversed {
            self.order.reverse();
        }
        let place = selected
            .and_then(|card| self.order.iter().position(|shown| *shown == card))
            .unwrap_or(0);
        self.list.go(Step::To(place), self.order.len(), height);
    }

    /// The selected card.
    pub fn selected(&self) -> Option<usize> {
        self.order.get(self.list.selected).copied()
    }
}

fn compare(sort: Sort, a: &Card, b: &Card) -> std::cmp::Ordering {
    // What is not known comes after everything that is.
    let cost = |card: &Card| card.cost().map_or(-1.0, |cost| cost.0);
    let share = |card: &Card| card.share.unwrap_or(-1.0);
    let time = |card: &Card| card.statement.mean_time_ms.unwrap_or(-1.0);
    match sort {
        Sort::Share => share(b).total_cmp(&share(a)),
        Sort::Name => a.statement.id.cmp(&b.statement.id),
        Sort::Calls => b.statement.calls.total_cmp(&a.statement.calls),
        Sort::Time => time(b).total_cmp(&time(a)),
        Sort::Cost => cost(b).total_cmp(&cost(a)),
        Sort::Gain => b.factor().total_cmp(&a.factor()),
    }
}
