//! The constants that a statement's text mentions.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::{SqlError, syntax};

/// All strings (unquoted) and numbers of a statement, in their order; what stands in comments is not among them.
///
/// # Errors
/// When the text falls into no tokens.
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
}
