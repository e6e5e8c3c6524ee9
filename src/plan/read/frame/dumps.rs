//! Values as PHP's `print_r` and `var_dump` print them.

use serde_json::{Map, Value};

use super::literal::list_or_object;
use crate::plan::read::number;
use crate::plan::read::property::{PropertyType, property_type};

/// Deeper values are not read.
const MAX_DEPTH: usize = 100;

/// The value that a text begins with; none when it is not printed that way. And how much was read.
pub(super) fn read(text: &str) -> (Option<Value>, usize) {
    let mut reader = Dump { text, at: 0 };
    let value = if is_print_r(text) {
        reader.print_r(0)
    } else {
        reader.var_dump(0)
    };
    (value, reader.at)
}

/// Whether a text may be the beginning of such a value.
pub(super) fn begins(text: &str) -> bool {
    is_print_r(text) || text.starts_with("array(") || text.starts_with("object(")
}

fn is_print_r(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|line| line == "Array" || line.ends_with(" Object"))
        && text.lines().nth(1).is_some_and(|line| line.trim() == "(")
}

struct Dump<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Dump<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// The line, which is read.
    fn line(&mut self) -> Option<&'a str> {
        let line = self.rest().split_inclusive('\n').next()?;
        self.at += line.len();
        Some(line.trim_end_matches(['\n', '\r']))
    }

    /// `Array`, a parenthesis, the members, and a parenthesis in the column of the first.
    fn print_r(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.line()?;
        let opening = self.line()?;
        let indent = opening.strip_suffix('(')?.to_owned();
        let closing = format!("{indent})");
        let name = format!("{indent}    [");
        let mut members = Map::new();
        loop {
            let line = self.rest().lines().next()?;
            if line.trim_end() == closing {
                self.line();
                return Some(list_or_object(members));
            }
            if line.trim().is_empty() {
                self.line();
                continue;
            }
            let (key, value) = line.strip_prefix(name.as_str())?.split_once("] => ")?;
            let key = key.split(':').next().unwrap_or(key).to_owned();
            self.at += line.len() - value.len();
            let is_list = value == "Array" || value.ends_with(" Object");
            let value = if is_list
                && self
                    .rest()
                    .lines()
                    .nth(1)
                    .is_some_and(|it| it.trim() == "(")
            {
                self.print_r(depth + 1)?
            } else {
                typed(&key, self.text_until(&closing, &name))
            };
            members.insert(key, value);
        }
    }

    /// A value that ends before the next member, or where the members end.
    fn text_until(&mut self, closing: &str, name: &str) -> String {
        let mut text = self.line().unwrap_or_default().to_owned();
        while let Some(line) = self.rest().lines().next() {
            let is_member = line.starts_with(name) && line.contains("] => ");
            if is_member || line.trim_end() == closing {
                break;
            }
            text.push('\n');
            text.push_str(line);
            self.line();
        }
        text
    }

    /// `array(1) {`, `string(5) "…"`, `int(5)`: texts have their length.
    fn var_dump(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_blanks();
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix("string(") {
            let (length, quoted) = inner.split_once(") \"")?;
            let text = quoted.get(..length.parse().ok()?)?;
            quoted.get(text.len()..)?.strip_prefix('"')?;
            self.at += rest.len() - quoted.len() + text.len() + 1;
            return Some(Value::String(text.to_owned()));
        }
        if rest.starts_with("array(") || rest.starts_with("object(") {
            let open = rest.lines().next()?.find('{')?;
            self.at += open + 1;
            return self.members(depth);
        }
        let word = self.line()?.trim_end();
        let inner = |kind: &str| word.strip_prefix(kind)?.strip_suffix(')');
        match word {
            "NULL" => Some(Value::Null),
            "bool(true)" => Some(Value::Bool(true)),
            "bool(false)" => Some(Value::Bool(false)),
            _ => number::number(inner("int(").or_else(|| inner("float("))?),
        }
    }

    fn members(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        loop {
            self.skip_blanks();
            if self.rest().starts_with('}') {
                self.at += 1;
                return Some(list_or_object(members));
            }
            let (key, _) = self.rest().strip_prefix('[')?.split_once("]=>")?;
            if key.len() > 300 {
                return None;
            }
            self.at += key.len() + 4;
            let key = key.split("\":").next().unwrap_or(key).trim_matches('"');
            let value = self.var_dump(depth + 1)?;
            members.insert(key.to_owned(), value);
        }
    }
}

/// The value of a text without its type: PHP prints nothing for false, and 1 for true.
fn typed(property: &str, text: String) -> Value {
    match property_type(property) {
        Some(PropertyType::Flag) => Value::Bool(text == "1"),
        Some(PropertyType::Text) => Value::String(text),
        _ => number::number(&text).unwrap_or(Value::String(text)),
    }
}
