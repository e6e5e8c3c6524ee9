//! Two plans of one statement, before and after, aligned node by node.
//!
//! Nodes are matched in the order they are printed (a difference of two lists, as of two texts): those that do the same stand on
//! one line, the others are marked `-` (only before) and `+` (only after).

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::layout::{cut, fitted};
use super::tree::{NodeLines, lines};
use super::{BAD, DIM, GOOD, HOT, styled};
use crate::plan::Plan;
use crate::report::heat;

/// Columns for a cost.
const COST_COLUMNS: usize = 11;

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
    OnlyBefore,
    OnlyAfter,
}

/// The two plans in two columns; with nothing after, the plan and a word.
pub(super) fn write(before: &Plan, after: Option<&Plan>, width: usize) -> String {
    let column = (width - 3) / 2;
    let mut text = String::new();
    let titles = (
        Cell { text: "BEFORE".to_owned(), cost: "cost".to_owned(), detail: true, ..Cell::default() },
        Cell { text: "AFTER".to_owned(), cost: "cost".to_owned(), detail: true, ..Cell::default() },
    );
    for (left, right) in std::iter::once(titles).chain(rows(before, after)) {
        let line = format!("{} │ {}", write_cell(&left, column), write_cell(&right, column));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn rows(before: &Plan, after: Option<&Plan>) -> Vec<(Cell, Cell)> {
    let old = nodes(before);
    let Some(after) = after else {
        let words = std::iter::once("(no recommended index on its tables)").chain(std::iter::repeat(""));
        let cells = old.iter().flat_map(|node| cells_of(node, Mark::Same)).zip(words);
        return cells
            .map(|(cell, word)| (cell, Cell { text: word.to_owned(), detail: true, ..Cell::default() }))
            .collect();
    };
    let new = nodes(after);
    let identities =
        |nodes: &[(NodeLines, bool)]| nodes.iter().map(|(lines, _)| lines.identity.clone()).collect::<Vec<_>>();
    let operations = capture_diff_slices(Algorithm::Myers, &identities(&old), &identities(&new));
    operations.iter().flat_map(|operation| aligned(operation, &old, &new)).collect()
}

/// The lines of one stretch of the difference: nodes beside each other as far as they go.
fn aligned(operation: &DiffOp, old: &[(NodeLines, bool)], new: &[(NodeLines, bool)]) -> Vec<(Cell, Cell)> {
    let same = matches!(operation, DiffOp::Equal { .. });
    let mark = |mark| if same { Mark::Same } else { mark };
    let (old, new) = (&old[operation.old_range()], &new[operation.new_range()]);
    let pairs = (0..old.len().max(new.len())).map(|row| (old.get(row), new.get(row)));
    pairs
        .flat_map(|(left, right)| {
            let left = left.map_or_else(Vec::new, |node| cells_of(node, mark(Mark::OnlyBefore)));
            let right = right.map_or_else(Vec::new, |node| cells_of(node, mark(Mark::OnlyAfter)));
            let rows = left.len().max(right.len());
            (0..rows).map(move |row| {
                (left.get(row).cloned().unwrap_or_default(), right.get(row).cloned().unwrap_or_default())
            })
        })
        .collect()
}

fn nodes(plan: &Plan) -> Vec<(NodeLines, bool)> {
    lines(plan).into_iter().zip(heat(plan)).map(|(lines, (_, hot))| (lines, hot)).collect()
}

fn cells_of((lines, hot): &(NodeLines, bool), mark: Mark) -> Vec<Cell> {
    let headline = Cell { mark, text: lines.headline.clone(), cost: lines.cost.clone(), hot: *hot, detail: false };
    let details = lines.details.iter().map(|detail| Cell { text: detail.clone(), detail: true, ..Cell::default() });
    std::iter::once(headline).chain(details).collect()
}

/// `- └─ Seq Scan on jobs            10,673 *`: mark, text, cost and, for the costliest nodes, a star.
fn write_cell(cell: &Cell, columns: usize) -> String {
    let room = columns.saturating_sub(2 + 2);
    let (mark, style) = match cell.mark {
        Mark::Same => (' ', None),
        Mark::OnlyBefore => ('-', Some(BAD)),
        Mark::OnlyAfter => ('+', Some(GOOD)),
    };
    let body = if cell.cost.is_empty() {
        fitted(&cell.text, room)
    } else {
        let text = fitted(&cell.text, room.saturating_sub(COST_COLUMNS));
        format!("{text}{:>COST_COLUMNS$}", cut(&cell.cost, COST_COLUMNS))
    };
    let body = match (cell.detail, style) {
        (true, _) => styled(DIM, body),
        (false, Some(style)) => styled(style, format!("{mark} {body}")),
        (false, None) => body,
    };
    let lead = if !cell.detail && style.is_some() { "" } else { "  " };
    let star = if cell.hot { styled(HOT, " *") } else { "  ".to_owned() };
    format!("{lead}{body}{star}")
}
