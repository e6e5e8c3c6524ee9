//! The properties of a node in little memory: a plan may have ten thousand nodes with thirty
//! properties each, and maps of `serde_json` would take four times the memory and more time.
//!
//! All nodes have the same few dozen property names, so a plan holds each name once. A property is
//! found by comparing one name after the other, which is as fast as hashing for so few.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::node_type::NodeType;

/// The property that is kept as a [`NodeType`] and not as a text.
const NODE_TYPE: &str = "Node Type";

/// Names and values in the server's order.
#[derive(Debug, Clone, Default)]
pub struct Properties(Box<[(Arc<str>, Property)]>);

/// The value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Property {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, exactly as the server wrote it.
    Number(Number),
    /// The value of `Node Type`.
    NodeType(NodeType),
    /// Any other text.
    Text(Box<str>),
    /// A list of texts, such as `Output`.
    Texts(Box<[Box<str>]>),
    /// Another list, or an object: `Workers`, `Grouping Sets`, ….
    Nested(Box<Value>),
}

impl Properties {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Property> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Is there one of that name?
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All, in the server's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Property)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// All without their names.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Property> {
        self.iter().map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As for JSON objects, the order does not matter.
impl PartialEq for Properties {
    fn eq(&self, other: &Properties) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(name, value)| other.get(name) == Some(value))
    }
}

impl From<Properties> for Map<String, Value> {
    fn from(properties: Properties) -> Self {
        properties
            .0
            .into_iter()
            .map(|(name, value)| (name.to_string(), Value::from(value)))
            .collect()
    }
}

impl Property {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Property::Text(text) => Some(text),
            Property::NodeType(node_type) => Some(node_type.name()),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Property::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The flag, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Property::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The list or object, if it is one other than a list of texts.
    pub fn as_nested(&self) -> Option<&Value> {
        match self {
            Property::Nested(value) => Some(value),
            _ => None,
        }
    }

    /// Every text in it: itself, or those of a list.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let list: &[Box<str>] = if let Property::Texts(texts) = self {
            texts
        } else {
            &[]
        };
        let mixed = self
            .as_nested()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        self.as_str()
            .into_iter()
            .chain(list.iter().map(|text| &**text))
            .chain(mixed)
    }
}

impl From<Value> for Property {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Property::Null,
            Value::Bool(flag) => Property::Flag(flag),
            Value::Number(number) => Property::Number(number),
            Value::String(text) => Property::Text(text.into_boxed_str()),
            Value::Array(values) if values.iter().all(Value::is_string) => {
                let text = |value| {
                    if let Value::String(text) = value {
                        Some(text.into_boxed_str())
                    } else {
                        None
                    }
                };
                Property::Texts(values.into_iter().filter_map(text).collect())
            }
            nested => Property::Nested(Box::new(nested)),
        }
    }
}

impl From<Property> for Value {
    fn from(property: Property) -> Self {
        match property {
            Property::Null => Value::Null,
            Property::Flag(flag) => Value::Bool(flag),
            Property::Number(number) => Value::Number(number),
            Property::Text(text) => Value::String(text.into_string()),
            Property::NodeType(node_type) => Value::String(node_type.name().to_owned()),
            Property::Texts(texts) => texts
                .into_iter()
                .map(|text| Value::String(text.into_string()))
                .collect(),
            Property::Nested(value) => *value,
        }
    }
}

/// The property names of a plan that is being read, each kept once.
#[derive(Debug, Default)]
pub(crate) struct PropertyNames(HashSet<Arc<str>>);

impl PropertyNames {
    /// Properties that share these names.
    pub(crate) fn properties(&mut self, map: Map<String, Value>) -> Properties {
        Properties(
            map.into_iter()
                .map(|(name, value)| (self.shared(&name), property(&name, value)))
                .collect(),
        )
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let new: Arc<str> = name.into();
        self.0.insert(new.clone());
        new
    }
}

fn property(name: &str, value: Value) -> Property {
    match value {
        Value::String(text) if name == NODE_TYPE => Property::NodeType(NodeType::parse(&text)),
        value => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties(value: Value) -> Properties {
        let Value::Object(map) = value else {
            return Properties::default();
        };
        PropertyNames::default().properties(map)
    }

    #[test]
    fn what_goes_in_comes_out_in_its_order() {
        let said = json!({"Node Type": "Sort", "Sort Key": ["a", "b"], "Grouping Sets": [{"Group Keys": [["a"]]}], "Empty": [],
            "Mixed": ["a", 1], "Total Cost": 10.50, "Query Identifier": -9_007_199_254_740_993_i64, "Disabled": false, "Odd": null});
        let kept = properties(said.clone());
        assert_eq!(
            serde_json::to_string(&Map::from(kept)).unwrap(),
            said.to_string()
        );
    }

    #[test]
    fn a_property_is_what_it_is_and_nothing_else() {
        let kept = properties(
            json!({"text": "a", "number": 2, "flag": true, "list": ["b", "c"], "mixed": ["d", 1, "e"]}),
        );
        let texts = |name: &str| {
            kept.get(name)
                .unwrap()
                .texts()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            ["text", "number", "flag", "list", "mixed"].map(texts),
            ["a", "", "", "b c", "d e"]
        );
        let of = |name: &str| kept.get(name).unwrap();
        assert_eq!(
            (
                of("number").as_f64(),
                of("number").as_str(),
                of("flag").as_bool()
            ),
            (Some(2.0), None, Some(true))
        );
        assert_eq!(
            (kept.get("other"), kept.contains("flag"), kept.len()),
            (None, true, 5)
        );
    }

    #[test]
    fn the_node_type_is_a_type_and_comes_out_as_it_was() {
        for said in ["Seq Scan", "ColumnarScan", "seq scan", ""] {
            let kept = properties(json!({"Node Type": said, "Alias": "Seq Scan"}));
            assert_eq!(
                kept.get("Node Type"),
                Some(&Property::NodeType(NodeType::parse(said)))
            );
            assert_eq!(kept.get("Node Type").and_then(Property::as_str), Some(said));
            assert_eq!(
                serde_json::to_string(&Map::from(kept)).unwrap(),
                json!({"Node Type": said, "Alias": "Seq Scan"}).to_string()
            );
        }
    }

    /// The tags of `Property` and of `NodeType` share their bytes.
    #[test]
    fn a_property_is_no_larger_than_a_boxed_text_with_its_tag() {
        assert!(size_of::<Property>() <= 3 * size_of::<usize>());
    }

    #[test]
    fn order_does_not_matter_when_compared() {
        let (a, b) = (
            properties(json!({"a": 1, "b": 2})),
            properties(json!({"b": 2, "a": 1})),
        );
        assert_eq!(a, b);
        assert_ne!(a, properties(json!({"a": 1})));
        assert_ne!(a, properties(json!({"a": 1, "b": 3})));
    }
}
