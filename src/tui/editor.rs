//! One line of text that is being typed.

use unicode_segmentation::UnicodeSegmentation;

use super::keymap::Action;

/// A text and the cursor in it. The cursor moves by graphemes: what looks like one letter is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextInput {
    text: String,
    /// A byte offset, always between two graphemes or at an end.
    cursor: usize,
}

impl TextInput {
    /// An input with this text and the cursor behind it.
    pub fn new(text: &str) -> TextInput {
        TextInput {
            text: text.to_owned(),
            cursor: text.len(),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Inserts text at the cursor; line breaks become spaces.
    pub fn insert(&mut self, text: &str) {
        let text = text.replace(|character: char| character.is_control(), " ");
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
    }

    /// Puts a text in place of what is between this byte and the cursor.
    pub fn replace_before_cursor(&mut self, start: usize, text: &str) {
        self.text.replace_range(start..self.cursor, text);
        self.cursor = start + text.len();
    }

    /// Moves the cursor or deletes text.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::EraseLeft => {
                let end = self.cursor;
                self.cursor = self.left();
                self.text.replace_range(self.cursor..end, "");
            }
            Action::EraseRight => {
                let end = self.right();
                self.text.replace_range(self.cursor..end, "");
            }
            Action::EraseWord => {
                let before = self.before_cursor().trim_end();
                let is_apart = |character: char| !character.is_alphanumeric() && character != '_';
                let last = before.char_indices().rev().find(|(_, c)| is_apart(*c));
                let start = match last {
                    // What is no word is deleted by itself.
                    Some((at, c)) if at + c.len_utf8() == before.len() => at,
                    Some((at, c)) => at + c.len_utf8(),
                    None => 0,
                };
                self.replace_before_cursor(start, "");
            }
            Action::EraseAll => *self = TextInput::default(),
            Action::CursorLeft => self.cursor = self.left(),
            Action::CursorRight => self.cursor = self.right(),
            Action::CursorHome => self.cursor = 0,
            Action::CursorEnd => self.cursor = self.text.len(),
            _ => {}
        }
    }

    /// The beginning of the grapheme before the cursor.
    fn left(&self) -> usize {
        let before = self.before_cursor().graphemes(true).next_back();
        self.cursor - before.map_or(0, str::len)
    }

    /// The end of the grapheme after the cursor.
    fn right(&self) -> usize {
        let after = self.text[self.cursor..].graphemes(true).next();
        self.cursor + after.map_or(0, str::len)
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
            (input.text(), input.before_cursor()),
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

    #[test]
    fn words_are_deleted_backwards() {
        let mut input = TextInput::new("CREATE INDEX ON größe (a_b, c)");
        let mut seen = Vec::new();
        for _ in 0..5 {
            input.act(Action::EraseWord);
            seen.push(input.text().to_owned());
        }
        let expected = ["(a_b, c", "(a_b, ", "(a_b", "(", ""];
        let expected = expected.map(|end| format!("CREATE INDEX ON größe {end}"));
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_cursor_moves_and_deletes_by_graphemes() {
        let mut input = TextInput::new("ae\u{301}👨\u{200d}👩\u{200d}👧b");
        input.act(Action::CursorLeft);
        input.act(Action::EraseLeft);
        assert_eq!(input.text(), "ae\u{301}b");
        input.act(Action::CursorLeft);
        assert_eq!(input.before_cursor(), "a");
        input.act(Action::EraseRight);
        assert_eq!(input.text(), "ab");
    }
}
