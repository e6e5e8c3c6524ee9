//! `range @> column` (or `column <@ range`) of a range that is the same for every row: a btree
//! answers the comparisons with its bounds. PostgreSQL 17 does that itself for constants
//! (`elem_contained_by_range_support`, src/backend/utils/adt/rangetypes.c), others do not.
//!
//! A bound that is a parameter may be NULL, which is no bound; so then the condition stays, and
//! bounds that hold for every value are added to it.

use sqlparser::tokenizer::Token;

use super::conditions::{Place, Replacement, replaced};
use super::constants::{Constant, Value, constant, is_constant_expression, without_modifiers};
use super::from_tables::{Rewriting, Schema};
use super::select::{Span, closing, unwrapped};
use crate::sql::tokens::Tokens;

/// A type of ranges.
struct RangeType {
    name: &'static str,
    /// The only type of a column that is compared without a cast.
    element: &'static str,
    /// Its least and its greatest value, if it has them.
    ends: Option<(&'static str, &'static str)>,
}

const INFINITE: Option<(&str, &str)> = Some(("'-infinity'", "'infinity'"));

const RANGE_TYPES: &[RangeType] = &[
    RangeType {
        name: "tstzrange",
        element: "timestamp with time zone",
        ends: INFINITE,
    },
    RangeType {
        name: "tsrange",
        element: "timestamp without time zone",
        ends: INFINITE,
    },
    RangeType {
        name: "daterange",
        element: "date",
        ends: INFINITE,
    },
    RangeType {
        name: "int4range",
        element: "integer",
        ends: Some(("'-2147483648'", "'2147483647'")),
    },
    RangeType {
        name: "int8range",
        element: "bigint",
        ends: Some(("'-9223372036854775808'", "'9223372036854775807'")),
    },
    RangeType {
        name: "numrange",
        element: "numeric",
        ends: None,
    },
];

/// A statement with such conditions.
pub fn range_bounds(sql: &str, schema: &Schema<'_>) -> Option<Rewriting> {
    replaced(sql, schema, rule)
}

fn rule(place: &Place<'_, '_>) -> Option<Replacement> {
    let (tokens, (from, to)) = (place.tokens, place.span);
    let operator = outer(tokens, place.span)?;
    let (range, column_span) = match tokens.at(operator)? {
        Token::AtArrow => ((from, operator), (operator + 1, to)),
        Token::ArrowAt => ((operator + 1, to), (from, operator)),
        _ => return None,
    };
    let (start, stop) = unwrapped(tokens, column_span);
    let (column, end) = tokens.column(start)?;
    let range = Range::read(tokens, range)?;
    let known = place.block.column(&column, place.schema)?;
    if end != stop || without_modifiers(&known.type_name) != range.kind.element {
        return None;
    }
    let column = tokens.text(start, stop)?;
    let condition = tokens.text(from, to)?;
    Some(Replacement {
        text: range.written(column, condition)?,
        column: column.to_owned(),
    })
}

/// The only `@>` or `<@` outside of parentheses.
fn outer(tokens: &Tokens<'_>, (from, to): Span) -> Option<usize> {
    let (mut found, mut position) = (None, from);
    while position < to {
        match tokens.at(position)? {
            Token::LParen | Token::LBracket => position = closing(tokens, position)?,
            Token::AtArrow | Token::ArrowAt => match found {
                None => found = Some(position),
                Some(_) => return None,
            },
            _ => {}
        }
        position += 1;
    }
    found
}

/// A range that is the same for every row.
struct Range {
    kind: &'static RangeType,
    lower: Bound,
    upper: Bound,
    includes_lower: bool,
    includes_upper: bool,
}

/// One of its bounds.
enum Bound {
    None,
    /// A text that is never NULL.
    Known(String),
    /// One that may be.
    Parameter(String),
}

impl Range {
    fn read(tokens: &Tokens<'_>, span: Span) -> Option<Range> {
        let (from, to) = unwrapped(tokens, span);
        let kind = range_type(&tokens.name(from).unwrap_or_default());
        if let (Some(kind), Some(Token::LParen)) = (kind, tokens.at(from + 1)) {
            closing(tokens, from + 1).filter(|end| end + 1 == to)?;
            return Range::constructed(tokens, kind, (from + 2, to - 1));
        }
        let literal = constant(tokens, span)?;
        let kind = range_type(literal.cast.as_deref()?)?;
        match literal.value {
            Value::String(text) => Range::parsed(&text, kind),
            Value::Number(_) | Value::Parameter => None,
        }
    }

    /// `tstzrange(lower, upper, '[]')`
    fn constructed(tokens: &Tokens<'_>, kind: &'static RangeType, span: Span) -> Option<Range> {
        let arguments = arguments(tokens, span)?;
        let (lower, upper, bounds) = match arguments.as_slice() {
            [lower, upper] => (*lower, *upper, "[)".to_owned()),
            [lower, upper, bounds] => match constant(tokens, *bounds)? {
                Constant {
                    value: Value::String(text),
                    ..
                } => (*lower, *upper, text),
                _ => return None,
            },
            _ => return None,
        };
        let (includes_lower, includes_upper) = match bounds.as_str() {
            "[)" => (true, false),
            "[]" => (true, true),
            "()" => (false, false),
            "(]" => (false, true),
            _ => return None,
        };
        Some(Range {
            kind,
            lower: Bound::read(tokens, lower)?,
            upper: Bound::read(tokens, upper)?,
            includes_lower,
            includes_upper,
        })
    }

    /// `[2024-01-01,"2024-02-01 00:00")`
    /// (<https://www.postgresql.org/docs/current/rangetypes.html#RANGETYPES-IO>).
    fn parsed(text: &str, kind: &'static RangeType) -> Option<Range> {
        let text = text.trim();
        let includes_lower = match text.chars().next()? {
            '[' => true,
            '(' => false,
            _ => return None,
        };
        let includes_upper = match text.chars().next_back()? {
            ']' => true,
            ')' => false,
            _ => return None,
        };
        let (lower, upper) = text.get(1..text.len() - 1)?.split_once(',')?;
        Some(Range {
            kind,
            lower: Bound::parsed(lower)?,
            upper: Bound::parsed(upper)?,
            includes_lower,
            includes_upper,
        })
    }

    fn written(&self, column: &str, condition: &str) -> Option<String> {
        let mut parts = Vec::new();
        let mut kept = false;
        let sides = [
            (&self.lower, ">", self.includes_lower),
            (&self.upper, "<", self.includes_upper),
        ];
        for (bound, operator, included) in sides {
            let equal = if included { "=" } else { "" };
            match bound {
                Bound::None => {}
                Bound::Known(text) => parts.push(format!("{column} {operator}{equal} {text}")),
                Bound::Parameter(text) => {
                    let (least, greatest) = self.kind.ends?;
                    let end = if operator == ">" { least } else { greatest };
                    kept = true;
                    parts.push(format!(
                        "{column} {operator}= coalesce({text}, {end}::{})",
                        self.kind.element
                    ));
                }
            }
        }
        if kept {
            parts.insert(0, condition.to_owned());
        }
        (!parts.is_empty()).then(|| format!("({})", parts.join(" AND ")))
    }
}

impl Bound {
    fn read(tokens: &Tokens<'_>, span: Span) -> Option<Bound> {
        let text = tokens.text(span.0, span.1)?.to_owned();
        if span.1 == span.0 + 1 && tokens.is_word(span.0, "null") {
            return Some(Bound::None);
        }
        match constant(tokens, span) {
            Some(Constant {
                value: Value::Parameter,
                ..
            }) => Some(Bound::Parameter(text)),
            Some(_) => Some(Bound::Known(text)),
            None => is_constant_expression(tokens, span).then_some(Bound::Known(text)),
        }
    }

    fn parsed(text: &str) -> Option<Bound> {
        if text.is_empty() {
            return Some(Bound::None);
        }
        let quoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let value = quoted.unwrap_or(text);
        let plain =
            !value.is_empty() && !value.contains(['"', '\\', '\'', ',', '(', ')', '[', ']']);
        plain.then(|| Bound::Known(format!("'{value}'")))
    }
}

fn range_type(name: &str) -> Option<&'static RangeType> {
    RANGE_TYPES.iter().find(|kind| kind.name == name)
}

/// What commas divide.
fn arguments(tokens: &Tokens<'_>, (from, to): Span) -> Option<Vec<Span>> {
    let (mut parts, mut start, mut position) = (Vec::new(), from, from);
    while position < to {
        match tokens.at(position)? {
            Token::LParen | Token::LBracket => position = closing(tokens, position)?,
            Token::Comma => {
                parts.push((start, position));
                start = position + 1;
            }
            _ => {}
        }
        position += 1;
    }
    parts.push((start, to));
    parts.iter().all(|(from, to)| from < to).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, only_t};
    use super::*;

    fn rewritten(condition: &str) -> Option<String> {
        let schema = |table: &FromTable| {
            let columns = [
                ("at", "timestamp(3) with time zone"),
                ("day", "date"),
                ("n", "integer"),
                ("amount", "numeric(10,2)"),
                ("local", "timestamp without time zone"),
            ];
            only_t(&columns, table)
        };
        let rewriting = range_bounds(&format!("SELECT * FROM t WHERE {condition}"), &schema)?;
        let (_, condition) = rewriting.sql.split_once("WHERE ")?;
        Some(condition.to_owned())
    }

    #[test]
    fn containment_in_a_range_becomes_its_bounds() {
        for (condition, wanted) in [
            (
                "tstzrange('2024-02-01 00:00+00', '2024-02-01 02:00+00', '[)') @> at",
                "(at >= '2024-02-01 00:00+00' AND at < '2024-02-01 02:00+00')",
            ),
            (
                "t.at <@ tstzrange(now() - interval '1 day', NULL, '()') AND n = 1",
                "(t.at > now() - interval '1 day') AND n = 1",
            ),
            (
                "daterange('2024-01-01', '2024-01-31', '(]') @> (day)",
                "(day > '2024-01-01' AND day <= '2024-01-31')",
            ),
            ("('[5,10]'::int4range @> n)", "((n >= '5' AND n <= '10'))"),
            ("int4range(-5, 10) @> n", "(n >= -5 AND n < 10)"),
            ("numrange '(,2.5]' @> amount", "(amount <= '2.5')"),
            (
                "'[\"2024-01-01 00:00:00\",)'::tsrange @> local",
                "(local >= '2024-01-01 00:00:00')",
            ),
            (
                "tstzrange($1, $2) @> at",
                "(tstzrange($1, $2) @> at AND at >= coalesce($1, '-infinity'::timestamp with time zone) AND at <= coalesce($2, 'infinity'::timestamp with time zone))",
            ),
        ] {
            assert_eq!(rewritten(condition).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for condition in [
            "NOT tstzrange('2024-02-01', '2024-02-02') @> at",
            "tstzrange(NULL, NULL) @> at",
            "'empty'::int4range @> n",
            "'{[1,2),[5,6)}'::int4multirange @> n",
            "int8range(1, 5) @> n",
            "tstzrange(local, '2024-02-02') @> at",
            "tstzrange('2024-02-01', clock_timestamp()) @> at",
            "numrange($1, 5) @> amount",
            "int4range(1, 5, b) @> n",
            "int4range(1, 5) @> n + 1",
            "int4range(1, 5) @> other",
            "(int4range(1, 5) @> n) IS NULL",
        ] {
            assert_eq!(rewritten(condition), None, "{condition}");
        }
    }
}
