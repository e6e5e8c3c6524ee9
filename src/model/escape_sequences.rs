//! The sequences with which programs colour a terminal, in text that was saved or copied from one.

use std::borrow::Cow;

/// The text without ANSI escape sequences: `ESC [ … letter`, `ESC ] … BEL`, and `ESC` with one more
/// character.
pub fn without_escape_sequences(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        let is_end: fn(char) -> bool = match characters.next() {
            Some('[') => |c| ('\u{40}'..='\u{7e}').contains(&c),
            Some(']') => |c| c == '\u{7}' || c == '\\',
            _ => continue,
        };
        // A sequence ends in its line; else there is none.
        let end = characters
            .clone()
            .take_while(|c| *c != '\n')
            .position(is_end);
        if let Some(end) = end {
            characters.nth(end);
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_links_go_and_text_stays() {
        assert_eq!(
            without_escape_sequences("\u{1b}[1;31mSort\u{1b}[0m  (\u{1b}]8;;x\u{7}a\u{1b}(b)"),
            "Sort  (ab)"
        );
        assert_eq!(without_escape_sequences("a\u{1b}[12\nb"), "a12\nb");
    }
}
