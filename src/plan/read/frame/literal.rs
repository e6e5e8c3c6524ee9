//! Values as programs print them: JSON, and the literals of Python, JavaScript and Ruby (single
//! quotes, tuples, `None`, `=>`, names of types before parentheses).

use serde_json::{Map, Number, Value};

/// Deeper values are not read.
const MAX_DEPTH: usize = 200;

/// The value that a text begins with, and its length.
pub(super) fn value(text: &str) -> Option<(Value, usize)> {
    let mut reader = Literal { text, at: 0 };
    let value = reader.value(0)?;
    Some((value, reader.at))
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
        match self.peek()? {
            b'[' => self.list(b']', depth),
            b'(' => self.list(b')', depth),
            b'{' => self.object(depth),
            b'"' | b'\'' | b'`' => self.string().map(Value::String),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(depth),
        }
    }

    fn list(&mut self, end: u8, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.take(end) {
            let name = self.argument_name();
            let item = self.value(depth + 1)?;
            items.push(match name {
                Some(name) => Value::Object(Map::from_iter([(name, item)])),
                None => item,
            });
            if !self.take(b',') && self.peek()? != end {
                return None;
            }
        }
        Some(Value::Array(items))
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

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut object = Map::new();
        while !self.take(b'}') {
            let key = match self.value(depth + 1)? {
                Value::String(key) => key,
                Value::Number(key) => key.to_string(),
                _ => return None,
            };
            self.peek()?;
            let arrow = ["=>", ":"]
                .iter()
                .find(|mark| self.rest().starts_with(**mark))?;
            self.at += arrow.len();
            let value = self.value(depth + 1)?;
            object.insert(key, value);
            if !self.take(b',') && self.peek()? != b'}' {
                return None;
            }
        }
        Some(Value::Object(object))
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')
            })
            .count();
        let digits = rest.get(..length)?;
        let number = match digits.parse::<i64>() {
            Ok(whole) => Number::from(whole),
            Err(_) => Number::from_f64(digits.parse().ok()?)?,
        };
        self.at += length;
        Some(Value::Number(number))
    }

    /// `None`, `true`, a key without quotes, a type with its arguments (`Decimal('1.5')`), or the
    /// prefix of a string (`u'…'`).
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
        match (word.as_str(), next) {
            (_, Some(b'\'' | b'"')) if word.len() <= 2 => self.string().map(Value::String),
            ("None" | "null" | "nil" | "undefined" | "NULL", _) => Some(Value::Null),
            ("True" | "true" | "TRUE", _) => Some(Value::Bool(true)),
            ("False" | "false" | "FALSE", _) => Some(Value::Bool(false)),
            (_, Some(b'(')) => match self.list(b')', depth)? {
                Value::Array(mut items) if items.len() == 1 => items.pop().map(as_number),
                items => Some(items),
            },
            (_, Some(b'{')) => self.object(depth),
            _ => Some(Value::String(word)),
        }
    }

    /// A string in any quotes, also three of them.
    fn string(&mut self) -> Option<String> {
        let quote = self.rest().get(..1)?.to_owned();
        let triple = quote.repeat(3);
        let mark = if self.rest().starts_with(&triple) {
            triple
        } else {
            quote
        };
        self.at += mark.len();
        let mut text = String::new();
        loop {
            if self.rest().starts_with(&mark) {
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

/// `Decimal('1.5')` is a number.
fn as_number(value: Value) -> Value {
    let number = value.as_str().and_then(crate::plan::read::number::number);
    number.unwrap_or(value)
}
