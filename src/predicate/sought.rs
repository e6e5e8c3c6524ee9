//! Expressions about a value that is sought, and not about the row alone.
//!
//! `ts_rank(tsv, to_tsquery('whale'))`, `similarity(name, 'ann')` or `abs(price - 100)` answer one
//! search: the next one has another value, and an index on the expression would serve nobody.
//! `date_trunc('day', at)` or `meta ->> 'user'` have literals that belong to the question's form.

use crate::catalog::Table;
use crate::sql::{Expression, Shape};

/// Types whose values are searched for: as a literal in an expression they are what is sought.
/// Those with a dot or from extensions come with or without their schema.
const SOUGHT_TYPES: [&str; 15] = [
    "tsquery",
    "point",
    "box",
    "circle",
    "polygon",
    "lseg",
    "path",
    "line",
    "geometry",
    "geography",
    "vector",
    "halfvec",
    "sparsevec",
    "cube",
    "query_int",
];

/// Functions that compare a row with something sought: of text search, pg_trgm, fuzzystrmatch,
/// pgvector, cube, earthdistance.
const MEASURES: [&str; 20] = [
    "ts_rank",
    "ts_rank_cd",
    "ts_headline",
    "similarity",
    "word_similarity",
    "strict_word_similarity",
    "levenshtein",
    "levenshtein_less_equal",
    "difference",
    "cosine_distance",
    "l1_distance",
    "l2_distance",
    "inner_product",
    "hamming_distance",
    "jaccard_distance",
    "cube_distance",
    "earth_distance",
    "strpos",
    "position",
    "starts_with",
];

/// A column of up to so many values has kinds (`status = 'urgent'`), one of more has values.
const MAX_KINDS: f64 = 100.0;

/// Is a literal in this expression what is sought?
pub(super) fn is_about_a_sought_value(expression: &Expression, table: &Table) -> bool {
    let here = match &expression.shape {
        Shape::Constant => has_sought_type(&expression.text),
        Shape::Binary {
            operator,
            left,
            right,
        } => compares_with_sought(operator, left, right, table),
        Shape::Call {
            function,
            arguments,
        } => {
            let constant = arguments.iter().any(is_constant);
            let unqualified = function.rsplit('.').next().unwrap_or(function);
            let measures = MEASURES.contains(&unqualified)
                || (unqualified.starts_with("st_") && unqualified.contains("distance"));
            (measures && constant)
                || (unqualified == "abs" && arguments.iter().any(is_difference_to_constant))
        }
        _ => false,
    };
    here || expression
        .parts()
        .into_iter()
        .any(|part| is_about_a_sought_value(part, table))
}

fn compares_with_sought(
    operator: &str,
    left: &Expression,
    right: &Expression,
    table: &Table,
) -> bool {
    let other = match (is_constant(left), is_constant(right)) {
        (true, false) => right,
        (false, true) => left,
        _ => return false,
    };
    match operator {
        // A distance: `<->`, `<=>`, `<#>`, `<->>`.
        _ if operator.len() > 2 && operator.starts_with('<') && operator.ends_with('>') => true,
        "~~" | "~~*" | "!~~" | "!~~*" | "~" | "~*" | "!~" | "!~*" | "%" | "^@" | "@@" => {
            // `number % 10` is arithmetic: its constant has no quotes.
            operator != "%" || left.text.starts_with('\'') || right.text.contains("'::text")
        }
        "=" | "<>" => !has_kinds(other, table),
        _ => false,
    }
}

/// Do the columns have so few values that one of them is a kind?
fn has_kinds(expression: &Expression, table: &Table) -> bool {
    expression.columns.iter().all(|name| {
        let Some(column) = table.column(name) else {
            return false;
        };
        let values = column.distinct_values(table.rows.unwrap_or(0.0));
        column.type_name == "boolean" || values.is_none_or(|values| values <= MAX_KINDS)
    })
}

/// `price - 100`, `100 - price`.
fn is_difference_to_constant(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } => operator == "-" && (is_constant(left) || is_constant(right)),
        Shape::Cast { operand, .. } => is_difference_to_constant(operand),
        _ => false,
    }
}

fn is_constant(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Constant => true,
        Shape::Cast { operand, .. } | Shape::Collate { operand, .. } => is_constant(operand),
        // `to_tsquery('english', 'whale')`, `point(1, 2)`: as good as a literal.
        Shape::Call { arguments, .. } => {
            expression.columns.is_empty() && arguments.iter().all(is_constant)
        }
        _ => false,
    }
}

fn has_sought_type(text: &str) -> bool {
    let Some((_, type_name)) = text.rsplit_once("::") else {
        return false;
    };
    let name = type_name.split('(').next().unwrap_or(type_name);
    let name = name.rsplit('.').next().unwrap_or(name);
    SOUGHT_TYPES.contains(&name.trim().trim_matches('"'))
}
