//! The whole report, as `advise --verbose` prints it: recommendations, rewrites and other remedies,
//! what writes cost, parameter values, the gap and the budget curve.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr;

use crate::model::printable;
use crate::text_layout::wrap_hanging;
use crate::tui::find::{Find, found_in};
use crate::tui::list::{ListState, Movement};
use crate::tui::session_data::SessionData;

/// The state of the report screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The report, wrapped to a width.
    pub lines: Vec<String>,
    /// The width that it was written for; 0 before that.
    columns: usize,
    /// The first visible line, and the line of the match.
    pub list: ListState,
    /// What is searched for in it.
    pub find: Find,
}

/// A line in as many as it takes: SQL is longer than the report is wide.
fn whole(line: &str, columns: usize) -> Vec<String> {
    if line.width() <= columns {
        return vec![line.to_owned()];
    }
    let indent = line.len() - line.trim_start().len();
    let indent = " ".repeat(indent.min(columns / 2) + 2);
    wrap_hanging(line, columns, &indent, MAX_WRAPPED)
}

/// A line takes at most so many.
const MAX_WRAPPED: usize = 40;

impl State {
    /// Writes the report, unless it is written for this width.
    pub fn write(
        &mut self,
        session_data: &SessionData,
        selected: &BTreeSet<usize>,
        columns: usize,
    ) {
        let columns = columns.max(40);
        if self.columns == columns {
            return;
        }
        self.columns = columns;
        let text = session_data.report_text(selected, columns);
        self.lines = text
            .lines()
            .flat_map(|line| whole(&printable(line), columns))
            .collect();
    }

    /// There is a new report; it is written when it is shown.
    pub fn forget(&mut self) {
        self.columns = 0;
    }

    /// Scrolls.
    pub fn scroll(&mut self, movement: Movement, height: usize) {
        self.list.scroll(movement, self.lines.len(), height);
    }

    /// Goes to the next line with the text that is searched for; false if there is none.
    pub fn next_match(&mut self, forward: bool, from_here: bool, height: usize) -> bool {
        let at = self.list.selected;
        let text = |line: usize| self.lines[line].clone();
        let found = found_in(&self.find, self.lines.len(), at, (forward, from_here), text);
        if let Some(line) = found {
            self.list
                .select(Movement::To(line), self.lines.len(), height);
        }
        found.is_some()
    }
}
