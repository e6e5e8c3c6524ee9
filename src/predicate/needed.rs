//! Which columns of a relation a plan reads: what an index has to hold for an index-only scan.
//!
//! A scan's own output may name every column of the table, because that saves copying (`use_physical_tlist`,
//! src/backend/optimizer/plan/createplan.c); what the nodes above it read is exact. So a scan's output only counts where nothing
//! is above it.

use std::collections::{BTreeMap, BTreeSet};

use super::{CONDITION_PROPERTIES, RelationUse};
use crate::catalog::Table;
use crate::plan::{Node, NodeType, Plan};

/// Properties with expressions over columns, besides the conditions.
const EXPRESSION_LISTS: &[&str] = &["Sort Key", "Presorted Key", "Group Key", "Cache Key"];

/// The columns that anything but the scan's own conditions reads of the relation; none for whole rows, system columns, statements
/// that change the table, and conditions that could not be read.
pub(super) fn columns(
    plan: &Plan,
    scan: usize,
    relation: &RelationUse,
    by_alias: &BTreeMap<String, (usize, &Table)>,
    is_sole: bool,
) -> Option<BTreeSet<String>> {
    let scan = plan.nodes().get(scan)?;
    let (_, table) = by_alias.get(&relation.alias)?;
    if !plan.only_reads() {
        return None;
    }
    let mut needed = BTreeSet::new();
    for node in plan.nodes() {
        let own = node.id == scan.id;
        let conditions = CONDITION_PROPERTIES
            .iter()
            .filter_map(|property| node.text(property))
            .filter(|_| !own);
        let lists = EXPRESSION_LISTS
            .iter()
            .flat_map(|property| node.texts(property));
        let without_output = if own {
            !is_top(scan)
        } else {
            is_physical(node)
        };
        let output = if without_output {
            Vec::new()
        } else {
            node.texts("Output")
        };
        if is_sole {
            output
                .iter()
                .for_each(|text| add_words(text, table, &mut needed));
        }
        conditions
            .chain(lists)
            .chain(output)
            .for_each(|text| add_columns(text, &relation.alias, &mut needed));
    }
    let mut filtered = BTreeSet::new();
    let filters = CONDITION_PROPERTIES
        .iter()
        .filter_map(|property| scan.text(property));
    filters.for_each(|text| add_columns(text, &relation.alias, &mut filtered));
    let read: BTreeSet<String> = relation
        .conditions
        .iter()
        .flat_map(|condition| condition.columns())
        .collect();
    let known = needed.iter().all(|name| table.column(name).is_some()) && filtered.is_subset(&read);
    known.then_some(needed)
}

/// Nothing of the plan is above it that would read its output: the plan's own top or that of a subplan.
fn is_top(scan: &Node) -> bool {
    scan.parent.is_none() || scan.relationship().is_subquery()
}

/// What hands on its child's output as it is.
fn is_physical(node: &Node) -> bool {
    node.parent.is_some() && matches!(node.node_type(), NodeType::Append | NodeType::Limit)
}

/// Every word that is one of the table's columns.
fn add_words(text: &str, table: &Table, found: &mut BTreeSet<String>) {
    let words: BTreeSet<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
        .collect();
    let is_named = |name: &str| {
        words.contains(name) || text.contains(crate::model::quote_identifier(name).as_ref())
    };
    let system = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"]
        .into_iter()
        .filter(|name| words.contains(name));
    found.extend(system.map(ToOwned::to_owned));
    found.extend(
        table
            .columns
            .iter()
            .filter(|column| is_named(&column.name))
            .map(|column| column.name.clone()),
    );
    if words.contains(table.name.name.as_str()) {
        found.insert("*".to_owned());
    }
}

/// Every `alias.column` in a text; whole rows come out as `*`.
fn add_columns(text: &str, alias: &str, found: &mut BTreeSet<String>) {
    let quoted = crate::model::quote_identifier(alias);
    let qualifier = format!("{quoted}.");
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(&qualifier)) {
        let start = from + at;
        let end = start + qualifier.len();
        from = end;
        let before = text[..start].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '"' | '.')) {
            continue;
        }
        found.insert(identifier(&text[end..]));
    }
}

/// The identifier that a text begins with, unquoted.
fn identifier(text: &str) -> String {
    match text.strip_prefix('"') {
        Some(rest) => {
            let mut name = String::new();
            let mut characters = rest.chars().peekable();
            while let Some(character) = characters.next() {
                match character {
                    '"' if characters.peek() == Some(&'"') => name.extend(characters.next()),
                    '"' => break,
                    other => name.push(other),
                }
            }
            name
        }
        None => text
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '*'))
            .collect(),
    }
}
