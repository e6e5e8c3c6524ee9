//! Two plans of one statement, before and after, aligned node by node ([`crate::plan::alignment`]).
//!
//! What does the same thing stands on one line. Nodes that do it another way are marked on both sides; those that are only there
//! before or only after are marked on their side; `~` marks one that is in both, in another place.

use super::layout::{cut, fitted, wrapped};
use super::tree::{NodeLines, lines};
use super::{BAD, DIM, GOOD, HOT, styled};
use crate::plan::alignment::{AlignedNodes, align};
use crate::plan::metrics::metrics;
use crate::plan::{NodeId, Plan};
use crate::report::heat;

/// Columns for a cost.
const COST_COLUMNS: usize = 9;

/// Columns of a half that hold no text: the mark before it and the star behind it.
const MARGIN_COLUMNS: usize = 2 + 2;

/// A condition of more lines than this is cut.
const MAX_LINES: usize = 3;

/// One half of a line.
#[derive(Debug, Clone, Default)]
struct Cell {
    mark: Mark,
    text: String,
    cost: String,
    hot: bool,
    detail: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mark {
    #[default]
    Same,
    Before,
    After,
    Moved,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Filled up to the line between the two.
    Left,
    /// Nothing follows: it ends where its text ends.
    Right,
}

/// The two plans in two columns; with nothing after, the plan and a word.
pub(crate) fn write(before: &Plan, after: Option<&Plan>, width: usize) -> String {
    let column = (width - 3) / 2;
    let mut text = String::new();
    let titles = (
        Cell {
            text: "BEFORE".to_owned(),
            cost: "cost".to_owned(),
            detail: true,
            ..Cell::default()
        },
        Cell {
            text: "AFTER".to_owned(),
            cost: "cost".to_owned(),
            detail: true,
            ..Cell::default()
        },
    );
    for (left, right) in std::iter::once(titles).chain(rows(before, after, column)) {
        let line = format!(
            "{} │ {}",
            write_cell(&left, column, Side::Left),
            write_cell(&right, column, Side::Right)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn rows(before: &Plan, after: Option<&Plan>, columns: usize) -> Vec<(Cell, Cell)> {
    let old = nodes(before);
    let Some(after) = after else {
        let words =
            std::iter::once("(no recommended index on its tables)").chain(std::iter::repeat(""));
        let cells = old
            .iter()
            .flat_map(|node| cells_of(node, Mark::Same, columns))
            .zip(words);
        return cells
            .map(|(cell, word)| {
                (
                    cell,
                    Cell {
                        text: word.to_owned(),
                        detail: true,
                        ..Cell::default()
                    },
                )
            })
            .collect();
    };
    let new = nodes(after);
    let alignment = align(before, after);
    let left = |id: NodeId, mark| cells_of(&old[id.0], mark, columns);
    let right = |id: NodeId, mark| cells_of(&new[id.0], mark, columns);
    let mut rows = Rows::default();
    for step in alignment.steps() {
        match step {
            AlignedNodes::Both(a, b) if old[a.0].0.identity == new[b.0].0.identity => {
                rows.beside(left(a, Mark::Same), right(b, Mark::Same));
            }
            AlignedNodes::Both(a, b) => rows.beside(left(a, Mark::Before), right(b, Mark::After)),
            AlignedNodes::Before(a) => {
                let same = alignment
                    .in_after(a)
                    .is_some_and(|b| old[a.0].0.identity == new[b.0].0.identity);
                rows.left
                    .extend(left(a, if same { Mark::Moved } else { Mark::Before }));
            }
            AlignedNodes::After(b) => {
                let same = alignment
                    .in_before(b)
                    .is_some_and(|a| old[a.0].0.identity == new[b.0].0.identity);
                rows.right
                    .extend(right(b, if same { Mark::Moved } else { Mark::After }));
            }
        }
    }
    rows.finish()
}

/// Lines of both sides; what stands only on one side waits until the next line that both have.
#[derive(Default)]
struct Rows {
    done: Vec<(Cell, Cell)>,
    left: Vec<Cell>,
    right: Vec<Cell>,
}

impl Rows {
    fn beside(&mut self, left: Vec<Cell>, right: Vec<Cell>) {
        self.flush();
        (self.left, self.right) = (left, right);
        self.flush();
    }

    fn flush(&mut self) {
        let (mut left, mut right) = (self.left.drain(..), self.right.drain(..));
        loop {
            match (left.next(), right.next()) {
                (None, None) => break,
                (left, right) => self
                    .done
                    .push((left.unwrap_or_default(), right.unwrap_or_default())),
            }
        }
    }

    fn finish(mut self) -> Vec<(Cell, Cell)> {
        self.flush();
        self.done
    }
}

fn nodes(plan: &Plan) -> Vec<(NodeLines, bool)> {
    lines(plan)
        .into_iter()
        .zip(heat(&metrics(plan)))
        .map(|(lines, (_, hot))| (lines, hot))
        .collect()
}

/// A node's lines; what is too long for the column goes on below, up to [`MAX_LINES`].
fn cells_of((lines, hot): &(NodeLines, bool), mark: Mark, columns: usize) -> Vec<Cell> {
    let room = columns.saturating_sub(MARGIN_COLUMNS);
    let below = format!("{}  ", lines.below);
    let titles = wrapped(
        &lines.headline,
        room.saturating_sub(COST_COLUMNS + 1),
        &below,
        MAX_LINES,
    );
    let first = Cell {
        mark,
        cost: lines.cost.clone(),
        hot: *hot,
        ..Cell::default()
    };
    let more = std::iter::repeat(Cell {
        mark: Mark::Same,
        ..Cell::default()
    });
    let headline = std::iter::once(first)
        .chain(more)
        .zip(titles)
        .map(|(cell, text)| Cell { text, ..cell });
    let below = format!("{below}  ");
    let details = lines
        .details
        .iter()
        .flat_map(|detail| wrapped(detail, room, &below, MAX_LINES));
    headline
        .chain(details.map(|text| Cell {
            text,
            detail: true,
            ..Cell::default()
        }))
        .collect()
}

/// `- └─ Seq Scan on jobs            10,673 *`: mark, text, cost and, for the costliest nodes, a star.
fn write_cell(cell: &Cell, columns: usize, side: Side) -> String {
    let room = columns.saturating_sub(MARGIN_COLUMNS);
    let (mark, style) = match cell.mark {
        Mark::Same => (' ', None),
        Mark::Before => ('-', Some(BAD)),
        Mark::After => ('+', Some(GOOD)),
        Mark::Moved => ('~', Some(HOT)),
    };
    let body = if cell.cost.is_empty() {
        fitted(&cell.text, room)
    } else {
        let text = fitted(&cell.text, room.saturating_sub(COST_COLUMNS));
        format!("{text}{:>COST_COLUMNS$}", cut(&cell.cost, COST_COLUMNS))
    };
    // The caller trims a line's end, but sees no blanks within a style.
    let body = if side == Side::Right && !cell.hot {
        body.trim_end().to_owned()
    } else {
        body
    };
    if body.is_empty() {
        return body;
    }
    let body = match (cell.detail, style) {
        (true, _) => styled(DIM, body),
        (false, Some(style)) => styled(style, format!("{mark} {body}")),
        (false, None) => body,
    };
    let lead = if !cell.detail && style.is_some() {
        ""
    } else {
        "  "
    };
    let star = if cell.hot {
        styled(HOT, " *")
    } else {
        "  ".to_owned()
    };
    format!("{lead}{body}{star}")
}
