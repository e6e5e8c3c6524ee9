//! SQL expressions as values: a small tree of our own.
//!
//! The tree keeps what index advice asks about (columns, constants, comparisons, calls, casts) and
//! the text of every part *without table qualifiers*, because that is how a part is written in an
//! index definition. Everything else is [`Shape::Other`]: it still has its text and columns.
//! [`super::parse_expression()`] makes the tree from SQL.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};

use crate::model::quote_identifier;

/// `a IS DISTINCT FROM b` is read as a comparison with this operator.
pub const DISTINCT: &str = "IS DISTINCT FROM";

/// One expression with its parts.
///
/// Two expressions are equal, and are ordered, by their text: the same index could hold either.
#[derive(Debug, Clone)]
pub struct Expression {
    /// As an index definition has it: no table qualifiers, types in lower case.
    pub text: String,
    /// The qualifiers (table aliases) its columns came with.
    pub relations: BTreeSet<String>,
    /// The columns it reads, unquoted, without qualifiers.
    pub columns: BTreeSet<String>,
    /// What it is.
    pub shape: Shape,
}

/// What an expression is, as far as index advice cares.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A column, by its unquoted name.
    Column(String),
    /// A literal, with the casts around it.
    Constant,
    /// Known only when the statement runs: `$1`, `now()`, the result of a subplan.
    RunTime,
    /// `a AND b AND …`, flattened.
    And(Vec<Expression>),
    /// `a OR b OR …`, flattened.
    Or(Vec<Expression>),
    /// `NOT a`.
    Not(Box<Expression>),
    /// `a op b`, comparisons and arithmetic alike; LIKE is `~~` as in plans.
    Binary {
        /// As PostgreSQL prints it, without a schema: `=`, `>=`, `->>`, `@>`, …
        operator: String,
        /// Left operand.
        left: Box<Expression>,
        /// Right operand.
        right: Box<Expression>,
    },
    /// `a op ANY (array)`, which is also what `IN` becomes in a plan.
    AnyOf {
        /// The comparison, nearly always `=`.
        operator: String,
        /// What is compared.
        operand: Box<Expression>,
        /// The array it is compared with.
        array: Box<Expression>,
    },
    /// `a IS NULL`, or `a IS NOT NULL` when negated.
    NullTest {
        /// What is tested.
        operand: Box<Expression>,
        /// IS NOT NULL.
        negated: bool,
    },
    /// `a IS TRUE`, `a IS NOT FALSE`, …
    TruthTest {
        /// What is tested.
        operand: Box<Expression>,
        /// What it is, or is not, for.
        value: bool,
        /// IS NOT.
        negated: bool,
    },
    /// `a::type` of something that is no literal.
    Cast {
        /// What is cast.
        operand: Box<Expression>,
        /// The type's name, in lower case unless quoted.
        type_name: String,
    },
    /// `a COLLATE "C"`.
    Collate {
        /// What is compared.
        operand: Box<Expression>,
        /// How, unquoted and without a schema.
        collation: String,
    },
    /// A function call that reads columns.
    Call {
        /// The function's name as printed, in lower case.
        function: String,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
    /// `EXTRACT(field FROM a)`.
    Extract {
        /// What is taken from it: `DAY`.
        field: String,
        /// The date, time or interval.
        source: Box<Expression>,
    },
    /// Anything else.
    Other,
    /// SQL that the parser does not know: only its text is known, not its columns.
    Unparsed,
}

/// One term of a sort key: `transactions.updated DESC NULLS LAST`.
#[derive(Debug, Clone, PartialEq)]
pub struct SortTerm {
    /// What is sorted by.
    pub expression: Expression,
    /// DESC.
    pub descending: bool,
    /// Nulls first, by clause or by default (PostgreSQL sorts nulls last when ascending, first when
    /// descending).
    pub nulls_first: bool,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl PartialOrd for Expression {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Expression {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Expression {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// As its text: catalogs and recordings hold SQL.
impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Expression {
    /// A column, unqualified.
    pub fn column(name: &str) -> Expression {
        Expression {
            text: quote_identifier(name).into_owned(),
            relations: BTreeSet::new(),
            columns: BTreeSet::from([name.to_owned()]),
            shape: Shape::Column(name.to_owned()),
        }
    }

    /// `NOT operand`.
    pub fn negation(operand: Expression) -> Expression {
        let text = format!("(NOT {})", operand.text);
        Reads::of([&operand]).expression(text, Shape::Not(Box::new(operand)))
    }

    /// `left operator right`; between values that are known without a row, a value as well.
    pub fn binary(left: Expression, operator: &str, right: Expression) -> Expression {
        Expression::binary_written(left, operator, operator, right)
    }

    /// As [`Expression::binary`]; the text names the operator with its schema.
    pub(super) fn binary_written(
        left: Expression,
        written: &str,
        operator: &str,
        right: Expression,
    ) -> Expression {
        let text = format!("({} {written} {})", left.text, right.text);
        let reads = Reads::of([&left, &right]);
        if left.is_known_without_row() && right.is_known_without_row() {
            return reads.expression(text, Shape::RunTime);
        }
        let shape = Shape::Binary {
            operator: operator.to_owned(),
            left: Box::new(left),
            right: Box::new(right),
        };
        reads.expression(text, shape)
    }

    /// `operand operator ANY (array)`.
    pub fn any_of(operand: Expression, operator: &str, array: Expression) -> Expression {
        let text = format!("({} {operator} ANY ({}))", operand.text, array.text);
        let reads = Reads::of([&operand, &array]);
        let shape = Shape::AnyOf {
            operator: operator.to_owned(),
            operand: Box::new(operand),
            array: Box::new(array),
        };
        reads.expression(text, shape)
    }

    /// `operand <> ALL (array)`, which NOT IN becomes in a plan: what `NOT (operand = ANY (array))`
    /// means.
    pub fn none_of(operand: Expression, array: Expression) -> Expression {
        let text = format!("({} <> ALL ({}))", operand.text, array.text);
        let reads = Reads::of([&operand, &array]);
        let any = Expression::any_of(operand, "=", array);
        reads.expression(text, Shape::Not(Box::new(any)))
    }

    /// `operand IS TRUE`, `operand IS NOT FALSE`, …
    pub fn truth_test(operand: Expression, value: bool, negated: bool) -> Expression {
        let not = if negated { "NOT " } else { "" };
        let tested = if value { "TRUE" } else { "FALSE" };
        let text = format!("({} IS {not}{tested})", operand.text);
        let reads = Reads::of([&operand]);
        let shape = Shape::TruthTest {
            operand: Box::new(operand),
            value,
            negated,
        };
        reads.expression(text, shape)
    }

    /// `operand IS NULL` or `operand IS NOT NULL`.
    pub fn null_test(operand: Expression, negated: bool) -> Expression {
        let not = if negated { "NOT " } else { "" };
        let text = format!("({} IS {not}NULL)", operand.text);
        let reads = Reads::of([&operand]);
        let shape = Shape::NullTest {
            operand: Box::new(operand),
            negated,
        };
        reads.expression(text, shape)
    }

    /// `operand::type_name`.
    pub fn cast(operand: Expression, type_name: String) -> Expression {
        let text = format!("({})::{type_name}", operand.text);
        let reads = Reads::of([&operand]);
        let shape = Shape::Cast {
            operand: Box::new(operand),
            type_name,
        };
        reads.expression(text, shape)
    }

    /// `part AND part …`; a single part is itself.
    pub fn all(parts: Vec<Expression>) -> Expression {
        Expression::joined(parts, "AND", Shape::And)
    }

    /// `part OR part …`; a single part is itself.
    pub fn any(parts: Vec<Expression>) -> Expression {
        Expression::joined(parts, "OR", Shape::Or)
    }

    fn joined(
        mut parts: Vec<Expression>,
        word: &str,
        shape: fn(Vec<Expression>) -> Shape,
    ) -> Expression {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let text = format!("({})", texts.join(&format!(" {word} ")));
        let reads = Reads::of(&parts);
        reads.expression(text, shape(parts))
    }

    /// SQL that could not be parsed.
    pub(super) fn unparsed(text: &str) -> Expression {
        Expression {
            text: text.to_owned(),
            relations: BTreeSet::new(),
            columns: BTreeSet::new(),
            shape: Shape::Unparsed,
        }
    }

    /// What it is made of, one level down.
    pub fn parts(&self) -> Vec<&Expression> {
        match &self.shape {
            Shape::And(parts)
            | Shape::Or(parts)
            | Shape::Call {
                arguments: parts, ..
            } => parts.iter().collect(),
            Shape::Binary { left, right, .. }
            | Shape::AnyOf {
                operand: left,
                array: right,
                ..
            } => vec![left, right],
            Shape::Not(operand)
            | Shape::NullTest { operand, .. }
            | Shape::TruthTest { operand, .. }
            | Shape::Collate { operand, .. }
            | Shape::Cast { operand, .. }
            | Shape::Extract {
                source: operand, ..
            } => vec![operand],
            Shape::Column(_)
            | Shape::Constant
            | Shape::RunTime
            | Shape::Other
            | Shape::Unparsed => Vec::new(),
        }
    }

    /// The ANDed parts of a condition; a condition without AND is its only part.
    pub fn conjuncts(&self) -> &[Expression] {
        match &self.shape {
            Shape::And(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }

    /// The columns it reads; none when it could not be parsed.
    pub fn known_columns(&self) -> Option<&BTreeSet<String>> {
        (self.shape != Shape::Unparsed).then_some(&self.columns)
    }

    /// A literal, a parameter, or computed from nothing else.
    pub(super) fn is_known_without_row(&self) -> bool {
        matches!(self.shape, Shape::Constant | Shape::RunTime)
    }

    /// The text without the parentheses around all of it.
    pub fn text_without_parentheses(&self) -> &str {
        if self.is_parenthesised() {
            &self.text[1..self.text.len() - 1]
        } else {
            &self.text
        }
    }

    /// The text as the key of an index: a function call may stand alone, anything else needs
    /// parentheses (<https://www.postgresql.org/docs/current/sql-createindex.html>, "expression").
    pub fn key_text(&self) -> String {
        let is_plain_call = match &self.shape {
            Shape::Call { function, .. } => is_plain_function_name(function),
            _ => false,
        };
        if is_plain_call || self.is_parenthesised() {
            self.text.clone()
        } else {
            format!("({})", self.text)
        }
    }

    fn is_parenthesised(&self) -> bool {
        match &self.shape {
            Shape::And(_)
            | Shape::Or(_)
            | Shape::Not(_)
            | Shape::Binary { .. }
            | Shape::AnyOf { .. }
            | Shape::NullTest { .. }
            | Shape::TruthTest { .. }
            | Shape::Collate { .. } => true,
            Shape::Column(_) | Shape::Cast { .. } | Shape::Call { .. } => false,
            Shape::Constant | Shape::RunTime | Shape::Extract { .. } => is_enclosed(&self.text),
            Shape::Other | Shape::Unparsed => is_enclosed(&self.text),
        }
    }
}

/// A name that needs no quotes and is no keyword with a syntax of its own (COALESCE, ROW), which
/// plans print in capitals.
fn is_plain_function_name(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'))
}

/// Does a text whose structure is not known begin with a parenthesis that its last character
/// closes? Quoted parts are passed over.
fn is_enclosed(text: &str) -> bool {
    let mut depth = 0usize;
    let mut quote = None;
    for (position, character) in text.char_indices() {
        match (quote, character) {
            (Some(end), character) if end == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if depth == 0 {
            return position > 0 && position + 1 == text.len();
        }
    }
    false
}

/// What a part made of other parts reads: whatever they read.
pub(super) struct Reads {
    relations: BTreeSet<String>,
    pub(super) columns: BTreeSet<String>,
}

impl Reads {
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a Expression> + Clone) -> Reads {
        Reads {
            relations: parts
                .clone()
                .into_iter()
                .flat_map(|part| part.relations.iter().cloned())
                .collect(),
            columns: parts
                .into_iter()
                .flat_map(|part| part.columns.iter().cloned())
                .collect(),
        }
    }

    pub(super) fn expression(self, text: String, shape: Shape) -> Expression {
        Expression {
            text,
            relations: self.relations,
            columns: self.columns,
            shape,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_text(sql: &str) -> String {
        Expression::from_sql(sql).key_text()
    }

    #[test]
    fn only_plain_calls_are_keys_without_parentheses() {
        for (sql, written) in [
            ("lower(email)", "lower(email)"),
            ("COALESCE(a, b)", "(COALESCE(a, b))"),
            ("(a + b)", "(a + b)"),
            ("(a)::date", "((a)::date)"),
            ("(lower(a) || lower(b))", "(lower(a) || lower(b))"),
            ("EXTRACT(day FROM at)", "(EXTRACT(DAY FROM at))"),
            (
                "CASE WHEN a THEN 1 ELSE 2 END",
                "(CASE WHEN a THEN 1 ELSE 2 END)",
            ),
        ] {
            assert_eq!(key_text(sql), written);
        }
    }

    #[test]
    fn equality_and_order_go_by_the_text() {
        let qualified = Expression::from_sql("(j.state = 'x'::text)");
        let plain = Expression::from_sql("(state = 'x'::text)");
        assert_eq!(qualified, plain);
        assert_ne!(qualified.relations, plain.relations);
        assert!(Expression::from_sql("(a = 1)") < Expression::from_sql("(b = 1)"));
    }

    #[test]
    fn expressions_are_text_in_json_and_none_is_refused() {
        for text in [
            "lower(name)",
            "((a = 1) AND (b IS NULL))",
            "(a ?! no SQL that (the parser knows",
        ] {
            let json = serde_json::Value::String(text.to_owned());
            let expression: Expression = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&expression).unwrap(), json);
        }
        let unknown = Expression::from_sql("(a ?! no SQL that (the parser knows");
        assert_eq!(unknown.shape, Shape::Unparsed);
        assert_eq!(unknown.known_columns(), None);
    }

    #[test]
    fn conditions_are_taken_apart_and_put_together() {
        let both = Expression::from_sql("((a = 1) AND ((b = 2) OR (c = 3)))");
        assert_eq!(both.conjuncts().len(), 2);
        assert_eq!(Expression::all(both.conjuncts().to_vec()), both);
        let one = Expression::from_sql("(a = 1)");
        assert_eq!(one.conjuncts(), std::slice::from_ref(&one));
        assert_eq!(Expression::any(vec![one.clone()]), one);
        assert_eq!(
            both.text_without_parentheses(),
            "(a = 1) AND ((b = 2) OR (c = 3))"
        );
    }

    #[test]
    fn operators_are_known_without_their_schema() {
        let similar = Expression::from_sql("(name OPERATOR(public.%) 'x'::text)");
        assert_eq!(similar.text, "(name OPERATOR(public.%) 'x'::text)");
        let Shape::Binary { operator, .. } = similar.shape else {
            panic!()
        };
        assert_eq!(operator, "%");
    }

    #[test]
    fn parentheses_of_unknown_texts_are_matched() {
        assert!(is_enclosed("(a[1])") && is_enclosed("(CASE WHEN (a = ')') THEN 1 END)"));
        assert!(!is_enclosed("(a).b") && !is_enclosed("(a) || (b)") && !is_enclosed("a"));
    }
}
