//! auto_explain's text: the statement and its parameters, and the plan in one of four formats
//! (<https://www.postgresql.org/docs/current/auto-explain.html>).
//!
//! Only the statement and its parameters are read here; the plan remains a text for the readers of
//! plans.

use std::borrow::Cow;

use super::entry::LogEntry;
use super::event::Event;

const QUERY: &str = "Query Text: ";
const PARAMETERS: &str = "Query Parameters: ";

/// A plan that auto_explain logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedPlan {
    /// The statement's text.
    pub query: Option<String>,
    /// Its parameters, from 16 on: `$1 = '5', $2 = NULL`.
    pub parameters: Option<String>,
    /// How long the execution took.
    pub duration_ms: Option<f64>,
    /// The plan as EXPLAIN would have printed it; in the formats other than text, the statement is
    /// still in it.
    pub plan_text: String,
    /// Line of the log where the entry begins.
    pub line: usize,
}

impl LoggedPlan {
    /// The plan in an entry; none when the entry is not from auto_explain.
    pub fn of(entry: &LogEntry) -> Option<LoggedPlan> {
        let Event::Plan { duration_ms, body } = entry.event() else {
            return None;
        };
        let Explained {
            query,
            parameters,
            plan,
        } = explained(body);
        Some(LoggedPlan {
            query: query.map(Cow::into_owned),
            parameters: parameters.map(Cow::into_owned),
            duration_ms: Some(duration_ms),
            plan_text: plan.to_owned(),
            line: entry.line,
        })
    }
}

/// The parts of auto_explain's text.
#[derive(Debug, PartialEq)]
pub(super) struct Explained<'a> {
    pub(super) query: Option<Cow<'a, str>>,
    pub(super) parameters: Option<Cow<'a, str>>,
    pub(super) plan: &'a str,
}

pub(super) fn explained(body: &str) -> Explained<'_> {
    let begin = body.trim_start();
    if begin.starts_with('{') || begin.starts_with('[') {
        let property = |name: &str| json_string(body, &format!("\"{name}\": "));
        Explained {
            query: property("Query Text"),
            parameters: property("Query Parameters"),
            plan: body,
        }
    } else if begin.starts_with('<') {
        Explained {
            query: element(body, "Query-Text"),
            parameters: element(body, "Query-Parameters"),
            plan: body,
        }
    } else if is_yaml(begin) {
        // Its strings are escaped as JSON's are (escape_yaml in explain.c).
        let (query, parameters) = (json_string(begin, QUERY), json_string(begin, PARAMETERS));
        Explained {
            query,
            parameters,
            plan: body,
        }
    } else {
        text(begin)
    }
}

fn is_yaml(body: &str) -> bool {
    body.strip_prefix(QUERY)
        .is_some_and(|rest| rest.starts_with('"'))
        && body.contains("\nPlan: \n  Node Type: ")
        || body.starts_with("Plan: \n")
}

/// The statement may contain anything, even lines of plans. The plan's first line is the last one
/// with costs and without an arrow.
fn text(body: &str) -> Explained<'_> {
    let root = last_line(body, |line| {
        line.contains("  (cost=") && !line.trim_start().starts_with("->")
    });
    let (head, plan) = body.split_at(root.unwrap_or(0));
    let Some(head) = head.strip_prefix(QUERY) else {
        return Explained {
            query: None,
            parameters: None,
            plan,
        };
    };
    let parameters_at = last_line(head, |line| line.starts_with(PARAMETERS)).filter(|at| *at > 0);
    let (query, parameters) = head.split_at(parameters_at.unwrap_or(head.len()));
    let parameters = parameters
        .strip_prefix(PARAMETERS)
        .map(|text| Cow::Borrowed(text.trim_end()));
    Explained {
        query: Some(Cow::Borrowed(query.trim_end())),
        parameters,
        plan,
    }
}

/// Where the last such line begins.
fn last_line(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    let mut end = text.len();
    loop {
        let start = text[..end].rfind('\n').map_or(0, |feed| feed + 1);
        if is_it(&text[start..end]) {
            return Some(start);
        }
        end = start.checked_sub(1)?;
    }
}

/// The first string after that key at the beginning of a line; plans of any depth may follow, so
/// only the string is parsed.
fn json_string<'a>(body: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let at_line_start = |at: &usize| {
        body[..*at]
            .bytes()
            .rev()
            .find(|byte| *byte != b' ')
            .is_none_or(|byte| byte == b'\n')
    };
    let at = body
        .match_indices(key)
        .map(|(at, _)| at)
        .find(at_line_start)?;
    let value = &body[at + key.len()..];
    serde_json::Deserializer::from_str(value)
        .into_iter::<String>()
        .next()?
        .ok()
        .map(Cow::Owned)
}

fn element<'a>(body: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    if !value.contains('&') {
        return Some(Cow::Borrowed(value));
    }
    // The five of escape_xml (xml.c); the ampersand last, or `&amp;lt;` would become `<`.
    let plain = value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x0d;", "\r");
    Some(Cow::Owned(plain.replace("&amp;", "&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_apart(body: &str) -> (Option<String>, Option<String>, &str) {
        let Explained {
            query,
            parameters,
            plan,
        } = explained(body);
        (
            query.map(Cow::into_owned),
            parameters.map(Cow::into_owned),
            plan,
        )
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn text_has_statements_that_look_like_plans() {
        let sql = "select 1 --\nSeq Scan on a  (cost=1..2 rows=3 width=4)\nQuery Parameters: none\n from b";
        let plan = "Limit  (cost=0.00..1.00 rows=1 width=4)\n  ->  Result  (cost=0.00..1.00 rows=1 width=4)";
        let (query, parameters, found) = taken_apart_owned(&format!(
            "Query Text: {sql}\nQuery Parameters: $1 = 'a\nb'\n{plan}"
        ));
        assert_eq!(
            (query, parameters, found.as_str()),
            (some(sql), some("$1 = 'a\nb'"), plan)
        );
    }

    fn taken_apart_owned(body: &str) -> (Option<String>, Option<String>, String) {
        let (query, parameters, plan) = taken_apart(body);
        (query, parameters, plan.to_owned())
    }

    #[test]
    fn the_other_formats_escape() {
        let json = "{\n  \"Query Text\": \"select \\\"a\\\"\\n\\u00e4\",\n  \"Query Parameters\": \"$1 = '5'\",\n  \"Plan\": {}\n}";
        assert_eq!(
            taken_apart(json),
            (some("select \"a\"\nä"), some("$1 = '5'"), json)
        );
        let xml = "<explain xmlns=\"x\">\n  <Query-Text>a &lt; b &amp;amp; c</Query-Text>\n  <Plan></Plan></explain>";
        assert_eq!(taken_apart(xml), (some("a < b &amp; c"), None, xml));
        let yaml = "Query Text: \"select \\\"a\\\"\\n 1\"\nPlan: \n  Node Type: \"Result\"";
        assert_eq!(taken_apart(yaml), (some("select \"a\"\n 1"), None, yaml));
    }

    #[test]
    fn cut_off_texts_give_what_there_is() {
        assert_eq!(
            taken_apart("Query Text: select 1"),
            (None, None, "Query Text: select 1")
        );
        assert_eq!(
            taken_apart("{ \"Query Text\": \"sel"),
            (None, None, "{ \"Query Text\": \"sel")
        );
        assert_eq!(taken_apart(""), (None, None, ""));
    }
}
