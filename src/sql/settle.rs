//! Texts whose constants have become parameters, so that they no longer parse or have types:
//! `interval $1`, `generate_series($1, $2)`, `GROUP BY date_trunc($2, at)`.
//!
//! `pg_stat_statements` and drivers write such texts. The statement that was executed had a type for
//! each of its constants. A [`Search`] tries texts that mean the same, with casts, until the server
//! accepts one; what the server says of a text decides what is tried next. It says nothing about
//! values: what is a parameter stays one.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::tokens::Tokens;

mod equal_constants;
mod grammar;
mod groups;
mod placeholders;
mod refusal;
mod types;
mod variables;

pub use placeholders::numbered;
pub use refusal::Refusal;

/// How many texts are tried for one statement.
const MAX_TRIES: usize = 100;

const SYNTAX: &str = "42601";

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

/// Looks for a text that the server accepts, the likeliest first. A text is only followed further
/// when the server says something else about it than about the one it was made from.
#[derive(Debug)]
pub struct Search {
    waiting: BinaryHeap<Reverse<Attempt>>,
    current: Option<Attempt>,
    seen: BTreeSet<String>,
    tries: usize,
    variables: Variables,
    lasting: Option<Refusal>,
}

/// May the text name variables of a function (PL/pgSQL)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variables {
    None,
    Named,
}

/// A text to try. Compared by its distance and then by its number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attempt {
    /// How unlikely it is: the more, the later it is tried.
    distance: usize,
    number: usize,
    text: String,
    /// What the server said of the text that it was made from.
    before: Option<Refusal>,
}

/// What a further change costs, in places among the changes of one text.
const STEP: usize = 3;

impl Search {
    /// None where the statement has no parameters, or cannot be read.
    pub fn of(sql: &str) -> Option<Search> {
        let tokens = Tokens::read(sql)?;
        groups::numbers(&tokens).first()?;
        Some(Search::from(sql, Variables::None))
    }

    /// For a statement of a function, whose text names variables. None where it cannot be read.
    pub fn within_function(sql: &str) -> Option<Search> {
        Tokens::read(sql)?;
        Some(Search::from(sql, Variables::Named))
    }

    fn from(sql: &str, variables: Variables) -> Search {
        let first = Attempt {
            distance: 0,
            number: 0,
            text: sql.to_owned(),
            before: None,
        };
        Search {
            waiting: BinaryHeap::from([Reverse(first)]),
            current: None,
            seen: BTreeSet::from([sql.to_owned()]),
            tries: 0,
            variables,
            lasting: None,
        }
    }

    /// The next text to try; none when nothing is left.
    pub fn next_text(&mut self) -> Option<&str> {
        if self.tries >= MAX_TRIES || self.lasting.is_some() {
            return None;
        }
        self.tries += 1;
        self.current = self.waiting.pop().map(|Reverse(attempt)| attempt);
        self.current.as_ref().map(|attempt| attempt.text.as_str())
    }

    /// The server refused the text that was tried.
    pub fn refused(&mut self, refusal: Refusal) {
        let Some(attempt) = self.current.take() else {
            return;
        };
        let variable = match self.variables {
            Variables::Named => variables::as_parameter(&attempt.text, &refusal),
            Variables::None => None,
        };
        if let Some(text) = variable {
            if self.seen.insert(text.clone()) {
                self.waiting.push(Reverse(Attempt {
                    distance: attempt.distance,
                    number: self.seen.len(),
                    text,
                    before: Some(refusal),
                }));
            }
            return;
        }
        let others = others(&attempt.text, &refusal);
        let is_wrong_anyhow = refusal.state == SYNTAX && others.is_empty();
        if LASTING.contains(&refusal.state.as_str()) || is_wrong_anyhow {
            self.lasting = Some(refusal);
            return;
        }
        if attempt
            .before
            .is_some_and(|before| refusal.says_the_same(&before))
        {
            return;
        }
        for (place, other) in others.into_iter().enumerate() {
            if self.seen.insert(other.clone()) {
                self.waiting.push(Reverse(Attempt {
                    distance: attempt.distance + STEP + place,
                    number: self.seen.len(),
                    text: other,
                    before: Some(refusal.clone()),
                }));
            }
        }
    }

    /// What is missing or forbidden, if that ended the search: of this text the server can say it,
    /// and of the one that was given it could not.
    pub fn lasting(&self) -> Option<&Refusal> {
        self.lasting.as_ref()
    }
}

/// Texts that may mean the same, the likeliest first.
fn others(text: &str, refusal: &Refusal) -> Vec<String> {
    let Some(tokens) = Tokens::read(text) else {
        return Vec::new();
    };
    let mut others: Vec<String> = Vec::new();
    match refusal.state.as_str() {
        SYNTAX => others.extend(grammar::corrected(&tokens)),
        // grouping_error, invalid_column_reference
        "42803" | "42P10" => others.extend(equal_constants::merged(&tokens)),
        _ => {}
    }
    others.extend(groups::without_gaps(&tokens));
    if refusal.state != SYNTAX {
        others.extend(types::casts(&tokens, refusal));
    }
    others
}

#[cfg(test)]
mod tests;
