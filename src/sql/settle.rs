//! Texts whose constants have become parameters, so that they no longer parse or have types:
//! `interval $1`, `generate_series($1, $2)`, `GROUP BY date_trunc($2, at)`.
//!
//! `pg_stat_statements` and drivers write such texts. The statement that was executed had a type for
//! each of its constants. A [`Search`] tries texts that mean the same, with casts, until the server
//! accepts one; what the server says of a text decides what is tried next. It says nothing about
//! values: what is a parameter stays one.

use std::collections::BTreeSet;

use super::tokens::Tokens;

mod equal_constants;
mod grammar;
mod groups;
mod placeholders;
mod types;

pub use placeholders::{Placeholders, numbered};

/// How many texts are tried for one statement.
const MAX_TRIES: usize = 60;

/// Why the server did not accept a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The SQLSTATE.
    pub state: String,
    /// The primary message.
    pub message: String,
    /// The character of the text that it points at, counted from 0.
    pub at: Option<usize>,
}

/// What a text is about is missing or forbidden: other types do not help. From
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const LASTING: &[&str] = &[
    "42P01", // undefined_table
    "42703", // undefined_column
    "42501", // insufficient_privilege
    "3F000", // invalid_schema_name
    "42704", // undefined_object
    "42702", // ambiguous_column
    "55P03", // lock_not_available
    "57014", // query_canceled
];

/// Looks for a text that the server accepts, depth first: a text is only followed further when the
/// server says something else about it than about the one it was made from.
#[derive(Debug)]
pub struct Search {
    /// Texts to try, with what the server said of the text that they were made from.
    waiting: Vec<(String, Option<Refusal>)>,
    current: Option<(String, Option<Refusal>)>,
    seen: BTreeSet<String>,
    tries: usize,
    lasting: Option<Refusal>,
}

impl Search {
    /// None where the statement has no parameters, or cannot be read.
    pub fn of(sql: &str) -> Option<Search> {
        let tokens = Tokens::read(sql)?;
        groups::numbers(&tokens).first()?;
        Some(Search {
            waiting: vec![(sql.to_owned(), None)],
            current: None,
            seen: BTreeSet::from([sql.to_owned()]),
            tries: 0,
            lasting: None,
        })
    }

    /// The next text to try; none when nothing is left.
    pub fn next_text(&mut self) -> Option<&str> {
        if self.tries >= MAX_TRIES || self.lasting.is_some() {
            return None;
        }
        self.tries += 1;
        self.current = self.waiting.pop();
        self.current.as_ref().map(|(text, _)| text.as_str())
    }

    /// The server refused the text that was tried.
    pub fn refused(&mut self, refusal: Refusal) {
        let Some((text, before)) = self.current.take() else {
            return;
        };
        if LASTING.contains(&refusal.state.as_str()) {
            self.lasting = Some(refusal);
            return;
        }
        if before
            .as_ref()
            .is_some_and(|before| refusal.says_the_same(before))
        {
            return;
        }
        let others = others(&text, &refusal);
        for other in others.into_iter().rev() {
            if self.seen.insert(other.clone()) {
                self.waiting.push((other, Some(refusal.clone())));
            }
        }
    }

    /// What is missing or forbidden, if that ended the search: of this text the server can say it,
    /// and of the one that was given it could not.
    pub fn lasting(&self) -> Option<&Refusal> {
        self.lasting.as_ref()
    }
}

impl Refusal {
    /// A cast in front of the place moves it to the right.
    fn says_the_same(&self, before: &Refusal) -> bool {
        self.state == before.state && self.message == before.message && {
            let moved = |at: usize, before: usize| at >= before && at - before < 24;
            match (self.at, before.at) {
                (Some(at), Some(before)) => moved(at, before),
                (at, before) => at == before,
            }
        }
    }
}

/// Texts that may mean the same, the likeliest first.
fn others(text: &str, refusal: &Refusal) -> Vec<String> {
    let Some(tokens) = Tokens::read(text) else {
        return Vec::new();
    };
    let mut others: Vec<String> = Vec::new();
    match refusal.state.as_str() {
        // syntax_error
        "42601" => others.extend(grammar::corrected(&tokens)),
        // grouping_error, invalid_column_reference
        "42803" | "42P10" => others.extend(equal_constants::merged(&tokens)),
        _ => {}
    }
    others.extend(groups::without_gaps(&tokens));
    if refusal.state != "42601" {
        others.extend(types::casts(&tokens, refusal));
    }
    others
}

#[cfg(test)]
mod tests;
