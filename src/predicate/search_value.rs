//! Expressions that contain a value that is searched for.
//!
//! `ts_rank(tsv, to_tsquery('whale'))`, `similarity(name, 'ann')` or `abs(price - 100)` belong to one
//! search: the next one has another value, and an index on the expression would serve no other call.
//! (Where the planner did not fold a call like `to_tsquery('whale')`, its result is known at run time,
//! and no key either.)
//! The literals of `date_trunc('day', at)` or `meta ->> 'user'` are the same in every call.

use crate::catalog::Table;
use crate::sql::{Expression, Shape};

/// Types of which a literal in an expression is a value that is searched for, without schema.
const SEARCHED_TYPES: [&str; 15] = [
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

/// Functions that compare something of the row with a value that is searched for: of text search,
/// pg_trgm, fuzzystrmatch, pgvector, cube, earthdistance.
const COMPARING_FUNCTIONS: [&str; 23] = [
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
    "array_position",
    "array_positions",
    "age",
];

/// Types of which a literal is a moment: what is subtracted from it, or it from something, is how
/// long ago that was when somebody asked.
const MOMENTS: [&str; 5] = [
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "timestamp",
    "timestamptz",
];

/// Functions of a difference that make a distance of it.
const OF_A_DIFFERENCE: [&str; 3] = ["abs", "power", "pow"];

/// What the distance on a sphere ends with.
const OF_AN_ANGLE: [&str; 3] = ["acos", "asin", "atan2"];

/// Of a column with at most so many values, a value is a kind of rows (`status = 'urgent'`).
const MAX_KINDS: f64 = 100.0;

/// Does the expression contain a value that is searched for?
pub(super) fn contains_search_value(expression: &Expression, table: &Table) -> bool {
    let here = match &expression.shape {
        Shape::Constant => has_searched_type(&expression.text),
        Shape::Binary {
            operator,
            left,
            right,
        } => is_comparison(operator, left, right, table),
        Shape::Call {
            function,
            arguments,
        } => is_measured(function.rsplit('.').next().unwrap_or(function), arguments),
        Shape::Other => names_a_search(expression, table),
        _ => false,
    };
    let mut parts = expression.parts().into_iter();
    here || parts.any(|part| contains_search_value(part, table))
}

/// The same by the text alone, of what has no parts: `- ts_rank(…)`, `CASE WHEN title = 'ann' …`.
fn names_a_search(expression: &Expression, table: &Table) -> bool {
    let text = expression.text.as_str();
    let has_literal = |begin: &str| {
        let mut behind = text.split(begin).skip(1);
        behind.any(|rest| rest.starts_with(char::is_alphanumeric))
    };
    let compares = COMPARING_FUNCTIONS
        .iter()
        .any(|function| text.contains(&format!("{function}(")))
        || text.contains("POSITION(");
    let types = text.split("'::").skip(1);
    let has_type = types
        .filter_map(|rest| {
            rest.split(|end: char| !end.is_alphanumeric() && !"._\"".contains(end))
                .next()
        })
        .any(|type_name| has_searched_type(&format!("::{type_name}")));
    has_type
        || (compares && has_literal("'"))
        || (has_literal("= '") && !has_kinds(expression, table))
}

fn is_measured(function: &str, arguments: &[Expression]) -> bool {
    let compares = COMPARING_FUNCTIONS.contains(&function)
        || (function.starts_with("st_") && function.contains("distance"));
    if compares {
        return arguments.iter().any(is_search_value);
    }
    if OF_A_DIFFERENCE.contains(&function) {
        return arguments.iter().any(is_difference_to_constant);
    }
    OF_AN_ANGLE.contains(&function) && arguments.iter().any(has_fraction)
}

fn is_comparison(operator: &str, left: &Expression, right: &Expression, table: &Table) -> bool {
    let other = match (is_constant(left), is_constant(right)) {
        (true, false) => right,
        (false, true) => left,
        // `(lat - 52.5) * (lat - 52.5)`
        _ => {
            return operator == "*"
                && is_difference_to_constant(left)
                && is_difference_to_constant(right);
        }
    };
    let is_text = |operand: &Expression| operand.text.starts_with('\'');
    match operator {
        // A distance: `<->`, `<=>`, `<#>`, `<->>`.
        _ if operator.len() > 2 && operator.starts_with('<') && operator.ends_with('>') => true,
        "~~" | "~~*" | "!~~" | "!~~*" | "~" | "~*" | "!~" | "!~*" | "^@" | "@@" => true,
        // `number % 10` is arithmetic, `name % 'ann'` is not.
        "%" => is_text(left) || is_text(right),
        "^" => is_difference_to_constant(left),
        "-" => is_moment(left) || is_moment(right),
        "=" | "<>" => !has_kinds(other, table),
        _ => false,
    }
}

/// Do the columns have so few values that each is a kind of rows?
fn has_kinds(expression: &Expression, table: &Table) -> bool {
    expression.columns.iter().all(|name| {
        let Some(column) = table.column(name) else {
            return false;
        };
        let values = column.distinct_values(table.rows.unwrap_or(0.0));
        column.type_name == "boolean" || values.is_none_or(|values| values <= MAX_KINDS)
    })
}

/// `price - 100`, `100 - price`, also of a time in seconds.
fn is_difference_to_constant(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } => operator == "-" && (is_constant(left) || is_constant(right)),
        Shape::Cast { operand, .. }
        | Shape::Extract {
            source: operand, ..
        } => is_difference_to_constant(operand),
        _ => false,
    }
}

/// A constant in the place of what is searched for: neither a flag (a number), nor a configuration
/// or weights, nor a separator as in `strpos(email, '@')`.
fn is_search_value(expression: &Expression) -> bool {
    let text = expression.text.as_str();
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let is_setting = text.ends_with("::regconfig") || text.ends_with("::real[]");
    let quoted = text
        .strip_prefix('\'')
        .and_then(|rest| rest.rsplit_once('\''));
    let is_separator = quoted.is_some_and(|(value, _)| !value.contains(char::is_alphanumeric));
    is_constant(expression) && !is_number && !is_setting && !is_separator
}

/// Is there a constant with decimal places in it, other than a half?
fn has_fraction(expression: &Expression) -> bool {
    let is_fraction = |text: &str| {
        let number = text.split("::").next().unwrap_or(text).trim_matches('\'');
        let number = number.parse::<f64>().ok();
        number.is_some_and(|number| (2.0 * number).fract() != 0.0)
    };
    match expression.shape {
        Shape::Constant => is_fraction(&expression.text),
        _ => expression.parts().into_iter().any(has_fraction),
    }
}

fn is_constant(expression: &Expression) -> bool {
    match &expression.shape {
        Shape::Constant => true,
        Shape::Cast { operand, .. } | Shape::Collate { operand, .. } => is_constant(operand),
        _ => false,
    }
}

fn has_searched_type(text: &str) -> bool {
    type_of_literal(text).is_some_and(|name| SEARCHED_TYPES.contains(&name))
}

/// `'2024-05-01'::date`
fn is_moment(expression: &Expression) -> bool {
    is_constant(expression)
        && type_of_literal(&expression.text).is_some_and(|name| MOMENTS.contains(&name))
}

/// The type behind `::`, without schema and modifier.
fn type_of_literal(text: &str) -> Option<&str> {
    let (_, type_name) = text.rsplit_once("::")?;
    let name = type_name.split('(').next().unwrap_or(type_name);
    let name = name.rsplit('.').next().unwrap_or(name);
    Some(name.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnStatistics;
    use crate::predicate::tests::table;
    use crate::sql::parse_expression;

    /// 100,000 rows; with the number of distinct values, or their share.
    fn offers() -> Table {
        let columns = [
            ("title", "text", -1.0),
            ("mood", "text", 5.0),
            ("price", "integer", -0.4),
            ("at", "timestamp with time zone", -1.0),
            ("lat", "double precision", -1.0),
            ("lng", "double precision", -1.0),
            ("words", "tsvector", -1.0),
            ("place", "point", -1.0),
            ("facts", "jsonb", -1.0),
            ("sealed", "boolean", 2.0),
        ];
        let mut offers = table(
            "offers",
            &columns.map(|(name, type_name, _)| (name, type_name)),
        );
        offers.rows = Some(100_000.0);
        for (column, (_, _, distinct)) in offers.columns.iter_mut().zip(columns) {
            column.statistics = Some(ColumnStatistics {
                distinct,
                ..ColumnStatistics::default()
            });
        }
        offers
    }

    fn contains(text: &str) -> bool {
        let expression = parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        contains_search_value(&expression, &offers())
    }

    #[test]
    fn what_is_searched_for_is_seen_in_every_place() {
        for text in [
            "ts_rank(words, '''whale'' & ''sea'''::tsquery)",
            "- ts_rank_cd('{0.1,0.2,0.4,1}'::real[], words, '''whale'''::tsquery)",
            "similarity(title, 'ann'::text)",
            "public.word_similarity('ann'::text, title)",
            "levenshtein(lower(title), 'ann'::text)",
            "strpos(title, 'ann'::text)",
            "abs(price - 100)",
            "abs((price)::numeric - 99.90)",
            "abs(EXTRACT(epoch FROM (at - '2024-05-01 00:00:00+00'::timestamp with time zone)))",
            "((lat - '52.5'::double precision) ^ '2'::double precision) + ((lng - '13.4'::double precision) ^ '2'::double precision)",
            "power(lat - '52.5'::double precision, '2'::double precision)",
            "(lat - 52.5) * (lat - 52.5)",
            "acos(('0.793'::double precision * sin(radians(lat))) + cos(radians(lng)))",
            "round((place <-> '(1,2)'::point)::numeric, 2)",
            "st_distance(place, '0101000000'::public.geometry)",
            "title = 'a87ff679'::text",
            "title ~~* 'ann%'::text",
            "title % 'ann'::text",
            "CASE WHEN (title = 'ann'::text) THEN 0 ELSE 1 END",
            "- similarity(title, 'ann'::text)",
            "POSITION(('ann'::text) IN (title))",
            "array_position(string_to_array(title, ','::text), 'ann'::text)",
            "age('2024-06-01 00:00:00'::timestamp without time zone, (at)::timestamp without time zone)",
            "'2024-06-01 00:00:00+00'::timestamp with time zone - at",
            "(at)::date - '2024-06-01'::date",
        ] {
            assert!(contains(text), "{text}");
        }
    }

    #[test]
    fn literals_of_the_form_are_none() {
        for text in [
            "date_trunc('day'::text, at)",
            "facts ->> 'user'::text",
            "lower(title)",
            "\"substring\"(title, 1, 3)",
            "split_part(title, '@'::text, 2)",
            "substr(title, strpos(title, '@'::text) + 1)",
            "price % 10",
            "price - 100",
            "at - '7 days'::interval",
            "abs(price)",
            "abs(lat - lng)",
            "power(lat - lng, 2)",
            "acos(sin(radians(lat)) * cos(radians(lng)))",
            "asin(sqrt(0.5 - cos(lat - lng) / 2))",
            "mood = 'odd'::text",
            "CASE WHEN (mood = 'odd'::text) THEN 0 ELSE 1 END",
            "CASE WHEN (title IS NULL) THEN ''::text ELSE lower(title) END",
            "- abs(price)",
            "sealed = true",
            "price > 0",
            "coalesce(title, 'none'::text)",
            "to_tsvector('english'::regconfig, title)",
            "ts_rank(words, plainto_tsquery(title), 32)",
            "(facts -> 'a'::text) #>> '{b,c}'::text[]",
        ] {
            assert!(!contains(text), "{text}");
        }
    }
}
