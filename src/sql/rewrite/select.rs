//! The parts of a statement's SELECTs, as places among its tokens, and the conditions of their
//! WHERE clauses.

use sqlparser::ast::{Select, SetExpr, Statement};
use sqlparser::tokenizer::Token;

use super::from_tables::{FromTable, KnownColumn, Schema, from_items};
use crate::sql::parser::{SqlError, parse_all, syntax};
use crate::sql::tokens::{Column, Tokens};

/// Places of tokens: the first, and the one behind the last.
pub(super) type Span = (usize, usize);

/// Keywords that begin a clause, in their order.
const CLAUSES: &[&str] = &[
    "from",
    "where",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "returning",
];

/// One SELECT of a statement, or the statement itself if it is a DELETE or an UPDATE.
#[derive(Debug, Clone)]
pub(super) struct SelectBlock {
    /// From SELECT to its end.
    pub(super) span: Span,
    /// The clauses with the place of their keyword and their end.
    clauses: Vec<(&'static str, Span)>,
    /// What stands in FROM; none for what is no table.
    pub(super) from: Vec<Option<FromTable>>,
}

/// A condition that stands under AND and OR only, so that a row is wanted in the same cases whether
/// it is false or NULL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    pub(super) span: Span,
    /// Those with the same number are connected with AND.
    pub(super) conjunction: usize,
}

/// All SELECTs of a statement whose FROM is understood, and a DELETE or an UPDATE around them.
pub(super) fn select_blocks(tokens: &Tokens<'_>) -> Vec<SelectBlock> {
    let named = common_tables(tokens);
    (0..tokens.len())
        .filter(|position| {
            tokens.is_word(*position, "select")
                || (*position == 0 && tokens.is_one_of(0, &["delete", "update"]))
        })
        .filter_map(|position| SelectBlock::read(tokens, position, &named))
        .collect()
}

/// What WITH names: `name AS (`, `name (a, b) AS MATERIALIZED (`.
fn common_tables(tokens: &Tokens<'_>) -> Vec<String> {
    if tokens.count_words("with") == 0 {
        return Vec::new();
    }
    let mut names = Vec::new();
    for position in 0..tokens.len() {
        let Some(name) = tokens.name(position) else {
            continue;
        };
        let listed = match tokens.at(position + 1) {
            Some(Token::LParen) => closing(tokens, position + 1).map_or(position, |end| end),
            _ => position,
        };
        if tokens.is_word(listed + 1, "as") {
            names.push(name);
        }
    }
    names
}

impl SelectBlock {
    fn read(tokens: &Tokens<'_>, start: usize, named: &[String]) -> Option<SelectBlock> {
        let mut starts: Vec<(&'static str, usize)> = Vec::new();
        let mut position = start + 1;
        while position < tokens.len() {
            match tokens.at(position)? {
                Token::LParen | Token::LBracket => position = closing(tokens, position)?,
                Token::RParen | Token::RBracket => break,
                Token::Word(_) if tokens.is_one_of(position, &["union", "intersect", "except"]) => {
                    break;
                }
                Token::Word(_) => {
                    let clause = CLAUSES
                        .iter()
                        .find(|clause| tokens.is_word(position, clause));
                    // `a IS DISTINCT FROM b`
                    let operator = tokens.is_word(position - 1, "distinct")
                        && tokens.is_one_of(position - 2, &["is", "not"]);
                    // `t.order` is no clause.
                    let qualified = tokens.at(position - 1) == Some(&Token::Period);
                    starts.extend(
                        clause
                            .filter(|_| !operator && !qualified)
                            .map(|clause| (*clause, position)),
                    );
                }
                _ => {}
            }
            position += 1;
        }
        let ends = starts.iter().skip(1).map(|(_, start)| *start);
        let ends: Vec<usize> = ends.chain([position]).collect();
        let clauses: Vec<(&'static str, Span)> = starts
            .into_iter()
            .zip(ends)
            .map(|((clause, start), end)| (clause, (start, end)))
            .collect();
        let mut block = SelectBlock {
            span: (start, position),
            clauses,
            from: Vec::new(),
        };
        if tokens.is_word(start, "update") {
            let set = (start..position).find(|position| tokens.is_word(*position, "set"))?;
            block.from = from_of(&format!("FROM {}", tokens.text(start + 1, set)?))?;
        }
        if let Some((from, end)) = block.clause("from") {
            block.from.extend(from_of(tokens.text(from, end)?)?);
        }
        for item in &mut block.from {
            let is_common = item
                .as_ref()
                .is_some_and(|table| table.schema.is_none() && named.contains(&table.name));
            if is_common {
                *item = None;
            }
        }
        Some(block)
    }

    /// A clause with its keyword.
    pub(super) fn clause(&self, keyword: &str) -> Option<Span> {
        let mut found = self.clauses.iter().filter(|(known, _)| *known == keyword);
        let (_, span) = found.next().filter(|_| found.next().is_none())?;
        Some(*span)
    }

    pub(super) fn has(&self, keyword: &str) -> bool {
        self.clauses.iter().any(|(known, _)| *known == keyword)
    }

    /// What stands between SELECT and the first clause.
    pub(super) fn list(&self) -> Span {
        let end = self
            .clauses
            .first()
            .map_or(self.span.1, |(_, (start, _))| *start);
        (self.span.0 + 1, end)
    }

    /// The conditions of WHERE.
    pub(super) fn conditions(&self, tokens: &Tokens<'_>) -> Vec<Condition> {
        let mut found = Vec::new();
        if let Some((start, end)) = self.clause("where") {
            collect(tokens, (start + 1, end), &mut found, &mut 0);
        }
        found
    }

    /// The column that a name in this SELECT means for certain.
    pub(super) fn column(&self, column: &Column, schema: &Schema<'_>) -> Option<KnownColumn> {
        self.column_of(column, schema).map(|(_, column)| column)
    }

    /// The same with its table.
    pub(super) fn column_of(
        &self,
        column: &Column,
        schema: &Schema<'_>,
    ) -> Option<(FromTable, KnownColumn)> {
        let mut found = Vec::new();
        for item in &self.from {
            let Some(table) = item else {
                // It might have a column of that name.
                column.qualifier.as_ref()?;
                continue;
            };
            if column
                .qualifier
                .as_ref()
                .is_some_and(|alias| *alias != table.alias)
            {
                continue;
            }
            let known = schema(table)?;
            let of_that_name = known
                .columns
                .into_iter()
                .filter(|known| known.name == column.name);
            found.extend(of_that_name.map(|known| (table.clone(), known)));
        }
        let only = <[(FromTable, KnownColumn); 1]>::try_from(found).ok()?;
        let [only] = only;
        Some(only)
    }
}

fn from_of(text: &str) -> Option<Vec<Option<FromTable>>> {
    let found = parse_all(&format!("SELECT 1 {text}"), |parser| {
        let Statement::Query(query) = parser.parse_statement().map_err(|error| syntax(&error))?
        else {
            return Err(SqlError::Syntax("no SELECT".to_owned()));
        };
        Ok(match query.body.as_ref() {
            SetExpr::Select(select) => items(select),
            _ => None,
        })
    });
    found.ok().flatten()
}

fn items(select: &Select) -> Option<Vec<Option<FromTable>>> {
    Some(from_items(select))
}

/// The place of the parenthesis or bracket that closes the one here.
pub(super) fn closing(tokens: &Tokens<'_>, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for position in open..tokens.len() {
        match tokens.at(position)? {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(position);
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts between these words, outside of parentheses, CASE and BETWEEN.
pub(super) fn divided(tokens: &Tokens<'_>, (from, to): Span, word: &str) -> Vec<Span> {
    let (mut parts, mut start, mut position) = (Vec::new(), from, from);
    let (mut cases, mut between) = (0usize, false);
    while position < to {
        match tokens.at(position) {
            Some(Token::LParen | Token::LBracket) => {
                position = closing(tokens, position).unwrap_or(to);
            }
            Some(Token::Word(_)) if tokens.is_word(position, "case") => cases += 1,
            Some(Token::Word(_)) if tokens.is_word(position, "end") => {
                cases = cases.saturating_sub(1);
            }
            Some(Token::Word(_)) if cases > 0 => {}
            Some(Token::Word(_)) if tokens.is_word(position, "between") => between = true,
            Some(Token::Word(_)) if between && tokens.is_word(position, "and") => between = false,
            Some(Token::Word(_)) if tokens.is_word(position, word) => {
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

/// Without parentheses around the whole.
pub(super) fn unwrapped(tokens: &Tokens<'_>, (from, to): Span) -> Span {
    let wrapped = tokens.at(from) == Some(&Token::LParen)
        && closing(tokens, from) == to.checked_sub(1)
        && !tokens.is_one_of(from + 1, &["select", "with", "values"]);
    if wrapped {
        unwrapped(tokens, (from + 1, to - 1))
    } else {
        (from, to)
    }
}

fn collect(tokens: &Tokens<'_>, span: Span, found: &mut Vec<Condition>, conjunctions: &mut usize) {
    for alternative in divided(tokens, span, "or") {
        *conjunctions += 1;
        let conjunction = *conjunctions;
        for part in divided(tokens, alternative, "and") {
            let inner = unwrapped(tokens, part);
            if inner == part || part.0 >= part.1 {
                found.push(Condition {
                    span: part,
                    conjunction,
                });
            } else if divided(tokens, inner, "or").len() == 1
                && divided(tokens, inner, "and").len() == 1
            {
                found.push(Condition {
                    span: inner,
                    conjunction,
                });
            } else {
                collect(tokens, inner, found, conjunctions);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(sql: &str) -> Vec<(String, usize)> {
        let tokens = Tokens::read(sql).unwrap();
        let blocks = select_blocks(&tokens);
        let found = blocks[0].conditions(&tokens);
        found
            .into_iter()
            .map(|found| {
                let text = tokens.text(found.span.0, found.span.1).unwrap();
                (text.to_owned(), found.conjunction)
            })
            .collect()
    }

    #[test]
    fn conditions_stand_between_and_and_or() {
        let sql = "SELECT a IS DISTINCT FROM b FROM t WHERE a BETWEEN 1 AND 2 AND (b = 3 OR (c = 4 AND NOT d)) AND \
                   CASE WHEN x AND y THEN z END AND e IN (SELECT f FROM u WHERE g OR h) ORDER BY a";
        let found = conditions(sql);
        let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "a BETWEEN 1 AND 2",
                "b = 3",
                "c = 4",
                "NOT d",
                "CASE WHEN x AND y THEN z END",
                "e IN (SELECT f FROM u WHERE g OR h)"
            ]
        );
        assert_eq!(found[2].1, found[3].1);
        assert_ne!(found[1].1, found[2].1);
        assert_eq!(found[0].1, found[4].1);
    }

    #[test]
    fn what_is_deleted_or_updated_is_read_too() {
        for (sql, wanted) in [
            ("DELETE FROM s.t AS x WHERE a = 1 OR b = 2 RETURNING c", "x"),
            ("UPDATE t SET c = 1 WHERE a = 1 OR b = 2", "t"),
        ] {
            let tokens = Tokens::read(sql).unwrap();
            let blocks = select_blocks(&tokens);
            let [block] = blocks.as_slice() else {
                panic!("{blocks:?}");
            };
            let aliases: Vec<&str> = block
                .from
                .iter()
                .flatten()
                .map(|table| table.alias.as_str())
                .collect();
            assert_eq!(aliases, [wanted]);
            assert_eq!(block.conditions(&tokens).len(), 2, "{sql}");
        }
        for sql in ["DELETE FROM t USING u WHERE a = 1", "SELECT 1 FOR UPDATE"] {
            let tokens = Tokens::read(sql).unwrap();
            let found = select_blocks(&tokens).into_iter();
            assert!(found.flat_map(|block| block.from).next().is_none(), "{sql}");
        }
    }

    #[test]
    fn a_name_of_with_is_no_table() {
        let sql = "WITH t AS (SELECT 1 AS a) SELECT * FROM t, s.t AS x, u WHERE a = 1";
        let tokens = Tokens::read(sql).unwrap();
        let blocks = select_blocks(&tokens);
        let from: Vec<Option<&str>> = blocks[1]
            .from
            .iter()
            .map(|item| item.as_ref().map(|table| table.alias.as_str()))
            .collect();
        assert_eq!(from, [None, Some("x"), Some("u")]);
    }
}
