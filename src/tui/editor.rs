//! One input of text being typed.

use super::keymap::Action;

/// A text and the cursor in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextInput {
    text: Vec<char>,
    cursor: usize,
}

impl TextInput {
    /// With this text, the cursor behind it.
    pub fn new(text: &str) -> TextInput {
        let text: Vec<char> = text.chars().collect();
        TextInput {
            cursor: text.len(),
            text,
        }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What stands before the cursor.
    pub fn before_cursor(&self) -> String {
        self.text[..self.cursor].iter().collect()
    }

    /// Adds text at the cursor; input breaks become spaces.
    pub fn insert(&mut self, text: &str) {
        for character in text.chars() {
            let character = if character.is_control() {
                ' '
            } else {
                character
            };
            self.text.insert(self.cursor, character);
            self.cursor += 1;
        }
    }

    /// Moves and deletes.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::EraseLeft if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            Action::EraseRight if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Action::EraseAll => *self = TextInput::default(),
            Action::CursorLeft => self.cursor = self.cursor.saturating_sub(1),
            Action::CursorRight => self.cursor = (self.cursor + 1).min(self.text.len()),
            Action::CursorHome => self.cursor = 0,
            Action::CursorEnd => self.cursor = self.text.len(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_edited_where_the_cursor_is() {
        let mut input = TextInput::new("größe");
        input.act(Action::CursorLeft);
        input.act(Action::EraseLeft);
        input.insert("ss\n🙂");
        assert_eq!(
            (input.text().as_str(), input.before_cursor().as_str()),
            ("gröss 🙂e", "gröss 🙂")
        );
        input.act(Action::CursorHome);
        input.act(Action::EraseLeft);
        input.act(Action::EraseRight);
        assert_eq!(input.text(), "röss 🙂e");
        input.act(Action::EraseAll);
        input.act(Action::EraseRight);
        assert!(input.is_empty());
    }
}
