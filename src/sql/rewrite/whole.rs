//! A statement that is one SELECT, in the parts that a rewriting puts together anew.

use sqlparser::tokenizer::Token;

use super::from_tables::Schema;
use super::select::{SelectBlock, Span, closing, select_blocks, unwrapped};
use crate::model::quote_identifier;
use crate::sql::tokens::{Column, Tokens};

/// Functions that may be called for other rows, or more often, than the statement says: none is
/// volatile.
const SAFE_FUNCTIONS: &[&str] = &[
    "abs",
    "btrim",
    "cast",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "date",
    "date_part",
    "date_trunc",
    "extract",
    "floor",
    "greatest",
    "jsonb_extract_path_text",
    "least",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "now",
    "nullif",
    "replace",
    "right",
    "round",
    "row_number",
    "rtrim",
    "starts_with",
    "substr",
    "substring",
    "to_char",
    "to_date",
    "trim",
    "upper",
];

const AGGREGATES: &[&str] = &["avg", "count", "max", "min", "sum"];

/// Keywords and types that a parenthesis may follow.
const NO_FUNCTIONS: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "between",
    "by",
    "case",
    "char",
    "character",
    "decimal",
    "distinct",
    "else",
    "exists",
    "from",
    "ilike",
    "in",
    "is",
    "join",
    "lateral",
    "like",
    "not",
    "numeric",
    "on",
    "or",
    "over",
    "select",
    "some",
    "then",
    "time",
    "timestamp",
    "timestamptz",
    "using",
    "values",
    "varchar",
    "varying",
    "when",
    "where",
];

/// Is every function that is called here known not to be volatile?
pub(super) fn calls_are_safe(tokens: &Tokens<'_>, (from, to): Span, aggregates: bool) -> bool {
    (from..to).all(|position| {
        let called = tokens.at(position + 1) == Some(&Token::LParen);
        match tokens.at(position) {
            Some(Token::Word(_)) if called && position + 1 < to => {
                tokens.is_one_of(position, SAFE_FUNCTIONS)
                    || tokens.is_one_of(position, NO_FUNCTIONS)
                    || (aggregates && tokens.is_one_of(position, AGGREGATES))
            }
            Some(Token::Word(_)) if tokens.is_word(position, "limit") => {
                is_in_exists(tokens, (from, position))
            }
            Some(Token::Word(_)) => !tokens.is_word(position, "tablesample"),
            _ => true,
        }
    })
}

/// Which rows a LIMIT leaves does not matter in `EXISTS (…)`.
fn is_in_exists(tokens: &Tokens<'_>, (from, to): Span) -> bool {
    let encloses = |open: &usize| {
        tokens.at(*open) == Some(&Token::LParen)
            && closing(tokens, *open).is_some_and(|end| end > to)
    };
    let open = (from..to).rev().find(encloses);
    open.is_some_and(|open| open > 0 && tokens.is_word(open - 1, "exists"))
}

/// The statement's SELECT, if it is nothing else.
pub(super) fn only_select(tokens: &Tokens<'_>) -> Option<SelectBlock> {
    let block = select_blocks(tokens).into_iter().next()?;
    (tokens.is_word(0, "select") && block.span == (0, tokens.len())).then_some(block)
}

/// The column that these tokens are, if they are one.
pub(super) fn only_column(tokens: &Tokens<'_>, span: Span) -> Option<Column> {
    let (from, to) = unwrapped(tokens, span);
    let (column, end) = tokens.column(from)?;
    (end == to).then_some(column)
}

/// What commas divide, outside of parentheses.
pub(super) fn listed(tokens: &Tokens<'_>, (from, to): Span) -> Vec<Span> {
    let (mut parts, mut start, mut position) = (Vec::new(), from, from);
    while position < to {
        match tokens.at(position) {
            Some(Token::LParen | Token::LBracket) => {
                position = closing(tokens, position).unwrap_or(to);
            }
            Some(Token::Comma) => {
                parts.push((start, position));
                start = position + 1;
            }
            _ => {}
        }
        position += 1;
    }
    parts.push((start, to));
    parts
}

/// What a SELECT returns.
pub(super) enum Item {
    /// `*` or `t.*`.
    All(Option<String>),
    /// An expression.
    One {
        /// Its place, without the name that is given to it.
        span: Span,
        /// The column, if it is one.
        column: Option<Column>,
        /// What it is called, if that is known.
        name: Option<String>,
    },
}

/// The items of a list.
pub(super) fn items(tokens: &Tokens<'_>, list: Span) -> Vec<Item> {
    let items = listed(tokens, list).into_iter();
    items.map(|span| item(tokens, span)).collect()
}

fn item(tokens: &Tokens<'_>, (from, to): Span) -> Item {
    if tokens.at(to - 1) == Some(&Token::Mul) {
        if to == from + 1 {
            return Item::All(None);
        }
        if to == from + 3 && tokens.at(from + 1) == Some(&Token::Period) {
            return Item::All(tokens.name(from));
        }
    }
    let column = |(from, to): Span| {
        let found = tokens.column(from).filter(|(_, end)| *end == to);
        found.map(|(column, _)| column)
    };
    if to > from + 2 && tokens.is_word(to - 2, "as") {
        let span = (from, to - 2);
        return Item::One {
            span,
            column: column(span),
            name: tokens.name(to - 1),
        };
    }
    let implicit = (to > from + 1).then(|| column((from, to - 1))).flatten();
    if implicit.is_some() && tokens.at(to - 2) != Some(&Token::Period) {
        return Item::One {
            span: (from, to - 1),
            column: implicit,
            name: tokens.name(to - 1),
        };
    }
    let column = column((from, to));
    let name = column.as_ref().map(|column| column.name.clone());
    Item::One {
        span: (from, to),
        column,
        name,
    }
}

/// The names of everything that is returned, each once; none where that is not certain.
pub(super) fn output_names(
    items: &[Item],
    block: &SelectBlock,
    schema: &Schema<'_>,
) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        match item {
            Item::One { name, .. } => names.push(name.clone()?),
            Item::All(alias) => {
                for table in &block.from {
                    let table = table.as_ref()?;
                    if alias.as_ref().is_none_or(|alias| *alias == table.alias) {
                        let columns = schema(table)?.columns.into_iter();
                        names.extend(columns.map(|column| column.name));
                    }
                }
            }
        }
    }
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    (once.len() == names.len()).then_some(names)
}

/// An item of ORDER BY: what it is ordered by, and `DESC NULLS LAST`.
pub(super) fn order_term<'s>(tokens: &Tokens<'s>, (from, to): Span) -> Option<(Span, &'s str)> {
    let mut end = to;
    if end > from + 2
        && tokens.is_one_of(end - 1, &["first", "last"])
        && tokens.is_word(end - 2, "nulls")
    {
        end -= 2;
    }
    if end > from + 1 && tokens.is_one_of(end - 1, &["asc", "desc"]) {
        end -= 1;
    }
    let direction = match end < to {
        true => tokens.text(end, to)?,
        false => "",
    };
    let plain = !(from..end).any(|position| tokens.is_one_of(position, &["using", "collate"]));
    plain.then_some(((from, end), direction))
}

/// The items behind ORDER BY.
pub(super) fn order_terms(tokens: &Tokens<'_>, block: &SelectBlock) -> Vec<Span> {
    block
        .clause("order")
        .map_or_else(Vec::new, |(start, end)| listed(tokens, (start + 2, end)))
}

/// The output column that orders the result: by name, or by number.
pub(super) fn output_key(
    tokens: &Tokens<'_>,
    key: Span,
    (items, block): (&[Item], &SelectBlock),
    schema: &Schema<'_>,
) -> Option<String> {
    let (from, to) = key;
    if let (Some(Token::Number(number, _)), true) = (tokens.at(from), to == from + 1) {
        return Some(number.clone());
    }
    let named = |name: &str| {
        // A name that is there twice is refused by the server.
        items
            .iter()
            .any(|item| matches!(item, Item::One { name: Some(known), .. } if known == name))
    };
    let Some((column, _)) = tokens.column(from).filter(|(_, end)| *end == to) else {
        let text = tokens.text(from, to)?;
        return items.iter().find_map(|item| match item {
            Item::One {
                span,
                name: Some(name),
                ..
            } if tokens.text(span.0, span.1) == Some(text) => Some(quoted(name)),
            _ => None,
        });
    };
    if column.qualifier.is_none() && named(&column.name) {
        return Some(quoted(&column.name));
    }
    let meant = block.column_of(&column, schema)?;
    for item in items {
        match item {
            Item::One {
                column: Some(known),
                name: Some(name),
                ..
            } => {
                if block.column_of(known, schema).as_ref() == Some(&meant) {
                    return Some(quoted(name));
                }
            }
            Item::One { .. } => {}
            Item::All(alias) => {
                let covered = alias.as_ref().is_none_or(|alias| *alias == meant.0.alias);
                if covered && !named(&column.name) {
                    return Some(quoted(&column.name));
                }
            }
        }
    }
    None
}

pub(super) fn quoted(name: &str) -> String {
    quote_identifier(name).into_owned()
}
