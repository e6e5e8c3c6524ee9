//! The statements: which are shown, in what order, which is selected.

use std::collections::BTreeSet;

use crate::search::costs::Costs;
use crate::tui::find::{Find, contains};
use crate::tui::list::{ListState, Movement};
use crate::tui::session_data::{SessionData, StatementView, TimeCoverage, Totals};

/// The state of the workload screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The statements that are shown, in order.
    pub visible: Vec<usize>,
    /// The selected line and the scroll position.
    pub list: ListState,
    /// What they are sorted by.
    pub sort: Sort,
    /// The direction of the order.
    pub direction: SortDirection,
    /// Only statements with this in their name or text.
    pub filter: Find,
    /// The statements that are marked: when there are any, all sums are over these.
    pub marks: BTreeSet<usize>,
    /// Are only the marked ones shown?
    pub marked_only: bool,
    /// What the marked statements cost, or all of them when none is marked, without indexes and with
    /// those that are on.
    pub totals: Totals,
    /// What each statement costs with the indexes that are on.
    pub after: Costs,
    /// The first visible line of the details.
    pub detail: usize,
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
    /// The possible gain.
    Gain,
}

/// The direction of the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortDirection {
    /// Large numbers first, but names from A on.
    #[default]
    Usual,
    /// Reversed.
    Reversed,
}

impl Sort {
    /// All of them.
    pub const ALL: [Sort; 6] = [
        Sort::Share,
        Sort::Name,
        Sort::Calls,
        Sort::Time,
        Sort::Cost,
        Sort::Gain,
    ];

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            Sort::Share => "share",
            Sort::Name => "name",
            Sort::Calls => "calls",
            Sort::Time => "time",
            Sort::Cost => "cost",
            Sort::Gain => "gain",
        }
    }

    fn next(self, time_coverage: TimeCoverage) -> Sort {
        match self {
            Sort::Share => Sort::Name,
            Sort::Name => Sort::Calls,
            Sort::Calls if time_coverage != TimeCoverage::None => Sort::Time,
            Sort::Calls | Sort::Time => Sort::Cost,
            Sort::Cost => Sort::Gain,
            Sort::Gain => Sort::Share,
        }
    }
}

impl State {
    /// Sorts by this column; a second time the other way round.
    pub fn sort_by(&mut self, sort: Sort) {
        if self.sort == sort {
            self.reverse();
        } else {
            self.sort = sort;
            self.direction = SortDirection::Usual;
        }
    }

    /// Sorts by the next column. After this and the following methods, the caller arranges the list
    /// again.
    pub fn sort_by_next(&mut self, session_data: &SessionData) {
        self.sort = self.sort.next(session_data.time_coverage);
        self.direction = SortDirection::Usual;
    }

    /// Reverses the order.
    pub fn reverse(&mut self) {
        self.direction = match self.direction {
            SortDirection::Usual => SortDirection::Reversed,
            SortDirection::Reversed => SortDirection::Usual,
        };
    }

    /// Marks or unmarks the selected statement.
    pub fn mark(&mut self) {
        if let Some(statement) = self.selected()
            && !self.marks.remove(&statement)
        {
            self.marks.insert(statement);
        }
    }

    /// Marks everything that is shown; if all of it is marked, unmarks it.
    pub fn mark_shown(&mut self) {
        let shown: BTreeSet<usize> = self.visible.iter().copied().collect();
        if shown.is_subset(&self.marks) {
            self.marks.retain(|statement| !shown.contains(statement));
        } else {
            self.marks.extend(shown);
        }
    }

    /// Sums, filters and sorts; the selected statement stays selected if it is still shown.
    pub fn arrange(&mut self, session_data: &SessionData, height: usize) {
        let selected = self.selected();
        let statements = &session_data.statements;
        self.marks.retain(|statement| *statement < statements.len());
        self.marked_only &= !self.marks.is_empty();
        let is_shown = |statement: &usize| {
            statements[*statement].is_listed()
                && self.matches(&statements[*statement])
                && (!self.marked_only || self.marks.contains(statement))
        };
        let mut visible: Vec<usize> = (0..statements.len()).filter(is_shown).collect();
        let (sort, gain) = (self.sort, |view: &StatementView| self.factor(view));
        visible
            .sort_by(|a, b| compare(sort, &statements[*a], &statements[*b], &gain).then(a.cmp(b)));
        if self.direction == SortDirection::Reversed {
            visible.reverse();
        }
        self.visible = visible;
        let place = selected
            .and_then(|statement| self.visible.iter().position(|shown| *shown == statement))
            .unwrap_or(0);
        self.list
            .select(Movement::To(place), self.visible.len(), height);
    }

    fn matches(&self, statement: &StatementView) -> bool {
        if !self.filter.is_active() {
            return true;
        }
        match self.filter.text.chars().any(char::is_uppercase) {
            true => contains(
                &format!("{} {}", statement.source.id, statement.source.sql),
                &self.filter.text,
            ),
            false => statement.search_text.contains(&self.filter.text),
        }
    }

    /// What a statement costs with the indexes that are on; none where that is not known.
    pub fn cost_after(&self, statement: &StatementView) -> Option<crate::model::Cost> {
        Some(self.after.get(&statement.source.id)?.cost)
    }

    /// How many times lower its cost is with the indexes that are on.
    pub fn factor(&self, statement: &StatementView) -> f64 {
        statement
            .cost()
            .zip(self.cost_after(statement))
            .map_or(1.0, |(before, after)| before.factor_to(after))
    }

    /// The selected statement.
    pub fn selected(&self) -> Option<usize> {
        self.visible.get(self.list.selected).copied()
    }
}

fn compare(
    sort: Sort,
    a: &StatementView,
    b: &StatementView,
    gain: &dyn Fn(&StatementView) -> f64,
) -> std::cmp::Ordering {
    // Unknown values come last.
    let cost = |statement: &StatementView| statement.cost().map_or(-1.0, |cost| cost.0);
    let share = |statement: &StatementView| statement.share.unwrap_or(-1.0);
    let time = |statement: &StatementView| statement.source.mean_time_ms.unwrap_or(-1.0);
    match sort {
        Sort::Share => share(b).total_cmp(&share(a)),
        Sort::Name => a.source.id.cmp(&b.source.id),
        Sort::Calls => {
            let calls = |view: &StatementView| view.source.calls_with_any_values();
            calls(b).total_cmp(&calls(a))
        }
        Sort::Time => time(b).total_cmp(&time(a)),
        Sort::Cost => cost(b).total_cmp(&cost(a)),
        Sort::Gain => gain(b).total_cmp(&gain(a)),
    }
}
