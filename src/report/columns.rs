//! Rows of short texts in columns, one line each: what does not fit the last column is cut.

use anstyle::Style;

use super::style::styled;
use crate::text_layout::{display_width, truncate};

/// Columns between two columns.
const GAP: &str = "  ";

/// A text of one line in a style.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    text: String,
    style: Style,
    align: Align,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

/// A text that begins at the left.
pub(super) fn left(style: Style, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        style,
        align: Align::Left,
    }
}

/// A number, which ends at the right.
pub(super) fn right(style: Style, text: impl Into<String>) -> Cell {
    Cell {
        align: Align::Right,
        ..left(style, text)
    }
}

/// A line for each row.
pub(super) fn lines(rows: &[Vec<Cell>], width: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widths = cells.map(|cell| display_width(&cell.text));
        widths.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    rows.iter().map(|row| line(row, &widths, width)).collect()
}

fn line(row: &[Cell], widths: &[usize], width: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    for (number, (cell, columns)) in row.iter().zip(widths).enumerate() {
        if number > 0 {
            line += GAP;
            used += GAP.len();
        }
        let is_last = number + 1 == row.len();
        let text = if is_last {
            truncate(&cell.text, width.saturating_sub(used))
        } else {
            cell.text.clone()
        };
        let padding = " ".repeat(columns.saturating_sub(display_width(&text)));
        let shown = styled(cell.style, text);
        line += &match (cell.align, is_last) {
            (Align::Right, _) => padding + &shown,
            (Align::Left, true) => shown,
            (Align::Left, false) => shown + &padding,
        };
        used += columns;
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::{BOLD, PLAIN};

    #[test]
    fn numbers_stand_below_each_other_and_the_last_column_is_cut() {
        let rows = [
            vec![left(BOLD, "r1"), right(PLAIN, "41 %"), left(PLAIN, "abc")],
            vec![
                left(BOLD, "r10"),
                right(PLAIN, "5 %"),
                left(PLAIN, "abcdefgh"),
            ],
        ];
        let text = lines(&rows, 16).join("\n");
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(text, "r1   41 %  abc\nr10   5 %  abcd…");
    }
}
