//! The parentheses after a headline:
//! `(cost=0.00..1.00 rows=1 width=4) (actual time=0.01..0.02 rows=1 loops=1)`.

use serde_json::{Map, Value};

use crate::plan::read::error::Reason;
use crate::plan::read::number::number;

/// A headline and the contents of the parentheses after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split<'a> {
    pub(super) title: &'a str,
    pub(super) cost: Option<&'a str>,
    pub(super) actual: Option<&'a str>,
    pub(super) never_executed: bool,
}

/// Splits off the parentheses. They are searched from the end, because the title may contain
/// anything in quotes.
pub(super) fn split(headline: &str) -> Result<Split<'_>, Reason> {
    let mut split = Split {
        title: headline.trim_end(),
        cost: None,
        actual: None,
        never_executed: false,
    };
    if let Some(rest) = split
        .title
        .strip_suffix("(never executed)")
        .filter(|rest| rest.is_empty() || rest.ends_with(' '))
    {
        split.title = rest.trim_end();
        split.never_executed = true;
    }
    (split.title, split.actual) = take(split.title, "(actual ")?;
    (split.title, split.cost) = take(split.title, "(cost=")?;
    if split.cost.is_none() && split.actual.is_none() && begins_numbers(split.title) {
        return Err(Reason::Truncated("the parentheses after a node"));
    }
    Ok(split)
}

/// Whether a title ends with the first characters of what follows it: `Hash  (cos`.
fn begins_numbers(title: &str) -> bool {
    let Some((before, begun)) = title.rsplit_once('(') else {
        return false;
    };
    let is_begun = |whole: &str| whole.starts_with(begun.trim_end());
    before.ends_with(' ')
        && (is_begun("cost=") || is_begun("actual ") || is_begun("never executed"))
}

/// Splits off the last parentheses, when they are of this kind and at the end.
fn take<'a>(text: &'a str, opening: &str) -> Result<(&'a str, Option<&'a str>), Reason> {
    let Some(at) = text
        .rfind(opening)
        .filter(|at| *at == 0 || text.get(..*at).is_some_and(|before| before.ends_with(' ')))
    else {
        return Ok((text, None));
    };
    let inside = text.get(at + 1..).unwrap_or_default();
    match inside.strip_suffix(')') {
        Some(inside) if !inside.contains([')', '(', '"', '\'']) => {
            let inside = inside.strip_prefix("actual ").unwrap_or(inside);
            Ok((text.get(..at).unwrap_or_default().trim_end(), Some(inside)))
        }
        Some(_) => Ok((text, None)),
        None if inside.contains(')') => Ok((text, None)),
        None => Err(Reason::Truncated("the parentheses after a node")),
    }
}

/// `cost=0.00..1.00 rows=1 width=4`
pub(super) fn add_cost(inside: &str, properties: &mut Map<String, Value>) -> Result<(), Reason> {
    for word in inside.split_ascii_whitespace() {
        match word.split_once('=') {
            Some(("cost", range)) => {
                let Some((startup, total)) = range.split_once("..") else {
                    // MySQL's FORMAT=TREE has one number here.
                    return Err(Reason::OtherDatabase("MySQL or MariaDB"));
                };
                add(properties, "Startup Cost", startup)?;
                add(properties, "Total Cost", total)?;
            }
            Some(("rows", rows)) => add(properties, "Plan Rows", rows)?,
            Some(("width", width)) => add(properties, "Plan Width", width)?,
            Some((other, value)) => add(properties, other, value)?,
            None => return Err(unreadable(word)),
        }
    }
    Ok(())
}

/// `time=0.01..0.02 rows=1 loops=1`
pub(super) fn add_actual(inside: &str, properties: &mut Map<String, Value>) -> Result<(), Reason> {
    for word in inside.split_ascii_whitespace() {
        match word.split_once('=') {
            Some(("time", range)) => {
                let (startup, total) = range.split_once("..").ok_or_else(|| unreadable(word))?;
                add(properties, "Actual Startup Time", startup)?;
                add(properties, "Actual Total Time", total)?;
            }
            Some(("rows", rows)) => add(properties, "Actual Rows", rows)?,
            Some(("loops", loops)) => add(properties, "Actual Loops", loops)?,
            Some((other, value)) => add(properties, other, value)?,
            None => return Err(unreadable(word)),
        }
    }
    Ok(())
}

/// Adds a property that is a number, or returns why it is not one.
pub(super) fn add(
    properties: &mut Map<String, Value>,
    property: &str,
    digits: &str,
) -> Result<(), Reason> {
    let value = number(digits).ok_or_else(|| not_a_number(property, digits))?;
    properties.insert(property.to_owned(), value);
    Ok(())
}

fn not_a_number(property: &str, digits: &str) -> Reason {
    if digits.is_empty() || digits.ends_with(['.', '-']) {
        Reason::Truncated("a number")
    } else if digits
        .trim_start_matches('-')
        .starts_with(|first: char| first.is_ascii_digit())
        || matches!(
            digits.to_ascii_lowercase().trim_start_matches('-'),
            "nan" | "inf" | "infinity"
        )
    {
        Reason::NotFinite(digits.to_owned())
    } else {
        Reason::WrongType {
            property: property.to_owned(),
            expected: "a number",
        }
    }
}

fn unreadable(word: &str) -> Reason {
    Reason::Syntax(format!(
        "unexpected \"{word}\" in the parentheses after a node"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parentheses_are_taken_off_from_the_end() {
        let split =
            split("Seq Scan on \"a  (cost=1\"  (cost=0.00..1.00 rows=1 width=4) (actual rows=1.50 loops=2)").unwrap();
        assert_eq!(split.title, "Seq Scan on \"a  (cost=1\"");
        let mut properties = Map::new();
        add_cost(split.cost.unwrap(), &mut properties).unwrap();
        add_actual(split.actual.unwrap(), &mut properties).unwrap();
        let expected = json!({"Startup Cost": 0.0, "Total Cost": 1.0, "Plan Rows": 1, "Plan Width": 4, "Actual Rows": 1.5, "Actual Loops": 2});
        assert_eq!(Value::Object(properties), expected);
    }

    #[test]
    fn damage_is_named() {
        assert_eq!(
            split("Limit  (cost=0.0"),
            Err(Reason::Truncated("the parentheses after a node"))
        );
        assert!(split("Result (never executed)").unwrap().never_executed);
        let reasons = [
            "cost=0.35",
            "cost=0..NaN",
            "cost=0..1e999",
            "cost=a..b",
            "cost=0..",
            "what",
        ];
        let reasons = reasons.map(|inside| add_cost(inside, &mut Map::new()).unwrap_err());
        assert!(matches!(reasons[0], Reason::OtherDatabase(_)));
        assert!(matches!(reasons[1], Reason::NotFinite(_)));
        assert!(matches!(reasons[2], Reason::NotFinite(_)));
        assert!(matches!(reasons[3], Reason::WrongType { .. }));
        assert!(matches!(reasons[4], Reason::Truncated(_)));
        assert!(matches!(reasons[5], Reason::Syntax(_)));
    }
}
