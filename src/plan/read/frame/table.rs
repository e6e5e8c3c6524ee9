//! Tables of one column around a plan: psql's aligned, bordered (ASCII and Unicode) and
//! wrapped output, and Markdown's.
//!
//! psql marks a line that continues in the same row with `+` (Unicode: `↵`) at its end, and one it
//! broke to fit the screen with `.` (Unicode: `…`) at its end and before the next
//! (src/fe_utils/print.c). The first is a line of its own within the value, the second is not.

use std::borrow::Cow;

use super::line::FramedLine;

/// Removes tables.
pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let any = |holds: fn(&str) -> bool| lines.iter().any(|line| holds(&line.text));
    let bordered = any(is_ruler) && any(|line| bordered(line).is_some());
    // Without a header the mark of continuation has to be there from the beginning: a literal may
    // end in a plus.
    let first = lines.iter().find(|line| !line.text.trim().is_empty());
    let continued = first.is_some_and(|line| line.text.trim_end().ends_with(['+', '↵']));
    if !(bordered || any(is_header) || continued) {
        return false;
    }
    let barred =
        any(|line| trailing_bar(line).is_some() && line.trim_start().starts_with("QUERY PLAN"));
    let before = lines.len();
    lines.retain(|line| !is_header(&line.text) && !is_ruler(&line.text) && !is_record(&line.text));
    let mut changed = lines.len() < before;
    for line in lines.iter_mut() {
        let mut stripped = cell(&line.text, bordered);
        if barred && !bordered {
            stripped = Cow::Borrowed(trailing_bar(&line.text).unwrap_or(&line.text));
        }
        if stripped != line.text {
            line.text = Cow::Owned(stripped.into_owned());
            changed = true;
        }
    }
    join_wrapped(lines) || changed
}

/// DBeaver's text has a bar behind each line.
fn trailing_bar(line: &str) -> Option<&str> {
    line.trim_end().strip_suffix(['|', '│']).map(str::trim_end)
}

/// `Record 1`, of which the borders are removed already.
fn is_record(line: &str) -> bool {
    line.trim().strip_prefix("Record ").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The text of a line between the table's borders.
fn cell(line: &str, is_bordered: bool) -> Cow<'_, str> {
    let inside = if is_bordered {
        bordered(line).unwrap_or(line)
    } else {
        line
    };
    let text = without_continuation(inside);
    // Markdown has to escape bars within cells.
    if is_bordered && inside.len() < line.len() && text.contains("\\|") {
        return Cow::Owned(text.replace("\\|", "|"));
    }
    Cow::Borrowed(text)
}

/// `| text |` or `│ text │`, perhaps with a mark of continuation before the right border.
fn bordered(line: &str) -> Option<&str> {
    let trimmed = line.trim();
    for border in ['|', '│', '║'] {
        if let Some(inside) = trimmed
            .strip_prefix(border)
            .and_then(|rest| rest.strip_suffix(border))
        {
            return Some(inside.trim_end());
        }
    }
    None
}

fn is_header(line: &str) -> bool {
    let trimmed = line.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '|' | '│' | '║' | '"' | '*' | '+' | '#')
    });
    matches!(trimmed, "QUERY PLAN" | "query plan" | "QUERY_PLAN")
}

/// `-----`, `+----+`, `├────┤`, `|:---|`.
fn is_ruler(line: &str) -> bool {
    let trimmed = line.trim();
    let dashes = trimmed
        .chars()
        .filter(|c| matches!(c, '-' | '─' | '═'))
        .count();
    dashes >= 3
        && trimmed != "---"
        && trimmed
            .chars()
            .all(|c| is_line_drawing(c) || matches!(c, '-' | '+' | '|' | ':' | ' '))
}

fn is_line_drawing(character: char) -> bool {
    ('\u{2500}'..='\u{257f}').contains(&character)
}

/// Removes the mark of a line that continues in the same row.
fn without_continuation(line: &str) -> &str {
    let trimmed = line.trim_end();
    trimmed
        .strip_suffix(['+', '↵'])
        .map_or(trimmed, str::trim_end)
}

/// Whether the dots of two lines are those of `1.00..2.00`, which a terminal broke between them.
fn breaks_range(line: &str, next: &str) -> bool {
    let number = line.rsplit('=').next().unwrap_or_default();
    let is_number = number
        .strip_suffix('.')
        .and_then(|number| number.split_once('.'))
        .is_some_and(|(_, decimals)| {
            matches!(decimals.len(), 2 | 3) && decimals.bytes().all(|byte| byte.is_ascii_digit())
        });
    let begins = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    is_number && next.strip_prefix('.').is_some_and(begins)
}

/// Joins lines that psql broke to fit the screen.
fn join_wrapped(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let wraps = |text: &str, next: Option<&str>| {
        let is_next = next.is_some_and(|next| next.trim_start_matches('│').starts_with(['.', '…']));
        is_next && text.ends_with(['.', '…']) && !next.is_some_and(|next| breaks_range(text, next))
    };
    let mut joined: Vec<FramedLine<'_>> = Vec::with_capacity(lines.len());
    let mut goes_on = false;
    let mut changed = false;
    for index in 0..lines.len() {
        let next = lines.get(index + 1).map(|line| line.text.clone());
        let Some(line) = lines.get(index) else { break };
        let wrapped = wraps(&line.text, next.as_deref());
        let mut text: &str = &line.text;
        if goes_on {
            text = text
                .trim_start_matches('│')
                .strip_prefix(['.', '…'])
                .unwrap_or(text);
        }
        if wrapped {
            text = text.strip_suffix(['.', '…']).unwrap_or(text);
        }
        match joined.last_mut() {
            Some(last) if goes_on => last.text.to_mut().push_str(text),
            _ => joined.push(FramedLine {
                number: line.number,
                text: Cow::Owned(text.to_owned()),
            }),
        }
        goes_on = wrapped;
        changed |= wrapped;
    }
    if changed {
        *lines = joined;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> Vec<String> {
        let number = |(index, line): (usize, &str)| FramedLine {
            number: index + 1,
            text: Cow::Owned(line.to_owned()),
        };
        let mut lines: Vec<_> = text.lines().enumerate().map(number).collect();
        strip(&mut lines);
        lines
            .into_iter()
            .map(|line| line.text.trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn psql_and_markdown_tables_come_off() {
        let plan = [" Limit", "   ->  Result"];
        for framed in [
            " QUERY PLAN \n------------\n Limit\n   ->  Result\n",
            "+------------+\n| QUERY PLAN |\n+------------+\n| Limit      |\n|   ->  Result |\n+------------+\n",
            "┌────────────┐\n│ QUERY PLAN │\n├────────────┤\n│ Limit      │\n│   ->  Result │\n└────────────┘\n",
            "| QUERY PLAN |\n|------------|\n| Limit |\n|   ->  Result |\n",
            " QUERY PLAN\n-----------\n Limit     +\n   ->  Result\n",
            " QUERY PLAN\n-----------\n Lim.\n.it\n   ->  Res.\n.ult\n",
            " QUERY PLAN\n───────────\n Lim…\n…it\n   ->  Result\n",
        ] {
            assert_eq!(stripped(framed), plan, "{framed}");
        }
    }
}
