//! What a statement compares with literals, read from its text: these are the places that get other
//! values.

use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    BinaryOperator, Expr, Statement, TableFactor, Value, ValueWithSpan, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;

/// The tables of a statement and its comparisons with literals.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparisons {
    /// As FROM has them, with their aliases.
    pub tables: Vec<String>,
    pub all: Vec<Comparison>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared, as an expression over the table's rows, whose values are those that the
    /// literals can have.
    pub key: String,
    pub kind: Kind,
    pub literals: Vec<Literal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The key is the literal.
    Equality,
    /// The key is at least the literal, or greater.
    Lower,
    Upper,
    /// The key is one of the literals.
    Membership,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    pub place: Range<usize>,
    pub value: String,
    /// The wildcards around a value, if it is a pattern.
    pub around: (&'static str, &'static str),
}

/// None where the text cannot be parsed.
pub fn comparisons(sql: &str) -> Option<Comparisons> {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let mut collector = Collector {
        sql,
        found: Comparisons::default(),
    };
    let _: ControlFlow<()> = Vec::<Statement>::visit(&parsed, &mut collector);
    Some(collector.found)
}

/// The statement with these values in place of literals.
pub fn replaced(sql: &str, values: &[(Range<usize>, String)]) -> String {
    let mut values: Vec<&(Range<usize>, String)> = values.iter().collect();
    values.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut text = sql.to_owned();
    for (place, value) in values {
        text.replace_range(place.clone(), value);
    }
    text
}

/// A string literal.
pub fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

struct Collector<'s> {
    sql: &'s str,
    found: Comparisons,
}

impl Visitor for Collector<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = factor
        {
            let alias = alias.as_ref();
            let alias = alias.map_or_else(String::new, |alias| format!(" AS {}", alias.name));
            let table = format!("{name}{alias}");
            if !self.found.tables.contains(&table) {
                self.found.tables.push(table);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        let own = self.compared(expression);
        self.found.all.extend(own.into_iter().flatten());
        ControlFlow::Continue(())
    }
}

impl Collector<'_> {
    fn compared(&self, expression: &Expr) -> Option<Vec<Comparison>> {
        match expression {
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::Between {
                expr,
                negated: false,
                low,
                high,
            } => Some(vec![
                self.one(expr, Kind::Lower, low)?,
                self.one(expr, Kind::Upper, high)?,
            ]),
            Expr::InList {
                expr,
                list,
                negated: false,
            } => Some(vec![self.many(key(expr)?, list)?]),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => {
                let elements = format!("unnest({})", key(right)?);
                Some(vec![comparison(
                    elements,
                    Kind::Equality,
                    self.literal(left)?,
                )])
            }
            Expr::Like {
                negated: false,
                expr,
                pattern,
                ..
            }
            | Expr::ILike {
                negated: false,
                expr,
                pattern,
                ..
            } => Some(vec![self.pattern(expr, pattern)?]),
            _ => None,
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Vec<Comparison>> {
        let kinds = match op {
            BinaryOperator::Eq => (Kind::Equality, Kind::Equality),
            BinaryOperator::Gt | BinaryOperator::GtEq => (Kind::Lower, Kind::Upper),
            BinaryOperator::Lt | BinaryOperator::LtEq => (Kind::Upper, Kind::Lower),
            BinaryOperator::AtArrow | BinaryOperator::PGOverlap => {
                let Expr::Array(array) = bare(right) else {
                    return None;
                };
                let single = array.elem.len() == 1 || *op == BinaryOperator::PGOverlap;
                let elements = format!("unnest({})", key(left).filter(|_| single)?);
                return Some(vec![self.many(elements, &array.elem)?]);
            }
            _ => return None,
        };
        let found = self
            .one(left, kinds.0, right)
            .or_else(|| self.one(right, kinds.1, left))?;
        Some(vec![found])
    }

    fn one(&self, compared: &Expr, kind: Kind, with: &Expr) -> Option<Comparison> {
        Some(comparison(key(compared)?, kind, self.literal(with)?))
    }

    fn many(&self, key: String, list: &[Expr]) -> Option<Comparison> {
        let literals = list.iter().map(|element| self.literal(element));
        Some(Comparison {
            key,
            kind: Kind::Membership,
            literals: literals.collect::<Option<_>>()?,
        })
    }

    /// A prefix or an infix: equality with as many characters of the key, from its beginning or its
    /// middle.
    fn pattern(&self, compared: &Expr, pattern: &Expr) -> Option<Comparison> {
        let mut literal = self.literal(pattern)?;
        let infix = literal.value.strip_prefix('%');
        let (core, is_infix) = match infix {
            Some(rest) => (rest.strip_suffix('%')?, true),
            None => (literal.value.strip_suffix('%')?, false),
        };
        if core.is_empty() || core.contains(['%', '_', '\\']) {
            return None;
        }
        let (key, characters) = (key(compared)?, core.chars().count());
        let key = if is_infix {
            format!(
                "substr(({key})::text, greatest(1, (length(({key})::text) - {characters}) / 2), {characters})"
            )
        } else {
            format!("left(({key})::text, {characters})")
        };
        literal.around = if is_infix { ("%", "%") } else { ("", "%") };
        literal.value = core.to_owned();
        Some(comparison(key, Kind::Equality, literal))
    }

    /// A string or a number, with casts around it.
    fn literal(&self, expression: &Expr) -> Option<Literal> {
        let value = match bare(expression) {
            Expr::Value(value) => value,
            Expr::TypedString(typed) => &typed.value,
            Expr::Cast { expr, .. } => return self.literal(expr),
            _ => return None,
        };
        let text = match &value.value {
            Value::Number(number, _) => number.clone(),
            Value::SingleQuotedString(text) => text.clone(),
            _ => return None,
        };
        Some(Literal {
            place: self.place(value)?,
            value: text,
            around: ("", ""),
        })
    }

    fn place(&self, value: &ValueWithSpan) -> Option<Range<usize>> {
        let place = offset(self.sql, value.span.start)?..offset(self.sql, value.span.end)?;
        (!place.is_empty()).then_some(place)
    }
}

fn comparison(key: String, kind: Kind, literal: Literal) -> Comparison {
    Comparison {
        key,
        kind,
        literals: vec![literal],
    }
}

/// What is compared; none where it is a constant.
fn key(expression: &Expr) -> Option<String> {
    struct HasColumn;
    impl Visitor for HasColumn {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    let has_column = expression.visit(&mut HasColumn).is_break();
    has_column.then(|| bare(expression).to_string())
}

fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// Locations count lines and characters from 1.
fn offset(text: &str, wanted: Location) -> Option<usize> {
    let line = usize::try_from(wanted.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(wanted.column).ok()?.checked_sub(1)?;
    let start = match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line - 1)?.0 + 1,
    };
    let characters = text[start..].char_indices().map(|(byte, _)| byte);
    let mut characters = characters.chain([text.len() - start]);
    Some(start + characters.nth(column)?)
}
