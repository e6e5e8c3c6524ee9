//! Builds plans from the events of a reader: objects, lists and values with their names. The
//! readers of JSON, YAML and XML report the same events, so limits and checks exist once.
//!
//! It does not recurse: nodes are added to the plan's flat list, and other values are nested a few
//! levels at most.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::error::Reason;
use super::property::{PropertyType, property_type};
use crate::plan::{MAX_PLAN_DEPTH, Node, NodeId, Plan, Properties, PropertyNames};

/// More nodes than this are refused.
pub(crate) const MAX_NODES: usize = 2_000_000;

/// Levels of objects and lists within one node; EXPLAIN's deepest are grouping sets with four.
const MAX_VALUE_DEPTH: usize = 16;

/// The name of a value within its object; none within a list.
pub(crate) type Key<'a> = Option<Cow<'a, str>>;

#[derive(Debug)]
enum OpenContainer {
    /// The list around all plans.
    Document,
    /// The object with `"Plan"` in it.
    Query { has_plan: bool },
    /// A node with the properties read so far.
    Node(usize, Map<String, Value>),
    /// The list of a node's children.
    Children(usize),
    /// Any other object.
    Object(Option<String>, Map<String, Value>),
    /// Any other list.
    List(Option<String>, Vec<Value>),
}

/// Plans under construction.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    finished: Vec<Plan>,
    nodes: Vec<Node>,
    names: PropertyNames,
    summary: Map<String, Value>,
    open: Vec<OpenContainer>,
    values_open: usize,
}

impl Builder {
    /// The plans that are complete.
    pub(crate) fn finish(self) -> Vec<Plan> {
        self.finished
    }

    /// An object begins.
    pub(crate) fn open_object(&mut self, key: Key<'_>) -> Result<(), Reason> {
        let is_plan = key.as_deref() == Some("Plan");
        let asking = is_plan.then(|| self.innermost_node()).flatten();
        let container = match (self.open.last_mut(), key.as_deref()) {
            (None | Some(OpenContainer::Document), None) => {
                OpenContainer::Query { has_plan: false }
            }
            (Some(OpenContainer::Query { has_plan }), Some("Plan")) => {
                if std::mem::replace(has_plan, true) {
                    return Err(Reason::DuplicateKey("Plan".to_owned()));
                }
                OpenContainer::Node(self.add_node(None)?, empty_node())
            }
            (Some(OpenContainer::Children(parent)), _) => {
                let parent = *parent;
                OpenContainer::Node(self.add_node(Some(parent))?, empty_node())
            }
            // A plan that another server made, within the properties of the node that asked for it
            // (Citus: the remote plans of tasks).
            (Some(OpenContainer::Object(..)), Some("Plan")) if asking.is_some() => {
                OpenContainer::Node(self.add_node(asking)?, empty_node())
            }
            (_, name) => {
                if let Some(name) = name {
                    check(name, JsonType::Object)?;
                }
                self.values_open += 1;
                OpenContainer::Object(key.map(Cow::into_owned), Map::new())
            }
        };
        self.push(container)
    }

    /// The node whose properties are being read.
    fn innermost_node(&self) -> Option<usize> {
        self.open.iter().rev().find_map(|open| match open {
            OpenContainer::Node(node, _) => Some(*node),
            _ => None,
        })
    }

    /// A list begins.
    pub(crate) fn open_list(&mut self, key: Key<'_>) -> Result<(), Reason> {
        let container = match (self.open.last(), key.as_deref()) {
            (None | Some(OpenContainer::Document), None) => OpenContainer::Document,
            // A client's export of the result's one row and column.
            (Some(OpenContainer::Query { .. }), Some("QUERY PLAN")) => OpenContainer::Document,
            (Some(OpenContainer::Node(node, _)), Some("Plans")) => {
                if self
                    .nodes
                    .get(*node)
                    .is_some_and(|node| !node.children.is_empty())
                {
                    return Err(Reason::DuplicateKey("Plans".to_owned()));
                }
                OpenContainer::Children(*node)
            }
            (_, name) => {
                if let Some(name) = name {
                    check(name, JsonType::List)?;
                }
                self.values_open += 1;
                OpenContainer::List(key.map(Cow::into_owned), Vec::new())
            }
        };
        self.push(container)
    }

    /// A text, a number, true, false or null.
    pub(crate) fn value(&mut self, key: Key<'_>, value: Value) -> Result<(), Reason> {
        if let Some(name) = key.as_deref() {
            check(name, JsonType::of(&value))?;
        }
        // Other programs write this for a node without children.
        if value.is_null() && key.as_deref() == Some("Plans") {
            return Ok(());
        }
        self.put(key.map(Cow::into_owned), value)
    }

    /// The innermost object or list ends.
    pub(crate) fn close(&mut self) -> Result<(), Reason> {
        match self.open.pop() {
            Some(OpenContainer::Object(key, map)) => {
                self.values_open -= 1;
                self.put(key, Value::Object(map))
            }
            Some(OpenContainer::List(key, items)) => {
                self.values_open -= 1;
                self.put(key, Value::Array(items))
            }
            Some(OpenContainer::Node(node, properties)) => self.end_node(node, properties),
            Some(OpenContainer::Query { has_plan }) => self.end_query(has_plan),
            Some(OpenContainer::Document | OpenContainer::Children(_)) | None => Ok(()),
        }
    }

    fn end_node(&mut self, node: usize, properties: Map<String, Value>) -> Result<(), Reason> {
        if !properties.get("Node Type").is_some_and(Value::is_string) {
            return Err(Reason::NoNodeType);
        }
        if let Some(node) = self.nodes.get_mut(node) {
            node.properties = self.names.properties(properties);
        }
        Ok(())
    }

    fn end_query(&mut self, has_plan: bool) -> Result<(), Reason> {
        let summary = std::mem::take(&mut self.summary);
        if has_plan {
            self.finished
                .push(Plan::from_parts(std::mem::take(&mut self.nodes), summary));
            return Ok(());
        }
        // An object around other documents has no members of its own.
        if summary.is_empty() && !self.finished.is_empty() {
            return Ok(());
        }
        let keys = ["query_block", "queryPlanner", "select#1", "Node Type"];
        Err(
            match keys.into_iter().find(|key| summary.contains_key(*key)) {
                Some("query_block" | "select#1") => Reason::OtherDatabase("MySQL or MariaDB"),
                Some("queryPlanner") => Reason::OtherDatabase("MongoDB"),
                _ => Reason::NotExplain,
            },
        )
    }

    fn add_node(&mut self, parent: Option<usize>) -> Result<usize, Reason> {
        let index = self.nodes.len();
        if index >= MAX_NODES {
            return Err(Reason::TooManyNodes(MAX_NODES));
        }
        let depth = match parent.and_then(|parent| self.nodes.get_mut(parent)) {
            Some(parent) => {
                parent.children.push(NodeId(index));
                parent.depth + 1
            }
            None => 0,
        };
        if depth > MAX_PLAN_DEPTH {
            return Err(Reason::TooDeep(MAX_PLAN_DEPTH));
        }
        let (id, parent) = (NodeId(index), parent.map(NodeId));
        self.nodes.push(Node {
            id,
            parent,
            depth,
            children: Vec::new(),
            properties: Properties::default(),
        });
        Ok(index)
    }

    fn push(&mut self, container: OpenContainer) -> Result<(), Reason> {
        let documents = self.open.len() > MAX_VALUE_DEPTH && self.nodes.is_empty();
        if self.values_open > MAX_VALUE_DEPTH || documents {
            return Err(Reason::TooDeep(MAX_VALUE_DEPTH));
        }
        self.open.push(container);
        Ok(())
    }

    fn put(&mut self, key: Option<String>, value: Value) -> Result<(), Reason> {
        let map = match (self.open.last_mut(), &key) {
            (Some(OpenContainer::Query { .. }), Some(_)) => &mut self.summary,
            (Some(OpenContainer::Node(_, map) | OpenContainer::Object(_, map)), Some(_)) => map,
            (Some(OpenContainer::List(_, items)), None) => {
                items.push(value);
                return Ok(());
            }
            (Some(OpenContainer::Children(_)), _) => {
                return Err(Reason::WrongType {
                    property: "Plans".to_owned(),
                    expected: PropertyType::Objects.expected(),
                });
            }
            (Some(OpenContainer::Document), None) => {
                return Err(match value {
                    Value::String(text) => Reason::Utility(text),
                    _ => Reason::NotExplain,
                });
            }
            _ => return Err(Reason::NotExplain),
        };
        insert(map, key.unwrap_or_default(), value)
    }
}

/// A map with the capacity that most nodes need.
fn empty_node() -> Map<String, Value> {
    const MANY_PROPERTIES: usize = 32;
    Map::with_capacity(MANY_PROPERTIES)
}

fn insert(map: &mut Map<String, Value>, key: String, value: Value) -> Result<(), Reason> {
    if key == "Workers"
        && let (Some(Value::Array(known)), Value::Array(more)) = (map.get_mut(&key), &value)
    {
        merge_workers(known, more);
        return Ok(());
    }
    match map.entry(key) {
        serde_json::map::Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
        serde_json::map::Entry::Occupied(entry) => Err(Reason::DuplicateKey(entry.key().clone())),
    }
}

/// Before PostgreSQL 13 a Sort printed `"Workers"` twice: for rows and times, and for the sort
/// space.
fn merge_workers(known: &mut Vec<Value>, more: &[Value]) {
    for worker in more {
        let number = worker.get("Worker Number");
        let same = known
            .iter_mut()
            .find(|other| other.get("Worker Number") == number);
        match (same.and_then(Value::as_object_mut), worker) {
            (Some(same), Value::Object(worker)) => {
                for (key, value) in worker {
                    same.entry(key.as_str()).or_insert_with(|| value.clone());
                }
            }
            _ => known.push(worker.clone()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonType {
    Text,
    Number,
    Flag,
    Null,
    Object,
    List,
}

impl JsonType {
    fn of(value: &Value) -> JsonType {
        match value {
            Value::Null => JsonType::Null,
            Value::Bool(_) => JsonType::Flag,
            Value::Number(_) => JsonType::Number,
            Value::String(_) => JsonType::Text,
            Value::Array(_) => JsonType::List,
            Value::Object(_) => JsonType::Object,
        }
    }
}

/// Refuses a known property of another type. Only where the difference would mislead: `JIT`'s
/// `Generation` was a number before 17, and a setting may carry any name.
fn check(property: &str, json_type: JsonType) -> Result<(), Reason> {
    let must_be_number = || matches!(property_type(property), Some(PropertyType::Number));
    let wrong = match json_type {
        JsonType::Number => matches!(
            property,
            "Plan" | "Plans" | "Node Type" | "Output" | "Filter" | "Relation Name"
        ),
        JsonType::Flag | JsonType::Object => {
            matches!(property, "Plans" | "Node Type") || must_be_number()
        }
        JsonType::Text | JsonType::List | JsonType::Null => {
            matches!(property, "Plan" | "Plans") || must_be_number()
        }
    };
    // A null in place of the list of children means no children.
    if !wrong || (property == "Plans" && matches!(json_type, JsonType::Null)) {
        return Ok(());
    }
    let expected = property_type(property)
        .unwrap_or(PropertyType::Text)
        .expected();
    Err(Reason::WrongType {
        property: property.to_owned(),
        expected,
    })
}
