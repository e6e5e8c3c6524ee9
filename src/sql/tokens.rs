//! The tokens of a statement with their places in its text.

use std::ops::Range;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::parser::MAX_TEXT_BYTES;

/// A statement in tokens, without blanks and comments.
pub(in crate::sql) struct Tokens<'s> {
    sql: &'s str,
    pieces: Vec<Piece>,
}

struct Piece {
    token: Token,
    start: usize,
    end: usize,
}

/// A column as the statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Column {
    pub(in crate::sql) qualifier: Option<String>,
    pub(in crate::sql) name: String,
}

impl<'s> Tokens<'s> {
    /// None where the text cannot be tokenized or is too long.
    pub(in crate::sql) fn read(sql: &'s str) -> Option<Tokens<'s>> {
        if sql.len() > MAX_TEXT_BYTES {
            return None;
        }
        let found = Tokenizer::new(&PostgreSqlDialect {}, sql)
            .tokenize_with_location()
            .ok()?;
        let mut places = Places::of(sql);
        let mut pieces = Vec::new();
        for piece in found {
            let (start, end) = (
                places.offset(piece.span.start)?,
                places.offset(piece.span.end)?,
            );
            if !matches!(
                piece.token,
                Token::Whitespace(_) | Token::EOF | Token::SemiColon
            ) {
                pieces.push(Piece {
                    token: piece.token,
                    start,
                    end,
                });
            }
        }
        Some(Tokens { sql, pieces })
    }

    /// Each token with its place in the text.
    pub(in crate::sql) fn iter(&self) -> impl Iterator<Item = (&Token, Range<usize>)> {
        let pieces = self.pieces.iter();
        pieces.map(|piece| (&piece.token, piece.start..piece.end))
    }

    /// Where a character of the text begins, counted from 0.
    pub(in crate::sql) fn byte_of(&self, character: usize) -> Option<usize> {
        let mut characters = self.sql.char_indices().map(|(byte, _)| byte);
        characters.nth(character)
    }

    pub(in crate::sql) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(in crate::sql) fn at(&self, position: usize) -> Option<&Token> {
        self.pieces.get(position).map(|piece| &piece.token)
    }

    /// The text of these tokens and what is between them.
    pub(in crate::sql) fn text(&self, from: usize, to: usize) -> Option<&'s str> {
        self.sql
            .get(self.pieces.get(from)?.start..self.pieces.get(to.checked_sub(1)?)?.end)
    }

    /// The statement with another text in the place of these tokens.
    pub(in crate::sql) fn replaced(
        &self,
        replacements: &[(usize, usize, String)],
    ) -> Option<String> {
        let mut sql = String::with_capacity(self.sql.len());
        let mut done = 0;
        for (from, to, text) in replacements {
            let (start, end) = (
                self.pieces.get(*from)?.start,
                self.pieces.get(to.checked_sub(1)?)?.end,
            );
            sql += self.sql.get(done..start)?;
            sql += text;
            done = end;
        }
        sql += self.sql.get(done..)?;
        Some(sql)
    }

    /// Is it this keyword, or an unquoted name?
    pub(in crate::sql) fn is_word(&self, position: usize, wanted: &str) -> bool {
        matches!(self.at(position), Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    pub(in crate::sql) fn is_one_of(&self, position: usize, wanted: &[&str]) -> bool {
        wanted.iter().any(|wanted| self.is_word(position, wanted))
    }

    pub(in crate::sql) fn count_words(&self, wanted: &str) -> usize {
        (0..self.len())
            .filter(|position| self.is_word(*position, wanted))
            .count()
    }

    /// A name as PostgreSQL reads it.
    pub(in crate::sql) fn name(&self, position: usize) -> Option<String> {
        match self.at(position)? {
            Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
            Token::Word(word) => Some(word.value.to_lowercase()),
            _ => None,
        }
    }

    /// `a`, or `t.a`, and where it ends.
    pub(in crate::sql) fn column(&self, position: usize) -> Option<(Column, usize)> {
        let first = self.name(position)?;
        if self.at(position + 1) != Some(&Token::Period) {
            return Some((
                Column {
                    qualifier: None,
                    name: first,
                },
                position + 1,
            ));
        }
        let name = self
            .name(position + 2)
            .filter(|_| self.at(position + 3) != Some(&Token::Period))?;
        Some((
            Column {
                qualifier: Some(first),
                name,
            },
            position + 3,
        ))
    }

    /// Does a whole condition begin here? Behind BETWEEN, AND is not between conditions.
    pub(in crate::sql) fn begins_condition(&self, position: usize) -> bool {
        let Some(before) = position.checked_sub(1) else {
            return false;
        };
        let after_and = self.is_word(before, "and") && self.count_words("between") == 0;
        after_and
            || self.is_one_of(before, &["where", "or", "on"])
            || self.at(before) == Some(&Token::LParen)
    }

    /// Does a whole condition end before this?
    pub(in crate::sql) fn ends_condition(&self, position: usize) -> bool {
        const NEXT: &[&str] = &[
            "and", "or", "group", "order", "limit", "offset", "having", "fetch", "window", "for",
        ];
        match self.at(position) {
            None | Some(Token::RParen) => true,
            Some(_) => self.is_one_of(position, NEXT),
        }
    }
}

/// Offsets of places, which are asked for in their order.
struct Places<'s> {
    rest: std::str::CharIndices<'s>,
    at: Location,
    offset: usize,
    length: usize,
}

impl<'s> Places<'s> {
    fn of(sql: &'s str) -> Places<'s> {
        Places {
            rest: sql.char_indices(),
            at: Location { line: 1, column: 1 },
            offset: 0,
            length: sql.len(),
        }
    }

    fn offset(&mut self, wanted: Location) -> Option<usize> {
        while (self.at.line, self.at.column) < (wanted.line, wanted.column) {
            let (start, character) = self.rest.next()?;
            self.offset = start + character.len_utf8();
            self.at = match character {
                '\n' => Location {
                    line: self.at.line + 1,
                    column: 1,
                },
                _ => Location {
                    line: self.at.line,
                    column: self.at.column + 1,
                },
            };
        }
        (self.at == wanted && self.offset <= self.length).then_some(self.offset)
    }
}
