//! Text in lines of a fixed number of terminal columns: cut, padded and wrapped. The one module
//! that does so, for the reports and the interactive interface.
//!
//! `textwrap` decides where lines end ([`wrap_first_fit`]). The words are our own, for three
//! reasons its `wrap` has no option for: a word may have a style (SQL in colours); a word that is
//! wider than a line is divided between graphemes, not characters; and a number of lines may be the
//! limit. A grapheme is never divided, and its width is what the terminal shows.

use textwrap::core::Fragment;
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Marks a cut.
const ELLIPSIS: &str = "…";

/// A text with fewer columns than this after its indent is cut, not wrapped.
const MIN_WRAP_COLUMNS: usize = 8;

/// The columns a text takes; escape sequences take none.
pub fn display_width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

/// The text in at most this many columns, with `…` at the end if it was cut. For text without
/// escape sequences.
pub fn truncate(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut used = 0;
    let mut kept: String = text
        .graphemes(true)
        .take_while(|grapheme| {
            used += grapheme.width();
            used < columns
        })
        .collect();
    kept.push_str(ELLIPSIS);
    kept
}

/// The text in exactly this many columns: cut as by [`truncate`], or padded at the right. For text
/// without escape sequences.
pub fn fit(text: &str, columns: usize) -> String {
    let text = truncate(text, columns);
    let padding = columns.saturating_sub(text.width());
    text + &" ".repeat(padding)
}

/// The text in at most this number of lines and columns; the last line is cut if the text is
/// longer.
pub fn wrap(text: &str, columns: usize, max_lines: usize) -> Vec<String> {
    wrap_hanging(text, columns.max(MIN_WRAP_COLUMNS), "", max_lines)
}

/// As [`wrap`], with every line but the first behind the indent.
pub fn wrap_hanging(text: &str, columns: usize, indent: &str, max_lines: usize) -> Vec<String> {
    let indented_columns = columns.saturating_sub(indent.width());
    if text.width() <= columns || indented_columns < MIN_WRAP_COLUMNS {
        return vec![truncate(text, columns)];
    }
    let words: Vec<Word<'_, ()>> = words((), text, Some(indented_columns)).collect();
    let lines = wrap_first_fit(&words, &[columns as f64, indented_columns as f64]);
    let indent_of = |number: usize| if number == 0 { "" } else { indent };
    let mut wrapped: Vec<String> = lines
        .iter()
        .take(max_lines)
        .enumerate()
        .map(|(number, line)| {
            format!(
                "{}{}",
                indent_of(number),
                joined(line).trim_end_matches(' ')
            )
        })
        .collect();
    if lines.len() > max_lines
        && let Some(last) = wrapped.last_mut()
    {
        let first = max_lines.saturating_sub(1);
        let rest: String = lines[first..].iter().map(|line| joined(line)).collect();
        *last = truncate(&format!("{}{rest}", indent_of(first)), columns);
    }
    wrapped
}

/// The text with every line behind the indent. A word that is wider than the line stays whole, so
/// that a name or an address can be copied.
pub fn indent(text: &str, indent: &str, columns: usize) -> String {
    const MIN_COLUMNS: usize = 20;
    let room = columns.saturating_sub(indent.width()).max(MIN_COLUMNS);
    let words: Vec<Word<'_, ()>> = words((), text, None).collect();
    let lines = wrap_first_fit(&words, &[room as f64]);
    lines
        .iter()
        .map(|line| format!("{indent}{}", joined(line).trim_end_matches(' ')))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Text in pieces with a style each, wrapped. Line breaks and indentation of the text stay.
pub fn wrap_styled<'t, S: Copy + PartialEq + std::fmt::Debug>(
    pieces: impl IntoIterator<Item = (S, &'t str)>,
    columns: usize,
) -> Vec<Vec<(S, String)>> {
    let columns = columns.max(MIN_WRAP_COLUMNS);
    let mut paragraphs: Vec<Vec<Word<'t, S>>> = vec![Vec::new()];
    for (style, piece) in pieces {
        for (number, text) in piece.split('\n').enumerate() {
            if number > 0 {
                paragraphs.push(Vec::new());
            }
            if let Some(paragraph) = paragraphs.last_mut() {
                paragraph.extend(words(style, text, Some(columns)));
            }
        }
    }
    let lines = paragraphs.iter().flat_map(|paragraph| {
        let lines = wrap_first_fit(paragraph, &[columns as f64]);
        lines.into_iter().map(styled_line)
    });
    lines.collect()
}

/// The text in lines as full as possible, divided anywhere between graphemes: for text that is
/// being typed.
pub fn wrap_anywhere(text: &str, columns: usize) -> Vec<String> {
    let graphemes: Vec<Word<'_, ()>> = text
        .graphemes(true)
        .map(|grapheme| Word::whole((), grapheme))
        .collect();
    let lines = wrap_first_fit(&graphemes, &[columns as f64]);
    lines.into_iter().map(joined).collect()
}

/// `── left ───────── right ──`, to the full width; the parts may have escape sequences.
pub fn titled_rule(left: &str, right: &str, columns: usize) -> String {
    let used = display_width(left) + display_width(right) + 8;
    let middle = columns.saturating_sub(used).max(2);
    let bar = |length: usize| "─".repeat(length);
    format!("{} {left} {} {right} {}", bar(2), bar(middle), bar(2))
}

/// A word with the spaces behind it, or a piece of a word that is wider than a line.
#[derive(Debug, Clone, Copy)]
struct Word<'t, S> {
    style: S,
    text: &'t str,
    width: usize,
    spaces: usize,
}

impl<'t, S> Word<'t, S> {
    fn new(style: S, text: &'t str) -> Word<'t, S> {
        let word = text.trim_end_matches(' ');
        Word {
            style,
            text,
            width: word.width(),
            spaces: text.len() - word.len(),
        }
    }

    /// Its spaces count as text, so that none of them stands beyond the end of a line.
    fn whole(style: S, text: &'t str) -> Word<'t, S> {
        Word {
            style,
            text,
            width: text.width(),
            spaces: 0,
        }
    }
}

impl<S: std::fmt::Debug> Fragment for Word<'_, S> {
    fn width(&self) -> f64 {
        self.width as f64
    }

    fn whitespace_width(&self) -> f64 {
        self.spaces as f64
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

/// The words of a text; one that is wider than the limit comes in pieces of at most that width.
fn words<'t, S: Copy>(
    style: S,
    text: &'t str,
    max_width: Option<usize>,
) -> impl Iterator<Item = Word<'t, S>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = Word::new(style, &rest[..word_end(rest)]);
        let word = match max_width {
            Some(max) if word.width > max => Word::new(style, &rest[..piece_end(rest, max)]),
            _ => word,
        };
        rest = &rest[word.text.len()..];
        (!word.text.is_empty()).then_some(word)
    })
}

/// Where the first word and the spaces behind it end.
fn word_end(text: &str) -> usize {
    let word = text.find(' ').unwrap_or(text.len());
    text[word..]
        .find(|character| character != ' ')
        .map_or(text.len(), |spaces| word + spaces)
}

/// Where a piece of this width ends; at least one grapheme is in it.
fn piece_end(text: &str, max_width: usize) -> usize {
    let mut used = 0;
    text.grapheme_indices(true)
        .find(|(start, grapheme)| {
            used += grapheme.width();
            *start > 0 && used > max_width
        })
        .map_or(text.len(), |(start, _)| start)
}

fn joined<S>(line: &[Word<'_, S>]) -> String {
    line.iter().map(|word| word.text).collect()
}

/// The words of a line, neighbours of one style as one piece.
fn styled_line<S: Copy + PartialEq>(line: &[Word<'_, S>]) -> Vec<(S, String)> {
    let mut pieces: Vec<(S, String)> = Vec::new();
    for word in line {
        match pieces.last_mut() {
            Some((style, piece)) if *style == word.style => piece.push_str(word.text),
            _ => pieces.push((word.style, word.text.to_owned())),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One grapheme of five characters and two columns.
    const FAMILY: &str = "👨\u{200d}👩\u{200d}👧";

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4).width(), 4);
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(truncate("abcdef", 4), "abc…");
        assert_eq!(truncate("abcdef", 0), "");
    }

    #[test]
    fn a_grapheme_is_never_divided() {
        let families = FAMILY.repeat(3);
        assert_eq!(truncate(&families, 5), format!("{FAMILY}{FAMILY}…"));
        assert_eq!(truncate("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        let word = FAMILY.repeat(5);
        assert_eq!(wrap(&word, 8, 9), [FAMILY.repeat(4), FAMILY.to_owned()]);
        assert_eq!(wrap_anywhere(&families, 4)[0], FAMILY.repeat(2));
        let lines = wrap_styled([((), word.as_str())], 8);
        assert_eq!(lines[1], [((), FAMILY.to_owned())]);
    }

    #[test]
    fn lines_fill_the_width_whatever_their_style() {
        let plain = titled_rule("left", "right", 40);
        let styled = titled_rule("\u{1b}[1mleft\u{1b}[0m", "right", 40);
        assert_eq!(display_width(&plain), 40);
        assert_eq!(display_width(&styled), 40);
    }

    #[test]
    fn words_stay_whole_where_they_fit_and_the_last_line_is_cut() {
        assert_eq!(
            wrap("one two threefourfive", 8, 9),
            ["one two", "threefou", "rfive"]
        );
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three f…"]);
        assert_eq!(wrap("日本語日本語", 8, 9), ["日本語日", "本語"]);
        assert_eq!(wrap("", 8, 9), [""]);
    }

    #[test]
    fn long_lines_go_on_behind_their_indent() {
        assert_eq!(
            wrap_hanging("└─ Index Scan using a_long_name on t", 20, "   ", 3),
            ["└─ Index Scan using", "   a_long_name on t"]
        );
        assert_eq!(
            wrap_hanging("abcdefghijklmnopqrs", 10, "  ", 2),
            ["abcdefgh", "  ijklmno…"]
        );
        assert_eq!(wrap_hanging("short", 20, "  ", 3), ["short"]);
        assert_eq!(
            wrap_hanging("no room to wrap", 10, "       ", 3),
            ["no room t…"]
        );
    }

    #[test]
    fn every_line_is_behind_the_indent_and_long_words_stay_whole() {
        assert_eq!(
            indent("one two three four five six", "  ", 22),
            "  one two three four\n  five six"
        );
        let name = "a_name_of_more_than_twenty_columns";
        assert_eq!(
            indent(&format!("drop {name} now"), "", 20),
            format!("drop\n{name}\nnow")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_text_is_lost(text in "[\\PC ]{0,60}", columns in 8usize..30) {
            let lines = wrap(&text, columns, usize::MAX);
            for line in &lines {
                proptest::prop_assert!(line.width() <= columns, "{line:?}");
            }
            let letters = |text: &str| text.split(' ').collect::<String>();
            proptest::prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn any_styled_text_is_wrapped(text in "[\\PC\n]{0,60}", columns in 0usize..30) {
            let lines = wrap_styled([(1, text.as_str())], columns);
            proptest::prop_assert_eq!(lines.len() > text.matches('\n').count(), true);
        }
    }
}
