//! psql's expanded output: `-[ RECORD 1 ]---` above each record, and the column's name before its
//! value.
//!
//! The further lines of a value have blanks below the name, and a mark between
//! (src/fe_utils/print.c): `+` or `↵` at the end of the line before a line feed of the value; `.` or
//! `…` at the end of a line that was broken to fit the screen and at the beginning of the next. In
//! the style old-ascii they have `:` and `;` in place of the bar.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::line::FramedLine;
use super::marks::has_numbers;

const BARS: [char; 3] = ['|', '│', '║'];

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^((?:[|│║] )?QUERY PLAN(?: [|│║] |[|│║] ?|,|;|\t| ))(.*)$").ok()
    });
    let Some(named) = NAMED.as_ref() else {
        return false;
    };
    let is_expanded = lines.iter().any(|line| is_record(&line.text))
        || lines.iter().any(|line| names_value(&line.text));
    if !is_expanded || !lines.iter().any(|line| named.is_match(&line.text)) {
        return false;
    }
    let count = |line: &FramedLine<'_>| line.text.chars().count();
    let named_lines = || lines.iter().filter(|line| named.is_match(&line.text));
    // Each line of the format TEXT is a record, which needs no more than one line of the screen.
    let mut values = Values {
        screen: (named_lines().count() > 1)
            .then(|| named_lines().map(count).max())
            .flatten(),
        ..Values::default()
    };
    for line in lines.iter() {
        if is_record(&line.text) || is_rule(&line.text) {
            values.column = None;
            continue;
        }
        match named.captures(&line.text) {
            Some(found) if !is_name_alone(&found[2]) => {
                values.has_border = found[1].starts_with(BARS);
                values.column = (!is_unaligned(&found[1])).then(|| found[1].chars().count());
                values.push(line.number, &found[2]);
                values.fills_screen = Some(count(line)) == values.screen;
            }
            _ => values.further(line),
        }
    }
    *lines = values.lines;
    true
}

/// `QUERY PLAN|Limit`, `QUERY PLAN,Limit`: without headers of records.
fn names_value(line: &str) -> bool {
    let inner = line
        .strip_prefix(BARS)
        .and_then(|inner| inner.strip_prefix(' '))
        .unwrap_or(line);
    let Some(rest) = inner.strip_prefix("QUERY PLAN") else {
        return false;
    };
    let value = rest.trim_start();
    let is_plan = has_numbers(value)
        || ["<explain ", "- Plan:", "[", "{"]
            .iter()
            .any(|begin| value.starts_with(begin));
    let is_blank = rest.starts_with(' ') && is_plan;
    (value.starts_with(BARS) && !is_name_alone(rest))
        || is_blank
        || rest
            .strip_prefix(',')
            .is_some_and(|rest| !rest.trim().is_empty())
}

/// Whether nothing but borders follows the name: the header of a table.
fn is_name_alone(rest: &str) -> bool {
    rest.chars().all(|c| c.is_whitespace() || BARS.contains(&c))
}

/// `-[ RECORD 1 ]----`, `╔═[ RECORD 1 ]═╦══`, `* Record 1`.
fn is_record(line: &str) -> bool {
    let is_border =
        |c: char| c.is_whitespace() || "-+|*".contains(c) || ('\u{2500}'..='\u{257f}').contains(&c);
    let inner = line.trim_matches(is_border);
    let Some(rest) = inner
        .strip_prefix("[ RECORD ")
        .or_else(|| inner.strip_prefix("Record "))
    else {
        return false;
    };
    rest.trim_end_matches(" ]")
        .bytes()
        .all(|byte| byte.is_ascii_digit())
}

/// The last line of a bordered table.
fn is_rule(line: &str) -> bool {
    let trimmed = line.trim();
    trimmed.chars().count() > 3
        && trimmed
            .chars()
            .all(|c| matches!(c, '-' | '+') || ('\u{2500}'..='\u{257f}').contains(&c))
}

/// `QUERY PLAN|`: the further lines of such a value have nothing before them.
fn is_unaligned(name: &str) -> bool {
    name.strip_prefix("QUERY PLAN")
        .is_some_and(|separator| matches!(separator, "|" | "," | ";" | "\t"))
}

#[derive(Default)]
struct Values<'a> {
    lines: Vec<FramedLine<'a>>,
    /// Where values begin; none outside of records.
    column: Option<usize>,
    has_border: bool,
    /// The last line with the blanks at its end.
    last: String,
    /// The width of the screen, where one line is one record.
    screen: Option<usize>,
    /// Whether the last line has that width.
    fills_screen: bool,
}

impl<'a> Values<'a> {
    fn push(&mut self, number: usize, value: &str) {
        self.last = self.without_border(value).to_owned();
        let text = self.last.trim_end().to_owned();
        self.lines.push(FramedLine {
            number,
            text: Cow::Owned(text),
        });
    }

    fn without_border<'t>(&self, value: &'t str) -> &'t str {
        let end = value.trim_end();
        match end.strip_suffix(BARS) {
            Some(inner) if self.has_border => inner.strip_suffix(' ').unwrap_or(inner),
            _ => value,
        }
    }

    /// A line without the name: a further one of the value, or one after the records.
    fn further(&mut self, line: &FramedLine<'a>) {
        let Some((prefix, value)) = self.column.and_then(|column| split_at(&line.text, column))
        else {
            self.lines.push(line.clone());
            return;
        };
        let is_blank = |c: char| " :;.…".contains(c) || BARS.contains(&c);
        if !prefix.chars().all(is_blank) || line.text.trim().is_empty() {
            self.lines.push(line.clone());
            return;
        }
        let marked = prefix.ends_with(['.', '…']);
        // In old-ascii without borders there is no mark.
        let is_open = prefix.trim().is_empty() && self.fills_screen;
        self.fills_screen = is_open && Some(line.text.chars().count()) == self.screen;
        let broken = marked || is_open || prefix.contains(';');
        let whole = self.without_border(value).to_owned();
        let value = whole.trim_end().to_owned();
        let full = std::mem::replace(&mut self.last, whole);
        let Some(last) = self.lines.last_mut() else {
            return;
        };
        let above = last.text.trim_end();
        if broken {
            let above = if marked {
                above.strip_suffix(['.', '…']).unwrap_or(above)
            } else {
                &full
            };
            last.text = Cow::Owned(format!("{above}{value}"));
            return;
        }
        let above = above.strip_suffix(['+', '↵']).unwrap_or(above).trim_end();
        last.text = Cow::Owned(above.to_owned());
        self.lines.push(FramedLine {
            number: line.number,
            text: Cow::Owned(value),
        });
    }
}

/// The first characters of a line, and the rest.
fn split_at(line: &str, column: usize) -> Option<(&str, &str)> {
    let (at, _) = line.char_indices().nth(column)?;
    line.split_at_checked(at)
}
