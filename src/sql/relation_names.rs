//! Which relations a statement names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Ident, ObjectName, Query, visit_relations};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::parser::{parse_all, syntax};

/// A name as a statement has it; the server resolves it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelationName {
    /// The schema, if it stands there.
    pub schema: Option<String>,
    /// The name of the relation.
    pub name: String,
}

/// The relations that the statement names, and its common table expressions. Of a text that cannot
/// be read, everything that could be such a name.
pub fn relation_names(sql: &str) -> BTreeSet<RelationName> {
    let parsed = parse_all(sql, |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        let mut names = BTreeSet::new();
        let _ = visit_relations(&statement, |relation| {
            names.extend(of_object(relation));
            ControlFlow::<()>::Continue(())
        });
        Ok(names)
    });
    parsed.unwrap_or_else(|_| of_tokens(sql))
}

/// The names that a statement has in its string literals, where a sequence is named:
/// `nextval('a.b')`.
pub fn quoted_relation_names(sql: &str) -> BTreeSet<RelationName> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize() else {
        return BTreeSet::new();
    };
    let literals = tokens.into_iter().filter_map(|token| match token {
        Token::SingleQuotedString(text) => Some(text),
        _ => None,
    });
    literals.filter_map(|text| of_literal(&text)).collect()
}

/// A text that is a name, qualified or not, and nothing else.
fn of_literal(text: &str) -> Option<RelationName> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize()
        .ok()?;
    let mut words = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) if position % 2 == 0 => {
                words.push(
                    word.quote_style
                        .map_or_else(|| word.value.to_lowercase(), |_| word.value.clone()),
                );
            }
            Token::Period if position % 2 == 1 => {}
            _ => return None,
        }
    }
    let name = words.pop().filter(|_| tokens.len() % 2 == 1)?;
    Some(RelationName {
        schema: words.pop(),
        name,
    })
}

pub(in crate::sql) fn of_object(object: &ObjectName) -> Option<RelationName> {
    let mut parts = object.0.iter().rev();
    Some(RelationName {
        name: unquoted(parts.next()?.as_ident()?),
        schema: parts.next().and_then(|part| part.as_ident()).map(unquoted),
    })
}

/// The names of a query's common table expressions: within it they are no relations.
pub(in crate::sql) fn names_within(query: &Query) -> impl Iterator<Item = String> + '_ {
    let expressions = query.with.iter().flat_map(|with| &with.cte_tables);
    expressions.map(|expression| unquoted(&expression.alias.name))
}

/// The name as the catalog has it.
pub(in crate::sql) fn unquoted(name: &Ident) -> String {
    if name.quote_style.is_some() {
        name.value.clone()
    } else {
        name.value.to_lowercase()
    }
}

/// Every word, and every word with the one before its dot.
fn of_tokens(sql: &str) -> BTreeSet<RelationName> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize() else {
        let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
        return words
            .map(|word| RelationName {
                schema: None,
                name: word.to_lowercase(),
            })
            .collect();
    };
    let word = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    };
    let named = |at: usize| {
        let name = word(tokens.get(at)?)?;
        let has_dot = at > 1 && tokens.get(at - 1) == Some(&Token::Period);
        let schema = has_dot.then(|| tokens.get(at - 2).and_then(word)).flatten();
        Some(RelationName { schema, name })
    };
    (0..tokens.len()).filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        relation_names(sql)
            .into_iter()
            .map(|name| match name.schema {
                Some(schema) => format!("{schema}.{}", name.name),
                None => name.name,
            })
            .collect()
    }

    #[test]
    fn literals_may_name_sequences() {
        let named = quoted_relation_names(
            "SELECT nextval('app.Sq'), nextval('\"Sq\"'), 'two words', 'a.', '', currval('seq'::regclass)",
        );
        let name = |schema: Option<&str>, name: &str| RelationName {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        };
        let expected = [name(None, "Sq"), name(None, "seq"), name(Some("app"), "sq")];
        assert_eq!(named, BTreeSet::from(expected));
    }

    #[test]
    fn only_relations_are_named() {
        assert_eq!(
            names(
                "SELECT o.id FROM public.orders o JOIN Items USING (order_id) WHERE state = 'closed'"
            ),
            ["items", "public.orders"]
        );
        assert_eq!(
            names("WITH w AS (DELETE FROM \"T\" RETURNING id) INSERT INTO a.b SELECT id FROM w"),
            ["T", "w", "a.b"]
        );
        assert_eq!(
            names("UPDATE a SET x = (SELECT max(y) FROM db.s.b)"),
            ["a", "s.b"]
        );
    }

    #[test]
    fn a_text_that_cannot_be_read_names_its_words() {
        let names = names("SELECT ~~~ FROM s.t WHERE 'closed'");
        assert!(names.contains(&"s.t".to_owned()), "{names:?}");
        assert!(!names.contains(&"closed".to_owned()), "{names:?}");
        assert!(!names.contains(&"t".to_owned()), "{names:?}");
    }
}
