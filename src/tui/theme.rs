//! Styles. They use only attributes and the sixteen colours of the terminal's own theme, which are
//! readable on light and dark backgrounds without a query. A mark or a word shows whatever a colour
//! shows.

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

    /// Less important text.
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The selected line. In one colour: reversed, a coloured text would be a block, and a bar
    /// could not be told from the blank behind it.
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

    /// Keys in the footer, keywords of SQL.
    pub fn key(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Strings and numbers of SQL.
    pub fn literal(self) -> Style {
        self.colour(Color::Magenta)
    }
}
