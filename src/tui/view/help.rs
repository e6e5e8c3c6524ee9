//! The help: the key table, as text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::paint::line;
use crate::tui::cells::left;
use crate::tui::keymap::{BINDINGS, Binding, Scope, Screen, labels};
use crate::tui::model::Model;

/// A line of the help.
enum HelpLine {
    Head(&'static str),
    Key(&'static Binding),
    Blank,
}

/// The keys of the current screen come first.
fn all(screen: Screen) -> Vec<HelpLine> {
    let of = |scope: Scope| {
        let bindings = BINDINGS
            .iter()
            .filter(move |binding| binding.scope == scope)
            .map(HelpLine::Key);
        std::iter::once(HelpLine::Head(scope.title()))
            .chain(bindings)
            .chain(std::iter::once(HelpLine::Blank))
    };
    let (here, elsewhere): (Vec<Scope>, Vec<Scope>) = Scope::ALL
        .into_iter()
        .partition(|scope| *scope == Scope::On(screen));
    here.into_iter().chain(elsewhere).flat_map(of).collect()
}

/// Draws it over the screen.
pub fn draw(model: &Model, scrolled: usize, buffer: &mut Buffer) {
    let theme = model.theme;
    let area = Rect::new(0, 1, model.size.columns, model.size.lines.saturating_sub(3));
    for number in 0..usize::from(area.height) {
        line(
            buffer,
            area,
            number,
            Line::raw(" ".repeat(usize::from(area.width))),
        );
    }
    line(
        buffer,
        area,
        0,
        Line::styled(" Keys   ? or Esc closes, ↓ ↑ scroll", theme.bold()),
    );
    let room = usize::from(area.height).saturating_sub(1);
    for (number, index) in all(model.navigation.screen)
        .iter()
        .skip(scrolled)
        .take(room)
        .enumerate()
    {
        let text = match index {
            HelpLine::Head(title) => Line::styled(format!(" {title}"), theme.bold()),
            HelpLine::Key(binding) => {
                let keys = labels(binding, " ", usize::MAX);
                Line::from(vec![
                    Span::raw("   "),
                    left(&keys, 16, theme.key()),
                    Span::raw(binding.help),
                ])
            }
            HelpLine::Blank => Line::default(),
        };
        line(buffer, area, 1 + number, text);
    }
}
