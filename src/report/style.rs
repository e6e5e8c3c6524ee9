//! Styles and the minimum width of text reports.

use anstyle::{AnsiColor, Style};

/// As it is.
pub(crate) const PLAIN: Style = Style::new();
/// A headline.
pub(crate) const BOLD: Style = Style::new().bold();
/// Less important text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Better, or only after.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Worse, or only before.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Costly.
pub(crate) const HOT: Style = AnsiColor::Yellow.on_default().bold();

/// A report is never narrower than this many terminal columns.
pub const MIN_WIDTH: usize = 60;

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
