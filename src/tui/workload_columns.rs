//! The columns of the statements: their widths, and which one is under the mouse.

use super::screen::workload::Sort;
use super::session_data::TimeCoverage;

/// The bar before a share.
pub const BAR: usize = 8;
/// A share.
pub const SHARE: usize = 7;
/// A mean time.
pub const TIME: usize = 11;
/// The number of calls.
pub const CALLS: usize = 9;
/// A cost.
pub const NUMBER: usize = 12;
/// A gain.
pub const GAIN: usize = 9;
/// The number of findings.
pub const FINDINGS: usize = 4;
/// What happened to a statement: ` plan flipped`.
const CHANGE: usize = 14;
/// The marks before a line.
pub const MARKS: usize = 3;

/// With less room than this, no text is shown beside the numbers.
const MIN_TEXT: usize = 24;

/// With fewer columns than this, columns that are also shown elsewhere are left out.
const NARROW: u16 = 100;

/// The columns' widths: the name gets what the numbers leave, the text what the name leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The heading of the shares.
    pub share: &'static str,
    /// The bar before a share; 0 where there is none.
    pub bar: usize,
    /// The name.
    pub name: usize,
    /// The mean time; 0 where no statement has one.
    pub time: usize,
    /// The cost with the indexes that are on; 0 where there is no room.
    pub after: usize,
    /// The indexes that help; 0 where there is no room.
    pub helped_by: usize,
    /// The beginning of the text; 0 where there is no room.
    pub sql: usize,
}

/// The columns in so much room; of a comparison the words for what changed need more than the ids of
/// indexes.
pub fn columns(width: u16, time_coverage: TimeCoverage, is_comparison: bool) -> Columns {
    let (after, helped_by) = match (width < NARROW, is_comparison) {
        (true, false) => (0, 0),
        (true, true) => (0, CHANGE),
        (false, false) => (NUMBER, 9),
        (false, true) => (NUMBER, CHANGE),
    };
    let time = if time_coverage == TimeCoverage::None {
        0
    } else {
        TIME
    };
    let bar = if width < NARROW && time > 0 { 0 } else { BAR };
    let numbers = CALLS + time + NUMBER + after + GAIN;
    let room =
        usize::from(width).saturating_sub(MARKS + bar + SHARE + numbers + helped_by + FINDINGS);
    let (name, sql) = match room.saturating_sub(36 + 2) {
        sql if sql < MIN_TEXT => (room, 0),
        sql => (36, sql),
    };
    let share = match (time_coverage, bar) {
        (TimeCoverage::Majority, 0) => "%time",
        (_, 0) => "%cost",
        (TimeCoverage::Majority, _) => "share of time",
        _ => "share of cost",
    };
    Columns {
        share,
        bar,
        name,
        time,
        after,
        helped_by,
        sql,
    }
}

impl Columns {
    /// What statements are sorted by when the heading at this column is clicked.
    pub fn at(&self, column: usize) -> Option<Sort> {
        let widths = [
            (MARKS + self.bar + SHARE, Some(Sort::Share)),
            (self.name, Some(Sort::Name)),
            (CALLS, Some(Sort::Calls)),
            (self.time, Some(Sort::Time)),
            (NUMBER, Some(Sort::Cost)),
            (self.after, Some(Sort::Gain)),
            (GAIN, Some(Sort::Gain)),
        ];
        let mut end = 0;
        widths.into_iter().find_map(|(width, sort)| {
            end += width;
            (column < end).then_some(sort)
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_where_its_column_is() {
        let wide = columns(120, TimeCoverage::Majority, false);
        let narrow = columns(80, TimeCoverage::None, true);
        assert_eq!(wide.at(0), Some(Sort::Share));
        assert_eq!(wide.at(119), None);
        for columns in [wide, narrow] {
            let name = MARKS + columns.bar + SHARE;
            assert_eq!(columns.at(name), Some(Sort::Name));
            assert_eq!(columns.at(name + columns.name), Some(Sort::Calls));
            let after_calls = name + columns.name + CALLS;
            let expected = if columns.time > 0 {
                Sort::Time
            } else {
                Sort::Cost
            };
            assert_eq!(columns.at(after_calls), Some(expected));
        }
    }
}
