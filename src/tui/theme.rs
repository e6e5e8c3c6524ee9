//! Styles. Only the sixteen colours that a terminal's own theme defines, and attributes: right on
//! light and dark backgrounds without a query. Whatever a colour shows, a mark or a word shows,
//! too.

use ratatui::style::{Color, Modifier, Style};

/// With or without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Yes.
    Colours,
    /// No: bold, dim and reversed only.
    Plain,
}

impl Theme {
    fn colour(self, colour: Color) -> Style {
        match self {
            Theme::Colours => Style::new().fg(colour),
            Theme::Plain => Style::new(),
        }
    }

    /// A headline.
    pub fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What may be skipped.
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The selected line. Of one colour: reversed, a coloured text would be a block, and the blank
    /// behind a bar as long as the bar.
    pub fn selected(self) -> Style {
        Style::new()
            .fg(Color::Reset)
            .add_modifier(Modifier::REVERSED)
            .remove_modifier(Modifier::DIM)
    }

    /// Better, or only after.
    pub fn good(self) -> Style {
        self.colour(Color::Green)
    }

    /// Worse, or only before.
    pub fn bad(self) -> Style {
        self.colour(Color::Red)
    }

    /// Costly.
    pub fn hot(self) -> Style {
        self.colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Bars.
    pub fn bar(self) -> Style {
        self.colour(Color::Blue)
    }

    /// Keys in the footer, words of SQL.
    pub fn key(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Strings and numbers of SQL.
    pub fn literal(self) -> Style {
        self.colour(Color::Magenta)
    }
}
