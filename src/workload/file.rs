//! Workload files: plain SQL. Comments directly above a statement give its name and weight, and say
//! which of its literals are the same in every call and which are not.
//!
//! ```sql
//! -- name: jobs-queue
//! -- calls: 12000
//! -- fixed: 'PENDING'
//! -- parameters: 17, 'eu-west'
//! SELECT … ;
//! ```

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{LeftOut, Usage, Workload, orm};
use crate::sql::psql::{Variables, plain};
use crate::sql::settle::numbered;
use crate::sql::split::{Piece, split};
use crate::sql::{StatementKind, explained_statement, literals, literals_within, statement_kind};

/// The largest number of calls: sums of them stay finite and exact enough.
const MAX_CALLS: f64 = 1e15;

/// An annotation that is not valid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FileError {
    /// `-- fixed:` or `-- parameters:` with a literal that the statement does not have.
    #[error("{place}: {annotation}: the statement has no literal {literal}")]
    NoSuchLiteral {
        /// File and line.
        place: String,
        /// The word before the colon.
        annotation: String,
        /// The literal.
        literal: String,
    },
    /// `-- calls:` without a positive number.
    #[error("{place}: calls: {text:?} is not a positive number")]
    BadCalls {
        /// File and line.
        place: String,
        /// The text after the colon.
        text: String,
    },
}

/// Adds every statement of the text. `source` is the file's name for messages; unnamed statements
/// are called after it and their line (`jobs:12`).
///
/// # Errors
/// When a `-- calls:` comment is no positive number, or when a comment names literals that the
/// statement does not have.
pub fn read(source: &str, text: &str, workload: &mut Workload) -> Result<(), FileError> {
    read_script(source, text, &Variables::new(), workload)
}

/// The same with variables of psql.
///
/// # Errors
/// As [`read`].
pub fn read_script(
    source: &str,
    text: &str,
    variables: &Variables,
    workload: &mut Workload,
) -> Result<(), FileError> {
    let script = plain(text, variables);
    let mut utilities = Utilities::default();
    let mut search_path = None;
    for piece in split(&script.sql) {
        match statement_kind(piece.sql) {
            StatementKind::SearchPath(path) => {
                search_path = path;
                continue;
            }
            StatementKind::Utility(word) => match explained_statement(piece.sql) {
                Some(sql) => add(source, (&piece, sql), &script.values, workload)?,
                None => {
                    utilities.add(&word);
                    continue;
                }
            },
            StatementKind::Unknown => {
                let sql = explained_statement(piece.sql).unwrap_or(piece.sql);
                add(source, (&piece, sql), &script.values, workload)?;
            }
            StatementKind::Planned | StatementKind::Definition => {
                add(source, (&piece, piece.sql), &script.values, workload)?;
            }
        }
        workload.note_search_path(search_path.clone());
    }
    if let Some((line, command)) = script.skipped.first() {
        workload.note_left_out(LeftOut::PsqlCommands {
            commands: script.skipped.len() as u64,
            first: format!("{command} ({source}:{line})"),
        });
    }
    utilities.note(source, workload);
    Ok(())
}

/// Adds one statement, with parameters for the placeholders of a driver. Values of psql's variables
/// vary.
fn add(
    source: &str,
    (piece, sql): (&Piece<'_>, &str),
    variables: &[Range<usize>],
    workload: &mut Workload,
) -> Result<(), FileError> {
    let place = format!("{source}:{}", piece.line);
    let annotations = annotations(piece, &place)?;
    let name = annotations
        .name
        .unwrap_or_else(|| format!("{}:{}", stem(source), piece.line));
    let usage = Usage {
        calls: annotations.calls,
        mean_time_ms: None,
    };
    workload.add(&name, sql, usage, place.clone());
    let planned = as_planned(sql);
    if let Some(planned) = &planned {
        workload.note_text(planned);
    }
    let planned = planned.as_deref().unwrap_or(sql);
    let at = |annotation: &str, text: &str| positions(planned, (annotation, text), &place);
    workload.note_fixed_literals(at("fixed", &annotations.fixed)?);
    let mut varying = at("parameters", &annotations.parameters)?;
    if literals(planned).ok() == literals(sql).ok() {
        let start = piece.start + piece.sql.find(sql).unwrap_or(0);
        let parts = variables
            .iter()
            .filter(|part| part.start >= start)
            .map(|part| part.start - start..part.end - start);
        varying.extend(literals_within(sql, &parts.collect::<Vec<_>>()));
    }
    workload.note_varying_literals(varying);
    Ok(())
}

/// The text that is planned, if it is another one: with the values that an ORM logged behind it, or
/// with the server's own parameters.
fn as_planned(sql: &str) -> Option<String> {
    orm::with_logged_binds(sql).or_else(|| numbered(sql).map(|found| found.sql))
}

/// Statements that have no plan: how many, and of which kinds.
#[derive(Default)]
struct Utilities {
    statements: u64,
    kinds: Vec<String>,
}

impl Utilities {
    fn add(&mut self, kind: &str) {
        self.statements += 1;
        if !self.kinds.iter().any(|known| known == kind) {
            self.kinds.push(kind.to_owned());
        }
    }

    fn note(self, source: &str, workload: &mut Workload) {
        if self.statements > 0 {
            workload.note_left_out(LeftOut::NotPlanned {
                statements: self.statements,
                kinds: self.kinds,
                file: source.to_owned(),
            });
        }
    }
}

/// Where the literals of an annotation stand among those of the statement.
fn positions(
    sql: &str,
    (annotation, text): (&str, &str),
    place: &str,
) -> Result<BTreeSet<usize>, FileError> {
    let own = literals(sql).unwrap_or_default();
    let mut found = BTreeSet::new();
    for literal in literals(text).unwrap_or_default() {
        let places = own.iter().enumerate().filter(|(_, own)| **own == literal);
        let before = found.len();
        found.extend(places.map(|(position, _)| position));
        if found.len() == before {
            return Err(FileError::NoSuchLiteral {
                place: place.to_owned(),
                annotation: annotation.to_owned(),
                literal,
            });
        }
    }
    Ok(found)
}

struct Annotations {
    name: Option<String>,
    calls: f64,
    /// Literals, as SQL.
    fixed: String,
    parameters: String,
}

fn annotations(piece: &Piece<'_>, place: &str) -> Result<Annotations, FileError> {
    static ANNOTATION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^(name|calls|fixed|parameters)\s*:\s*(.*?)\s*$").ok());
    let mut annotations = Annotations {
        name: None,
        calls: 1.0,
        fixed: String::new(),
        parameters: String::new(),
    };
    let found = piece
        .comments
        .iter()
        .filter_map(|comment| ANNOTATION.as_ref()?.captures(comment));
    for annotation in found {
        let text = &annotation[2];
        match annotation[1].to_ascii_lowercase().as_str() {
            "name" => annotations.name = Some(text.to_owned()).filter(|name| !name.is_empty()),
            "fixed" => annotations.fixed = text.to_owned(),
            "parameters" => annotations.parameters = text.to_owned(),
            _ => annotations.calls = calls(text, place)?,
        }
    }
    Ok(annotations)
}

fn calls(text: &str, place: &str) -> Result<f64, FileError> {
    let calls = text
        .replace(['_', ','], "")
        .parse()
        .ok()
        .filter(|calls: &f64| *calls > 0.0 && *calls <= MAX_CALLS);
    calls.ok_or_else(|| FileError::BadCalls {
        place: place.to_owned(),
        text: text.to_owned(),
    })
}

fn stem(source: &str) -> &str {
    let name = source.rsplit('/').next().unwrap_or(source);
    name.strip_suffix(".sql").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(text: &str) -> Workload {
        let mut workload = Workload::default();
        read("dir/jobs.sql", text, &mut workload).unwrap();
        workload
    }

    #[test]
    fn values_of_variables_vary() {
        let workload = workload(
            "\\set tenant 17\n\\set state '''open'''\nselect 1 from t where a = 5 and b = :tenant and c = :state limit 5;\nexplain select 1 from t where a = :'tenant' and b = ?;",
        );
        let varying: Vec<Vec<usize>> = workload
            .statements()
            .iter()
            .map(|one| one.varying_literals.iter().copied().collect())
            .collect();
        assert_eq!(
            workload.statements()[0].sql,
            "select 1 from t where a = 5 and b = 17 and c = 'open' limit 5"
        );
        assert_eq!(varying, [vec![2, 3], vec![1]]);
    }

    #[test]
    fn comments_name_and_weigh() {
        let workload = workload(
            "-- name: queue\n-- calls: 12_000\nselect 1;\nselect 2;\n-- Name: queue\nselect 3",
        );
        let seen: Vec<_> = workload
            .statements()
            .iter()
            .map(|s| (s.id.0.as_str(), s.sql.as_str(), s.calls))
            .collect();
        assert_eq!(
            seen,
            [
                ("queue", "select 1", 12_000.0),
                ("jobs:4", "select 2", 1.0),
                ("queue-2", "select 3", 1.0)
            ]
        );
        assert_eq!(workload.statements()[1].place, "dir/jobs.sql:4");
    }

    #[test]
    fn comments_say_which_literals_vary() {
        let workload = workload(
            "-- fixed: 'PENDING'\n-- parameters: 17, 'it''s'\n\
             select 1 from t where a = 17 and b = 'PENDING' and c = 'it''s'",
        );
        let statement = &workload.statements()[0];
        assert_eq!(statement.fixed_literals, [2].into());
        assert_eq!(statement.varying_literals, [1, 3].into());
        let error = read(
            "w.sql",
            "-- fixed: 'NEW'\nselect 1",
            &mut Workload::default(),
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "w.sql:2: fixed: the statement has no literal NEW"
        );
    }

    #[test]
    fn calls_have_to_be_a_number() {
        let error = read(
            "w.sql",
            "-- calls: many\nselect 1",
            &mut Workload::default(),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "w.sql:2: calls: \"many\" is not a positive number"
        );
        assert!(read("w.sql", "-- calls: -1\nselect 1", &mut Workload::default()).is_err());
    }
}
