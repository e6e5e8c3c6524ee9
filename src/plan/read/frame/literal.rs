//! Values as programs print them: JSON, and the literals of Python, JavaScript, Ruby, PHP, Perl, Elixir,
//! Clojure, Go and Rust (single quotes, tuples, `None`, `=>`, atoms, names of types before brackets).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::plan::read::number;

/// Deeper values are not read.
const MAX_DEPTH: usize = 200;

/// The value that a text begins with; none when it begins with no value. And how much was read.
pub(super) fn read(text: &str) -> (Option<Value>, usize) {
    let mut reader = Literal { text, at: 0 };
    let value = reader.value(0);
    (value, reader.at)
}

/// The value that a text begins with, and its length.
pub(super) fn value(text: &str) -> Option<(Value, usize)> {
    match read(text) {
        (Some(value), length) => Some((value, length)),
        (None, _) => None,
    }
}

/// The string of SQL that a text begins with, and its length.
pub(super) fn sql_string(text: &str) -> Option<(Value, usize)> {
    let mut reader = Literal { text, at: 0 };
    let string = reader.doubled_string("'")?;
    Some((Value::String(string), reader.at))
}

struct Literal<'a> {
    text: &'a str,
    at: usize,
}

impl Literal<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let blanks = self.rest().len() - self.rest().trim_start().len();
        self.at += blanks;
        self.rest().bytes().next()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let is_slice = self.skip_type();
        match self.peek()? {
            b'[' => self.list(b']', depth),
            b'(' => self.list(b')', depth),
            b'{' if is_slice => self.list(b'}', depth),
            b'{' => self.object(depth),
            b'"' | b'\'' | b'`' => self.string().map(Value::String),
            b'-' | b'0'..=b'9' => self.number(),
            b':' => self.atom(),
            // Elixir's maps and structs.
            b'%' => {
                self.at += 1;
                self.value(depth)
            }
            _ => self.word(depth),
        }
    }

    /// The type that Go and Node.js print before a value in brackets: `[]interface {}{`,
    /// `map[string]any{`, `[Object: null prototype] {`.
    /// True for slices, whose items are in braces.
    fn skip_type(&mut self) -> bool {
        static TYPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(
                r"^(?:(?:\[\]|map\[\w+\]|[*&])+(?:interface ?\{\}|[A-Za-z_][\w.]*)|\[Object: null prototype\]|interface ?\{\}|<ref \*\d+>)\s?",
            )
            .ok()
        });
        let is_type = matches!(self.peek(), Some(b'[' | b'm' | b'i' | b'&' | b'*' | b'<'));
        let found = TYPE.as_ref().and_then(|named| named.find(self.rest()));
        let Some(found) = found.filter(|_| is_type) else {
            return false;
        };
        let is_slice = found.as_str().starts_with("[]");
        self.at += found.len();
        is_slice
    }

    /// `:ok`, `:"QUERY PLAN"`.
    fn atom(&mut self) -> Option<Value> {
        self.at += 1;
        if matches!(self.rest().bytes().next()?, b'"' | b'\'') {
            return self.string().map(Value::String);
        }
        // Clojure prints a column's name as it is.
        let length = match self.rest().starts_with("QUERY PLAN ") {
            true => "QUERY PLAN".len(),
            false => self.name_length(),
        };
        let name = self.rest().get(..length).filter(|name| !name.is_empty())?;
        let name = Value::String(name.to_owned());
        self.at += length;
        Some(name)
    }

    fn name_length(&self) -> usize {
        let is_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
        self.rest().bytes().take_while(is_name).count()
    }

    /// Items in brackets; an object when they are pairs (`['a' => 1]`).
    fn list(&mut self, end: u8, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        let mut pairs = Map::new();
        while !self.take(end) {
            let name = self.argument_name();
            let item = self.value(depth + 1)?;
            self.peek()?;
            if self.rest().starts_with("=>") {
                self.at += 2;
                let value = self.value(depth + 1)?;
                insert(&mut pairs, key_of(item)?, value)?;
            } else {
                items.push(match name {
                    Some(name) => Value::Object(Map::from_iter([(name, item)])),
                    None => self.with_adjacent(item, end)?,
                });
            }
            if !self.take(b',') && self.peek()? != end && !self.begins_item(end) {
                return None;
            }
        }
        match (items.is_empty(), pairs.is_empty()) {
            (false, false) => None,
            (true, false) => Some(list_or_object(pairs)),
            _ => Some(Value::Array(items)),
        }
    }

    /// A string with the strings that follow it without a comma, which Python and C join. In one line
    /// and in square brackets they are items (Go).
    fn with_adjacent(&mut self, item: Value, end: u8) -> Option<Value> {
        let Value::String(mut text) = item else {
            return Some(item);
        };
        loop {
            let before = self.at;
            let next = self.peek()?;
            let blanks = self.text.get(before..self.at).unwrap_or_default();
            let joins = matches!(next, b'"' | b'\'') && (end != b']' || blanks.contains('\n'));
            if !joins {
                return Some(Value::String(text));
            }
            text.push_str(&self.string()?);
        }
    }

    /// Whether an item follows without a comma: containers, and strings in square brackets.
    fn begins_item(&mut self, end: u8) -> bool {
        match self.peek() {
            Some(b'{' | b'[' | b'(' | b'%') => true,
            Some(b'"') => end == b']',
            Some(b'm') => self.rest().starts_with("map["),
            _ => false,
        }
    }

    /// `QUERY_PLAN=` of a row's representation.
    fn argument_name(&mut self) -> Option<String> {
        self.peek()?;
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let name = rest
            .get(..length)
            .filter(|name| !name.is_empty())?
            .to_owned();
        if rest.get(length..)?.starts_with('=') && !rest.get(length..)?.starts_with("=>") {
            self.at += length + 1;
            return Some(name);
        }
        None
    }

    /// Names and values in braces, or items (tuples of Elixir and Erlang, sets, slices of Go).
    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut object = Map::new();
        let mut items = Vec::new();
        while !self.take(b'}') {
            let is_atom = self.peek()? == b':';
            let first = self.value(depth + 1)?;
            let next = self.peek()?;
            let arrow = ["=>", ":", "="]
                .iter()
                .find(|mark| self.rest().starts_with(**mark));
            if let Some(arrow) = arrow {
                self.at += arrow.len();
            }
            if arrow.is_some() || (is_atom && !matches!(next, b',' | b'}')) {
                let value = self.value(depth + 1)?;
                let value = self.with_adjacent(value, b'}')?;
                insert(&mut object, key_of(first)?, value)?;
            } else {
                items.push(first);
            }
            if !self.take(b',') && self.peek()? != b'}' && !is_atom {
                return None;
            }
        }
        match (items.is_empty(), object.is_empty()) {
            (false, false) => None,
            (false, true) => Some(Value::Array(items)),
            _ => Some(Value::Object(object)),
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')
            })
            .count();
        let number = number::number(rest.get(..length)?)?;
        self.at += length;
        Some(number)
    }

    /// `None`, `true`, a key without quotes, a type with its arguments (`Decimal('1.5')`) or members
    /// (`Object {…}`), or the prefix of a string (`u'…'`).
    fn word(&mut self, depth: usize) -> Option<Value> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$')
            })
            .count();
        let word = rest.get(..length)?.trim_end_matches(':').to_owned();
        if word.is_empty() {
            return None;
        }
        self.at += word.len();
        let next = self.rest().bytes().next();
        let behind = self.rest().trim_start().bytes().next();
        match (word.as_str(), next) {
            (_, Some(b'\'' | b'"')) if word.len() <= 2 => self.string().map(Value::String),
            ("None" | "null" | "nil" | "undefined" | "NULL" | "Null", _) => Some(Value::Null),
            ("True" | "true" | "TRUE", _) => Some(Value::Bool(true)),
            ("False" | "false" | "FALSE", _) => Some(Value::Bool(false)),
            ("array", _) if behind == Some(b'(') => {
                self.peek();
                self.list(b')', depth)
            }
            (_, Some(b'(')) => match self.list(b')', depth)? {
                Value::Array(mut items) if items.len() == 1 && word == "String" => items.pop(),
                Value::Array(mut items) if items.len() == 1 => items.pop().map(as_number),
                items => Some(items),
            },
            (_, Some(b'{')) => self.object(depth),
            // `Object {`, `Array [`: types stand before members in the same line.
            (_, Some(b' ')) if self.rest().starts_with(" {") => {
                self.at += 1;
                self.object(depth)
            }
            ("Array", Some(b' ')) if self.rest().starts_with(" [") => {
                self.at += 1;
                self.list(b']', depth)
            }
            _ => Some(Value::String(word)),
        }
    }

    /// A string in any quotes, also three of them. Where quotes within it are doubled (SQL, CSV), a
    /// backslash is one of the text.
    fn string(&mut self) -> Option<String> {
        let quote = self.rest().get(..1)?.to_owned();
        let triple = quote.repeat(3);
        if !self.rest().starts_with(&triple) {
            if self.has_doubled_quotes(&quote) {
                return self.doubled_string(&quote);
            }
            return self.escaped_string(&quote);
        }
        self.escaped_string(&triple)
    }

    fn escaped_string(&mut self, mark: &str) -> Option<String> {
        self.at += mark.len();
        let mut text = String::new();
        loop {
            if self.rest().starts_with(mark) {
                self.at += mark.len();
                return Some(text);
            }
            let character = self.rest().chars().next()?;
            self.at += character.len_utf8();
            match character {
                '\\' => text.push_str(&self.escape()?),
                other => text.push(other),
            }
        }
    }

    /// Whether the first quote in the string that begins here is a doubled one.
    fn has_doubled_quotes(&self, quote: &str) -> bool {
        let inner = self.rest().get(1..).unwrap_or_default();
        let first = inner.split_once(quote);
        first.is_some_and(|(before, behind)| {
            !before.is_empty() && !before.ends_with('\\') && behind.starts_with(quote)
        })
    }

    fn doubled_string(&mut self, quote: &str) -> Option<String> {
        let mut text = String::new();
        let mut inner = self.rest().strip_prefix(quote)?;
        while let Some((part, behind)) = inner.split_once(quote) {
            text.push_str(part);
            inner = behind;
            match behind.strip_prefix(quote) {
                Some(more) => {
                    text.push_str(quote);
                    inner = more;
                }
                None => {
                    self.at = self.text.len() - inner.len();
                    return Some(text);
                }
            }
        }
        None
    }

    fn escape(&mut self) -> Option<String> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        Some(match character {
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            'r' | '\n' => String::new(),
            'b' => "\u{8}".to_owned(),
            'f' => "\u{c}".to_owned(),
            'x' => self.hexadecimal(2)?.to_string(),
            'u' => match self.hexadecimal(4) {
                Some(character) => character.to_string(),
                None => self.surrogates()?,
            },
            other @ ('"' | '\'' | '\\' | '/' | '`') => other.to_string(),
            other => format!("\\{other}"),
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let code = u32::from_str_radix(self.rest().get(..digits)?, 16).ok()?;
        let character = char::from_u32(code)?;
        self.at += digits;
        Some(character)
    }

    /// Two units of UTF-16, the first after its `\u`.
    fn surrogates(&mut self) -> Option<String> {
        let unit = |text: Option<&str>| u16::from_str_radix(text?, 16).ok();
        let units = [unit(self.rest().get(..4))?, unit(self.rest().get(6..10))?];
        let text = String::from_utf16(&units).ok()?;
        self.at += 10;
        Some(text)
    }
}

/// Adds a member; none when there is one of that name, of which it is unknown which one holds.
fn insert(object: &mut Map<String, Value>, key: String, value: Value) -> Option<()> {
    object.insert(key, value).is_none().then_some(())
}

/// Members whose names are the numbers from 0 on are a list.
pub(super) fn list_or_object(members: Map<String, Value>) -> Value {
    let mut names = members.keys().enumerate();
    if names.all(|(index, name)| name.parse() == Ok(index)) {
        Value::Array(members.into_iter().map(|(_, value)| value).collect())
    } else {
        Value::Object(members)
    }
}

fn key_of(key: Value) -> Option<String> {
    match key {
        Value::String(key) => Some(key),
        Value::Number(key) => Some(key.to_string()),
        _ => None,
    }
}

/// `Decimal('1.5')` is a number.
fn as_number(value: Value) -> Value {
    let number = value.as_str().and_then(number::number);
    number.unwrap_or(value)
}
