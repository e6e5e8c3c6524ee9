//! Two plans of one statement, before and after, aligned node by node ([`crate::plan::alignment`]).
//!
//! Nodes that do the same are on one line. Nodes that do the same in another way are marked on both
//! sides. Nodes that are only in one plan are marked on their side; `~` marks a node that is in
//! both, at another position.

use super::tree::{NodeLines, lines};
use crate::plan::alignment::{AlignedNodes, align};
use crate::plan::metrics::metrics;
use crate::plan::{NodeId, Plan};
use crate::report::heat::heat;
use crate::report::style::{BAD, DIM, GOOD, HOT, styled};
use crate::text_layout::{fit, truncate, wrap_hanging};

/// Columns for a cost.
const COST_COLUMNS: usize = 9;

/// Columns of a half without text: the mark before the text and the star after it.
const MARGIN_COLUMNS: usize = 2 + 2;

/// A condition of more lines than this is cut.
const MAX_LINES: usize = 3;

/// One half of a line.
#[derive(Debug, Clone, Default)]
struct Cell {
    change: CellChange,
    text: String,
    cost: String,
    hot: bool,
    detail: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum CellChange {
    #[default]
    Same,
    Before,
    After,
    Moved,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Padded up to the line between the two.
    Left,
    /// Not padded, because nothing follows.
    Right,
}

/// The two plans in two columns; without a plan after, the plan before and a note.
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
            write_cell(&left, column, Column::Left),
            write_cell(&right, column, Column::Right)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn rows(before: &Plan, after: Option<&Plan>, columns: usize) -> Vec<(Cell, Cell)> {
    match after {
        Some(after) => aligned_rows(before, after, columns),
        None => rows_without_after(before, columns),
    }
}

/// The plan before, with a note beside its first line.
fn rows_without_after(before: &Plan, columns: usize) -> Vec<(Cell, Cell)> {
    let notes =
        std::iter::once("(no recommended index on its tables)").chain(std::iter::repeat(""));
    let right = notes.map(|note| Cell {
        text: note.to_owned(),
        detail: true,
        ..Cell::default()
    });
    nodes(before)
        .iter()
        .flat_map(|node| cells_of(node, CellChange::Same, columns))
        .zip(right)
        .collect()
}

fn aligned_rows(before: &Plan, after: &Plan, columns: usize) -> Vec<(Cell, Cell)> {
    let (old, new) = (nodes(before), nodes(after));
    let alignment = align(before, after);
    let left = |id: NodeId, change| cells_of(&old[id.0], change, columns);
    let right = |id: NodeId, change| cells_of(&new[id.0], change, columns);
    let same = |a: NodeId, b: NodeId| old[a.0].0.identity == new[b.0].0.identity;
    let moved_or = |is_moved: bool, change| if is_moved { CellChange::Moved } else { change };
    let mut rows = RowBuilder::default();
    for step in alignment.steps() {
        match step {
            AlignedNodes::Both(a, b) if same(a, b) => {
                rows.beside(left(a, CellChange::Same), right(b, CellChange::Same));
            }
            AlignedNodes::Both(a, b) => {
                rows.beside(left(a, CellChange::Before), right(b, CellChange::After))
            }
            AlignedNodes::Before(a) => {
                let is_moved = alignment.in_after(a).is_some_and(|b| same(a, b));
                rows.left
                    .extend(left(a, moved_or(is_moved, CellChange::Before)));
            }
            AlignedNodes::After(b) => {
                let is_moved = alignment.in_before(b).is_some_and(|a| same(a, b));
                rows.right
                    .extend(right(b, moved_or(is_moved, CellChange::After)));
            }
        }
    }
    rows.finish()
}

/// Lines of both sides; lines of one side only wait until the next line that both have.
#[derive(Default)]
struct RowBuilder {
    done: Vec<(Cell, Cell)>,
    left: Vec<Cell>,
    right: Vec<Cell>,
}

impl RowBuilder {
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
fn cells_of((lines, hot): &(NodeLines, bool), change: CellChange, columns: usize) -> Vec<Cell> {
    let room = columns.saturating_sub(MARGIN_COLUMNS);
    let below = format!("{}  ", lines.below);
    let titles = wrap_hanging(
        &lines.headline,
        room.saturating_sub(COST_COLUMNS + 1),
        &below,
        MAX_LINES,
    );
    let first = Cell {
        change,
        cost: lines.cost.clone(),
        hot: *hot,
        ..Cell::default()
    };
    let more = std::iter::repeat(Cell {
        change: CellChange::Same,
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
        .flat_map(|detail| wrap_hanging(detail, room, &below, MAX_LINES));
    headline
        .chain(details.map(|text| Cell {
            text,
            detail: true,
            ..Cell::default()
        }))
        .collect()
}

/// `- └─ Seq Scan on jobs            10,673 *`: mark, text, cost and, for the costliest nodes, a
/// star.
fn write_cell(cell: &Cell, columns: usize, column: Column) -> String {
    let room = columns.saturating_sub(MARGIN_COLUMNS);
    let (mark, style) = match cell.change {
        CellChange::Same => (' ', None),
        CellChange::Before => ('-', Some(BAD)),
        CellChange::After => ('+', Some(GOOD)),
        CellChange::Moved => ('~', Some(HOT)),
    };
    let body = if cell.cost.is_empty() {
        fit(&cell.text, room)
    } else {
        let text = fit(&cell.text, room.saturating_sub(COST_COLUMNS));
        format!(
            "{text}{:>COST_COLUMNS$}",
            truncate(&cell.cost, COST_COLUMNS)
        )
    };
    // The caller trims the end of a line, but cannot see blanks inside a style.
    let body = if column == Column::Right && !cell.hot {
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
