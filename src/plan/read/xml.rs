//! Reads `EXPLAIN (FORMAT XML)`. The crate's pull parser keeps no tree and expands nothing:
//! document types, and entities other than XML's five and character references, are refused, so an
//! entity-expansion attack is not possible.
//!
//! XML does not say whether an element is a text, a number, an object or a list: this follows from
//! what is inside, and from [`property_type`] for empty elements and text. Two names are lost in
//! this format (explain.c prints the group's type instead of its label). Which
//! `Incremental-Sort-Groups` are the full and which the pre-sorted ones follows from their order.
//! Whether a single `Sort-Space` was memory or disk is unknown, so it keeps the name `Sort Space`.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use serde_json::Value;

use super::builder::Builder;
use super::error::{OffsetError, Reason};
use super::number::number;
use super::property::{PropertyType, property_type};

/// Reads the document that begins at `start`; returns where it ends.
pub(crate) fn read_document(
    text: &str,
    start: usize,
    builder: &mut Builder,
) -> Result<usize, OffsetError> {
    let body = text.get(start..).unwrap_or_default();
    let mut events = Reader::from_str(body);
    let mut reader = XmlReader::default();
    loop {
        let begins = start + position(&events);
        let event = events
            .read_event()
            .map_err(|error| syntax(start + position(&events), &error))?;
        let fail = OffsetError::at(begins);
        match event {
            Event::Start(tag) => reader.open(tag.name().as_ref(), builder).map_err(fail)?,
            Event::Empty(tag) => {
                let name = tag.name();
                if reader.open.len() == 1 {
                    return Err(fail(Reason::Utility(name.as_ref().replace('-', " "))));
                }
                reader
                    .open(name.as_ref(), builder)
                    .and_then(|()| reader.close(builder))
                    .map_err(fail)?;
            }
            Event::End(_) => {
                reader.close(builder).map_err(fail)?;
                if reader.open.is_empty() {
                    return Ok(start + position(&events));
                }
            }
            Event::Text(part) => reader.text.push_str(&part),
            Event::CData(part) => reader.text.push_str(&part),
            Event::GeneralRef(reference) => reader.text.push(resolve(&reference).map_err(fail)?),
            Event::DocType(_) => return Err(fail(Reason::Entities)),
            Event::Eof => return Err(fail(Reason::Truncated("the XML"))),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn position(events: &Reader<&[u8]>) -> usize {
    usize::try_from(events.buffer_position()).unwrap_or(usize::MAX)
}

fn syntax(offset: usize, error: &quick_xml::Error) -> OffsetError {
    let reason = match error {
        quick_xml::Error::Syntax(_) => Reason::Truncated("the XML"),
        other => Reason::Syntax(format!("not XML: {other}")),
    };
    OffsetError { offset, reason }
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, Reason> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character);
    }
    match reference.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Reason::Entities),
    }
}

/// The type of an open element, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElementType {
    /// Not known yet: there was no element inside.
    Undecided,
    /// Its members have names.
    Object,
    /// Its members have none.
    List,
}

#[derive(Debug)]
struct Element {
    property: String,
    element_type: ElementType,
    /// `Incremental-Sort-Groups` or `Sort-Space` elements inside so far.
    groups: usize,
}

#[derive(Debug, Default)]
struct XmlReader {
    open: Vec<Element>,
    text: String,
}

impl XmlReader {
    fn open(&mut self, tag: &str, builder: &mut Builder) -> Result<(), Reason> {
        self.take_blank()?;
        self.decide(tag, builder)?;
        let property = self.property(tag);
        if self.open.is_empty() && tag != "explain" {
            return Err(Reason::Syntax(format!(
                "<{tag}> is not the output of EXPLAIN (FORMAT XML)"
            )));
        }
        self.open.push(Element {
            property,
            element_type: ElementType::Undecided,
            groups: 0,
        });
        Ok(())
    }

    /// Decides by its first inner element whether the element around is a list or an object.
    fn decide(&mut self, child: &str, builder: &mut Builder) -> Result<(), Reason> {
        let key = self.key();
        let Some(element) = self.open.last_mut() else {
            return Ok(());
        };
        if element.element_type != ElementType::Undecided {
            return Ok(());
        }
        let is_list = match element.property.as_str() {
            "explain" => child == "Query",
            property => child == "Item" || is_list(property),
        };
        element.element_type = if is_list {
            ElementType::List
        } else {
            ElementType::Object
        };
        if is_list {
            builder.open_list(key.map(Cow::Owned))
        } else {
            builder.open_object(key.map(Cow::Owned))
        }
    }

    fn close(&mut self, builder: &mut Builder) -> Result<(), Reason> {
        let key = self.key().map(Cow::Owned);
        let in_settings = self
            .parent()
            .is_some_and(|parent| parent.property == "Settings");
        let Some(element) = self.open.pop() else {
            return Ok(());
        };
        if element.element_type != ElementType::Undecided {
            self.take_blank()?;
            return builder.close();
        }
        let text = std::mem::take(&mut self.text);
        let is_empty = text.trim().is_empty();
        if is_empty && is_list(&element.property) {
            builder.open_list(key)?;
            builder.close()
        } else if is_empty && property_type(&element.property) == Some(PropertyType::Object) {
            builder.open_object(key)?;
            builder.close()
        } else if is_list(&element.property) {
            Err(stray(&text))
        } else if in_settings || element.property == "Item" {
            builder.value(key, Value::String(text))
        } else {
            builder.value(key, typed(&element.property, text))
        }
    }

    /// Between elements are blanks only; other text is what something else put there.
    fn take_blank(&mut self) -> Result<(), Reason> {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() || self.open.is_empty() {
            Ok(())
        } else {
            Err(stray(&text))
        }
    }

    /// The innermost element's name within what holds it.
    fn key(&self) -> Option<String> {
        let holder = self.parent()?;
        (holder.element_type == ElementType::Object)
            .then(|| self.open.last().map(|element| element.property.clone()))
            .flatten()
    }

    fn parent(&self) -> Option<&Element> {
        self.open
            .len()
            .checked_sub(2)
            .and_then(|index| self.open.get(index))
    }

    /// The property name of a tag.
    fn property(&mut self, tag: &str) -> String {
        let Some(holder) = self.open.last_mut() else {
            return tag.to_owned();
        };
        match tag {
            _ if holder.property == "Settings" => tag.to_owned(),
            "One-Time-Filter" => "One-Time Filter".to_owned(),
            "Incremental-Sort-Groups" => {
                holder.groups += 1;
                if holder.groups == 1 {
                    "Full-sort Groups"
                } else {
                    "Pre-sorted Groups"
                }
                .to_owned()
            }
            "Sort-Space" => {
                holder.groups += 1;
                if holder.groups == 1 {
                    "Sort Space"
                } else {
                    "Sort Space Disk"
                }
                .to_owned()
            }
            _ => tag.replace("I-O-", "I/O ").replace('-', " "),
        }
    }
}

fn stray(text: &str) -> Reason {
    Reason::Syntax(format!(
        "not EXPLAIN's XML: \"{}\" between elements",
        text.trim()
    ))
}

fn is_list(property: &str) -> bool {
    matches!(
        property_type(property),
        Some(PropertyType::Texts | PropertyType::Objects | PropertyType::Lists)
    )
}

/// The value of an element's text.
fn typed(property: &str, text: String) -> Value {
    match (property_type(property), text.as_str()) {
        (Some(PropertyType::Flag) | None, "true") => Value::Bool(true),
        (Some(PropertyType::Flag) | None, "false") => Value::Bool(false),
        (Some(PropertyType::Number) | None, digits) => {
            number(digits).unwrap_or(Value::String(text))
        }
        _ => Value::String(text),
    }
}
