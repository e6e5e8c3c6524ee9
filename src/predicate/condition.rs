//! One ANDed condition on one relation, sorted by what an index could do with it.

use std::collections::BTreeSet;

use super::key::{OrderKey, key_of, plain_column};
use super::relation::Relation;
use crate::catalog::Table;
use crate::index::Key;
use crate::sql::{DISTINCT, Expression, Shape};

/// A condition and what it compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What an index would have as its key for it.
    pub key: Key,
    /// What kind of condition it is.
    pub kind: ConditionKind,
    /// The operator with the key on its left (`=`, `@>`, `~~`), without a schema; empty for tests
    /// for NULL and for booleans.
    pub operator: String,
    /// What the key is compared with.
    pub operand: Operand,
    /// The whole condition, as an index predicate would have it.
    pub expression: Expression,
}

/// What an index can do with a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionKind {
    /// `=`, also a boolean column by itself: one place in a btree.
    Equality,
    /// `= ANY (array)`: several places.
    Membership,
    /// `<`, `<=`, `>`, `>=`: a range of a btree.
    Range,
    /// `IS NULL`: one place.
    Null,
    /// `IS NOT NULL`: a range of a btree.
    NotNull,
    /// `<>` and `IS DISTINCT FROM`: nothing for a key, something for a predicate.
    Inequality,
    /// `<> ALL (array)`, as NOT IN is written: the same.
    Exclusion,
    /// Of the row's own columns and literals alone: `shipped > due`, `flag IS NOT TRUE`. The same.
    RowPredicate,
    /// Any other operator: nothing for a btree.
    Other,
}

/// What a key is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A literal, as the plan prints it; or nothing at all, as in `IS NULL`.
    Constant(String),
    /// A parameter, `now()`, the result of a subplan: a value, but not one an index predicate may
    /// hold.
    RunTime,
    /// Another relation's column.
    Join,
}

impl Condition {
    /// Reads a conjunct from the point of view of one relation; none when no index key can be made
    /// of it.
    pub fn read(conjunct: &Expression, relation: Relation<'_>) -> Option<Condition> {
        Condition::read_keyed(conjunct, relation)
            .or_else(|| Condition::read_row_predicate(conjunct, relation))
    }

    /// A condition between a key and something else.
    fn read_keyed(conjunct: &Expression, relation: Relation<'_>) -> Option<Condition> {
        let (key, kind, operator, operand) = keyed(conjunct, relation)?;
        Some(Condition {
            key,
            kind,
            operator,
            operand,
            expression: conjunct.clone(),
        })
    }

    /// A condition that only an index predicate can hold: over columns of this relation, with
    /// nothing that is known only at run time.
    fn read_row_predicate(conjunct: &Expression, relation: Relation<'_>) -> Option<Condition> {
        let (own, table) = (relation.reads_only_this(conjunct), relation.table);
        let columns = &conjunct.columns;
        let known = !columns.is_empty() && columns.iter().all(|name| table.column(name).is_some());
        let is_fact = match &conjunct.shape {
            Shape::Binary { operator, .. } => {
                operator == DISTINCT || kind_of(operator) != ConditionKind::Other
            }
            Shape::Not(_) | Shape::TruthTest { .. } | Shape::Call { .. } => true,
            Shape::Cast { type_name, .. } => type_name == "boolean",
            _ => false,
        };
        if !own || !known || !is_fact || !is_fixed(conjunct) {
            return None;
        }
        let expression = in_one_direction(conjunct);
        let operand = Operand::Constant(String::new());
        Some(Condition {
            key: Key::Expression(expression.clone()),
            kind: ConditionKind::RowPredicate,
            operator: String::new(),
            operand,
            expression,
        })
    }

    /// Reads a comparison of rows, `(a, b) > ($1, $2)`: a range on the first column, whose rows an
    /// index in the order of all the columns has next to each other (keyset pagination).
    pub fn read_row(
        conjunct: &Expression,
        relation: Relation<'_>,
    ) -> Option<(Condition, Vec<OrderKey>)> {
        let Shape::Binary {
            operator,
            left,
            right,
        } = &conjunct.shape
        else {
            return None;
        };
        let (own, table) = (
            |part: &Expression| relation.reads_only_this(part),
            relation.table,
        );
        let (row, operator) = match (own(left), own(right)) {
            (true, false) => (left, operator.as_str()),
            (false, true) => (right, commuted(operator)?),
            _ => return None,
        };
        let Shape::Call {
            function,
            arguments,
        } = &row.shape
        else {
            return None;
        };
        if !function.eq_ignore_ascii_case("row")
            || !matches!(kind_of(operator), ConditionKind::Range)
        {
            return None;
        }
        let keys: Option<Vec<Key>> = arguments
            .iter()
            .map(|argument| key_of(argument, table))
            .collect();
        let keys = keys.filter(|keys| !keys.is_empty())?;
        let condition = Condition {
            key: keys.first()?.clone(),
            kind: ConditionKind::Range,
            operator: operator.to_owned(),
            operand: Operand::RunTime,
            expression: conjunct.clone(),
        };
        let order = keys.into_iter().map(|key| OrderKey {
            key,
            descending: false,
            nulls_first: false,
        });
        Some((condition, order.collect()))
    }

    /// The columns it reads of its relation.
    pub fn columns(&self) -> BTreeSet<String> {
        self.key.columns().unwrap_or_default()
    }

    /// May an index predicate hold this condition? Only literals: anything else would change from
    /// call to call.
    pub fn is_constant(&self) -> bool {
        matches!(self.operand, Operand::Constant(_))
    }

    /// Does it compare with another relation?
    pub fn is_join(&self) -> bool {
        self.operand == Operand::Join
    }
}

/// The key, the kind, the operator and the operand of a condition.
type Keyed = (Key, ConditionKind, String, Operand);

fn keyed(conjunct: &Expression, relation: Relation<'_>) -> Option<Keyed> {
    let nothing = || Operand::Constant(String::new());
    match &conjunct.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } => comparison(operator, left, right, relation),
        Shape::AnyOf {
            operator,
            operand,
            array,
        } if operator == "=" && relation.reads_only_this(operand) => {
            let key = key_of(operand, relation.table)?;
            let kind = ConditionKind::Membership;
            Some((key, kind, operator.clone(), operand_of(array)))
        }
        Shape::NullTest { operand, negated } if relation.reads_only_this(operand) => {
            let kind = if *negated {
                ConditionKind::NotNull
            } else {
                ConditionKind::Null
            };
            let key = key_of(operand, relation.table)?;
            Some((key, kind, String::new(), nothing()))
        }
        Shape::Not(operand) if relation.reads_only_this(operand) => negated(operand, relation),
        Shape::TruthTest {
            operand,
            value,
            negated: false,
        } => boolean(operand, *value, relation),
        Shape::Column(_) | Shape::Cast { .. } => boolean(conjunct, true, relation),
        _ => None,
    }
}

fn comparison(
    operator: &str,
    left: &Expression,
    right: &Expression,
    relation: Relation<'_>,
) -> Option<Keyed> {
    let (key, operator, value) = match (
        relation.reads_only_this(left),
        relation.reads_only_this(right),
    ) {
        (true, false) => (left, operator, right),
        (false, true) => (right, commuted(operator)?, left),
        _ => return None,
    };
    Some((
        key_of(key, relation.table)?,
        kind_of(operator),
        operator.to_owned(),
        operand_of(value),
    ))
}

/// `NOT flag`, or `a <> ALL (array)`.
fn negated(operand: &Expression, relation: Relation<'_>) -> Option<Keyed> {
    match &operand.shape {
        Shape::AnyOf {
            operator,
            operand,
            array,
        } if operator == "=" && relation.reads_only_this(operand) => Some((
            key_of(operand, relation.table)?,
            ConditionKind::Exclusion,
            "<>".to_owned(),
            operand_of(array),
        )),
        _ => boolean(operand, false, relation),
    }
}

/// A boolean column that has to have a value.
fn boolean(operand: &Expression, value: bool, relation: Relation<'_>) -> Option<Keyed> {
    let key =
        boolean_column(operand, relation.table).filter(|_| relation.reads_only_this(operand))?;
    let value = Operand::Constant(value.to_string());
    Some((key, ConditionKind::Equality, String::new(), value))
}

fn boolean_column(expression: &Expression, table: &Table) -> Option<Key> {
    let column = plain_column(expression, table).filter(|column| column.type_name == "boolean")?;
    Some(Key::Column(column.name.clone()))
}

fn operand_of(value: &Expression) -> Operand {
    match value.shape {
        Shape::Constant => Operand::Constant(value.text.clone()),
        _ if !value.relations.is_empty() => Operand::Join,
        _ => Operand::RunTime,
    }
}

/// Does it consist of columns and literals alone, as far as its shape shows?
fn is_fixed(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Column(_) | Shape::Constant => true,
        Shape::RunTime | Shape::Extract { .. } | Shape::Other | Shape::Unparsed => false,
        Shape::Binary { left, right, .. }
        | Shape::AnyOf {
            operand: left,
            array: right,
            ..
        } => is_fixed(left) && is_fixed(right),
        Shape::And(parts)
        | Shape::Or(parts)
        | Shape::Call {
            arguments: parts, ..
        } => parts.iter().all(is_fixed),
        Shape::Not(operand)
        | Shape::NullTest { operand, .. }
        | Shape::TruthTest { operand, .. }
        | Shape::Collate { operand, .. }
        | Shape::Cast { operand, .. } => is_fixed(operand),
    }
}

/// `a > b` as `b < a`, so that statements that write it in either direction have one index: the
/// planner proves the one from the other (`operator_predicate_proof`,
/// src/backend/optimizer/util/predtest.c).
fn in_one_direction(comparison: &Expression) -> Expression {
    let exchanged = |left: &Expression, operator: &str, right: &Expression| {
        Expression::binary(right.clone(), operator, left.clone())
    };
    match &comparison.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } if matches!(operator.as_str(), ">" | ">=") => {
            exchanged(left, if operator == ">" { "<" } else { "<=" }, right)
        }
        Shape::Binary {
            operator,
            left,
            right,
        } if matches!(operator.as_str(), "=" | "<>") && right < left => {
            exchanged(left, operator, right)
        }
        _ => comparison.clone(),
    }
}

fn kind_of(operator: &str) -> ConditionKind {
    match operator {
        "=" => ConditionKind::Equality,
        "<" | "<=" | ">" | ">=" => ConditionKind::Range,
        "<>" | DISTINCT => ConditionKind::Inequality,
        _ => ConditionKind::Other,
    }
}

/// The operator with its sides exchanged; none where that would mean something else.
fn commuted(operator: &str) -> Option<&str> {
    Some(match operator {
        "=" | "<>" | "&&" | DISTINCT => operator,
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        "@>" => "<@",
        "<@" => "@>",
        _ => return None,
    })
}
