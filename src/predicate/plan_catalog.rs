//! A catalog made from a plan: the tables and columns that its nodes name, for plans that come
//! without the server's catalog.
//!
//! Types are inferred from conditions: a column that is a condition by itself is boolean, one that
//! is matched with LIKE is text. A column of another type has no type name, and a cast of it to
//! text is assumed to be relabelling (it is nearly always a varchar). There are no statistics and
//! no indexes.

use std::collections::BTreeSet;

use super::needed::CONDITION_PROPERTIES;
use crate::catalog::{Catalog, Column, Table, TableKind};
use crate::model::QualifiedName;
use crate::plan::{Node, NodeType, Plan};
use crate::sql::{Expression, Shape, parse_expression, parse_sort_term};

/// The catalog of the plan's tables: as the known catalog has them, where there is one, with the
/// columns that only the plan names.
pub fn catalog_of_plan(plan: &Plan, known: Option<&Catalog>) -> Catalog {
    let mut catalog = match known {
        Some(known) => Catalog {
            tables: Vec::new(),
            ..known.clone()
        },
        None => Catalog::default(),
    };
    for node in plan.nodes() {
        if let Some(table) = table_name(node) {
            add_table(&mut catalog, &table, known);
        }
    }
    for node in plan.nodes() {
        for condition in conditions(node) {
            add_columns(&mut catalog, plan, node, &condition, true);
        }
        for key in keys(node) {
            add_columns(&mut catalog, plan, node, &key, false);
        }
    }
    catalog
}

/// The table a node reads; without VERBOSE, its schema is not known and is empty.
pub(super) fn table_name(node: &Node) -> Option<QualifiedName> {
    let without_schema = || Some(QualifiedName::new("", node.relation_name()?));
    node.table().or_else(without_schema)
}

fn add_table(catalog: &mut Catalog, name: &QualifiedName, known: Option<&Catalog>) {
    if catalog.table(name).is_some() {
        return;
    }
    let table = known
        .and_then(|known| find(known, name))
        .map_or_else(|| unknown_table(name.clone()), Clone::clone);
    let table = Table {
        name: name.clone(),
        ..table
    };
    let partitioned = table.partition_of.clone();
    if let Some(partitioned) = partitioned.filter(|name| catalog.table(name).is_none()) {
        let owner = known.and_then(|known| known.table(&partitioned));
        catalog.tables.push(owner.cloned().unwrap_or_else(|| Table {
            name: partitioned.clone(),
            partition_of: None,
            indexes: Vec::new(),
            ..table.clone()
        }));
    }
    catalog.tables.push(table);
}

/// A name without a schema is looked for in all of them, and must be in only one.
fn find<'c>(known: &'c Catalog, name: &QualifiedName) -> Option<&'c Table> {
    if !name.schema.is_empty() {
        return known.table(name);
    }
    let mut named = known
        .tables
        .iter()
        .filter(|table| table.name.name == name.name);
    named.next().filter(|_| named.next().is_none())
}

fn unknown_table(name: QualifiedName) -> Table {
    Table {
        name,
        kind: TableKind::Plain,
        partition_of: None,
        partitions: Vec::new(),
        rows: None,
        pages: 0,
        all_visible_pages: 0,
        owned: true,
        lockable: true,
        modified_rows: 0,
        row_security: false,
        policies_of_others: None,
        policies: Vec::new(),
        writes: None,
        columns: Vec::new(),
        indexes: Vec::new(),
    }
}

fn conditions(node: &Node) -> impl Iterator<Item = Expression> {
    let texts = CONDITION_PROPERTIES
        .iter()
        .filter_map(|property| node.text(property));
    texts.filter_map(|text| parse_expression(text).ok())
}

fn keys(node: &Node) -> impl Iterator<Item = Expression> {
    let sorted = node.sort_key().into_iter();
    let sorted = sorted.filter_map(|text| parse_sort_term(text).ok());
    let grouped = node.group_key().into_iter();
    sorted
        .map(|term| term.expression)
        .chain(grouped.filter_map(|text| parse_expression(text).ok()))
}

/// The columns of an expression, each in the table that it names or that its node reads.
fn add_columns(
    catalog: &mut Catalog,
    plan: &Plan,
    node: &Node,
    expression: &Expression,
    is_condition: bool,
) {
    let mut found = BTreeSet::new();
    collect_columns(
        expression,
        if is_condition { "boolean" } else { "" },
        &mut found,
    );
    for (alias, column, type_name) in found {
        let scan = match &alias {
            Some(alias) => scan_of(plan, alias),
            None if node.relation_name().is_some() => Some(node),
            None => only_scan(plan),
        };
        let Some(name) = scan.and_then(table_name) else {
            continue;
        };
        let owner = catalog.index_owner(&name).map(|owner| owner.name.clone());
        let tables = catalog.tables.iter_mut();
        let named =
            tables.filter(|table| table.name == name || Some(&table.name) == owner.as_ref());
        for table in named {
            add_column(table, &column, type_name);
        }
    }
}

fn add_column(table: &mut Table, name: &str, type_name: &str) {
    match table.columns.iter_mut().find(|column| column.name == name) {
        Some(known) if known.type_name.is_empty() => type_name.clone_into(&mut known.type_name),
        Some(_) => {}
        None => table.columns.push(Column {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            not_null: false,
            c_collation: false,
            names_partition: false,
            collation: None,
            statistics: None,
        }),
    }
}

fn scan_of<'p>(plan: &'p Plan, alias: &str) -> Option<&'p Node> {
    scans(plan).find(|node| node.alias() == Some(alias))
}

fn only_scan(plan: &Plan) -> Option<&Node> {
    let mut scans = scans(plan);
    scans.next().filter(|_| scans.next().is_none())
}

fn scans(plan: &Plan) -> impl Iterator<Item = &Node> {
    plan.nodes()
        .iter()
        .filter(|node| node.relation_name().is_some() && *node.node_type() != NodeType::ModifyTable)
}

type NamedColumn = (Option<String>, String, &'static str);

/// The columns in an expression with their qualifiers and types; `type_name` is the type that the
/// expression must have.
fn collect_columns(
    expression: &Expression,
    type_name: &'static str,
    found: &mut BTreeSet<NamedColumn>,
) {
    match &expression.shape {
        Shape::Column(name) => {
            let alias = expression.relations.first().cloned();
            found.insert((alias, name.clone(), type_name));
        }
        Shape::And(parts) | Shape::Or(parts) => {
            parts
                .iter()
                .for_each(|part| collect_columns(part, "boolean", found));
        }
        Shape::Not(operand) | Shape::TruthTest { operand, .. } => {
            collect_columns(operand, "boolean", found);
        }
        Shape::Binary {
            operator,
            left,
            right,
        } => {
            let type_name = match operator.as_str() {
                "~~" | "~~*" | "!~~" | "!~~*" | "~" | "~*" => "text",
                _ => "",
            };
            collect_columns(left, type_name, found);
            collect_columns(right, type_name, found);
        }
        Shape::AnyOf { operand, array, .. } => {
            collect_columns(operand, "", found);
            collect_columns(array, "", found);
        }
        // `email::text ~~ '%x'`: relabelling of a varchar.
        Shape::Cast {
            operand,
            type_name: cast_to,
        } if type_name == "text" && cast_to == "text" => {
            collect_columns(operand, "character varying", found);
        }
        Shape::NullTest { operand, .. }
        | Shape::Cast { operand, .. }
        | Shape::Collate { operand, .. }
        | Shape::Extract {
            source: operand, ..
        } => collect_columns(operand, "", found),
        Shape::Call { arguments, .. } => {
            arguments
                .iter()
                .for_each(|argument| collect_columns(argument, "", found));
        }
        Shape::Other if expression.relations.len() <= 1 => {
            let alias = expression.relations.first();
            let columns = expression.columns.iter();
            found.extend(columns.map(|name| (alias.cloned(), name.clone(), "")));
        }
        Shape::Constant | Shape::RunTime | Shape::Other | Shape::Unparsed => {}
    }
}
