//! Literals: those of a statement, and the values of those that plans print.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::parser::{SqlError, syntax};

/// All strings (unquoted) and numbers of a statement, in order, without those in comments.
///
/// # Errors
/// When the text cannot be tokenized.
pub fn literals(sql: &str) -> Result<Vec<String>, SqlError> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize()
        .map_err(|error| syntax(&error.into()))?;
    let literal = |token| match token {
        Token::Number(text, _)
        | Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::UnicodeStringLiteral(text) => Some(text),
        Token::DollarQuotedString(text) => Some(text.value),
        _ => None,
    };
    Ok(tokens.into_iter().filter_map(literal).collect())
}

/// The value of a literal that a plan prints, as `pg_stats` has it: without quotes and casts.
pub fn literal_value(literal: &str) -> String {
    let literal = literal.trim();
    let Some(quoted) = literal.strip_prefix('\'') else {
        return literal
            .split("::")
            .next()
            .unwrap_or(literal)
            .trim_matches(['(', ')'])
            .to_owned();
    };
    let mut value = String::with_capacity(quoted.len());
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' if characters.peek() == Some(&'\'') => value.extend(characters.next()),
            '\'' => break,
            other => value.push(other),
        }
    }
    value
}

/// `'{QUEUED,RUNNING}'::text[]` → `QUEUED`, `RUNNING`, each as a literal.
pub fn array_elements(literal: &str) -> Vec<String> {
    let value = literal_value(literal);
    let elements = value
        .trim_start_matches('{')
        .trim_end_matches('}')
        .split(',');
    elements
        .map(|element| format!("'{}'", element.trim_matches('"').replace('\'', "''")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_are_found_wherever_they_stand() {
        let sql = "SELECT 'it''s', E'a\\nb', $$x$$ -- 'no'\nFROM t1 WHERE a >= -10.50 AND \"b\" IN (1, 2) /* 7 */ LIMIT 5";
        assert_eq!(
            literals(sql).unwrap(),
            ["it's", "a\nb", "x", "10.50", "1", "2", "5"]
        );
        assert!(literals("SELECT 'open").is_err());
    }

    #[test]
    fn literals_lose_quotes_and_casts() {
        for (literal, value) in [
            ("'a''b'::text", "a'b"),
            ("5", "5"),
            ("'-5'::integer", "-5"),
            ("true", "true"),
        ] {
            assert_eq!(literal_value(literal), value);
        }
    }

    #[test]
    fn elements_of_an_array_are_literals_themselves() {
        assert_eq!(
            array_elements("'{QUEUED,\"it''s\"}'::text[]"),
            ["'QUEUED'", "'it''s'"]
        );
    }
}
