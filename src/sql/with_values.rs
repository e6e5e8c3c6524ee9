//! Other values in a statement: literals instead of its parameters, or instead of its literals.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::tokens::Tokens;

/// What of a statement gets another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValuePlace {
    /// `$n`.
    Parameter(u32),
    /// A literal, by its position among the statement's literals ([`super::literals()`]).
    Literal(usize),
}

/// The statement with these SQL texts in these places. Parameters that are left are numbered from 1
/// again. None where the text cannot be tokenized.
pub fn with_values(sql: &str, values: &BTreeMap<ValuePlace, String>) -> Option<String> {
    let tokens = Tokens::read(sql)?;
    let is_left = |number: &u32| !values.contains_key(&ValuePlace::Parameter(*number));
    let mut left: Vec<u32> = tokens
        .iter()
        .filter_map(|(token, _)| parameter(token))
        .filter(is_left)
        .collect();
    left.sort_unstable();
    left.dedup();
    let mut text = String::with_capacity(sql.len());
    let (mut literals, mut copied) = (0, 0);
    for (token, range) in tokens.iter() {
        let place = match parameter(token) {
            Some(number) => ValuePlace::Parameter(number),
            None if is_literal(token) => {
                literals += 1;
                ValuePlace::Literal(literals - 1)
            }
            None => continue,
        };
        let new = match (values.get(&place), place) {
            (Some(value), _) => value.clone(),
            (None, ValuePlace::Parameter(number)) => {
                format!("${}", left.binary_search(&number).ok()? + 1)
            }
            (None, ValuePlace::Literal(_)) => continue,
        };
        text.push_str(sql.get(copied..range.start)?);
        text.push_str(&new);
        copied = range.end;
    }
    text.push_str(sql.get(copied..)?);
    Some(text)
}

/// All strings and numbers of a statement as they are written, with their quotes. None where the
/// text cannot be tokenized.
pub fn literal_texts(sql: &str) -> Option<Vec<String>> {
    let tokens = Tokens::read(sql)?;
    let literals = tokens.iter().filter(|(token, _)| is_literal(token));
    literals
        .map(|(_, range)| sql.get(range).map(str::to_owned))
        .collect()
}

/// The positions among the literals of those that begin within one of these parts of the text.
pub fn literals_within(sql: &str, parts: &[Range<usize>]) -> BTreeSet<usize> {
    let Some(tokens) = Tokens::read(sql) else {
        return BTreeSet::new();
    };
    let literals = tokens.iter().filter(|(token, _)| is_literal(token));
    let begins_within = |(_, (_, place)): &(usize, (&Token, Range<usize>))| {
        parts.iter().any(|part| part.contains(&place.start))
    };
    let found = literals.enumerate().filter(begins_within);
    found.map(|(position, _)| position).collect()
}

/// The positions that the values of parameters have among the literals, once they are in their
/// places. NULL is no literal.
pub fn bound_literals(sql: &str, values: &BTreeMap<ValuePlace, String>) -> BTreeSet<usize> {
    let mut bound = BTreeSet::new();
    let Some(tokens) = Tokens::read(sql) else {
        return bound;
    };
    let mut position = 0;
    for (token, _) in tokens.iter() {
        let value = parameter(token).and_then(|number| values.get(&ValuePlace::Parameter(number)));
        if value.is_some_and(|value| !value.eq_ignore_ascii_case("null")) {
            bound.insert(position);
            position += 1;
        } else if is_literal(token) {
            position += 1;
        }
    }
    bound
}

/// The literals that a statement compares with columns of this name by `=`, by their positions among
/// its literals.
pub fn literals_equal_to(sql: &str, column: &str) -> Vec<usize> {
    let Some(tokens) = Tokens::read(sql) else {
        return Vec::new();
    };
    let literals = (0..tokens.len()).filter(|at| tokens.at(*at).is_some_and(is_literal));
    let is_compared = |(_, at): &(usize, usize)| {
        let before = *at >= 2
            && tokens.at(at - 1) == Some(&Token::Eq)
            && tokens.name(at - 2).is_some_and(|name| name == column);
        let mut next = at + 1;
        while tokens.at(next) == Some(&Token::DoubleColon) {
            next += 2;
        }
        let behind = || {
            tokens
                .column(next + 1)
                .filter(|_| tokens.at(next) == Some(&Token::Eq))
        };
        before || behind().is_some_and(|(behind, _)| behind.name == column)
    };
    let compared = literals.enumerate().filter(is_compared);
    compared.map(|(position, _)| position).collect()
}

/// Where LIMIT takes its number from: the first LIMIT of the text.
pub fn limit_place(sql: &str) -> Option<ValuePlace> {
    let tokens = Tokens::read(sql)?;
    let is_limit = |token: &Token| {
        matches!(token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("limit"))
    };
    let mut literals = 0;
    let mut tokens = tokens.iter().map(|(token, _)| token);
    for token in tokens.by_ref() {
        if is_limit(token) {
            break;
        }
        literals += usize::from(is_literal(token));
    }
    let next = tokens.next()?;
    let number = parameter(next).map(ValuePlace::Parameter);
    number.or_else(|| is_literal(next).then_some(ValuePlace::Literal(literals)))
}

/// The parameters of an expression, each once.
pub fn parameters(expression: &str) -> Vec<u32> {
    let Some(tokens) = Tokens::read(expression) else {
        return Vec::new();
    };
    let mut found: Vec<u32> = tokens
        .iter()
        .filter_map(|(token, _)| parameter(token))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn parameter(token: &Token) -> Option<u32> {
    match token {
        Token::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
        _ => None,
    }
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::DollarQuotedString(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(sql: &str, values: &[(ValuePlace, &str)]) -> String {
        let values = values
            .iter()
            .map(|(place, value)| (*place, (*value).to_owned()));
        with_values(sql, &values.collect()).unwrap()
    }

    #[test]
    fn parameters_and_literals_get_values() {
        use ValuePlace::{Literal, Parameter};
        assert_eq!(
            replaced(
                "select * from t where a = $2 and b > $1 -- $2\nlimit $3",
                &[(Parameter(2), "'x'::text")]
            ),
            "select * from t where a = 'x'::text and b > $1 -- $2\nlimit $2"
        );
        assert_eq!(
            replaced(
                "SELECT 'it''s', E'a\\n' FROM t WHERE a = 5 AND b = $$x$$",
                &[(Literal(2), "7"), (Literal(3), "'y'")]
            ),
            "SELECT 'it''s', E'a\\n' FROM t WHERE a = 7 AND b = 'y'"
        );
        assert_eq!(with_values("select 'open", &BTreeMap::new()), None);
    }

    #[test]
    fn values_of_parameters_are_literals() {
        let sql = "SELECT 'a' FROM t WHERE b = $2 AND c = 5 AND d = $1 AND e = $3";
        let values = [(1, "'x'"), (2, "'7'"), (3, "NULL")];
        let values =
            values.map(|(number, value)| (ValuePlace::Parameter(number), value.to_owned()));
        let values = BTreeMap::from(values);
        assert_eq!(bound_literals(sql, &values), [1, 3].into());
        let with_values = with_values(sql, &values).unwrap();
        assert_eq!(
            literal_texts(&with_values).unwrap(),
            ["'a'", "'7'", "5", "'x'"]
        );
    }

    #[test]
    fn literals_are_found_by_the_column_they_are_compared_with() {
        let sql = "SELECT 1 FROM t JOIN u ON u.tenant = 17 WHERE t.\"tenant\" = 17 AND kind = 17 \
                   AND '5'::text = t.tenant AND tenant > 17 AND tenant IN (17)";
        assert_eq!(literals_equal_to(sql, "tenant"), [1, 2, 4]);
        assert_eq!(literals_equal_to(sql, "kind"), [3]);
        assert!(literals_equal_to(sql, "Kind").is_empty());
    }

    #[test]
    fn the_number_of_limit_is_found() {
        assert_eq!(
            limit_place("select a from t order by b limit $3"),
            Some(ValuePlace::Parameter(3))
        );
        assert_eq!(limit_place("select \"limit\" from t where a = $1"), None);
        assert_eq!(
            limit_place("select 1 limit 5"),
            Some(ValuePlace::Literal(1))
        );
        assert_eq!(limit_place("select 1 limit all"), None);
        assert_eq!(parameters("(a > ($2 - $12))"), [2, 12]);
    }
}
