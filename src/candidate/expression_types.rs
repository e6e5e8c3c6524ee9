//! The type of an expression over a table's columns, as far as it is known without a server: enough
//! to look operator classes up, and to distinguish `date_trunc` of a `timestamp` from that of a
//! `timestamptz`.

use crate::catalog::Table;
use crate::index::Key;
use crate::sql::{DISTINCT, Expression, Shape};

/// Functions that return text for any arguments.
const TEXT_FUNCTIONS: &[&str] = &[
    "lower",
    "upper",
    "initcap",
    "btrim",
    "ltrim",
    "rtrim",
    "trim",
    "left",
    "right",
    "substr",
    "substring",
    "replace",
    "md5",
    "concat",
    "concat_ws",
    "to_char",
    "regexp_replace",
    "split_part",
    "translate",
    "repeat",
    "reverse",
    "array_to_string",
    "unaccent",
    "format",
    "lpad",
    "rpad",
    "jsonb_extract_path_text",
    "encode",
    "overlay",
];

/// The type of a key.
pub(super) fn type_of_key(key: &Key, table: &Table) -> Option<String> {
    match key {
        Key::Column(name) => Some(plain(&table.column(name)?.type_name)),
        Key::Expression(expression) => type_of(expression, table),
    }
}

/// The type of an expression; none where it is not known here.
pub(super) fn type_of(expression: &Expression, table: &Table) -> Option<String> {
    match &expression.shape {
        Shape::Column(name) => Some(plain(&table.column(name)?.type_name)),
        Shape::Constant => constant(&expression.text),
        Shape::Collate { operand, .. } => type_of(operand, table),
        Shape::Cast { type_name, .. } => Some(plain(type_name)),
        Shape::Binary {
            operator,
            left,
            right,
        } => binary(operator, left, right, table),
        Shape::Call {
            function,
            arguments,
        } => call(function, arguments, table),
        Shape::And(_)
        | Shape::Or(_)
        | Shape::Not(_)
        | Shape::AnyOf { .. }
        | Shape::NullTest { .. }
        | Shape::TruthTest { .. } => Some("boolean".to_owned()),
        Shape::RunTime | Shape::Extract { .. } | Shape::Other | Shape::Unparsed => None,
    }
}

/// Without a length or precision; varchar is text under another name.
pub(super) fn plain(type_name: &str) -> String {
    let mut plain = String::with_capacity(type_name.len());
    let mut depth = 0usize;
    for character in type_name.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    match plain.as_str() {
        "character varying" => "text".to_owned(),
        "timestamptz" => "timestamp with time zone".to_owned(),
        "timestamp" => "timestamp without time zone".to_owned(),
        _ => plain,
    }
}

fn constant(text: &str) -> Option<String> {
    if let Some((_, type_name)) = text.rsplit_once("::") {
        return Some(plain(type_name.trim_end_matches(')')));
    }
    match text {
        "true" | "false" => Some("boolean".to_owned()),
        number if number.parse::<i32>().is_ok() => Some("integer".to_owned()),
        number if number.parse::<i64>().is_ok() => Some("bigint".to_owned()),
        number if number.parse::<f64>().is_ok() => Some("numeric".to_owned()),
        _ => None,
    }
}

fn binary(operator: &str, left: &Expression, right: &Expression, table: &Table) -> Option<String> {
    let (of_left, of_right) = (type_of(left, table), type_of(right, table));
    match operator {
        "->>" | "#>>" => Some("text".to_owned()),
        "->" | "#>" => of_left,
        "||" if of_left == of_right || of_left.as_deref() == Some("text") => of_left,
        "||" if of_right.as_deref() == Some("text") => of_right,
        "+" | "-" | "*" | "/" | "%" if of_left == of_right && is_number(of_left.as_deref()) => {
            of_left
        }
        "+" | "-" if of_right.as_deref() == Some("interval") && is_time(of_left.as_deref()) => {
            of_left
        }
        DISTINCT | "=" | "<>" | "<" | "<=" | ">" | ">=" | "~~" | "~~*" | "~" | "~*" | "@>"
        | "<@" | "&&" | "@@" => Some("boolean".to_owned()),
        _ => None,
    }
}

fn is_number(type_name: Option<&str>) -> bool {
    matches!(
        type_name,
        Some("smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision")
    )
}

fn is_time(type_name: Option<&str>) -> bool {
    type_name.is_some_and(|name| name.starts_with("timestamp"))
}

fn call(function: &str, arguments: &[Expression], table: &Table) -> Option<String> {
    let function = function.to_ascii_lowercase();
    let argument = |number: usize| type_of(arguments.get(number)?, table);
    match function.as_str() {
        name if TEXT_FUNCTIONS.contains(&name) => Some("text".to_owned()),
        "coalesce" | "abs" | "round" | "ceil" | "floor" | "nullif" | "greatest" | "least" => {
            argument(0)
        }
        "length" | "char_length" | "octet_length" | "cardinality" | "array_length" => {
            Some("integer".to_owned())
        }
        "date_trunc" => argument(1),
        "to_tsvector" | "setweight" | "strip" => Some("tsvector".to_owned()),
        "string_to_array" | "regexp_split_to_array" => Some("text[]".to_owned()),
        "array_append" | "array_cat" | "array_remove" | "array_replace" => argument(0),
        "jsonb_extract_path" | "to_jsonb" | "jsonb_build_object" | "jsonb_strip_nulls" => {
            Some("jsonb".to_owned())
        }
        "date" => Some("date".to_owned()),
        range
            if matches!(
                range,
                "tsrange"
                    | "tstzrange"
                    | "daterange"
                    | "int4range"
                    | "int8range"
                    | "numrange"
                    | "tsmultirange"
                    | "tstzmultirange"
                    | "datemultirange"
                    | "int4multirange"
                    | "int8multirange"
                    | "nummultirange"
            ) =>
        {
            Some(range.to_owned())
        }
        "point" | "box" | "circle" | "polygon" => Some(function),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_no_lengths() {
        assert_eq!(plain("character varying(20)"), "text");
        assert_eq!(
            plain("timestamp(3) with time zone"),
            "timestamp with time zone"
        );
        assert_eq!(plain("numeric(10,2)[]"), "numeric[]");
        for (text, type_name) in [
            ("'day'::text", "text"),
            ("5", "integer"),
            ("5000000000", "bigint"),
            ("1.5", "numeric"),
            (
                "'2024-01-01 00:00:00+00'::timestamp with time zone",
                "timestamp with time zone",
            ),
        ] {
            assert_eq!(constant(text).as_deref(), Some(type_name), "{text}");
        }
    }
}
