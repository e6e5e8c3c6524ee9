//! What a plan asks of each table: the conditions its nodes filter and join on, and the orders and groups they need.
//!
//! The plan is the dependable source: it is already resolved, folded and attached to the relation that pays. In EXPLAIN's
//! VERBOSE form every column carries its relation's alias, and aliases are unique within a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Column, Table};
use crate::index::Key;
use crate::model::QualifiedName;
use crate::plan::{Node, NodeId, NodeType, Plan};
use crate::sql::{Expression, Shape, SortTerm, parse_expression, parse_sort_term};

mod condition;
mod needed;

pub use condition::{Condition, ConditionKind, Operand};

/// Everything one plan asks of one relation.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationUse {
    /// The table, as the catalog names it (a partition's own table is replaced by its partitioned table).
    pub table: QualifiedName,
    /// What the statement calls it.
    pub alias: String,
    /// The ANDed conditions on it, each once.
    pub conditions: Vec<Condition>,
    /// The orders in which its rows are wanted: sort keys, and group keys that a sorted input would serve.
    pub orders: Vec<Vec<OrderKey>>,
    /// `min` and `max` over the whole relation.
    pub extremes: Vec<Key>,
    /// Distances that its rows are wanted in the order of: `place <-> '(1,2)'`.
    pub distances: Vec<Distance>,
    /// ORed conditions that an index for each arm could answer together (a BitmapOr): the conditions of each arm.
    pub alternatives: Vec<Vec<Vec<Condition>>>,
    /// A LIMIT above it asks for some of its rows only.
    pub limited: bool,
    /// How many of its rows the planner expects to be read for something above: what passes its filter, up to the LIMIT.
    pub fetched: Option<f64>,
    /// The columns that anything in the plan but these conditions reads of it; none when that cannot be told, or when whole rows are
    /// wanted.
    pub needed: Option<BTreeSet<String>>,
}

/// A distance from something that is known when the statement runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distance {
    /// What is near or far.
    pub key: Key,
    /// The operator: `<->`.
    pub operator: String,
}

/// One column of a wanted order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// What is ordered.
    pub key: Key,
    /// DESC.
    pub descending: bool,
    /// Nulls first.
    pub nulls_first: bool,
}

/// Properties that hold conditions. `Index Cond` and `Recheck Cond` of a bitmap say the same; equal ones are kept once.
const CONDITION_PROPERTIES: &[&str] = &[
    "Filter",
    "Index Cond",
    "Recheck Cond",
    "Join Filter",
    "Hash Cond",
    "Merge Cond",
    "TID Cond",
    "One-Time Filter",
];

/// What the plan asks of every table it reads, in the order of its nodes.
pub fn relation_uses(plan: &Plan, catalog: &Catalog) -> Vec<RelationUse> {
    let mut relations = Relations::of(plan, catalog);
    for node in plan.nodes() {
        for property in CONDITION_PROPERTIES {
            relations.add_conditions(node, property);
        }
        relations.add_order(plan, node, "Sort Key");
        relations.add_group(node);
        relations.add_extremes(node);
        relations.add_index_order(plan, node, catalog);
    }
    relations.add_context(plan);
    relations.uses.into_values().collect()
}

/// The relations of one plan while they are collected.
struct Relations<'a> {
    /// By the position of the node that reads the relation, so that the result is in plan order.
    uses: BTreeMap<usize, RelationUse>,
    by_alias: BTreeMap<String, (usize, &'a Table)>,
}

impl<'a> Relations<'a> {
    fn of(plan: &Plan, catalog: &'a Catalog) -> Self {
        let mut relations = Relations {
            uses: BTreeMap::new(),
            by_alias: BTreeMap::new(),
        };
        for node in plan
            .nodes()
            .iter()
            .filter(|node| *node.node_type() != NodeType::ModifyTable)
        {
            let (Some(name), Some(alias)) = (node.table(), node.alias()) else {
                continue;
            };
            let Some(table) = catalog.index_owner(&name) else {
                continue;
            };
            relations
                .by_alias
                .entry(alias.to_owned())
                .or_insert((node.id.0, table));
            if let Some(parent_alias) = parent_alias(alias).filter(|_| table.name != name) {
                relations
                    .by_alias
                    .entry(parent_alias.to_owned())
                    .or_insert((node.id.0, table));
            }
            relations
                .uses
                .entry(node.id.0)
                .or_insert_with(|| RelationUse {
                    table: table.name.clone(),
                    alias: alias.to_owned(),
                    conditions: Vec::new(),
                    orders: Vec::new(),
                    extremes: Vec::new(),
                    distances: Vec::new(),
                    alternatives: Vec::new(),
                    limited: false,
                    fetched: None,
                    needed: None,
                });
        }
        relations
    }

    fn add_conditions(&mut self, node: &Node, property: &str) {
        let Some(text) = node.text(property) else {
            return;
        };
        let Ok(expression) = parse_expression(text) else {
            return;
        };
        for conjunct in expression.conjuncts() {
            for alias in &conjunct.relations {
                let Some((position, table)) = self.by_alias.get(alias).copied() else {
                    continue;
                };
                let Some(relation) = self.uses.get_mut(&position) else {
                    continue;
                };
                relation.add_condition(conjunct, alias, table);
            }
        }
    }

    /// What is told by the plan as a whole.
    fn add_context(&mut self, plan: &Plan) {
        let is_sole = self.sole_relation().is_some();
        for (position, relation) in &mut self.uses {
            let Some(node) = plan.nodes().get(*position) else {
                continue;
            };
            let limit = limit_above(plan, node);
            relation.limited = limit.is_some();
            let most = limit.and_then(Node::plan_rows).unwrap_or(f64::INFINITY);
            relation.fetched = node.plan_rows().map(|rows| rows.min(most));
            relation.needed = needed::columns(plan, *position, relation, &self.by_alias, is_sole);
        }
    }

    fn add_order(&mut self, plan: &Plan, node: &Node, property: &str) {
        let terms: Option<Vec<_>> = node
            .texts(property)
            .into_iter()
            .map(|text| parse_sort_term(text).ok())
            .collect();
        let Some(terms) = terms else { return };
        let Some((position, table)) = self.only_relation(terms.iter().map(|term| &term.expression))
        else {
            return;
        };
        if let Some(distance) = terms
            .first()
            .filter(|term| !term.descending)
            .and_then(|term| distance(term, table))
        {
            if let Some(relation) = self.uses.get_mut(&position)
                && !relation.distances.contains(&distance)
            {
                relation.distances.push(distance);
            }
            return;
        }
        let keys: Option<Vec<_>> = terms
            .iter()
            .map(|term| {
                let key = key_of(&term.expression, table)?;
                Some(OrderKey {
                    key,
                    descending: term.descending,
                    nulls_first: term.nulls_first,
                })
            })
            .collect();
        // Above a grouping or a window, anything but a column may be its result (`sum(total)`), which no index holds.
        let computed = keys
            .iter()
            .flatten()
            .any(|key| matches!(key.key, Key::Expression(_)));
        if computed && is_above_a_result(plan, node, position) {
            return;
        }
        self.add_wanted_order(position, keys);
    }

    /// Grouping by hashing or sorting would both be served by rows that come in the groups' order.
    fn add_group(&mut self, node: &Node) {
        let terms: Option<Vec<_>> = node
            .group_key()
            .into_iter()
            .map(|text| parse_expression(text).ok())
            .collect();
        let Some(terms) = terms else { return };
        let Some((position, table)) = self.only_relation(terms.iter()) else {
            return;
        };
        let ascending = |key| OrderKey {
            key,
            descending: false,
            nulls_first: false,
        };
        let keys = terms
            .iter()
            .map(|term| key_of(term, table).map(ascending))
            .collect();
        self.add_wanted_order(position, keys);
    }

    /// A plan that already reads an index for its order has no Sort that would show it: what the index delivers is wanted.
    fn add_index_order(&mut self, plan: &Plan, node: &Node, catalog: &Catalog) {
        if !node.node_type().is_index_scan() || !order_is_used(plan, node) {
            return;
        }
        let (Some(index), Some(name)) = (node.index_name(), node.table()) else {
            return;
        };
        let table = catalog.table(&name);
        let existing = table.and_then(|table| {
            table
                .indexes
                .iter()
                .find(|existing| existing.name.name == index)
        });
        let Some(index) = existing.and_then(|existing| existing.index.as_ref()) else {
            return;
        };
        let backward = node.is_backward();
        let keys = index.keys.iter().map(|key| OrderKey {
            key: key.key.clone(),
            descending: key.descending != backward,
            nulls_first: key.nulls_first != backward,
        });
        self.add_wanted_order(node.id.0, Some(keys.collect()));
    }

    fn add_wanted_order(&mut self, position: usize, keys: Option<Vec<OrderKey>>) {
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
            return;
        };
        if let Some(relation) = self.uses.get_mut(&position)
            && !relation.orders.contains(&keys)
        {
            relation.orders.push(keys);
        }
    }

    /// `min(x)` and `max(x)` without GROUP BY: one descent of an index would answer each.
    fn add_extremes(&mut self, node: &Node) {
        if *node.node_type() != NodeType::Aggregate || !node.group_key().is_empty() {
            return;
        }
        for output in node.texts("Output") {
            let Ok(Expression {
                shape:
                    Shape::Call {
                        function,
                        arguments,
                    },
                ..
            }) = parse_expression(output)
            else {
                continue;
            };
            let [argument] = arguments.as_slice() else {
                continue;
            };
            if !matches!(function.as_str(), "min" | "max") {
                continue;
            }
            let of_one = self
                .only_relation([argument].into_iter())
                .or_else(|| self.sole_relation());
            let Some((position, table)) = of_one else {
                continue;
            };
            if let (Some(key), Some(relation)) =
                (key_of(argument, table), self.uses.get_mut(&position))
                && !relation.extremes.contains(&key)
            {
                relation.extremes.push(key);
            }
        }
    }

    /// The plan's only relation. Its columns have no qualifier in `Output` (`show_plan_tlist`, src/backend/commands/explain.c).
    fn sole_relation(&self) -> Option<(usize, &'a Table)> {
        let mut relations = self.by_alias.values().copied();
        let first = relations.next()?;
        relations
            .all(|(position, _)| position == first.0)
            .then_some(first)
    }

    /// The one relation that all of these read.
    fn only_relation<'b>(
        &self,
        expressions: impl Iterator<Item = &'b Expression>,
    ) -> Option<(usize, &'a Table)> {
        let mut aliases = expressions.flat_map(|expression| expression.relations.iter());
        let first = aliases.next()?;
        aliases.all(|alias| alias == first).then_some(())?;
        self.by_alias.get(first).copied()
    }
}

impl RelationUse {
    fn add_condition(&mut self, conjunct: &Expression, alias: &str, table: &Table) {
        match &conjunct.shape {
            Shape::Or(arms) => {
                let arms: Option<Vec<Vec<Condition>>> = arms
                    .iter()
                    .map(|arm| arm_conditions(arm, alias, table))
                    .collect();
                self.alternatives
                    .extend(arms.filter(|arms| !self.alternatives.contains(arms)));
            }
            _ => {
                if let Some((condition, order)) = Condition::read_row(conjunct, alias, table) {
                    self.add(condition);
                    if !self.orders.contains(&order) {
                        self.orders.push(order);
                    }
                } else if let Some(condition) = Condition::read(conjunct, alias, table) {
                    self.add(condition);
                }
            }
        }
    }

    fn add(&mut self, condition: Condition) {
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }
}

/// The conditions of one arm of an OR; none when an index could not find its rows.
fn arm_conditions(arm: &Expression, alias: &str, table: &Table) -> Option<Vec<Condition>> {
    let conditions: Vec<Condition> = arm
        .conjuncts()
        .iter()
        .filter_map(|part| Condition::read(part, alias, table))
        .collect();
    (!conditions.is_empty()).then_some(conditions)
}

/// `place <-> '(1,2)'::point`: an operator that is no arithmetic, between something of the table and something known.
fn distance(term: &SortTerm, table: &Table) -> Option<Distance> {
    let Shape::Binary {
        operator,
        left,
        right,
    } = &term.expression.shape
    else {
        return None;
    };
    let key = match (left.columns.is_empty(), right.columns.is_empty()) {
        (false, true) => left,
        (true, false) => right,
        _ => return None,
    };
    let is_distance = operator.starts_with('<') && operator.ends_with('>') && operator.len() > 2;
    is_distance.then(|| {
        Some(Distance {
            key: key_of(key, table)?,
            operator: operator.to_owned(),
        })
    })?
}

/// The Limit that asks for some of the rows, with nothing between that needs them all. A Sort does, but only until an index sorts.
fn limit_above<'p>(plan: &'p Plan, node: &Node) -> Option<&'p Node> {
    let mut below_a_result = plan.ancestors(node.id).take_while(|node| {
        !matches!(
            node.node_type(),
            NodeType::Aggregate | NodeType::Hash | NodeType::WindowAgg | NodeType::Materialize
        )
    });
    below_a_result.find(|node| *node.node_type() == NodeType::Limit)
}

/// Above an Append, conditions and sort keys carry the partitioned table's alias; its partitions have it with a number
/// (`part` and `part_1`: ruleutils.c, `set_rtable_names`).
fn parent_alias(alias: &str) -> Option<&str> {
    let (parent, number) = alias.rsplit_once('_')?;
    number
        .bytes()
        .all(|digit| digit.is_ascii_digit())
        .then_some(parent)
}

/// Does a node between this one and the relation's scan compute results of many rows?
fn is_above_a_result(plan: &Plan, node: &Node, scan: usize) -> bool {
    let scan = plan.node(NodeId(scan));
    let from_scan = std::iter::once(scan).chain(plan.ancestors(scan.id));
    let mut between = from_scan.take_while(|ancestor| ancestor.id != node.id);
    between.any(|ancestor| {
        matches!(
            ancestor.node_type(),
            NodeType::Aggregate | NodeType::WindowAgg | NodeType::Group | NodeType::ProjectSet
        )
    })
}

/// Does something above the node rely on the order it delivers? Up to the first node that makes an order of its own.
fn order_is_used(plan: &Plan, node: &Node) -> bool {
    for ancestor in plan.ancestors(node.id) {
        match (ancestor.node_type(), ancestor.strategy()) {
            (
                NodeType::Sort | NodeType::IncrementalSort | NodeType::Hash | NodeType::HashJoin,
                _,
            )
            | (NodeType::Aggregate, Some("Hashed" | "Plain")) => {
                return false;
            }
            (
                NodeType::Limit
                | NodeType::MergeJoin
                | NodeType::Unique
                | NodeType::WindowAgg
                | NodeType::Group
                | NodeType::MergeAppend,
                _,
            )
            | (NodeType::Aggregate, Some("Sorted")) => return true,
            _ => {}
        }
    }
    false
}

/// The index key that an expression over one table is: a column, also behind a cast that only relabels it and with its own collation
/// named, or an expression over its columns.
fn key_of(expression: &Expression, table: &Table) -> Option<Key> {
    if let Some(column) = plain_column(expression, table) {
        return Some(Key::Column(column.name.clone()));
    }
    let known = expression
        .columns
        .iter()
        .all(|name| table.column(name).is_some());
    let computed = !matches!(
        expression.shape,
        Shape::Constant | Shape::RunTime | Shape::Column(_)
    );
    let fixed = !is_known_at_run_time(expression);
    (known && computed && fixed && !expression.columns.is_empty())
        .then(|| Key::Expression(expression.clone()))
}

/// Does a part of it change from call to call? No index can hold that.
fn is_known_at_run_time(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::RunTime => true,
        Shape::Binary { left, right, .. }
        | Shape::AnyOf {
            operand: left,
            array: right,
            ..
        } => is_known_at_run_time(left) || is_known_at_run_time(right),
        Shape::And(parts)
        | Shape::Or(parts)
        | Shape::Call {
            arguments: parts, ..
        } => parts.iter().any(is_known_at_run_time),
        Shape::Not(operand)
        | Shape::NullTest { operand, .. }
        | Shape::TruthTest { operand, .. }
        | Shape::Collate { operand, .. }
        | Shape::Cast { operand, .. } => is_known_at_run_time(operand),
        Shape::Extract { source, .. } => is_known_at_run_time(source),
        Shape::Column(_) | Shape::Constant | Shape::Other | Shape::Unparsed => false,
    }
}

fn plain_column<'t>(expression: &Expression, table: &'t Table) -> Option<&'t Column> {
    match &expression.shape {
        Shape::Column(name) => table.column(name),
        Shape::Cast { operand, type_name } => {
            plain_column(operand, table).filter(|column| column.is_relabelled_by(type_name))
        }
        Shape::Collate { operand, collation } => plain_column(operand, table)
            .filter(|column| column.collation.as_ref() == Some(collation)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
