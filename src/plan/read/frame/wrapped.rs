//! psql's format wrapped without borders: lines broken at the width of the screen, anywhere.
//!
//! A broken line has a mark at the last column of the screen: `.`, in the line style unicode `…`, in
//! old-ascii a blank. With border 1 the rest begins with the same mark, with border 0 with nothing
//! (src/fe_utils/print.c, `print_aligned_text`). The text itself has dots at these places too, so
//! all lines of the full width are looked at together.

use std::borrow::Cow;

use super::broken_lines::{begins_own_line, ends_in_numbers};
use super::line::FramedLine;

/// Narrower screens do not occur.
const MIN_WIDTH: usize = 40;

/// Joins the lines that psql broke; false when it broke none.
pub(super) fn join(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let inner: Vec<Cow<'_, str>> = lines.iter().map(|line| inside(&line.text)).collect();
    let Some(wrap) = Wrap::of(&inner) else {
        return false;
    };
    let mut joined: Vec<FramedLine<'_>> = Vec::with_capacity(lines.len());
    let mut goes_on = false;
    for (line, inner) in lines.iter().zip(&inner) {
        let broken = wrap.is_broken(inner);
        if !goes_on && !broken {
            joined.push(line.clone());
            continue;
        }
        let mut text: &str = inner;
        if broken {
            text = text.strip_suffix(wrap.mark).unwrap_or(text);
        }
        if goes_on && wrap.marks_rest {
            text = text.strip_prefix(wrap.mark).unwrap_or(text);
        }
        match joined.last_mut() {
            Some(last) if goes_on => last.text.to_mut().push_str(text),
            _ => joined.push(FramedLine {
                number: line.number,
                text: Cow::Owned(text.to_owned()),
            }),
        }
        goes_on = broken;
    }
    *lines = joined;
    true
}

/// The text between the borders of old-ascii, without the blanks that fill it up; all of other lines.
fn inside(line: &str) -> Cow<'_, str> {
    let cell = line
        .strip_prefix('|')
        .and_then(|rest| rest.trim_end().strip_suffix('|'));
    match cell.filter(|cell| !cell.contains(" | ") && !cell.contains(['+', '.', '↵', '…'])) {
        _ if cell.is_none() => Cow::Borrowed(line),
        _ => {
            let cell = cell.unwrap_or(line);
            let text = cell.trim_end();
            let end = if text.len() + 1 == cell.len() {
                cell
            } else {
                text
            };
            Cow::Borrowed(end)
        }
    }
}

/// How lines are broken.
struct Wrap {
    width: usize,
    mark: char,
    /// Whether the rest of a broken line begins with the mark.
    marks_rest: bool,
}

impl Wrap {
    fn of(lines: &[Cow<'_, str>]) -> Option<Wrap> {
        let count = |line: &str| line.chars().count();
        let of_plan = || lines.iter().filter(|line| !is_of_table(line));
        let width = of_plan().map(|line| count(line)).max()?;
        let mark = of_plan()
            .find(|line| count(line) == width)?
            .chars()
            .next_back()?;
        if width < MIN_WIDTH || !matches!(mark, '.' | '…' | ' ') {
            return None;
        }
        let wrap = Wrap {
            width,
            mark,
            marks_rest: false,
        };
        let all_marked = of_plan()
            .filter(|line| count(line) == width)
            .all(|line| line.ends_with(mark));
        let pairs: Vec<(&str, &str)> = lines
            .windows(2)
            .filter(|pair| wrap.is_broken(&pair[0]))
            .map(|pair| (&*pair[0], &*pair[1]))
            .collect();
        let own = |(_, next): &(&str, &str)| {
            let next = next.trim_start_matches(mark);
            let is_rest = ["Usage: ", "Memory: ", "Memory Usage: ", "Batches: "]
                .iter()
                .any(|rest| next.starts_with(rest));
            next.trim().is_empty() || (begins_own_line(next) && !is_rest)
        };
        if !all_marked || pairs.is_empty() || pairs.iter().any(own) {
            return None;
        }
        let root = lines
            .iter()
            .find(|line| line.contains("(cost=") || line.contains("(actual "));
        let marks_rest = root.is_some_and(|root| root.starts_with(' '))
            && pairs.iter().all(|(_, next)| next.starts_with(mark));
        let wrap = Wrap { marks_rest, ..wrap };
        // As they stand the numbers of one line at least make no sense: a terminal may break where a
        // number has its dot.
        let is_needed = pairs.iter().any(|(line, next)| {
            ends_in_numbers(line) && (wrap.marks_rest || !is_number_field(&boundary(line, next)))
        });
        (is_needed && pairs.iter().all(|pair| wrap.is_plausible(pair))).then_some(wrap)
    }

    fn is_broken(&self, line: &str) -> bool {
        line.ends_with(self.mark) && line.chars().count() == self.width && !is_of_table(line)
    }

    /// Whether the two lines make sense as one: no number runs into a word or into another number, as
    /// it would where the mark is a part of the text.
    fn is_plausible(&self, (line, next): &(&str, &str)) -> bool {
        let line = line.strip_suffix(self.mark).unwrap_or(line);
        let next = match self.marks_rest {
            true => next.strip_prefix(self.mark).unwrap_or(next),
            false => next,
        };
        !ends_in_numbers(line) || is_number_field(&boundary(line, next))
    }
}

/// The word that the end of a line and the beginning of the next make together.
fn boundary(line: &str, next: &str) -> String {
    let last = line.rsplit([' ', '(']).next().unwrap_or_default();
    let first = next.split([' ', ')']).next().unwrap_or_default();
    format!("{last}{first}")
}

/// `cost=0.00..1.00`, `rows=5`, `actual`; nothing when a line was broken between them.
fn is_number_field(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else {
        return word.chars().all(|c| c.is_ascii_alphabetic());
    };
    let has_decimals = |number: &str, wanted: usize| {
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_padded = whole.len() > 1 && whole.starts_with('0');
        !whole.is_empty()
            && digits(whole)
            && digits(decimals)
            && !is_padded
            && decimals.len() == wanted
    };
    let is_range = |decimals| {
        value.split_once("..").is_some_and(|(start, end)| {
            has_decimals(start, decimals) && has_decimals(end, decimals)
        })
    };
    match name {
        "cost" => is_range(2),
        "time" => is_range(3),
        "rows" => has_decimals(value, 0) || has_decimals(value, 2),
        "width" | "loops" => has_decimals(value, 0),
        _ => false,
    }
}

/// The header of a table, or a line below or above it.
fn is_of_table(line: &str) -> bool {
    let line = line.trim();
    let is_border = |c: char| matches!(c, '-' | '+') || ('\u{2500}'..='\u{257f}').contains(&c);
    line == "QUERY PLAN" || (!line.is_empty() && line.chars().all(is_border))
}
