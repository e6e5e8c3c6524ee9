//! The `key=value …` form of a connection string.
//!
//! Source: PostgreSQL documentation, "Keyword/Value Connection Strings". Whitespace separates the
//! pairs and may surround `=`; a value with whitespace, or an empty one, is quoted with `'`; `\`
//! escapes the next character inside and outside of quotes.

use std::iter::Peekable;
use std::str::Chars;

use super::error::{ConninfoError, SyntaxError};
use super::keywords::{Parameters, is_keyword};
use super::origin::Origin;

/// Reads the whole string. If a keyword occurs twice, the last value counts.
pub(super) fn parse(text: &str) -> Result<Parameters, ConninfoError> {
    let mut parameters = Parameters::default();
    let mut rest = text.chars().peekable();
    let mut after_secret = None;
    let mut word = 1;
    loop {
        skip_whitespace(&mut rest);
        if rest.peek().is_none() {
            return Ok(parameters);
        }
        let keyword = take_keyword(&mut rest);
        if let Some(secret) = after_secret
            && !is_keyword(&keyword)
        {
            return Err(SyntaxError::NoKeywordAfterSecret { keyword: secret }.into());
        }
        skip_whitespace(&mut rest);
        if rest.next() != Some('=') {
            return Err(SyntaxError::MissingEquals { word }.into());
        }
        skip_whitespace(&mut rest);
        let value = take_value(&mut rest)?;
        after_secret = secret_keyword(&keyword);
        parameters.set(&keyword, value, &Origin::ConnectionString)?;
        word += 1;
    }
}

fn secret_keyword(keyword: &str) -> Option<&'static str> {
    ["password", "sslpassword", "oauth_client_secret"]
        .into_iter()
        .find(|secret| *secret == keyword)
}

fn skip_whitespace(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(char::is_ascii_whitespace).is_some() {}
}

fn take_keyword(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut keyword = String::new();
    while let Some(character) =
        rest.next_if(|character| *character != '=' && !character.is_ascii_whitespace())
    {
        keyword.push(character);
    }
    keyword
}

fn take_value(rest: &mut Peekable<Chars<'_>>) -> Result<String, SyntaxError> {
    if rest.next_if_eq(&'\'').is_some() {
        take_quoted(rest)
    } else {
        Ok(take_plain(rest))
    }
}

fn take_plain(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(character) = rest.next_if(|character| !character.is_ascii_whitespace()) {
        value.extend(if character == '\\' {
            rest.next()
        } else {
            Some(character)
        });
    }
    value
}

fn take_quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, SyntaxError> {
    let mut value = String::new();
    loop {
        match rest.next() {
            None => return Err(SyntaxError::UnterminatedQuote),
            Some('\'') => return Ok(value),
            Some('\\') => value.extend(rest.next()),
            Some(character) => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_libpq_reads_them() {
        let cases = [
            ("host=a dbname=b", "host", "a"),
            ("  host = a  ", "host", "a"),
            ("host\n=\t'a b'", "host", "a b"),
            (r"password='it\'s \\ me'", "password", r"it's \ me"),
            (r"password=it\'s\ me", "password", "it's me"),
            ("dbname=''", "dbname", ""),
            ("dbname= user=x", "dbname", "user=x"),
            ("host=a host=b", "host", "b"),
            ("options='-c geqo=off'", "options", "-c geqo=off"),
        ];
        for (text, keyword, expected) in cases {
            let parameters = parse(text).unwrap();
            assert_eq!(
                parameters.value(keyword).map(|value| value.text.as_str()),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn mistakes_are_named_without_repeating_values() {
        let cases = [
            (
                "host",
                "invalid connection string: missing \"=\" after word 1 (a value that contains spaces must be quoted with ')",
            ),
            (
                "host=a sekret b",
                "invalid connection string: missing \"=\" after word 2",
            ),
            (
                "password='sekret",
                "invalid connection string: unterminated quoted string",
            ),
            (
                "password=my sekret",
                "invalid connection string: no connection option follows \"password\"",
            ),
            (
                "password=my sekret=1",
                "invalid connection string: no connection option follows \"password\"",
            ),
            (
                "hots=a",
                "invalid connection option \"hots\" in the connection string",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            let message = error.to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
            assert!(
                !message.contains("sekret") && !format!("{error:?}").contains("sekret"),
                "{text}: {message}"
            );
        }
    }
}
