//! Reads `EXPLAIN (FORMAT JSON)` in one pass and without recursion, so that a deep plan needs no
//! stack. Duplicate keys and invalid numbers are refused with their position, which
//! `serde_json::Value` cannot do.

use std::borrow::Cow;

use serde_json::Value;

use super::builder::{Builder, Key};
use super::error::{OffsetError, Reason};
use super::number::number;

/// Reads the document that begins at `start`; returns where it ends.
pub(crate) fn read_document(
    text: &str,
    start: usize,
    builder: &mut Builder,
) -> Result<usize, OffsetError> {
    let mut reader = JsonReader {
        text,
        at: start,
        open: Vec::new(),
    };
    reader.value(None, builder)?;
    while let Some(container) = reader.open.last().copied() {
        reader.member(container, builder)?;
    }
    Ok(reader.at)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Object { empty: bool },
    List { empty: bool },
}

struct JsonReader<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Container>,
}

impl<'a> JsonReader<'a> {
    /// The next member of the innermost container, or its end.
    fn member(&mut self, container: Container, builder: &mut Builder) -> Result<(), OffsetError> {
        let (end, empty) = match container {
            Container::Object { empty } => (b'}', empty),
            Container::List { empty } => (b']', empty),
        };
        let next = self.peek()?;
        if next == end {
            let to_error = OffsetError::at(self.at);
            self.at += 1;
            self.open.pop();
            return builder.close().map_err(to_error);
        }
        if !empty {
            self.expect(b',')?;
            self.peek()?;
        }
        let key = match container {
            Container::Object { .. } => Some(self.key()?),
            Container::List { .. } => None,
        };
        if let Some(Container::Object { empty } | Container::List { empty }) = self.open.last_mut()
        {
            *empty = false;
        }
        self.value(key, builder)
    }

    fn key(&mut self) -> Result<Cow<'a, str>, OffsetError> {
        if self.peek()? != b'"' {
            return Err(self.syntax("expected a key in double quotes"));
        }
        let key = self.string()?;
        self.peek()?;
        self.expect(b':')?;
        Ok(key)
    }

    fn value(&mut self, key: Key<'a>, builder: &mut Builder) -> Result<(), OffsetError> {
        let first = self.peek()?;
        let to_error = OffsetError::at(self.at);
        match first {
            b'{' => {
                self.at += 1;
                self.open.push(Container::Object { empty: true });
                builder.open_object(key).map_err(to_error)
            }
            b'[' => {
                self.at += 1;
                self.open.push(Container::List { empty: true });
                builder.open_list(key).map_err(to_error)
            }
            b'"' => {
                let text = self.string()?.into_owned();
                builder.value(key, Value::String(text)).map_err(to_error)
            }
            _ => {
                let value = self.bare()?;
                builder.value(key, value).map_err(to_error)
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn bare(&mut self) -> Result<Value, OffsetError> {
        let rest = self.rest();
        let is_part =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
        let length = rest
            .bytes()
            .position(|byte| !is_part(&byte))
            .unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "" => return Err(self.syntax("expected a value")),
            word => match number(word) {
                Some(number) => number,
                None if length == rest.len() => {
                    return Err(self.fail(Reason::Truncated("the JSON")));
                }
                None if is_not_finite(word) => {
                    return Err(self.fail(Reason::NotFinite(word.to_owned())));
                }
                None => return Err(self.syntax("expected a value")),
            },
        };
        self.at += length;
        Ok(value)
    }

    /// The string whose opening quote is next.
    fn string(&mut self) -> Result<Cow<'a, str>, OffsetError> {
        let text: &'a str = self.text;
        let start = self.at + 1;
        let mut unescaped: Option<String> = None;
        let mut from = start;
        let mut at = start;
        loop {
            let Some(byte) = text.as_bytes().get(at).copied() else {
                return Err(self.fail(Reason::Truncated("a JSON string")));
            };
            match byte {
                b'"' => {
                    let last = text.get(from..at).unwrap_or_default();
                    self.at = at + 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(last),
                        Some(mut string) => {
                            string.push_str(last);
                            Cow::Owned(string)
                        }
                    });
                }
                b'\\' => {
                    let string = unescaped.get_or_insert_with(String::new);
                    string.push_str(text.get(from..at).unwrap_or_default());
                    self.at = at;
                    string.push(self.escape()?);
                    (from, at) = (self.at, self.at);
                }
                0..=0x1f => {
                    self.at = at;
                    return Err(self.syntax("control character in a string"));
                }
                _ => at += 1,
            }
        }
    }

    /// The escape sequence that is next.
    fn escape(&mut self) -> Result<char, OffsetError> {
        let Some(byte) = self.rest().as_bytes().get(1).copied() else {
            return Err(self.fail(Reason::Truncated("a JSON string")));
        };
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.syntax("there is no such escape sequence")),
        };
        self.at += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, OffsetError> {
        let first = self.hex_unit(0)?;
        if let Some(character) = char::from_u32(first) {
            self.at += 6;
            return Ok(character);
        }
        let pair = (0xd800..0xdc00).contains(&first) && self.rest().get(6..8) == Some("\\u");
        let second = if pair { self.hex_unit(6)? } else { 0 };
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.syntax("a lone surrogate is not a character"));
        }
        self.at += 12;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            .ok_or_else(|| self.syntax("no such character"))
    }

    fn hex_unit(&self, skip: usize) -> Result<u32, OffsetError> {
        let digits = self
            .rest()
            .get(skip + 2..skip + 6)
            .filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.syntax("four hexadecimal digits have to follow \\u"))
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Result<u8, OffsetError> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(self.fail(Reason::Truncated("the JSON")))
    }

    fn expect(&mut self, byte: u8) -> Result<(), OffsetError> {
        if self.text.as_bytes().get(self.at) != Some(&byte) {
            return Err(self.syntax(&format!("expected \"{}\"", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn syntax(&self, what: &str) -> OffsetError {
        self.fail(Reason::Syntax(format!("not JSON: {what}")))
    }

    fn fail(&self, reason: Reason) -> OffsetError {
        OffsetError {
            offset: self.at,
            reason,
        }
    }
}

fn is_not_finite(word: &str) -> bool {
    let unsigned = word.trim_start_matches(['-', '+']);
    matches!(unsigned, "NaN" | "nan" | "Infinity" | "inf")
        || unsigned.starts_with(|first: char| first.is_ascii_digit())
}

/// A value that is all of a text, such as a list in brackets in YAML.
pub(crate) fn read_value(
    text: &str,
    key: Key<'_>,
    builder: &mut Builder,
) -> Result<(), OffsetError> {
    let mut reader = JsonReader {
        text,
        at: 0,
        open: Vec::new(),
    };
    let key = key.map(|key| Cow::Owned(key.into_owned()));
    reader.value(key, builder)?;
    while let Some(container) = reader.open.last().copied() {
        reader.member(container, builder)?;
    }
    if reader.rest().trim().is_empty() {
        Ok(())
    } else {
        Err(reader.syntax("unexpected text after the value"))
    }
}

/// The text of a string in JSON's quotes.
pub(crate) fn unescape(quoted: &str) -> Result<Cow<'_, str>, OffsetError> {
    JsonReader {
        text: quoted,
        at: 0,
        open: Vec::new(),
    }
    .string()
}
