//! Arrays as PostgreSQL writes them: `{a,"b c",NULL}`, `[0:1]={{1,2},{3,4}}`
//! (<https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>).

use std::fmt;

/// An array whose elements are separated by commas; this holds for all types but `box`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArrayLiteral {
    /// The bounds before the braces, if they do not begin with 1: `[0:1]=`.
    pub bounds: String,
    /// The items in the outermost braces.
    pub items: Vec<Item>,
}

/// An item in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// NULL.
    Null,
    /// An element, unquoted.
    Text(String),
    /// A row of a multidimensional array.
    Items(Vec<Item>),
}

/// `MAXDIM` (src/include/c.h).
const MAX_DIMENSIONS: usize = 6;

impl ArrayLiteral {
    /// An array of one dimension.
    pub fn of(elements: impl IntoIterator<Item = String>) -> ArrayLiteral {
        ArrayLiteral {
            bounds: String::new(),
            items: elements.into_iter().map(Item::Text).collect(),
        }
    }

    /// Reads an array as `array_out` writes it. None if the text is not an array.
    pub fn parse(text: &str) -> Option<ArrayLiteral> {
        let (bounds, rest) = match text.find('{')? {
            0 => ("", text),
            at if text.starts_with('[') && text.get(..at)?.ends_with('=') => text.split_at(at),
            _ => return None,
        };
        let mut reader = Reader { rest, depth: 0 };
        let items = reader.items()?;
        reader.rest.is_empty().then(|| ArrayLiteral {
            bounds: bounds.to_owned(),
            items,
        })
    }

    /// Its elements, of all dimensions, NULLs left out.
    pub fn elements(&self) -> Vec<&str> {
        let mut found = Vec::new();
        collect(&self.items, &mut found);
        found
    }

    /// The array with every element replaced.
    pub fn map(&self, with: &mut dyn FnMut(&str) -> String) -> ArrayLiteral {
        ArrayLiteral {
            bounds: self.bounds.clone(),
            items: map(&self.items, with),
        }
    }
}

fn collect<'a>(items: &'a [Item], found: &mut Vec<&'a str>) {
    for item in items {
        match item {
            Item::Null => {}
            Item::Text(text) => found.push(text),
            Item::Items(items) => collect(items, found),
        }
    }
}

fn map(items: &[Item], with: &mut dyn FnMut(&str) -> String) -> Vec<Item> {
    let mut one = |item: &Item| match item {
        Item::Null => Item::Null,
        Item::Text(text) => Item::Text(with(text)),
        Item::Items(items) => Item::Items(map(items, with)),
    };
    items.iter().map(&mut one).collect()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, token: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn items(&mut self) -> Option<Vec<Item>> {
        self.take('{')?;
        self.depth += 1;
        let mut items = Vec::new();
        if self.depth > MAX_DIMENSIONS {
            return None;
        }
        if self.take('}').is_none() {
            loop {
                items.push(self.item()?);
                if self.take(',').is_none() {
                    self.take('}')?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Some(items)
    }

    fn item(&mut self) -> Option<Item> {
        match self.rest.chars().next()? {
            '{' => self.items().map(Item::Items),
            '"' => self.quoted().map(Item::Text),
            _ => {
                let end = self.rest.find([',', '{', '}', '"', '\\'])?;
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                match text.trim_matches(is_space) {
                    "" => None,
                    text if text.eq_ignore_ascii_case("null") => Some(Item::Null),
                    text => Some(Item::Text(text.to_owned())),
                }
            }
        }
    }

    fn quoted(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        loop {
            match chars.next()? {
                (at, '"') => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(text);
                }
                (_, '\\') => text.push(chars.next()?.1),
                (_, other) => text.push(other),
            }
        }
    }
}

/// `array_isspace` (src/backend/utils/adt/arrayfuncs.c).
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

impl fmt::Display for ArrayLiteral {
    /// Like `array_out`, with quotes only where they are needed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.bounds)?;
        write_items(&self.items, formatter)
    }
}

fn write_items(items: &[Item], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str("{")?;
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            formatter.write_str(",")?;
        }
        match item {
            Item::Null => formatter.write_str("NULL")?,
            Item::Items(items) => write_items(items, formatter)?,
            Item::Text(text) if needs_quotes(text) => {
                write!(
                    formatter,
                    "\"{}\"",
                    text.replace('\\', "\\\\").replace('"', "\\\"")
                )?;
            }
            Item::Text(text) => formatter.write_str(text)?,
        }
    }
    formatter.write_str("}")
}

fn needs_quotes(text: &str) -> bool {
    let special = |c: char| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_space(c);
    text.is_empty() || text.eq_ignore_ascii_case("null") || text.contains(special)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arrays_read_as_postgresql_writes_them() {
        let read = |text: &str| ArrayLiteral::parse(text).unwrap();
        assert_eq!(read("{}").items, []);
        assert_eq!(
            read(r#"{a,"b c",NULL,"NULL","",x\"}"#.replace("x\\\"", "x").as_str()).elements(),
            ["a", "b c", "NULL", "", "x"]
        );
        assert_eq!(
            read(r#"{"a\"b\\c","{1,2}"}"#).elements(),
            ["a\"b\\c", "{1,2}"]
        );
        assert_eq!(read("[0:1]={{1,NULL},{3,4}}").elements(), ["1", "3", "4"]);
        for text in [
            "{}",
            "{NULL}",
            r#"{a,"b c","NULL","","x\"y\\"}"#,
            "[0:1][1:2]={{1,NULL},{3,4}}",
            "{Ünï,日本}",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_array_is_none() {
        for text in [
            "",
            "a",
            "{",
            "{a",
            "{a,}",
            "{\"a}",
            "{a}b",
            "x={a}",
            "{{{{{{{1}}}}}}}",
            "{a\\}",
        ] {
            assert_eq!(ArrayLiteral::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_array_comes_back(elements in prop::collection::vec(any::<String>(), 0..8)) {
            let array = ArrayLiteral::of(elements);
            prop_assert_eq!(ArrayLiteral::parse(&array.to_string()), Some(array));
        }

        #[test]
        fn any_text_is_read_or_not(text in r#"[\[{},"\\ a:=\]]{0,20}"#) {
            if let Some(array) = ArrayLiteral::parse(&text) {
                prop_assert_eq!(ArrayLiteral::parse(&array.to_string()), Some(array));
            }
        }
    }
}
