//! Collects what a plan asks of each relation from all of its nodes.

use std::collections::BTreeMap;

use super::key::{OrderKey, key_of};
use super::needed::{self, CONDITION_PROPERTIES};
use super::plan_catalog::table_name;
use super::relation::Relation;
use super::relation_use::{Distance, RelationUse};
use crate::catalog::{Catalog, Table};
use crate::index::Key;
use crate::plan::{Node, NodeId, NodeType, Plan};
use crate::sql::{Expression, Shape, SortTerm, parse_expression, parse_sort_term};

/// What the plan asks of every table it reads, in the order of its nodes.
pub fn relation_uses(plan: &Plan, catalog: &Catalog) -> Vec<RelationUse> {
    let mut relations = Relations::of(plan, catalog);
    for node in plan.nodes() {
        // The filter of a grouping is HAVING: about its results, which no index holds.
        if !computes_a_result(node) {
            for property in CONDITION_PROPERTIES {
                relations.add_conditions(plan, node, property);
            }
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
            let (Some(name), Some(alias)) = (table_name(node), node.alias()) else {
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
                .or_insert_with(|| RelationUse::new(node.id, table.name.clone(), alias.to_owned()));
        }
        relations
    }

    fn add_conditions(&mut self, plan: &Plan, node: &Node, property: &str) {
        let Some(text) = node.text(property) else {
            return;
        };
        let Ok(expression) = parse_expression(text) else {
            return;
        };
        for conjunct in expression.conjuncts() {
            if conjunct.relations.is_empty() {
                self.add_unqualified(conjunct, node);
            }
            for alias in &conjunct.relations {
                let Some((position, table)) = self.by_alias.get(alias).copied() else {
                    continue;
                };
                // Above a grouping, anything but a column may be its result (`a.x > sum(b.y)`).
                if is_above_a_result(plan, node, position) && !is_about_columns(conjunct) {
                    continue;
                }
                let Some(relation) = self.uses.get_mut(&position) else {
                    continue;
                };
                relation.add_condition(conjunct, Relation { alias, table });
            }
        }
    }

    /// Without VERBOSE, a scan's own columns have no qualifier; nor has any column of a plan with
    /// one relation.
    fn add_unqualified(&mut self, conjunct: &Expression, node: &Node) {
        let own = node.alias().and_then(|alias| self.by_alias.get(alias));
        let Some((position, table)) = own.copied().or_else(|| self.sole_relation()) else {
            return;
        };
        if let Some(relation) = self.uses.get_mut(&position) {
            let alias = relation.alias.clone();
            let alias = alias.as_str();
            relation.add_condition(conjunct, Relation { alias, table });
        }
    }

    /// What the plan as a whole says.
    fn add_context(&mut self, plan: &Plan) {
        let is_sole = self.sole_relation().is_some();
        let references = needed::References::of(plan);
        for (position, relation) in &mut self.uses {
            let Some(node) = plan.nodes().get(*position) else {
                continue;
            };
            let limit = limit_above(plan, node);
            relation.limited = limit.is_some();
            let max_rows = limit.and_then(Node::plan_rows).unwrap_or(f64::INFINITY);
            relation.fetched = node.plan_rows().map(|rows| {
                // Of a parallel node it is what one worker reads.
                let workers = plan.ancestors(node.id).find_map(Node::workers_planned);
                (rows * (1.0 + workers.unwrap_or(0.0))).min(max_rows)
            });
            let table = self.by_alias.get(&relation.alias).map(|(_, table)| *table);
            relation.needed = match (table, references.as_ref()) {
                (Some(table), Some(references)) if plan.only_reads() => {
                    references.needed(plan, relation, table, is_sole)
                }
                _ => None,
            };
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
        // Above a grouping or a window, anything but a column may be its result (`sum(total)`),
        // which no index holds.
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

    /// A plan that already reads an index for its order has no Sort that would show it: the order
    /// is the index's.
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
            let Some((position, table)) = self.only_relation([argument].into_iter()) else {
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

    /// The plan's only relation. Its columns have no qualifier in `Output` (`show_plan_tlist`,
    /// src/backend/commands/explain.c).
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
        let Some(first) = aliases.next() else {
            return self.sole_relation();
        };
        aliases.all(|alias| alias == first).then_some(())?;
        self.by_alias.get(first).copied()
    }
}

/// `place <-> '(1,2)'::point`: an operator that is no arithmetic, between something of the table
/// and something known.
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

/// The Limit above that takes only some of the rows, without a node in between that needs all of
/// them. A Sort does not count: an index in its order would replace it.
fn limit_above<'p>(plan: &'p Plan, node: &Node) -> Option<&'p Node> {
    let mut below_a_result = plan.ancestors(node.id).take_while(|node| {
        !matches!(
            node.node_type(),
            NodeType::Aggregate | NodeType::Hash | NodeType::WindowAgg | NodeType::Materialize
        )
    });
    below_a_result.find(|node| *node.node_type() == NodeType::Limit)
}

/// Above an Append, conditions and sort keys carry the partitioned table's alias; its partitions
/// have it with a number (`part` and `part_1`: ruleutils.c, `set_rtable_names`).
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
    between.any(computes_a_result)
}

fn computes_a_result(node: &Node) -> bool {
    matches!(
        node.node_type(),
        NodeType::Aggregate | NodeType::WindowAgg | NodeType::Group | NodeType::ProjectSet
    )
}

/// Does it compare columns, and nothing that is computed from them?
fn is_about_columns(condition: &Expression) -> bool {
    match &condition.shape {
        Shape::Column(_) | Shape::Constant | Shape::RunTime => true,
        Shape::Binary { left, right, .. } => is_about_columns(left) && is_about_columns(right),
        Shape::AnyOf { operand, array, .. } => is_about_columns(operand) && is_about_columns(array),
        Shape::Not(operand)
        | Shape::NullTest { operand, .. }
        | Shape::TruthTest { operand, .. }
        | Shape::Cast { operand, .. }
        | Shape::Collate { operand, .. } => is_about_columns(operand),
        _ => false,
    }
}

/// Does something above the node rely on the order it delivers? Up to the first node that makes an
/// order of its own.
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
