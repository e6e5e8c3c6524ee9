//! The words that a statement begins with, of a text of any length.

use super::split::unquoted_characters;

/// The first words of a statement in lower case, at most this many, up to the first character that
/// belongs to no word.
pub fn leading_words(sql: &str, max: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last_end = None;
    for (position, character) in unquoted_characters(sql) {
        let is_part = character.is_alphanumeric() || character == '_';
        if !is_part && !character.is_whitespace() {
            break;
        }
        if !is_part {
            continue;
        }
        let continues = last_end == Some(position);
        if !continues && words.len() == max {
            break;
        }
        match words.last_mut().filter(|_| continues) {
            Some(word) => word.extend(character.to_lowercase()),
            None => words.push(character.to_lowercase().collect()),
        }
        last_end = Some(position + character.len_utf8());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_separate_words_and_are_none() {
        let words = |sql| leading_words(sql, 3).join(" ");
        assert_eq!(words("/* a */ ALTER/**/TABLE t ADD"), "alter table t");
        assert_eq!(words("-- x\nSELECT 'a' b"), "select b");
        assert_eq!(words("VACUUM (FULL) t"), "vacuum");
        assert_eq!(words("(SELECT 1)"), "");
        assert_eq!(words(""), "");
    }
}
