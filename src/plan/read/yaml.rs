//! Reads `EXPLAIN (FORMAT YAML)`, line by line.
//!
//! A YAML crate is not used, because EXPLAIN prints a small subset of YAML (indented `Key: value`,
//! `- item`, strings in JSON's quotes, lists of strings in brackets). A crate would also accept
//! anchors and aliases (the billion-laughs attack), recurse over the plan's depth and lose the
//! position of errors, and serde_yaml is no longer maintained. Anchors, aliases, tags and block
//! scalars are refused. Plain and single-quoted strings are accepted, because other programs write
//! them when they save a plan.

use std::borrow::Cow;

use serde_json::Value;

use super::builder::Builder;
use super::error::{OffsetError, Reason};
use super::json;
use super::lines::{SourceLine, lines_from};
use super::number::number;
use super::property::{PropertyType, property_type};

/// Reads the document that begins at `start`; returns where it ends.
pub(crate) fn read_document(
    text: &str,
    start: usize,
    builder: &mut Builder,
) -> Result<usize, OffsetError> {
    let mut reader = YamlReader {
        builder,
        levels: Vec::new(),
        pending: None,
    };
    let mut end = text.len();
    for line in lines_from(text, start) {
        let content = line.text.trim_start_matches(' ').trim_end();
        if content.is_empty() || content == "---" {
            continue;
        }
        let indent = line.text.len() - line.text.trim_start_matches(' ').len();
        if reader.is_behind(indent, content) {
            end = line.offset;
            break;
        }
        reader
            .line(indent, content)
            .map_err(OffsetError::at(line.offset + indent))?;
    }
    reader
        .close_all()
        .map_err(OffsetError::at(end.min(text.len())))?;
    Ok(end)
}

/// Whether a document begins with this line.
pub(crate) fn begins<'a>(
    line: &SourceLine<'a>,
    next: impl FnOnce() -> Option<SourceLine<'a>>,
) -> bool {
    let content = line.text.trim_start();
    let content = content.strip_prefix("- ").map_or(content, str::trim_start);
    let is_plan = matches!(content.trim_end(), "Plan:" | "\"Plan\":");
    // "Plan:" may also be a heading above one.
    let holds_entry = |next: SourceLine<'_>| {
        next.indent() > line.indent() && split_key(next.text.trim()).is_some()
    };
    (is_plan && next().is_some_and(holds_entry))
        || (content.starts_with("Query Text: \"") && line.text.trim_end().ends_with('"'))
        || ["\"CREATE TABLE AS\"", "\"Utility Statement\"", "\"Notify\""]
            .contains(&content.trim_end())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Object { indent: usize },
    List { indent: usize },
}

/// A key or a dash with nothing after it: its value is on the next lines.
#[derive(Debug)]
struct Pending {
    key: Option<String>,
    indent: usize,
}

struct YamlReader<'b> {
    builder: &'b mut Builder,
    levels: Vec<Level>,
    pending: Option<Pending>,
}

impl YamlReader<'_> {
    /// Whether this line is no longer part of the document.
    fn is_behind(&self, indent: usize, content: &str) -> bool {
        match self.levels.first() {
            None => false,
            Some(Level::List { indent: first }) => {
                indent < *first || (indent == *first && !is_item(content))
            }
            Some(Level::Object { indent: first }) => {
                indent < *first || (indent == *first && split_key(content).is_none())
            }
        }
    }

    fn line(&mut self, indent: usize, content: &str) -> Result<(), Reason> {
        self.settle(indent, content)?;
        self.close_deeper(indent, content)?;
        if is_item(content) {
            self.item(indent, content)
        } else {
            self.entry(indent, content)
        }
    }

    /// Decides what the value of the pending key or dash is.
    fn settle(&mut self, indent: usize, content: &str) -> Result<(), Reason> {
        let Some(Pending { key, indent: outer }) = self.pending.take() else {
            if self.levels.is_empty() {
                self.open(None, indent, is_item(content))?;
            }
            return Ok(());
        };
        // A list may begin in the column of its key.
        if indent > outer || (is_item(content) && key.is_some() && indent == outer) {
            self.open(key, indent, is_item(content))
        } else {
            self.empty(key)
        }
    }

    fn open(&mut self, key: Option<String>, indent: usize, is_list: bool) -> Result<(), Reason> {
        let key = key.map(Cow::Owned);
        if is_list {
            self.levels.push(Level::List { indent });
            self.builder.open_list(key)
        } else {
            self.levels.push(Level::Object { indent });
            self.builder.open_object(key)
        }
    }

    /// A group without members.
    fn empty(&mut self, key: Option<String>) -> Result<(), Reason> {
        let known = key.as_deref().and_then(property_type);
        if matches!(
            known,
            Some(PropertyType::Texts | PropertyType::Objects | PropertyType::Lists)
        ) {
            self.builder.open_list(key.map(Cow::Owned))?;
        } else {
            self.builder.open_object(key.map(Cow::Owned))?;
        }
        self.builder.close()
    }

    fn close_deeper(&mut self, indent: usize, content: &str) -> Result<(), Reason> {
        while let Some(level) = self.levels.last() {
            let stays = match *level {
                Level::Object { indent: column } => {
                    column <= indent && !(column == indent && is_item(content))
                }
                Level::List { indent: column } => {
                    column < indent || (column == indent && is_item(content))
                }
            };
            if stays {
                break;
            }
            self.levels.pop();
            self.builder.close()?;
        }
        Ok(())
    }

    fn item(&mut self, indent: usize, content: &str) -> Result<(), Reason> {
        if !matches!(self.levels.last(), Some(Level::List { indent: column }) if *column == indent)
        {
            return Err(misplaced());
        }
        let rest = content.strip_prefix('-').unwrap_or(content);
        let inner = rest.trim_start_matches(' ');
        let column = indent + content.len() - inner.len();
        if inner.is_empty() {
            self.pending = Some(Pending { key: None, indent });
            return Ok(());
        }
        if split_key(inner).is_some() {
            self.open(None, column, false)?;
            return self.entry(column, inner);
        }
        self.scalar(None, inner)
    }

    fn entry(&mut self, indent: usize, content: &str) -> Result<(), Reason> {
        if !matches!(self.levels.last(), Some(Level::Object { indent: column }) if *column == indent)
        {
            return Err(misplaced());
        }
        let Some((key, value)) = split_key(content) else {
            return Err(misplaced());
        };
        if value.is_empty() {
            self.pending = Some(Pending {
                key: Some(key.into_owned()),
                indent,
            });
            return Ok(());
        }
        self.scalar(Some(key), value)
    }

    fn scalar(&mut self, key: Option<Cow<'_, str>>, text: &str) -> Result<(), Reason> {
        match text.as_bytes().first() {
            Some(b'[' | b'{') => {
                json::read_value(text, key, self.builder).map_err(|error| error.reason)
            }
            Some(b'&' | b'*' | b'!') => Err(not_yaml("anchors, aliases and tags are refused")),
            Some(b'|' | b'>') if text.len() <= 2 => {
                Err(not_yaml("strings of several lines are refused"))
            }
            // A string within a string that was not taken apart.
            Some(b'\\') => Err(not_yaml("escaped quotes")),
            Some(b'"' | b'\'') => self
                .builder
                .value(key, Value::String(unquote(text)?.into_owned())),
            _ => self.plain(key, text),
        }
    }

    fn plain(&mut self, key: Option<Cow<'_, str>>, text: &str) -> Result<(), Reason> {
        let is_text = key.as_deref().and_then(property_type) == Some(PropertyType::Text);
        let value = match text {
            _ if is_text => Value::String(text.to_owned()),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" | "~" => Value::Null,
            ".nan" | ".inf" | "-.inf" | "NaN" => return Err(Reason::NotFinite(text.to_owned())),
            _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
        };
        self.builder.value(key, value)
    }

    fn close_all(&mut self) -> Result<(), Reason> {
        if let Some(pending) = self.pending.take() {
            self.empty(pending.key)?;
        }
        while self.levels.pop().is_some() {
            self.builder.close()?;
        }
        Ok(())
    }
}

fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}

/// A line's key and the text after it.
fn split_key(content: &str) -> Option<(Cow<'_, str>, &str)> {
    if content.starts_with(['"', '\'']) {
        let quoted = quoted_length(content)?;
        let rest = content.get(quoted..)?.strip_prefix(':')?;
        let key = unquote(content.get(..quoted)?).ok()?;
        return (rest.is_empty() || rest.starts_with(' ')).then(|| (key, rest.trim()));
    }
    let colon = content
        .find(": ")
        .or_else(|| content.trim_end().strip_suffix(':').map(str::len))?;
    let key = content
        .get(..colon)
        .filter(|key| !key.is_empty() && !key.starts_with(['[', '{']))?;
    Some((Cow::Borrowed(key), content.get(colon + 1..)?.trim()))
}

fn unquote(text: &str) -> Result<Cow<'_, str>, Reason> {
    match quoted_length(text) {
        Some(length)
            if text
                .get(length..)
                .is_some_and(|rest| rest.trim().is_empty()) =>
        {
            let inner = text.get(1..length - 1).unwrap_or_default();
            if text.starts_with('\'') {
                return Ok(Cow::Owned(inner.replace("''", "'")));
            }
            json::unescape(text.get(..length).unwrap_or_default())
                .map_err(|_| not_yaml("a damaged string"))
        }
        Some(_) => Err(not_yaml("unexpected text after a string")),
        None => Err(Reason::Truncated("a YAML string")),
    }
}

/// The length of the quoted string this text begins with.
fn quoted_length(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote {
            if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}

fn misplaced() -> Reason {
    not_yaml("this line is not indented as those above it")
}

fn not_yaml(what: &str) -> Reason {
    Reason::Syntax(format!("not EXPLAIN's YAML: {what}"))
}
