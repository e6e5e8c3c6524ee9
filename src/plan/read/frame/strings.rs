//! Plans whose lines stand in string literals of a program's source or output, where the text as a
//! whole is no value: lines of an array without its brackets, concatenated strings, INSERT statements,
//! dumps of PHP, Go, Elixir and Java.

use std::borrow::Cow;

use super::super::text::begins_with_operation;
use super::line::FramedLine;
use super::marks::has_numbers;
use super::program::joined;
use super::values::is_plain_json;

/// Puts the content of the literals in the place of the lines, when each node of the plan is in one.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let first = lines.iter().find(|line| has_numbers(&line.text));
    let is_in_program = first.is_some_and(|line| stands_in_program(&line.text));
    let may_be_json = first.is_none() && lines.iter().any(|line| line.text.contains("Plan"));
    if !is_in_program && !may_be_json {
        return false;
    }
    let text = joined(lines);
    if is_plain_json(&text) {
        return false;
    }
    let literals = literals(&text);
    if may_be_json {
        return document(lines, &literals) || lines_of_document(lines, &literals);
    }
    let nodes = text.matches("(cost=").count() + text.matches("(actual ").count();
    let in_literals: usize = literals
        .iter()
        .map(|literal| {
            literal.text.matches("(cost=").count() + literal.text.matches("(actual ").count()
        })
        .sum();
    let Some(root) = literals
        .iter()
        .position(|literal| begins_with_node(&literal.text))
    else {
        return false;
    };
    if nodes == 0 || in_literals != nodes {
        return false;
    }
    let place = literals.get(root).map(|literal| literal.place);
    let mut unwrapped = Vec::new();
    for literal in literals.iter().skip(root) {
        if Some(literal.place) != place || is_column_name(&literal.text) {
            continue;
        }
        let number = lines.get(literal.line).map_or(1, |line| line.number);
        for part in literal.text.trim_end_matches('\n').split('\n') {
            unwrapped.push(FramedLine {
                number,
                text: Cow::Owned(part.to_owned()),
            });
        }
    }
    *lines = unwrapped;
    true
}

/// Whether a text is a plan in another format than TEXT.
fn is_document(text: &str) -> bool {
    is_plain_json(text) || begins_document(text)
}

fn begins_document(text: &str) -> bool {
    let begin = text.trim_start();
    begin.starts_with("<explain ") || begin.starts_with("- Plan:")
}

/// Puts a literal that is a whole plan in the place of the lines.
fn document(lines: &mut Vec<FramedLine<'_>>, literals: &[Found]) -> bool {
    let plans: Vec<&Found> = literals
        .iter()
        .filter(|literal| is_document(&literal.text) && literal.text.contains('\n'))
        .collect();
    let mut unwrapped = Vec::new();
    for literal in &plans {
        let number = lines.get(literal.line).map_or(1, |line| line.number);
        unwrapped.extend(literal.text.lines().map(|part| FramedLine {
            number,
            text: Cow::Owned(part.to_owned()),
        }));
    }
    if !plans.is_empty() {
        *lines = unwrapped;
    }
    !plans.is_empty()
}

/// Puts literals that are together the lines of a plan in the place of the lines.
fn lines_of_document(lines: &mut Vec<FramedLine<'_>>, literals: &[Found]) -> bool {
    let is_key = |literal: &Found| {
        literal.text.trim_start().starts_with("\"Plan\":") || begins_document(&literal.text)
    };
    let Some(key) = literals.iter().position(is_key) else {
        return false;
    };
    let Some(first) = literals.get(key) else {
        return false;
    };
    let place = first.place;
    let from = if begins_document(&first.text) { key } else { 0 };
    let parts: Vec<&Found> = literals
        .iter()
        .skip(from)
        .filter(|literal| literal.place == place && !is_column_name(&literal.text))
        .collect();
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    if !is_document(&texts.join("\n")) {
        return false;
    }
    let unwrapped = parts.iter().map(|part| FramedLine {
        number: lines.get(part.line).map_or(1, |line| line.number),
        text: Cow::Owned(part.text.clone()),
    });
    *lines = unwrapped.collect();
    true
}

/// Whether the quote before a node is not all that surrounds it: CSV and what pgAdmin copies are
/// frames of their own.
fn stands_in_program(line: &str) -> bool {
    let trimmed = line.trim();
    let Some(at) = trimmed.find("(cost=").or_else(|| trimmed.find("(actual ")) else {
        return false;
    };
    let Some(quote) = trimmed
        .get(..at)
        .and_then(|before| before.find(['"', '\'', '`']))
    else {
        return false;
    };
    if quote > 0 {
        return true;
    }
    trimmed.ends_with("',") || trimmed.ends_with("\",") || trimmed.contains("\\n")
}

fn is_column_name(text: &str) -> bool {
    let name = text.trim();
    name.eq_ignore_ascii_case("query plan") || name.eq_ignore_ascii_case("query_plan")
}

/// Whether a literal begins with a node: what stands between two quoted names does not.
fn begins_with_node(text: &str) -> bool {
    let end = text.find(" (cost=").or_else(|| text.find(" (actual "));
    let title = end.and_then(|end| text.get(..end)).map(str::trim);
    title.is_some_and(begins_with_operation)
}

/// Each literal that does not end is searched for its end in the whole text; more are not.
const MAX_UNENDED: usize = 50;

/// Where a literal stands: behind a name, or by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Value,
    Element,
}

struct Found {
    text: String,
    /// The index of the line in which it begins.
    line: usize,
    place: Place,
}

/// All string literals of a text.
fn literals(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let (mut at, mut line, mut unended) = (0, 0, 0);
    let mut before: Option<char> = None;
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let place = place(before);
        let is_quote = matches!(character, '"' | '\'' | '`') && unended < MAX_UNENDED;
        let found_here = place.filter(|_| is_quote).map(|place| {
            let literal = literal(text.get(at..).unwrap_or_default(), character);
            (place, literal)
        });
        unended += usize::from(matches!(found_here, Some((_, None))));
        if let Some((place, Some((content, length)))) = found_here {
            let whole = text.get(at..at + length).unwrap_or_default();
            found.push(Found {
                text: content,
                line,
                place,
            });
            line += whole.matches('\n').count();
            at += length;
            before = Some(character);
            continue;
        }
        if character == '\n' {
            line += 1;
            before = None;
        } else if !character.is_whitespace() {
            before = Some(character);
        }
        at += character.len_utf8();
    }
    found
}

/// Where a literal can begin, by the last character before it; none at the beginning of a line.
fn place(before: Option<char>) -> Option<Place> {
    match before {
        None | Some('[' | '(' | '{' | ',' | '+' | '@' | '$') => Some(Place::Element),
        Some(':' | '=' | '>') => Some(Place::Value),
        Some(_) => None,
    }
}

/// The content and the length of the literal that a text begins with. A quote that no punctuation
/// follows belongs to the content, as where a program does not escape quotes.
fn literal(text: &str, quote: char) -> Option<(String, usize)> {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    if let Some(inner) = text.strip_prefix(triple.as_str()) {
        let end = inner.find(triple.as_str())?;
        let content = inner.get(..end)?.trim_start_matches('\n');
        return Some((content.to_owned(), end + 6));
    }
    let escapes = has_escapes(text.get(1..)?, quote);
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && escapes {
            let (_, escaped) = characters.next()?;
            match escaped {
                'n' => content.push('\n'),
                't' => content.push('\t'),
                'r' => {}
                '"' | '\'' | '\\' | '`' | '/' => content.push(escaped),
                other => content.extend(['\\', other]),
            }
        } else if character == quote {
            let is_doubled = characters.peek().is_some_and(|(_, next)| *next == quote);
            if is_doubled && at > 1 {
                characters.next();
                content.push(quote);
            } else if ends_literal(text.get(at + 1..).unwrap_or_default()) {
                return Some((content, at + 1));
            } else {
                content.push(quote);
            }
        } else {
            content.push(character);
        }
    }
    None
}

/// Whether a backslash escapes in the literal: not where a quote within it is doubled (CSV, SQL, C#).
fn has_escapes(inner: &str, quote: char) -> bool {
    let Some((before, behind)) = inner.split_once(quote) else {
        return true;
    };
    before.is_empty() || before.ends_with('\\') || !behind.starts_with(quote)
}

fn ends_literal(behind: &str) -> bool {
    let trimmed = behind.trim_start_matches([' ', '\t']);
    match trimmed.chars().next() {
        None | Some('\n' | '\r' | ')' | ']' | '}' | ',' | ';' | '+' | '.' | '=') => true,
        // `<Record QUERY PLAN='…'>`
        Some('>') => behind.starts_with('>'),
        // A name behind it: `"QUERY PLAN": "…"`; not a cast within a plan.
        Some(':') => !trimmed.starts_with("::"),
        // `msg="…" component=db`
        Some(first) => {
            trimmed.len() < behind.len()
                && first.is_ascii_alphabetic()
                && trimmed
                    .split([' ', '\n'])
                    .next()
                    .is_some_and(|word| word.contains('=') && !word.contains(['(', ')']))
        }
    }
}
